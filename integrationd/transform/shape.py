"""A page of source records to what the store takes, in the order that design decision 3 fixes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from integrationd.errors import MappingError
from integrationd.model.json import Json
from integrationd.model.records import (
    DeleteReason,
    Relay,
    Removal,
    SetAside,
    Upsert,
    digest_of,
)
from integrationd.model.unstorable import Unstorable, shown
from integrationd.transform.clean import Tally
from integrationd.transform.cursors import Comparable, Scale
from integrationd.transform.expression import Expression
from integrationd.transform.key import join_key, read_named
from integrationd.transform.lookup import NOTHING, Found
from integrationd.transform.mapping import LOOKUPS, Mapping, is_true
from integrationd.transform.relay import RelayRule
from integrationd.transform.schema.record import RecordSchema
from integrationd.transform.scopes import Variables

CHANGE: Final = "change"
"""Code of what is set aside as a change and no record."""
ITEM_ERROR: Final = "the provider gave an error in the place of the record; see its source"
_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorRule:
    """Where a record's cursor value stands and how it compares."""

    field: Expression
    scale: Scale


@dataclass(slots=True)
class Shaped:
    """What became of one page; each external id stands once in ``kept``."""

    kept: dict[str, Upsert | Removal] = field(default_factory=dict)
    bad: dict[str, SetAside] = field(default_factory=dict)
    """Those that could not be shaped, by their fingerprint; a later good one takes its place."""
    ceiling: datetime | None = None
    """Times beyond this are not taken for a cursor."""
    floor: Comparable | None = None
    """Records below it are left out, as the provider does not do it."""
    below: int = 0
    """How many these are."""
    high_water: Json = None
    """The greatest cursor value of the page, as the provider wrote it."""
    high: Comparable | None = None
    low: Comparable | None = None
    """The least, as it compares."""
    ascending: bool = True
    """Whether the cursor values never fell from one record to the next."""
    last: Comparable | None = None
    tally: Tally = field(default_factory=Tally)
    """What cleaning did to the values of all records, those that were set aside too."""
    given: dict[str, list[Relay]] = field(default_factory=dict)
    """What the records in ``kept`` give to child streams."""
    found: Found = NOTHING
    """What the look-ups of the mapping found."""

    @property
    def aside(self) -> list[SetAside]:
        """Return what is to be set aside."""
        return list(self.bad.values())

    @property
    def upserts(self) -> list[Upsert]:
        """Return what is to be stored."""
        return [item for item in self.kept.values() if isinstance(item, Upsert)]

    @property
    def removals(self) -> list[Removal]:
        """Return what is to become a tombstone."""
        return [item for item in self.kept.values() if isinstance(item, Removal)]

    @property
    def relays(self) -> list[Relay]:
        """Return what those that are to be stored give to child streams."""
        kept = self.kept
        return [
            relay
            for external_id, relays in self.given.items()
            if isinstance(kept.get(external_id), Upsert)
            for relay in relays
        ]

    def take_told(self, other: Shaped) -> None:
        """Take over what was found of the same page before its records were."""
        self.bad.update(other.bad)
        self.below += other.below
        self.high_water, self.high, self.low = other.high_water, other.high, other.low
        self.ascending, self.last = other.ascending, other.last

    def note_cursor(self, value: Json, comparable: Comparable) -> None:
        """Take one record's cursor value into account.

        One beyond the ceiling (a year 9999 in a broken row) is left out: the cursor would never
        come back from there, and every later reading would ask for nothing.
        """
        if self.ceiling and isinstance(comparable, datetime) and comparable > self.ceiling:
            return
        # Of one stream all are of one type, which a union cannot say.
        high: Any = self.high
        low: Any = self.low
        last: Any = self.last
        if high is None or comparable > high:
            self.high, self.high_water = comparable, value
        if low is None or comparable < low:
            self.low = comparable
        if last is not None and comparable < last:
            self.ascending = False
        self.last = comparable


