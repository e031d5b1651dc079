"""The records of one played stream, and what happens to them."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from integrationd.engine.parts import WHOLE, Part
from integrationd.engine.plans import StreamPlan, build_plan
from integrationd.errors import ExpressionError, MappingError, PageShapeError, UsageError
from integrationd.model.json import Json
from integrationd.spec.documents import Integration
from integrationd.spec.stream import Stream
from integrationd.testing import formats
from integrationd.testing.cases.clock import NOW
from integrationd.testing.findings import ANYTHING
from integrationd.testing.folding import fold
from integrationd.testing.options import PlayOptions
from integrationd.testing.replies import build_reply
from integrationd.testing.shapes import Shape, build_shape, choose_branches, overlay
from integrationd.transform.convert import format_instant
from integrationd.transform.expression import Expression
from integrationd.transform.inverse import Mark, Tree, UnsolvableError, solve
from integrationd.transform.mapping import Mapping as RecordMapping
from integrationd.transform.shape import Shaped
from integrationd.wire.decode.decoder import Decoder
from integrationd.wire.decode.json import JsonDecoder
from integrationd.wire.decode.ndjson import NdjsonDecoder
from integrationd.wire.tokens import is_true

Atoms = Mapping[str, Part]
"""The partitions of a stream by their names, batches taken apart."""
ALONE: Atoms = {WHOLE.key: WHOLE}
"""Those of a stream without ``for_each``."""
UNSEEN: Final = object()
_PLAIN: Final = re.compile(r"[\w.\"@-]+(?: \|\| `\[\]`)?")


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
    turn: int = 0
    """Which of all changes was its last."""
    owner: str = WHOLE.key
    """Which partition it is of."""
    laid: Json = None
    """What a write has laid over it."""
    seen: Json = UNSEEN
    """What the spec finds of it in an answer, before its parent adds anything."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What others need of a stream's records."""

    trees: tuple[Tree, ...] = ()
    """Shapes, as what paging reads of the last record."""
    whens: tuple[Expression, ...] = ()
    """Conditions of child streams, which two of three records fulfil."""


