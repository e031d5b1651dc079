"""Which parts of a spec cases have touched, and which none has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from integrationd.errors import PageShapeError
from integrationd.model.records import DeleteReason
from integrationd.model.runs import Mode
from integrationd.ports.store import PageCommit
from integrationd.signals import (
    CallRetried,
    RunFinished,
    RunStarted,
    Signal,
    TokenRenewed,
)
from integrationd.spec.documents import Integration
from integrationd.testing.cases.parts import (
    HTTP,
    Part,
    find_parts,
    mapping_of,
    seen_in,
)
from integrationd.wire import decoding
from integrationd.wire.messages import Answer
from integrationd.wire.rules import ErrorRule

_UNKNOWN: Final = 401
_RATE: Final = 429
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

    def see_run(self, name: str, seen: Evidence) -> None:
        """Take what a reading touched, that of its parents included."""
        for stream in {page.key.stream for page in seen.pages} | {name}:
            self._see_stream(stream, seen)
        self._see_calls(seen)
        rules = self.integration.streams[name].errors
        self._see_rules(f"streams.{name}", rules, seen.answers)

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

    def _see_stream(self, name: str, seen: Evidence) -> None:
        where = f"streams.{name}"
        pages = [page for page in seen.pages if page.key.stream == name]
        for signal in seen.signals:
            if isinstance(signal, RunStarted) and signal.stream == name:
                self._see_begin(where, signal)
            if isinstance(signal, RunFinished) and signal.stream == name:
                self._see_end(where, signal, pages)
        for page in pages:
            self._see_page(where, page)
        if len({page.partition for page in pages}) > 1:
            self._add(where, "two partitions")
        self._see_mapping(name, pages)

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

    def _see_end(self, where: str, ended: RunFinished, pages: Sequence[PageCommit]) -> None:
        if ended.status == "done":
            self._add(where, "a reading")
        parts: dict[str, int] = {}
        for page in pages:
            parts[page.partition] = parts.get(page.partition, 0) + 1
        if max(parts.values(), default=0) > 1:
            self._add(where, "a second page")
            if ended.status == "done":
                self._add(where, "the last of several pages")
        removed = sum(len(page.removals) for page in pages)
        if ended.counts.deleted > removed:
            self._add(where, "a record that is gone")
        if ended.status == "failed" and len(parts) > 0 and "parts failed" in ended.error:
            self._add(where, "a partition that fails")

    def _see_mapping(self, name: str, pages: Sequence[PageCommit]) -> None:
        shape = self.integration.shapes[name]
        if shape.mapping is None:
            return
        where = mapping_of(self.integration.streams[name], name)
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
            try:
                body = decoding.decode_bytes(answer.body)
            except PageShapeError:
                body = answer.body.decode("utf-8", "replace")
            reply = decoding.build_reply(answer, body)
            for at, rule in enumerate(rules):
                if rule.holds(reply):
                    self._add(where, f"errors[{at}]")
                    break
