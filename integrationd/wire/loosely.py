"""JSON read more slowly than usual, where it holds values that nothing can store."""

from __future__ import annotations

import json
from typing import Final, NoReturn

from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.model.unstorable import Endless, find_unstorable


def read_loosely(text: bytes) -> Json:
    """Read a JSON text, for the sake of what is sound in it.

    Half a surrogate pair stays as it is, and a number that is too large becomes
    :class:`~integrationd.model.unstorable.Endless`. All else is as strict as usual.

    Raises:
        PageShapeError: It is not JSON; another reader says why.

    Source:
        RFC 8259, whose sections 6 and 8.2 allow both and warn of them.
    """
    try:
        return _decode(text.decode().strip(_BLANK))
    except (ValueError, RecursionError):
        raise PageShapeError("not JSON") from None


def explain_refusal(text: bytes) -> str | None:
    """Say what in a JSON text cannot be stored; None where it is no JSON at all."""
    try:
        fault = find_unstorable(read_loosely(text))
    except PageShapeError:
        return None
    # Its place is made of names in the body, which no message holds.
    return None if fault is None else str(fault._replace(path=""))


def _read_whole(text: str) -> int | Endless:
    try:
        return int(text)
    except ValueError:
        # Python reads no whole number of more than 4,300 digits, and neither does msgspec.
        return Endless.of(text)


def _read_fraction(text: str) -> float:
    number = float(text)
    return Endless.of(text) if number in _INFINITE else number


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


_BLANK: Final = " \t\r\n"
_INFINITE: Final = (float("inf"), float("-inf"))
_decode: Final = json.JSONDecoder(
    parse_int=_read_whole, parse_float=_read_fraction, parse_constant=_refuse
).decode
