"""Work that a played provider does before there is something to read: begun, asked after, had."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from integrationd.engine.pages import of_page
from integrationd.errors import ExpressionError, UsageError
from integrationd.model.json import Json
from integrationd.spec.deferred import Deferred
from integrationd.testing.lists import ListScene
from integrationd.testing.moments import at_any_time
from integrationd.testing.replies import ReplyBuilder
from integrationd.testing.routes import Asked, Route
from integrationd.testing.scenes import Stage, write_answer
from integrationd.transform.finding import references_in
from integrationd.transform.inverse import Mark, Tree
from integrationd.wire.call import BaseCall, CallShape, build_request
from integrationd.wire.messages import Answer, Call, Request

_POLLS: Final = 2
"""How often one has to ask until the work is done."""
_JOBS_MAX: Final = 200
"""Pieces of work that are remembered."""


@dataclass(slots=True)
class Job:
    """One piece of work."""

    number: int
    asked: Asked
    """What it was begun with."""
    polls: int = 0

    @property
    def id(self) -> str:
        """Return what it is called."""
        return f"job-{self.number}"


@dataclass(slots=True, kw_only=True)
class ExportScene:
    """A stream whose provider makes a file of its records first."""

    stage: Stage
    rule: Deferred
    lists: ListScene
    """Finds the records and writes their pages."""
    jobs: dict[int, Job] = field(default_factory=dict)
    _routes: tuple[object, list[Route]] | None = None

    def __post_init__(self) -> None:
        """Make each request and each answer once.

        Raises:
            UsageError: Something cannot be turned round.
        """
        call = Call(method="GET", url=self.stage.origin, path="/", query=(), headers={}, body=b"")
        job = Job(0, Asked(call, {}))
        self._create(job, call)
        for _ in range(_POLLS):
            self._poll(job, call)
        part = next(iter(self.stage.families.parts(self.name)), None)
        if part is not None:
            list(self._build(replace(job, asked=replace(job.asked, part=part))))

    @property
    def name(self) -> str:
        """Return the stream's name."""
        return self.lists.name

    @property
    def way(self) -> str:
        """Return which of ``http.auths`` it is asked by."""
        return self.lists.way

    @property
    def shown(self) -> str:
        """Return the request that begins the work."""
        return self.lists.shown

    def routes(self) -> Sequence[Route]:
        """Return those that begin work, and those of each piece under way."""
        begin = self.lists.routes()
        turn = begin, len(self.jobs), max(self.jobs, default=0)
        if self._routes is None or self._routes[0] != turn:
            own = [route for job in self.jobs.values() for route in self._build(job)]
            self._routes = turn, [*begin, *own]
        return self._routes[1]

    def answer(self, asked: Asked, route: Route) -> Answer:
        """Answer a call about a piece of work."""
        what, _, number = route.role.partition(" ")
        if not what:
            job = Job(max(self.jobs, default=0) + 1, asked)
            self.jobs = {**dict(list(self.jobs.items())[1 - _JOBS_MAX :]), job.number: job}
            return self._create(job, asked.call)
        job = self.jobs[int(number)]
        if what == "poll":
            return self._poll(job, asked.call)
        if what == "abort":
            return self._plain(ReplyBuilder(self.name), self.rule.abort, asked.call)
        entries = self.lists.find(job.asked)
        paged = Asked(asked.call, asked.holes, job.asked.part)
        return self.lists.answer_page(paged, entries, self.rule.download.decode)

    def _create(self, job: Job, call: Call) -> Answer:
        builder = ReplyBuilder(self.name)
        builder.wish(self.rule.create.id, job.id)
        return self._plain(builder, self.rule.create, call)

    def _poll(self, job: Job, call: Call) -> Answer:
        job.polls += 1
        builder = ReplyBuilder(self.name)
        builder.lay({"body": dict(self._told(job))} if self._told(job) else {})
        rule = self.rule.poll
        builder.wish(rule.done, Mark.TRUE if job.polls >= _POLLS else Mark.FALSE)
        builder.wish_where_free(rule.failed, Mark.FALSE)
        return self._plain(builder, rule, call)

    def _plain(self, builder: ReplyBuilder, shape: CallShape | None, call: Call) -> Answer:
        assert shape is not None
        return write_answer(builder, shape.decode, f"stream {self.name!r}", call)

    def _told(self, job: Job) -> Mapping[str, Json]:
        """Return what the download reads of the last poll: a place of our own, or some name."""
        path = self.rule.download.path
        assert path is not None
        whole = path.text.strip().startswith("{{")
        tree: dict[str, Tree] = {}
        for reference in references_in(self.rule.download):
            root, *names = reference.path
            if root != "poll" or len(names) < 2 or names[0] != "body":  # noqa: PLR2004
                continue
            own = f"{self.stage.origin}/played-files/{self.name}/{job.id}"
            value: Tree = own if whole else f"file-{job.number}"
            for name in reversed(names[2:]):
                value = {name: value}
            tree[str(names[1])] = value
        return tree

    def _build(self, job: Job) -> Iterator[Route]:
        variables = {
            **self.stage.variables,
            "each": dict(job.asked.part.each),
            "job": {"id": job.id},
            "poll": {"status": 200, "headers": {}, "body": dict(self._told(job))},
        }
        shapes: dict[str, CallShape | None] = {
            "poll": self.rule.poll,
            "download": self.rule.download,
            "abort": self.rule.abort,
        }
        for role, shape in shapes.items():
            if shape is None:
                continue
            base = self.stage.base
            is_paged = role == "download" and "page" in self.lists.plan.reads
            scopes = [of_page(variables, first=first) for first in (True, False)[: 1 + is_paged]]
            if role == "download" and not self.rule.download.sign:
                base = replace(base, headers={}, query=())
            try:
                found = [at_any_time(partial(_build, shape, base), scope) for scope in scopes]
            except ExpressionError as wrong:
                raise UsageError(
                    f"stream {self.name!r} cannot be played: {role}: {wrong}"
                ) from None
            for request in found:
                yield replace(
                    Route.build(self.name, self.stage.here(request), job.asked.part),
                    role=f"{role} {job.number}",
                    is_open=role == "download" and not self.rule.download.sign,
                )


def _build(shape: CallShape, base: BaseCall, variables: Mapping[str, Json]) -> Request:
    return build_request(shape, base=base, variables=variables)
