"""A feed at play: where it begins, what changed since, and the record that a change is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from typing import Final

from typing_extensions import override

from integrationd.engine.parts import Part
from integrationd.engine.plans import StreamPlan
from integrationd.errors import ExpressionError, ProviderError, UsageError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.spec.feed import Beginning, Feed, Fetch
from integrationd.testing.beside import read_beside
from integrationd.testing.bounds import changed_since, lies_between
from integrationd.testing.lists import ListScene
from integrationd.testing.moments import at_any_time
from integrationd.testing.pages import GoneError, NoSuchError
from integrationd.testing.records import Entry, Source
from integrationd.testing.replies import ReplyBuilder
from integrationd.testing.routes import Asked, Route, mark
from integrationd.testing.scenes import Stage, write_answer
from integrationd.testing.shapes import Shape, overlay
from integrationd.testing.values import Turn, Wanted, build_value
from integrationd.transform.expression import Expression
from integrationd.transform.finding import references_in
from integrationd.transform.inverse import Mark, Tree, UnsolvableError, merge, solve
from integrationd.wire import texts
from integrationd.wire.call import BaseCall, CallShape, build_request
from integrationd.wire.messages import Answer, Request

_CHANGE: Final = "change"


@dataclass(slots=True, kw_only=True)
class ChangeWriter:
    """Writes what a feed says of a record: which it is, when that was, and what it is now."""

    name: str
    """Of the stream."""
    plan: StreamPlan
    """How the feed is read."""
    feed: Feed
    source: Source
    _shape: Shape = field(init=False)

    def __post_init__(self) -> None:
        """Gather what paging and the request for a record read of a change."""
        trees: list[Tree] = [*read_beside(self.plan.stream, self.plan.paginator)]
        for path in self.fetched:
            tree: Tree = Wanted(name=str(path[-1]))
            for key in reversed(path):
                tree = {key: tree} if isinstance(key, str) else [tree]
            trees.append(tree)
        self._shape = Shape(reduce(lambda one, other: merge(one, other, _first), trees, {}))

    @property
    def fetched(self) -> list[tuple[str | int, ...]]:
        """Return the places in a change that the request for a record reads."""
        used = [] if self.feed.fetch is None else references_in(self.feed.fetch)
        return [tuple(one.path[1:]) for one in used if one.path[0] == _CHANGE and one.path[1:]]

    @property
    def tells_removals(self) -> bool:
        """Tell whether a change can say that its record is gone."""
        return self._deleted is not None or self.feed.fetch is not None

    @property
    def _deleted(self) -> Expression | None:
        return self.feed.deleted or self.source.stream.deleted

    def write(self, entry: Entry) -> Json:
        """Write one change.

        Raises:
            UsageError: An expression of the feed cannot be turned round.
        """
        turn = Turn(number=entry.turn, moment=entry.moment, version=entry.version)
        change: Json = self._shape.fill(turn.number, turn.moment, turn.version)
        record = self.source.seen_of(entry)
        is_whole = self.feed.record is None and self.feed.fetch is None
        if is_whole and isinstance(record, dict):
            change = {**change, **record}
        external_id = self.source.external_id(entry)
        for path in self.fetched:
            change = overlay(change, _at(path, external_id))
        whole, seen = self.source.record_of(entry), self.source.variables_of(entry)
        own = self.source.stream.key.parts
        for part, of_record in zip(
            (self.feed.key or self.source.stream.key).parts, own, strict=False
        ):
            change = self._lay(change, part, of_record.search(whole, seen))
        if self.feed.record is not None and not entry.is_deleted:
            change = self._lay(change, self.feed.record, record)
        rule = self.plan.rule
        if rule is not None and rule.field is not None:
            first = next(iter(rule.scale.notations), None)
            moment = build_value(Wanted(name="", grows=rule.type, format=first), turn)
            change = self._lay(change, rule.field, moment)
        if self._deleted is not None:
            change = self._lay(change, self._deleted, Mark.TRUE if entry.is_deleted else Mark.FALSE)
        return change

    def _lay(self, change: Json, expression: Expression, wanted: Tree) -> Json:
        try:
            return overlay(change, solve(expression.text, wanted))
        except UnsolvableError as wrong:
            raise UsageError(
                f"stream {self.name!r} cannot be played: feed: {expression.text!r}: {wrong}"
            ) from None


@dataclass(slots=True, kw_only=True)
class ChangeScene(ListScene):
    """The feed itself: what happened since a cursor, in the order in which it did."""

    writer: ChangeWriter

    @override
    def __post_init__(self) -> None:
        """Write a change of each kind once; raises UsageError where that cannot be done."""
        self.begins = None
        for entry in self.source.listed()[:1]:
            self.written([entry, replace(entry, is_deleted=True)])
        # Written out, as the two-argument form does not work in a class with slots.
        ListScene.__post_init__(self)

    @override
    def find(self, asked: Asked) -> list[Entry]:
        """Return what happened to records of a call's partition, within its bounds."""
        owners = self.stage.families.owners(self.name, asked.part)
        log = [
            one
            for one in self.source.log
            if one.owner in owners and (not one.is_deleted or self.writer.tells_removals)
        ]
        keeps = self.writer.feed.keeps
        if keeps is not None and asked.moment:
            oldest = asked.moment - keeps.total_seconds()
            log = [one for one in log if one.moment >= oldest]
        return self._since(log, asked)

    def _since(self, log: list[Entry], asked: Asked) -> list[Entry]:
        rule = self.plan.rule
        assert rule is not None
        if asked.is_late:
            raise GoneError("the cursor is too old; read the list again")
        if rule.field is None:
            return changed_since(log, asked.bounds.get("lower"))
        found = [
            one
            for one in log
            if lies_between(rule, rule.field.search(self.writer.write(one), {}), asked.bounds)
        ]
        return found[::-1] if rule.falls else found

    @override
    def written(self, entries: Sequence[Entry]) -> list[Json]:
        """Write the changes."""
        return [self.writer.write(entry) for entry in entries]