class Source:
    """A stream's records by number, or by their last change where the spec says that it sorts."""

    def __init__(
        self,
        integration: Integration,
        name: str,
        options: PlayOptions,
        needs: Needs,
        atoms: Atoms = ALONE,
    ) -> None:
        """Make the records.

        Args:
            integration: Whose stream it is.
            name: The stream.
            options: How many, and how many of them are bad.
            needs: What else a record has to have: for paging, and for child streams.
            atoms: Whose records they are, one after the other.

        Raises:
            UsageError: The spec's expressions cannot be turned round into records.
        """
        self.name = name
        self.plan: StreamPlan = build_plan(integration, name)
        self.stream: Stream = self.plan.stream
        self._config = {"config": dict(integration.config), "now": format_instant(NOW)}
        becomes = integration.shapes[name]
        self._mapping: RecordMapping | None = becomes.mapping
        # What it gives to children is read apart: a record that gives nothing is none the worse.
        self._shaper = replace(self.plan.shaper, relays=())
        self._chance = random.Random(f"{options.seed} {name}")  # noqa: S311 - to be repeated
        self._shape: Shape = build_shape(self.stream, becomes, needs.trees)
        self._whens = needs.whens
        self.moment = 0
        self.turn = 0
        """Grows with every change."""
        self.log: list[Entry] = []
        """What happened after the beginning, each as it was then; kept for a feed."""
        self.atoms = atoms
        self._met = {*atoms}
        count = options.records if atoms else 0
        bad = set(self._chance.sample(range(1, count + 1), min(options.bad, count)))
        self.entries: list[Entry] = []
        owners = list(atoms)
        for number in range(1, count + 1):
            owner = owners[(number - 1) % len(owners)]
            self.entries.append(self._make(number, owner, is_bad=number in bad))
        self._check()

    def listed(self, owners: Collection[str] | None = None) -> list[Entry]:
        """Return what the provider has, in the order in which it lists it.

        Args:
            owners: Only those of these partitions.
        """
        alive = self.atoms if owners is None else owners
        entries = [entry for entry in self.entries if entry.owner in alive]
        rule = self.stream.incremental
        if rule is not None and rule.sorted:
            by_time = sorted(entries, key=lambda entry: (entry.moment, entry.number))
            return by_time[::-1] if rule.falls else by_time
        return entries

    def settle(self, atoms: Atoms) -> None:
        """Take other partitions: what is new there gets a record, what is gone takes its own."""
        self.atoms = atoms
        for owner in [owner for owner in atoms if owner not in self._met]:
            self._met.add(owner)
            self.entries.append(self._note(self._make(self._last + 1, owner, is_bad=False)))

    def change(self, count: int, moment: int = 0) -> list[Entry]:
        """Change some good records; at a moment, where that is later than all before."""
        changed = self._choose(count)
        for entry in changed:
            entry.version += 1
            self._renew(entry, moment)
        return changed

    def delete(self, count: int, moment: int = 0) -> list[Entry]:
        """Delete some good records: marked where the spec reads a mark, else gone."""
        deleted = self._choose(count)
        for entry in deleted:
            self.remove(entry, moment)
        return deleted

    def remove(self, entry: Entry, moment: int = 0) -> None:
        """Delete a record."""
        entry.is_deleted = True
        self._renew(entry, moment)
        if self.stream.deleted is None:
            self.entries = [one for one in self.entries if one is not entry]

    def add(self, count: int, moment: int = 0) -> list[Entry]:
        """Add new records."""
        if not self.atoms:
            return []
        owners, last = list(self.atoms), self._last
        added = [
            self._note(self._make(number, owners[(number - 1) % len(owners)], moment, is_bad=False))
            for number in range(last + 1, last + 1 + count)
        ]
        self.entries.extend(added)
        return added

    def lay(self, entry: Entry, fields: Json, moment: int = 0) -> None:
        """Lay what a write says over a record; what makes it itself stays."""
        before = entry.laid if isinstance(entry.laid, dict) else {}
        entry.laid = {**before, **fields}
        entry.version += 1
        self._renew(entry, moment)

    def variables_of(self, entry: Entry) -> Mapping[str, Json]:
        """Return what expressions over a record may use."""
        return {**self._config, "each": dict(self._part_of(entry).each)}

    def record_of(self, entry: Entry) -> Json:
        """Return a record with what its parent gives it."""
        carry, seen = self._part_of(entry).carry, self.seen_of(entry)
        return {**seen, **carry} if carry and isinstance(seen, dict) else seen

    def seen_of(self, entry: Entry) -> Json:
        """Return a record as the spec finds it in an answer."""
        if entry.seen is UNSEEN:
            entry.seen = self._see(entry)
        return entry.seen

    def external_id(self, entry: Entry) -> str:
        """Return the id that the spec's key gives."""
        return self._shaper.external_id(self.record_of(entry), self.variables_of(entry))

    def shape(self, entries: Collection[Entry]) -> Shaped:
        """Return what the engine makes of some records."""
        shaped = Shaped(found=ANYTHING)
        for entry in entries:
            self._shaper.shape([self.record_of(entry)], self.variables_of(entry), shaped)
        return shaped

    @property
    def _last(self) -> int:
        return max((entry.number for entry in self.entries), default=0)

    def _see(self, entry: Entry) -> Json:
        """Read an answer with this one record as the engine does."""
        stream = self.stream
        found = stream.records
        decoder = self.plan.reply.decoder
        is_json = isinstance(decoder, JsonDecoder | NdjsonDecoder)
        if is_json and stream.explode is None and (found is None or _PLAIN.fullmatch(found.text)):
            return entry.data
        variables = self.variables_of(entry)
        listed = [fold(stream.explode, entry.data, self.name)]
        where = "body" if found is None else found.text
        try:
            reply = build_reply(solve(where, listed))
            if not is_json:
                # Of numbers and the like such a format keeps the text.
                reply = {**reply, "body": self._read_back(decoder, reply["body"])}
            seen = self.plan.records_of(reply, variables)
            if stream.explode is not None:
                seen = stream.explode.apply(seen, variables)
        except (UnsolvableError, ExpressionError, PageShapeError) as wrong:
            raise UsageError(f"stream {self.name!r} cannot be played: {where!r}: {wrong}") from None
        if len(seen) != 1:
            raise UsageError(
                f"stream {self.name!r} cannot be played: {where!r}: the answer would not say so"
            )
        return seen[0]

    def _read_back(self, decoder: Decoder, body: Json) -> Json:
        try:
            return formats.read_back(decoder, body)
        except UsageError as wrong:
            raise UsageError(f"stream {self.name!r} cannot be played: {wrong}") from None

    def _part_of(self, entry: Entry) -> Part:
        return self.atoms.get(entry.owner, WHOLE)

    def _choose(self, count: int) -> list[Entry]:
        good = [entry for entry in self.listed() if not entry.is_bad and not entry.is_deleted]
        good.sort(key=lambda entry: entry.number)
        return self._chance.sample(good, min(count, len(good)))

    def _make(self, number: int, owner: str, moment: int = 0, *, is_bad: bool) -> Entry:
        self.moment = max(self.moment, moment) if moment else self.moment + 1
        self.turn += 1
        entry = Entry(number, self.moment, is_bad, is_deleted=False, version=0, data=None)
        entry.owner, entry.turn = owner, self.turn
        entry.data = self._build(entry)
        return entry

    def _renew(self, entry: Entry, moment: int) -> None:
        self.moment = max(self.moment, moment) if moment else self.moment + 1
        self.turn += 1
        entry.moment, entry.turn, entry.seen = self.moment, self.turn, UNSEEN
        entry.data = self._build(entry)
        self._note(entry)

    def _note(self, entry: Entry) -> Entry:
        if self.stream.feed is not None:
            self.log.append(replace(entry))
        return entry

    def _build(self, entry: Entry) -> Json:
        record = self._shape.fill(entry.number, entry.moment, entry.version)
        for wish in choose_branches(self._mapping, entry.number + entry.version):
            record = overlay(record, wish)
        for when in self._whens:
            wish = Mark.TRUE if entry.number % 3 else Mark.FALSE
            with suppress(UnsolvableError):
                record = overlay(record, solve(when.text, wish))
        if isinstance(entry.laid, dict) and isinstance(record, dict):
            record = _lay_over(record, entry.laid, self._lasting)
        for condition, mark in (
            (self.stream.item_error, Mark.FALSE),
            (self.stream.where, Mark.TRUE),
            (self.stream.deleted, Mark.TRUE if entry.is_deleted else Mark.FALSE),
        ):
            if condition is not None and not self._holds(condition, mark, record, entry):
                record = overlay(record, self._turn_round(condition, mark))
        if not entry.is_bad:
            return record
        spoilt = self._spoil(record, entry)
        entry.is_bad = spoilt is not None
        return record if spoilt is None else spoilt

    @property
    def _lasting(self) -> frozenset[str]:
        """Return the fields that no write may change: the key's, and the cursor's."""
        parts = [*self.stream.key.parts]
        rule = self.stream.incremental
        if rule is not None and rule.field is not None:
            parts.append(rule.field)
        return frozenset(name for part in parts for name in part.roots)

    def _holds(self, condition: Expression, mark: Mark, record: Json, entry: Entry) -> bool:
        try:
            seen = self._see(replace(entry, data=record, seen=UNSEEN))
            found = condition.search(seen, self.variables_of(entry))
        except ExpressionError:
            return False
        return is_true(found) == (mark is Mark.TRUE)

    def _spoil(self, record: Json, entry: Entry) -> Json:
        """Make a record that waits in quarantine, by its mapping or, without one, by its key.

        None where neither a required field nor the key can be taken out of a record.
        """
        rules = {} if self._mapping is None else self._mapping.fields
        required = [] if self._mapping is None else [*self._mapping.required]
        paths = [rules[name].path for name in required]
        for path in [path for path in paths if path is not None] + [*self.stream.key.parts]:
            try:
                spoilt = overlay(record, solve(path.text, None))
            except UnsolvableError:
                continue
            if not self._is_good(spoilt, entry):
                return spoilt
        return None

    def _is_good(self, record: Json, entry: Entry) -> bool:
        return not self.shape([replace(entry, data=record, seen=UNSEEN)]).aside

    def _turn_round(self, condition: Expression, mark: Mark) -> Tree:
        try:
            return solve(condition.text, mark)
        except UnsolvableError as wrong:
            raise UsageError(
                f"stream {self.name!r} cannot be played: {condition.text!r}: {wrong}"
            ) from None

    def _check(self) -> None:
        """Read the records as the engine would, so that nothing is played wrongly in silence."""
        good = [entry for entry in self.entries if not entry.is_bad]
        try:
            shaped = self.shape(good)
        except (ExpressionError, MappingError) as wrong:
            raise UsageError(f"stream {self.name!r} cannot be played: {wrong}") from None
        for entry in good[:1]:
            fold(self.stream.explode, entry.data, self.name)
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


def _lay_over(record: Json, laid: Mapping[str, Json], lasting: Collection[str]) -> Json:
    """Return a record with what was written to it, but for the fields that it has not."""
    own = {name: value for name, value in laid.items() if name in record and name not in lasting}
    return {**record, **own}
