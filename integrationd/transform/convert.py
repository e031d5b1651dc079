"""A mapped value made into the type that its field declares; never guessed, always said."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Final

from integrationd.model.json import Json
from integrationd.transform.times import TimeNotation, find_notation, settle


class FieldType(StrEnum):
    """What a field holds."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    DECIMAL = "decimal"
    """An exact number, kept as text: ``"12.50"``."""
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"


Convert = Callable[[Json], Json]
_TRUE: Final = frozenset({"true", "1"})
_FALSE: Final = frozenset({"false", "0"})
# Of ASCII digits only, and bounded: Python's own readers also take "1_0" and digits of any script.
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,100}")
_NUMBER: Final = re.compile(
    r"[+-]?(?:[0-9]{1,100}(?:\.[0-9]{0,100})?|\.[0-9]{1,100})(?:[eE][+-]?[0-9]{1,3})?"
)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_DECIMAL: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,99})(?:\.[0-9]{1,100})?")
_DIGITS_MAX: Final = 100
_WHOLE_MAX: Final = 10**_DIGITS_MAX
_TIME: Final = "a time such as 2026-01-31T12:00:00Z"


def converter(
    type_: FieldType, notations: tuple[TimeNotation, ...] = (), zone: tzinfo | None = None
) -> Convert:
    """Return the function that converts a value that is not None, or raises ValueError.

    The ValueError's text says what was expected and never holds the value.

    Args:
        type_: What the value becomes.
        notations: How times may be written; ISO 8601 where there are none, and beside them.
        zone: Of times that do not name theirs; they stay without where none is said.
    """
    if not notations and zone is None:
        return _CONVERTERS[type_]
    if type_ is FieldType.DATE:
        return lambda value: find_notation(value, notations)[1].date().isoformat()
    return lambda value: _to_instant(value, notations, zone)


def _refused(what: str) -> ValueError:
    return ValueError(f"expected {what}")


def _to_text(value: Json) -> Json:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < _WHOLE_MAX):
        return str(value)
    raise _refused("text or a number")


def _to_integer(value: Json) -> Json:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value)
    raise _refused("a whole number")


def _to_number(value: Json) -> Json:
    if isinstance(value, str):
        text = value.strip()
        if _INTEGER.fullmatch(text):
            return int(text)
        if _NUMBER.fullmatch(text):
            value = float(text)
    if isinstance(value, int | float) and not isinstance(value, bool) and _is_finite(value):
        return value
    raise _refused("a number")


def _is_finite(value: float) -> bool:
    return isinstance(value, int) or math.isfinite(value)


def _to_decimal(value: Json) -> Json:
    text = _to_text(value).strip() if not isinstance(value, bool | list | dict) else ""
    if _DECIMAL.fullmatch(text):
        return text
    if not _NUMBER.fullmatch(text):
        raise _refused("a decimal number")
    number = Decimal(text)
    if abs(number.adjusted()) > _DIGITS_MAX:
        raise _refused("a decimal number")
    return format(number, "f")


def _to_boolean(value: Json) -> Json:
    if isinstance(value, bool):
        return value
    text = str(value).lower() if value in (0, 1) or isinstance(value, str) else ""
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise _refused("true or false")


def _to_date(value: Json) -> Json:
    """Take the day as it is written; of a time with a zone that zone's day."""
    if isinstance(value, str) and _DAY.match(value):
        try:
            return datetime.fromisoformat(value).date().isoformat()
        except ValueError:
            pass
    raise _refused("a date such as 2026-01-31")


def _to_datetime(value: Json) -> Json:
    if isinstance(value, str) and _DAY.match(value):
        try:
            moment = datetime.fromisoformat(value)
            # Most providers write it as we do: a third of the time, on the hot path.
            return value if _INSTANT.fullmatch(value) else format_instant(moment)
        except (ValueError, OverflowError):
            pass
    raise _refused(_TIME)


def _to_instant(value: Json, notations: tuple[TimeNotation, ...], zone: tzinfo | None) -> Json:
    moment = settle(find_notation(value, notations)[1], zone)
    try:
        return format_instant(moment)
    except OverflowError:
        raise _refused(_TIME) from None


def format_instant(value: datetime) -> str:
    """Print a time as RFC 3339 in UTC; one without a zone stays without."""
    if value.tzinfo is None:
        return value.isoformat()
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


_CONVERTERS: Mapping[FieldType, Convert] = {
    FieldType.TEXT: _to_text,
    FieldType.INTEGER: _to_integer,
    FieldType.NUMBER: _to_number,
    FieldType.DECIMAL: _to_decimal,
    FieldType.BOOLEAN: _to_boolean,
    FieldType.DATE: _to_date,
    FieldType.DATETIME: _to_datetime,
}
