"""Cursor values compared: the provider's own text is kept, what it means is compared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeAlias

from integrationd.model.json import Json
from integrationd.model.unstorable import is_half_pair
from integrationd.transform.times import TimeNotation, find_notation, settle

Comparable: TypeAlias = datetime | Decimal | float | str

_INF: Final = float("inf")
_NUMBER: Final = re.compile(r"-?[0-9]{1,100}(?:\.[0-9]{1,100})?")

_OURS: Final = re.compile(r"[0-9-]{10}T[0-9:.]{8,15}\+00:00")


class CursorType(StrEnum):
    """How cursor values compare."""

    TIME = "time"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How the cursor values of one stream are read, so that two of them can be compared."""

    type: CursorType
    notations: tuple[TimeNotation, ...] = ()
    """How times are written; as ISO 8601 where nothing is said."""
    zone: tzinfo | None = None
    """Of times without one; as UTC where nothing is said, for comparing only."""
    opaque: bool = False
    """They are the provider's own and mean nothing here: the newest counts."""

    def parse(self, value: Json) -> Comparable:
        """Return what a cursor value means, so that two of them can be compared.

        Raises:
            ValueError: It is not of the type; the text says what was expected.
        """
        if self.type is CursorType.TEXT:
            if isinstance(value, str) and not is_half_pair(value):
                return value
            raise ValueError("expected text")
        if self.type is CursorType.NUMBER:
            return _parse_number(value)
        return aware(self.find(value)[1])

    def find(self, value: Json) -> tuple[TimeNotation, datetime]:
        """Return the notation of a time, and which it is; without a zone where none is known.

        The end of a window, which is kept as a cursor too, is ours and not the provider's.

        Raises:
            ValueError: It is written otherwise; the text says what was expected.
        """
        is_ours = isinstance(value, str) and _OURS.fullmatch(value)
        notation, moment = find_notation(value, () if is_ours else self.notations)
        return notation, settle(moment, self.zone)

    def later(self, one: Json, other: Json) -> Json:
        """Return the greater of two cursor values; None counts as none, and never wins."""
        if one is None or other is None:
            return other if one is None else one
        if self.opaque:
            return other
        first: Any = self.parse(one)
        second: Any = self.parse(other)
        return other if second > first else one


def aware(moment: datetime) -> datetime:
    """Return a time with a zone: UTC where it has none."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _parse_number(value: Json) -> Comparable:
    if isinstance(value, int | float) and not isinstance(value, bool) and -_INF < value < _INF:
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        # Not float: the last digits of a long number decide between two records.
        return Decimal(value)
    raise ValueError("expected a number")
