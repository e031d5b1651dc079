"""A page of source records to what the store takes, in the order that design decision 3 fixes."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from integrationd.errors import ExpressionError, MappingError
from integrationd.model.json import Json
from integrationd.model.records import DeleteReason, Removal, SetAside, Upsert, digest_of
from integrationd.transform.clean import Tally
from integrationd.transform.cursors import Comparable, CursorType, parse_cursor
from integrationd.transform.expression import Expression
from integrationd.transform.mapping import Mapping, Variables, is_true
from integrationd.transform.schema.record import RecordSchema

_encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorRule:
    """Where a record's cursor value stands and how it compares."""

    field: Expression
    type: CursorType


@dataclass(slots=True)
class Shaped:
    """What became of one page; each external id stands once in ``kept``."""

    kept: dict[str, Upsert | Removal] = field(default_factory=dict)
    bad: dict[str, SetAside] = field(default_factory=dict)
    """Those that could not be shaped, by their fingerprint; a later good one takes its place."""
    ceiling: datetime | None = None
    """Times beyond this are not taken for a cursor."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaper:
    """Everything of a stream that looks at its records, compiled once."""

    key: tuple[Expression, ...]
    cursor: CursorRule | None = None
    deleted: Expression | None = None
    where: Expression | None = None
    mapping: Mapping | None = None
    schema: RecordSchema | None = None

    def shape(self, records: Sequence[Json], variables: Variables, into: Shaped) -> None:
        """Shape some records of a page; called for one slice after the other.

        A record that cannot be keyed, mapped or compared is set aside with the reason and the
        others go on. Of records with the same key the last wins.
        """
        for record in records:
            try:
                self._note_cursor(record, variables, into)
                external_id = self.external_id(record, variables)
                into.kept[external_id] = self._shape_one(record, external_id, variables, into.tally)
                if into.bad:
                    into.bad.pop(external_id, None)
            except MappingError as wrong:
                aside = self._set_aside(record, variables, wrong)
                into.bad[aside.fingerprint] = aside

    def _shape_one(
        self, record: Json, external_id: str, variables: Variables, tally: Tally
    ) -> Upsert | Removal:
        if self.deleted is not None and is_true(_read(self.deleted, record, variables, "deleted")):
            return Removal(external_id, DeleteReason.SOURCE)
        if self.where is not None and not is_true(_read(self.where, record, variables, "where")):
            return Removal(external_id, DeleteReason.FILTERED)
        mapping = self.mapping
        entity = record if mapping is None else mapping.apply(record, variables, tally)
        try:
            data = _encode(entity)
        except (ValueError, TypeError, RecursionError):
            raise MappingError("the record cannot be written as JSON", code="json") from None
        if self.schema is not None:
            self.schema.check(entity)
        return Upsert(external_id, data, digest_of(data))

    def external_id(self, record: Json, variables: Variables) -> str:
        """Join the key's parts into one text.

        Raises:
            MappingError: A part is neither text, a whole number nor true or false.
        """
        if len(self.key) == 1:
            return _key_text(_read(self.key[0], record, variables, "key"))
        values = [_read(part, record, variables, "key") for part in self.key]
        return "/".join(
            _key_text(value).replace("%", "%25").replace("/", "%2F") for value in values
        )

    def _set_aside(self, record: Json, variables: Variables, wrong: MappingError) -> SetAside:
        source = _print_source(record)
        keyed = True
        try:
            fingerprint = self.external_id(record, variables)
        except MappingError:
            keyed = False
            fingerprint = f"#{hashlib.blake2b(source, digest_size=16).hexdigest()}"
        return SetAside(fingerprint, source, wrong.code, wrong.field, wrong.reason, keyed)

    def _note_cursor(self, record: Json, variables: Variables, into: Shaped) -> None:
        if self.cursor is None:
            return
        value = _read(self.cursor.field, record, variables, "incremental.field")
        if value is None:
            return
        try:
            into.note_cursor(value, parse_cursor(value, self.cursor.type))
        except ValueError as wrong:
            raise MappingError(f"incremental.field: {wrong}", code="cursor") from None


def _read(expression: Expression, record: Json, variables: Variables, name: str) -> Json:
    try:
        return expression.search(record, variables)
    except ExpressionError as wrong:
        raise MappingError(f"{name}: {wrong}", code=name.partition(".")[0]) from None


def _key_text(value: Json) -> str:
    if isinstance(value, str) and value:
        text = value
    elif isinstance(value, bool):
        return "true" if value else "false"
    elif isinstance(value, int) and abs(value) < _WHOLE_MAX:
        return str(value)
    else:
        found = "nothing" if value in (None, "") else _FOUND.get(type(value), "too long a number")
        raise MappingError(
            f"key: found {found}, expected text, a whole number or true or false", code="key"
        )
    if len(text) > _KEY_CHARS:
        message = f"key: found text of {len(text)} characters, expected at most {_KEY_CHARS}"
        raise MappingError(message, code="key")
    if not text.isascii() and _HALF_PAIR.search(text):
        raise MappingError("key: found text with half a surrogate pair", code="key")
    return text


_FOUND: Final = {list: "a list", dict: "an object", float: "a number with a fraction"}
_KEY_CHARS: Final = 1000
_WHOLE_MAX: Final = 10**100
_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")
"""JSON can say it, UTF-8 cannot."""


def _print_source(record: Json) -> bytes:
    """Print a record for a person to see, even one that cannot be stored."""
    try:
        return _encode(record)
    except (ValueError, TypeError, RecursionError):
        return json.dumps(repr(record)[:_SHOWN_CHARS]).encode()


_SHOWN_CHARS: Final = 10_000
