"""The records of one played stream, and what happens to them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from integrationd.errors import ExpressionError, MappingError, UsageError
from integrationd.model.json import Json
from integrationd.spec.documents import Integration
from integrationd.spec.entity import RecordShape
from integrationd.spec.stream import Stream
from integrationd.testing.options import PlayOptions
from integrationd.testing.shapes import Shape, build_shape, choose_branches, overlay
from integrationd.transform.expression import Expression
from integrationd.transform.inverse import Mark, Tree, UnsolvableError, solve
from integrationd.transform.mapping import Mapping as RecordMapping
from integrationd.transform.shape import CursorRule, Shaped, Shaper


@dataclass(slots=True)
class Entry:
    """One record as the played provider keeps it."""

    number: int
    moment: int
    """When it was last changed, in seconds after the first record."""
    is_bad: bool
    is_deleted: bool
    version: int
    """How often it was changed; shows in the record, so that every change is one."""
    data: Json


class Source:
    """A stream's records by number, or by their last change where the spec says that it sorts."""

    def __init__(
        self, integration: Integration, name: str, options: PlayOptions, beside: list[Tree]
    ) -> None:
        """Make the records.

        Raises:
            UsageError: The spec's expressions cannot be turned round into records.
        """
        self.name = name
        self.stream: Stream = integration.streams[name]
        self._variables = {"config": dict(integration.config)}
        becomes = integration.shapes[name]
        self._mapping: RecordMapping | None = becomes.mapping
        self._shaper = _build_shaper(self.stream, becomes)
        self._chance = random.Random(f"{options.seed} {name}")  # noqa: S311 - to be repeated
        self._shape: Shape = build_shape(self.stream, becomes, beside)
        self.moment = 0
        bad = set(
            self._chance.sample(range(1, options.records + 1), min(options.bad, options.records))
        )
        self.entries = [
            self._make(number, is_bad=number in bad) for number in range(1, options.records + 1)
        ]
        self._check()

    def listed(self) -> list[Entry]:
        """Return what the provider has, in the order in which it lists it."""
        rule = self.stream.incremental
        if rule is not None and rule.sorted:
            return sorted(self.entries, key=lambda entry: (entry.moment, entry.number))
        return self.entries

    def change(self, count: int) -> list[Entry]:
        """Change some good records."""
        changed = self._choose(count)
        for entry in changed:
            entry.version += 1
            self._renew(entry)
        return changed

    def delete(self, count: int) -> list[Entry]:
        """Delete some good records: marked where the spec reads a mark, else gone."""
        deleted = self._choose(count)
        for entry in deleted:
            entry.is_deleted = True
            self._renew(entry)
        if self.stream.deleted is None:
            gone = {entry.number for entry in deleted}
            self.entries = [entry for entry in self.entries if entry.number not in gone]
        return deleted

    def add(self, count: int) -> list[Entry]:
        """Add new records."""
        last = max((entry.number for entry in self.entries), default=0)
        added = [self._make(number, is_bad=False) for number in range(last + 1, last + 1 + count)]
        self.entries.extend(added)
        return added

    def external_id(self, entry: Entry) -> str:
        """Return the id that the spec's key gives."""
        return self._shaper.external_id(entry.data, self._variables)

    def _choose(self, count: int) -> list[Entry]:
        good = [entry for entry in self.entries if not entry.is_bad and not entry.is_deleted]
        return self._chance.sample(good, min(count, len(good)))

    def _make(self, number: int, *, is_bad: bool) -> Entry:
        self.moment += 1
        entry = Entry(number, self.moment, is_bad, is_deleted=False, version=0, data=None)
        entry.data = self._build(entry)
        return entry

    def _renew(self, entry: Entry) -> None:
        self.moment += 1
        entry.moment = self.moment
        entry.data = self._build(entry)

    def _build(self, entry: Entry) -> Json:
        record = self._shape.fill(entry.number, entry.moment, entry.version)
        for wish in choose_branches(self._mapping, entry.number + entry.version):
            record = overlay(record, wish)
        for condition, mark in (
            (self.stream.where, Mark.TRUE),
            (self.stream.deleted, Mark.TRUE if entry.is_deleted else Mark.FALSE),
        ):
            if condition is not None:
                record = overlay(record, self._turn_round(condition, mark))
        return self._spoil(record) if entry.is_bad else record

    def _spoil(self, record: Json) -> Json:
        """Make a record that waits in quarantine, by its mapping or, without one, by its key."""
        rules = {} if self._mapping is None else self._mapping.fields
        required = [] if self._mapping is None else [*self._mapping.required]
        paths = [rules[name].path for name in required]
        for path in [path for path in paths if path is not None] + [*self.stream.key.parts]:
            try:
                spoilt = overlay(record, solve(path.text, None))
            except UnsolvableError:
                continue
            if not self._is_good(spoilt):
                return spoilt
        raise UsageError(
            f"stream {self.name!r} cannot be played with bad records: neither a required field nor "
            "the key can be taken out of a record; play it with --bad 0"
        )

    def _is_good(self, record: Json) -> bool:
        shaped = Shaped()
        self._shaper.shape([record], self._variables, shaped)
        return not shaped.aside

    def _turn_round(self, condition: Expression, mark: Mark) -> Tree:
        try:
            return solve(condition.text, mark)
        except UnsolvableError as wrong:
            raise UsageError(
                f"stream {self.name!r} cannot be played: {condition.text!r}: {wrong}"
            ) from None

    def _check(self) -> None:
        """Read the records as the engine would, so that nothing is played wrongly in silence."""
        shaped = Shaped()
        good = [entry for entry in self.entries if not entry.is_bad]
        try:
            self._shaper.shape([entry.data for entry in good], self._variables, shaped)
        except (ExpressionError, MappingError) as wrong:
            raise UsageError(f"stream {self.name!r} cannot be played: {wrong}") from None
        if shaped.aside:
            reason = shaped.aside[0].reason
            raise UsageError(f"stream {self.name!r} cannot be played: {reason}")
        if shaped.removals:
            condition = self.stream.where or self.stream.deleted
            assert condition is not None
            raise UsageError(
                f"stream {self.name!r} cannot be played: {condition.text!r} takes away what it "
                "should keep"
            )
        if len(shaped.kept) != len(good):
            key = ", ".join(part.text for part in self.stream.key.parts)
            raise UsageError(
                f"stream {self.name!r} cannot be played: key {key!r} is not another one for each "
                "record"
            )


def _build_shaper(stream: Stream, becomes: RecordShape) -> Shaper:
    rule = stream.incremental
    return Shaper(
        key=stream.key.parts,
        cursor=None if rule is None else CursorRule(field=rule.field, type=rule.type),
        deleted=stream.deleted,
        where=stream.where,
        mapping=becomes.mapping,
        schema=becomes.schema,
    )
