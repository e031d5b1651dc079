"""What a plain (unquoted) YAML value means, and which ones are too easily misread to allow.

A value is taken when every YAML reader agrees on it. One that YAML 1.1 and 1.2 read differently,
or that reads as a number but does not look like one (``012``, ``+34600111222``, ``0x1F``), is
:class:`Ambiguous`: its author says in quotes that it is text, or writes it in the usual way.

Source: YAML 1.2.2 section 10.3.2 (core schema); the YAML 1.1 types at https://yaml.org/type/.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

DIGITS_MAX: Final = 300
"""Longest whole number: below what float can hold (308 digits) and int can print (4,300)."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """A plain value that is refused."""

    reading: str
    """What some reader takes it for, as a noun: a number, a date."""
    instead: str = ""
    """How to write that reading without doubt, where there is a way."""


Plain: TypeAlias = bool | int | float | str | None

_TRUE = ("yes", "Yes", "YES", "on", "On", "ON", "y", "Y")
_FALSE = ("no", "No", "NO", "off", "Off", "OFF", "n", "N")
_WORDS: Final[dict[str, Plain | Ambiguous]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(_TRUE, Ambiguous("true", "true")),
    **dict.fromkeys(_FALSE, Ambiguous("false", "false")),
    "<<": Ambiguous("a merge key"),
    "=": Ambiguous("a default value"),
}
_STARTS: Final = frozenset("+-.0123456789")
_INT = re.compile(r"0|-?[1-9][0-9]*")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+][0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_BASED = re.compile(r"0o[0-7]+|[-+]?0x[0-9a-fA-F_]+|[-+]?0b[01_]+")
_NUMBER = re.compile(
    # What 1.2 reads as a number: any digits, any exponent.
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    # What 1.1 reads as one besides: digits parted by underscores.
    r"|[-+]?(?:0[0-7_]+|[1-9][0-9_]*)"
    r"|[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?"
)
_SIXTIES = re.compile(
    r"[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*"
)
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}"
    r"(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?"
)
_REWRITE_CHARS = 20


def read_plain(text: str) -> Plain | Ambiguous:
    """Return what an unquoted value means; text where it is not one of the core types."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _STARTS:
        return text
    if _INT.fullmatch(text):
        digits = len(text.removeprefix("-"))
        if digits > DIGITS_MAX:
            return Ambiguous(f"a number of {digits} digits")
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if math.isfinite(number) else Ambiguous("a number without bounds")
    return _find_ambiguous(text) or text


def _find_ambiguous(text: str) -> Ambiguous | None:
    if _BASED.fullmatch(text) or _NUMBER.fullmatch(text):
        return Ambiguous("a number", _rewrite_number(text))
    if _INFINITE.fullmatch(text):
        return Ambiguous("a number without bounds")
    if _SIXTIES.fullmatch(text):
        return Ambiguous("a number in base 60")
    if _DATE.fullmatch(text):
        return Ambiguous("a date")
    return None


def _rewrite_number(text: str) -> str:
    """Write the number that was probably meant; nothing where that is no help."""
    digits = text.replace("_", "")
    if len(text) > _REWRITE_CHARS:
        return ""
    try:
        if _BASED.fullmatch(digits):
            return str(int(digits, 0))
        if re.fullmatch("[-+]?[0-9]+", digits):
            return str(int(digits))
        number = float(digits)
    except ValueError:
        # Only underscores after 0x.
        return ""
    return str(number) if math.isfinite(number) and "e" not in str(number) else ""
