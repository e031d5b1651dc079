"""Which parts of a spec cases have touched, and which none has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.model.records import DeleteReason
from integrationd.model.runs import Mode
from integrationd.ports.store import PageCommit
from integrationd.signals import (
    CallRetried,
    RunFinished,
    RunStarted,
    Signal,
    StreamsDiscovered,
    TokenRenewed,
)
from integrationd.spec.documents import Integration
from integrationd.spec.stream import Stream
from integrationd.testing.cases.parts import (
    A_CHANGE,
    A_LATE_CURSOR,
    A_LISTED_OBJECT,
    A_LOST_OBJECT,
    A_PAGE_OF_CHANGES,
    A_REMOVAL,
    ANOTHER_FORM,
    HTTP,
    WORK_THAT_FAILS,
    WORK_THAT_TAKES,
    Part,
    find_parts,
    mapping_of,
    place_of_mould,
    seen_in,
)
from integrationd.wire import decoding
from integrationd.wire.call import CallShape
from integrationd.wire.messages import Answer
from integrationd.wire.rules import ErrorRule, Then
from integrationd.wire.tokens import is_true

_UNKNOWN: Final = 401
_RATE: Final = 429
_GONE: Final = 410
_HOLE: Final = re.compile(r"\{\{.*?\}\}")
_decode = msgspec.json.decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one reading or call of a case left behind."""

    signals: Sequence[Signal]
    pages: Sequence[PageCommit]
    answers: Sequence[Answer]
    outcome: str

    def of(self, kind: type[Signal]) -> list[Signal]:
        """Return the signals of one kind."""
        return [signal for signal in self.signals if isinstance(signal, kind)]


