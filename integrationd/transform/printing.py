"""One JSON value as the text that stands in a URL, a header or a message."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.transform.convert import format_instant


class Omitted:
    """What a template gives that leaves its own member out."""

    __slots__ = ()

    def __bool__(self) -> bool:
        """Count as nothing."""
        return False


OMIT: Final = Omitted()
_EXACT_MAX: Final = 1e21
"""From here on a float prints with an exponent, as in JavaScript: digits would be invented."""


def print_value(value: Json) -> str:
    """Return a single value as text: true and false, canonical numbers, RFC 3339; null is empty.

    Raises:
        ExpressionError: It is a list or an object, or a number that has no text.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _print_number(value)
    if isinstance(value, datetime):
        return format_instant(value)
    raise ExpressionError(f"found {describe(value)} where a single value is wanted")


def describe(value: Json) -> str:
    """Name the kind of a value as an author would, never the value itself."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    return next((name for kind, name in _NAMES if isinstance(value, kind)), "something else")


def _print_number(value: float) -> str:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ExpressionError("found a number without bounds (NaN or infinity)")
        if not value.is_integer() or abs(value) >= _EXACT_MAX:
            return repr(value)
        value = int(value)
    try:
        return str(value)
    except ValueError:
        # Python prints no whole number of more than 4,300 digits.
        raise ExpressionError("found a number of thousands of digits") from None


_NAMES: Final = (
    (str, "text"),
    (int | float, "a number"),
    (list | tuple, "a list"),
    (dict, "an object"),
    (datetime, "a time"),
    (Secret, "a secret"),
)


def hide_all(value: Json) -> Json:
    """Return a value with every text and number in it as a secret."""
    if value is None or isinstance(value, bool | Secret | Omitted):
        return value
    if isinstance(value, Mapping):
        return {key: hide_all(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [hide_all(item) for item in value]
    return Secret(print_value(value))


def without_omitted(value: Json) -> Json:
    """Return a value without the members and items that are to be left out."""
    if isinstance(value, dict):
        return {key: without_omitted(item) for key, item in value.items() if item is not OMIT}
    if isinstance(value, list):
        return [without_omitted(item) for item in value if item is not OMIT]
    return value
