"""Cursor values compared: the provider's own text is kept, what it means is compared."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeAlias

from integrationd.model.json import Json

Comparable: TypeAlias = datetime | Decimal | float | str

_NUMBER: Final = re.compile(r"-?[0-9]{1,100}(?:\.[0-9]{1,100})?")


class CursorType(StrEnum):
    """How cursor values compare."""

    TIME = "time"
    NUMBER = "number"
    TEXT = "text"


def parse_cursor(value: Json, type_: CursorType) -> Comparable:
    """Return what a cursor value means, so that two of them can be compared.

    A time without a zone is taken as UTC, for comparing only.

    Raises:
        ValueError: It is not of the type; the text says what was expected.
    """
    if type_ is CursorType.TEXT:
        if isinstance(value, str):
            return value
        raise ValueError("expected text")
    if type_ is CursorType.NUMBER:
        return _parse_number(value)
    moment = parse_time(value)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _parse_number(value: Json) -> Comparable:
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value:  # noqa: PLR0124
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        # Not float: the last digits of a long number decide between two records.
        return Decimal(value)
    raise ValueError("expected a number")


def parse_time(value: Json) -> datetime:
    """Return the moment that a text means; without a zone where it has none.

    Raises:
        ValueError: It is no time; the text says what was expected.
    """
    if isinstance(value, str):
        with suppress(ValueError):
            return datetime.fromisoformat(value)
    raise ValueError("expected a time such as 2026-01-31T12:00:00Z")


def later(one: Json, other: Json, type_: CursorType) -> Json:
    """Return the greater of two cursor values; None counts as none, and never wins."""
    if one is None or other is None:
        return other if one is None else one
    first: Any = parse_cursor(one, type_)
    second: Any = parse_cursor(other, type_)
    return other if second > first else one