@dataclass(slots=True, kw_only=True)
class FeedScene:
    """A stream that is read as a list first and by its feed afterwards."""

    stage: Stage
    plan: StreamPlan
    """Of the stream."""
    source: Source
    lists: ListScene = field(init=False)
    changes: ChangeScene = field(init=False)
    writer: ChangeWriter = field(init=False)
    _routes: tuple[object, list[Route]] | None = None

    def __post_init__(self) -> None:
        """Make the list, the feed, and what belongs to them.

        Raises:
            UsageError: Something cannot be turned round.
        """
        assert self.plan.listing is not None
        assert self.plan.following is not None
        self.writer = ChangeWriter(
            name=self.name, plan=self.plan.following, feed=self._feed, source=self.source
        )
        start = self._feed.from_
        begins = start.cursor if isinstance(start, Beginning) and start.method is None else None
        self.lists = ListScene(
            stage=self.stage, plan=self.plan.listing, source=self.source, begins=begins
        )
        self.changes = ChangeScene(
            stage=self.stage, plan=self.plan.following, source=self.source, writer=self.writer
        )
        self.routes()

    @property
    def name(self) -> str:
        """Return the stream's name."""
        return self.plan.name

    @property
    def way(self) -> str:
        """Return which of ``http.auths`` it is asked by."""
        return self.lists.way

    @property
    def shown(self) -> str:
        """Return the request of the list, for people."""
        return self.lists.shown

    @property
    def _feed(self) -> Feed:
        feed = self.plan.stream.feed
        assert feed is not None
        return feed

    def routes(self) -> Sequence[Route]:
        """Return those of the feed, which say more, before those of the list."""
        parts = self.stage.families.parts(self.name)
        if self._routes is None or self._routes[0] is not parts:
            feed = [replace(route, role="feed") for route in self.changes.routes()]
            own = [route for part in parts for route in self._build(part)]
            self._routes = parts, [*feed, *own, *self.lists.routes()]
        return self._routes[1]

    def answer(self, asked: Asked, route: Route) -> Answer:
        """Answer a page of the list or of the feed, where it begins, or one record."""
        match route.role:
            case "feed":
                return self.changes.answer(asked, route)
            case "begin":
                start = self._feed.from_
                assert isinstance(start, Beginning)
                builder = ReplyBuilder(self.name)
                builder.wish(start.cursor, self.lists.token(start.cursor.text, self.source.turn))
                return write_answer(builder, start.decode, f"stream {self.name!r}", asked.call)
            case "fetch":
                assert self._feed.fetch is not None
                return self._answer_record(self._feed.fetch, asked)
            case _:
                return self.lists.answer(asked, route)

    def _answer_record(self, fetch: Fetch, asked: Asked) -> Answer:
        owners = self.stage.families.owners(self.name, asked.part)
        for entry in self.source.listed(owners):
            if entry.is_bad or entry.is_deleted:
                continue
            change = self.writer.write(entry)
            if all(
                _text_at(change, path) == asked.bounds.get(_named(path))
                for path in self.writer.fetched
            ):
                builder = ReplyBuilder(self.name)
                record = self.source.seen_of(entry)
                if fetch.record is None:
                    builder.tree = {"body": record}
                else:
                    builder.wish(fetch.record, record)
                return write_answer(builder, fetch.decode, f"stream {self.name!r}", asked.call)
        raise NoSuchError(f"there is no such record of {self.name}")

    def _build(self, part: Part) -> Iterator[Route]:
        start, fetch = self._feed.from_, self._feed.fetch
        variables = {**self.stage.variables, **self.plan.given, "each": dict(part.each)}
        shapes: dict[str, tuple[CallShape, Mapping[str, Json]]] = {}
        if isinstance(start, Beginning) and start.method is not None:
            shapes["begin"] = (start, variables)
        if fetch is not None:
            marks: Json = {}
            for path in self.writer.fetched:
                marks = overlay(marks, _at(path, mark(_named(path))))
            shapes["fetch"] = (fetch, {**variables, _CHANGE: marks})
        for role, (shape, seen) in shapes.items():
            try:
                request = at_any_time(partial(_build, shape, self.stage.base), seen)
            except (ExpressionError, ProviderError) as wrong:
                raise UsageError(
                    f"stream {self.name!r} cannot be played: {role}: {wrong}"
                ) from None
            yield replace(Route.build(self.name, self.stage.here(request), part), role=role)


def _build(shape: CallShape, base: BaseCall, variables: Mapping[str, Json]) -> Request:
    return build_request(shape, base=base, variables=variables)


def _first(one: Tree, _: Tree) -> Tree:
    return one


def _at(path: Sequence[str | int], value: Tree) -> Tree:
    for key in reversed(path):
        value = {key: value} if isinstance(key, str) else [value]
    return value


def _named(path: Sequence[str | int]) -> str:
    return "_".join(map(str, path)).lower()


def _text_at(change: Json, path: Sequence[str | int]) -> str | None:
    for key in path:
        try:
            change = change[key]
        except (KeyError, IndexError, TypeError):
            return None
    text = texts.to_text(change)
    return None if text is None else reveal(text)