@dataclass(slots=True, kw_only=True)
class Latest:
    """The newest change of each record that a walk over a feed has told: some list those first."""

    rises: bool = False
    """The feed lists what is newer later, so what comes last is the newest."""
    falls: bool = False
    """It lists what is newer first: of two changes at one time the first is the newer one."""
    told: dict[str, Any] = field(default_factory=dict, repr=False)
    """By external id, as it compares."""

    def take(self, name: str, read: tuple[Json, Any] | None) -> bool:
        """Take a change into account; tell whether it is newer than what was told of its record."""
        if read is None or self.rises:
            return True
        at, known = read[1], self.told.get(name)
        if known is not None and (at < known or (self.falls and at == known)):
            return False
        self.told[name] = at
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaper:
    """Everything of a stream that looks at its records, compiled once."""

    key: tuple[Expression, ...]
    item_error: Expression | None = None
    cursor: CursorRule | None = None
    deleted: Expression | None = None
    where: Expression | None = None
    mapping: Mapping | None = None
    schema: RecordSchema | None = None
    relays: tuple[RelayRule, ...] = ()
    """What each record gives to the streams that are read once for each."""

    def shape(self, records: Sequence[Json], variables: Variables, into: Shaped) -> None:
        """Shape some records of a page; called for one slice after the other.

        A record that cannot be keyed, mapped or compared is set aside with the reason and the
        others go on. Of records with the same key the last wins.
        """
        for record in records:
            try:
                if isinstance(record, Unstorable):
                    raise self._refuse(record, variables, into)
                self._refuse_error(record, variables)
                if self._note_cursor(record, variables, into):
                    into.below += 1
                    continue
                external_id = self.external_id(record, variables)
                kept = self._shape_one(record, external_id, variables, into)
                if self.relays and isinstance(kept, Upsert):
                    into.given[external_id] = self._relay(record, external_id, variables)
                into.kept[external_id] = kept
                if into.bad:
                    into.bad.pop(external_id, None)
            except MappingError as wrong:
                aside = self._set_aside(record, variables, wrong)
                into.bad[aside.fingerprint] = aside

    def sort(
        self, changes: Sequence[Json], variables: Variables, into: Shaped, latest: Latest
    ) -> dict[str, Json]:
        """Tell the changes of a feed apart: the newest of each record, null where it is deleted.

        What cannot be keyed or compared is set aside, never to be mapped again as a record.

        Args:
            changes: Of one page.
            variables: ``config``, ``secrets`` and ``each``.
            into: Takes what the changes say of the cursor, and what is set aside.
            latest: What the pages before told; it grows.
        """
        found: dict[str, Json] = {}
        for change in changes:
            try:
                if isinstance(change, Unstorable):
                    raise self._refuse(change, variables, into)
                if self._note_cursor(change, variables, into):
                    into.below += 1
                    continue
                name = self.external_id(change, variables)
                gone = self.deleted is not None and self._holds(
                    self.deleted, change, variables, "feed.deleted"
                )
                if not latest.take(name, self._read_cursor(change, variables)):
                    continue
            except MappingError as wrong:
                self.refuse_change(change, variables, into, wrong.reason)
                continue
            found.pop(name, None)
            found[name] = None if gone else change
        return found

    def refuse_change(self, change: Json, variables: Variables, into: Shaped, reason: str) -> None:
        """Set a change aside that leads to no record."""
        wrong = MappingError(reason, code=CHANGE)
        aside = self._set_aside(change, variables, wrong)
        into.bad[aside.fingerprint] = aside

    def _shape_one(
        self, record: Json, external_id: str, variables: Variables, into: Shaped
    ) -> Upsert | Removal:
        if self.deleted is not None and self._holds(self.deleted, record, variables, "deleted"):
            return Removal(external_id, DeleteReason.SOURCE)
        if self.where is not None and not self._holds(self.where, record, variables, "where"):
            return Removal(external_id, DeleteReason.FILTERED)
        mapping = self.mapping
        if mapping is not None and mapping.lookups:
            looked = into.found.read(mapping.lookups, record, variables)
            variables = {**variables, LOOKUPS: looked}
        entity = record if mapping is None else mapping.apply(record, variables, into.tally)
        data = _to_json(entity)
        if self.schema is not None:
            self.schema.check(entity)
        return Upsert(external_id, data, digest_of(data))

    @staticmethod
    def _holds(condition: Expression, record: Json, variables: Variables, name: str) -> bool:
        return is_true(read_named(condition, record, variables, name))

    def _relay(self, record: Json, external_id: str, variables: Variables) -> list[Relay]:
        source = digest_of(_print_source(record))
        read = [(rule.child, rule.read(record, variables)) for rule in self.relays]
        return [Relay(child, external_id, _to_json(found), source) for child, found in read]

    def _refuse_error(self, record: Json, variables: Variables) -> None:
        if self.item_error is not None and self._holds(
            self.item_error, record, variables, "item_error"
        ):
            raise MappingError(ITEM_ERROR, code="item_error")

    def external_id(self, record: Json, variables: Variables) -> str:
        """Join the key's parts into one text.

        Raises:
            MappingError: A part is neither text, a whole number nor true or false, or the whole is
                too long.
        """
        return join_key(self.key, record, variables, "key")

    def _refuse(self, found: Unstorable, variables: Variables, into: Shaped) -> MappingError:
        """Refuse a record that cannot be stored; what it says of the cursor counts all the same."""
        with suppress(MappingError):
            self._note_cursor(found.record, variables, into)
        return MappingError(found.reason, code="json")

    def _set_aside(self, record: Json, variables: Variables, wrong: MappingError) -> SetAside:
        source = _print_source(shown(record))
        if isinstance(record, Unstorable):
            record = record.record
        keyed = True
        try:
            fingerprint = self.external_id(record, variables)
        except MappingError:
            keyed = False
            fingerprint = f"#{hashlib.blake2b(source, digest_size=16).hexdigest()}"
        why = (wrong.code, wrong.field, wrong.reason)
        return SetAside(fingerprint, source, *why, keyed, variables.get("each") or None)

    def _note_cursor(self, record: Json, variables: Variables, into: Shaped) -> bool:
        """Take a record's cursor value into account; tell whether the record is to be left out."""
        read = self._read_cursor(record, variables)
        if read is None:
            return False
        value, comparable = read
        into.note_cursor(value, comparable)
        return into.floor is not None and bool(comparable < into.floor)

    def _read_cursor(self, record: Json, variables: Variables) -> tuple[Json, Any] | None:
        """Return a record's cursor value and what it means; None where it has none."""
        if self.cursor is None:
            return None
        value = read_named(self.cursor.field, record, variables, "incremental.field")
        if value is None:
            return None
        try:
            return value, self.cursor.scale.parse(value)
        except ValueError as wrong:
            raise MappingError(f"incremental.field: {wrong}", code="cursor") from None


def _to_json(value: Json) -> bytes:
    try:
        return _encode(value)
    except (ValueError, TypeError, RecursionError):
        raise MappingError("the record cannot be written as JSON", code="json") from None


def _print_source(record: Json) -> bytes:
    """Print a record for a person to see, even one that cannot be stored."""
    try:
        return _encode(record)
    except (ValueError, TypeError, RecursionError):
        return json.dumps(repr(record)[:_SHOWN_CHARS]).encode()


_SHOWN_CHARS: Final = 10_000