@dataclass(slots=True)
class Touch:
    """One spec: its parts, and those that were touched."""

    integration: Integration
    parts: tuple[Part, ...] = field(init=False)
    touched: set[Part] = field(default_factory=set)

    def __post_init__(self) -> None:
        """List the parts."""
        self.parts = tuple(dict.fromkeys(find_parts(self.integration)))

    @property
    def untouched(self) -> list[Part]:
        """Return what no case has touched, in the order of the file."""
        return [part for part in self.parts if part not in self.touched]

    def see_run(self, system: Integration, name: str, seen: Evidence) -> None:
        """Take what a reading touched, that of its parents included.

        Args:
            system: The integration, with the streams that its lists held when it was read.
            name: The stream.
            seen: What it left behind.
        """
        for stream in {page.key.stream for page in seen.pages} | {name}:
            self._see_stream(system, stream, seen)
        self._see_calls(seen)
        for signal in seen.signals:
            if isinstance(signal, StreamsDiscovered):
                self._see_list(signal)
        where, own = self._place(system, name), system.streams[name]
        self._see_rules(where, own.errors, seen.answers)
        self._see_work(where, own, seen)
        if {answer.status for answer in seen.answers} & {_GONE} or self._restarts(own, seen):
            self._add(where, A_LATE_CURSOR)

    def _see_list(self, listed: StreamsDiscovered) -> None:
        for what, names in ((A_LISTED_OBJECT, listed.added), (A_LOST_OBJECT, listed.gone)):
            if names:
                self._add(f"streams.{listed.stream}", what)

    def _place(self, system: Integration, name: str) -> str:
        """Return where a stream stands in its file; of one that a list discovers, what it says."""
        found = system.objects.get(name)
        if found is None:
            return f"streams.{name}"
        own = name if name in system.moulds[found.of] else ""
        return place_of_mould(found.of, own)

    def see_call(self, operation: str, seen: Evidence) -> None:
        """Take what a call touched; an operation without a name is the probe."""
        where = f"operations.{operation}" if operation else "probe"
        outcomes = {
            "done": "an answer",
            "failed": "a refusal",
            "refused": "input that does not fit",
        }
        self._add(where, outcomes.get(seen.outcome, ""))
        self._see_calls(seen)
        if operation:
            shape = self.integration.operations[operation]
            for part in shape.parts:
                self._see_rules(where, part.errors, seen.answers)

    def see_event(self, endpoint: str, *, accepted: bool) -> None:
        """Take one inbound call."""
        self._add(f"webhooks.{endpoint}", "accepted" if accepted else "refused")

    def _add(self, where: str, what: str) -> None:
        self.touched.add(Part(where, what))

    def _see_stream(self, system: Integration, name: str, seen: Evidence) -> None:
        where, stream = self._place(system, name), system.streams[name]
        pages = [page for page in seen.pages if page.key.stream == name]
        following: set[str] = set()
        for signal in seen.signals:
            if isinstance(signal, RunStarted) and signal.stream == name:
                if stream.feed is not None and signal.mode is Mode.INCREMENTAL:
                    following.add(signal.run_id)
                self._see_begin(where, signal)
            if isinstance(signal, RunFinished) and signal.stream == name:
                own = [page for page in pages if page.run_id == signal.run_id]
                self._see_end(where, signal, own, follows=signal.run_id in following)
        for page in pages:
            self._see_page(where, page)
            if page.run_id in following:
                self._see_changes(where, page)
        if len({page.partition for page in pages}) > 1:
            self._add(where, "two partitions")
        self._see_mapping(system, name, pages)

    def _see_changes(self, where: str, page: PageCommit) -> None:
        if page.upserts:
            self._add(where, A_CHANGE)
        if any(one.reason is DeleteReason.SOURCE for one in page.removals):
            self._add(where, A_REMOVAL)

    def _see_work(self, where: str, stream: Stream, seen: Evidence) -> None:
        """Take what a provider did before there was something to read, and forms of requests."""
        replies = [(answer.url, _reply_of(answer)) for answer in seen.answers]
        if stream.deferred is not None:
            poll = stream.deferred.poll
            polled = {url for url, reply in replies if is_true(poll.done.search(dict(reply)))}
            if any(
                url in polled and not is_true(poll.done.search(dict(reply)))
                for url, reply in replies
            ):
                self._add(where, WORK_THAT_TAKES)
            failed = poll.failed
            if failed is not None and any(
                is_true(failed.search(dict(reply))) for _, reply in replies
            ):
                self._add(where, WORK_THAT_FAILS)
        forms = [_pattern_of(one) for one in stream.variants]
        for url, _ in replies if len(forms) > 1 else ():
            fitting = next((at for at, one in enumerate(forms) if one.search(url)), 0)
            if fitting:
                self._add(where, ANOTHER_FORM)

    def _restarts(self, stream: Stream, seen: Evidence) -> bool:
        """Tell whether a rule of the spec took a cursor for too old."""
        http = self.integration.http
        rules = [*stream.errors, *(() if http is None else http.errors)]
        restarting = [rule for rule in rules if rule.then is Then.RESTART]
        replies = [_reply_of(answer) for answer in seen.answers] if restarting else []
        return any(rule.holds(reply) for rule in restarting for reply in replies)

    def _see_begin(self, where: str, begun: RunStarted) -> None:
        if begun.resumed:
            self._add(where, "a resumed reading")
        if begun.mode is Mode.INCREMENTAL:
            self._add(where, "a reading from a cursor")

    def _see_page(self, where: str, page: PageCommit) -> None:
        if page.counts.read == 0:
            self._add(where, "an empty answer")
        if page.aside:
            self._add(where, "a record set aside")
        for removal in page.removals:
            deleted = removal.reason is DeleteReason.SOURCE
            self._add(where, "a deleted record" if deleted else "a record left out by where")

    def _see_end(
        self, where: str, ended: RunFinished, pages: Sequence[PageCommit], *, follows: bool
    ) -> None:
        if ended.status == "done":
            self._add(where, "a reading")
        parts: dict[str, int] = {}
        for page in pages:
            parts[page.partition] = parts.get(page.partition, 0) + 1
        if follows and max(parts.values(), default=0) > 1:
            self._add(where, A_PAGE_OF_CHANGES)
        elif max(parts.values(), default=0) > 1:
            self._add(where, "a second page")
            if ended.status == "done":
                self._add(where, "the last of several pages")
        removed = sum(len(page.removals) for page in pages)
        if ended.counts.deleted > removed:
            self._add(where, "a record that is gone")
        if ended.status == "failed" and len(parts) > 0 and "parts failed" in ended.error:
            self._add(where, "a partition that fails")

    def _see_mapping(self, system: Integration, name: str, pages: Sequence[PageCommit]) -> None:
        shape = system.shapes[name]
        if shape.mapping is None:
            return
        where = mapping_of(system.streams[name], self._place(system, name))
        for page in pages:
            for upsert in page.upserts:
                self.touched.update(seen_in(where, shape.mapping.fields, _decode(upsert.data)))

    def _see_calls(self, seen: Evidence) -> None:
        statuses = {answer.status for answer in seen.answers}
        if _UNKNOWN in statuses:
            self._add(HTTP, "401")
        if _RATE in statuses:
            self._add(HTTP, "429")
        throttled = sum(answer.status == _RATE for answer in seen.answers)
        if len(seen.of(CallRetried)) > throttled:
            self._add(HTTP, "a passing failure, tried again")
        if seen.of(TokenRenewed):
            self._add(HTTP, "a token")
        http = self.integration.http
        if http is not None:
            self._see_rules(HTTP, http.errors, seen.answers)

    def _see_rules(self, where: str, rules: Sequence[ErrorRule], answers: Iterable[Answer]) -> None:
        for answer in answers if rules else ():
            reply = _reply_of(answer)
            for at, rule in enumerate(rules):
                if rule.holds(reply):
                    self._add(where, f"errors[{at}]")
                    break


def _reply_of(answer: Answer) -> Mapping[str, Json]:
    """Read an answer as far as that can be done."""
    try:
        body = decoding.decode_bytes(answer.body)
    except PageShapeError:
        body = answer.body.decode("utf-8", "replace")
    return decoding.build_reply(answer, body)


def _pattern_of(shape: CallShape) -> re.Pattern[str]:
    """Return what the addresses of a request end with, whatever its templates are filled with."""
    text = "" if shape.path is None else shape.path.text
    plain = [re.escape(part) for part in _HOLE.split(text)]
    return re.compile(f"{'[^/]+'.join(plain)}$")
