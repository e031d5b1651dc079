"""The lower bound that an incremental reading sends, made from the cursor that is kept.

Whatever is done to a cursor here makes it earlier or leaves it where it is, never later: a row that
is read twice costs a comparison, one that is stepped over is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal, localcontext
from math import floor
from typing import ClassVar, Final, TypeAlias

from integrationd.config.decode import Invalid, Site
from integrationd.config.nodes import Node, Scalar
from integrationd.config.sites import Leaf
from integrationd.model.json import Json
from integrationd.transform.cursors import parse_time

Lookback: TypeAlias = timedelta | int | float
"""How far before the cursor: a duration for times, a number for numbers."""

_DIGITS: Final = 300
"""More than any number of :mod:`cursors` has, so that nothing is rounded."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WHAT: Final = "iso, unix, unix_ms, date or a pattern such as %Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class TimeNotation:
    """How a provider wants a time written: a name, or a pattern of strftime's commonest words."""

    FORM: ClassVar[Leaf] = Leaf(_WHAT, {"type": "string"})

    text: str

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> TimeNotation | Invalid:
        """Read a name, or a pattern that says at least year, month and day."""
        text = node.value if isinstance(node, Scalar) else None
        if not isinstance(text, str):
            return site.expected(node, _WHAT)
        return (
            cls(text) if text in _NAMED or _is_pattern(text) else site.expected(node, _WHAT, "E111")
        )

    def write(self, moment: datetime) -> Json:
        """Write a time; one with a zone in UTC, one without stays without.

        What is too fine for the notation is cut off.
        """
        return (
            _NAMED[self.text](moment) if self.text in _NAMED else _fill(self.text, _in_utc(moment))
        )


def time_bound(cursor: Json, lookback: timedelta, notation: TimeNotation | None) -> Json:
    """Return a time so much earlier, in a notation, or as the provider itself wrote it.

    Raises:
        ValueError: The cursor is written in a way that is not known; the text says what to do.
    """
    moment = _back(parse_time(cursor), lookback)
    if notation is not None:
        return notation.write(moment)
    return _write_alike(str(cursor), moment) if lookback else cursor


def number_bound(cursor: Json, lookback: float) -> Json:
    """Return a number so much smaller; text stays text, with as many digits after the point."""
    with localcontext(prec=_DIGITS, rounding=ROUND_FLOOR):
        less = Decimal(str(cursor)) - Decimal(str(lookback))
        if isinstance(cursor, int):
            return floor(less)
        if isinstance(cursor, float):
            return float(less)
        text = str(cursor)
        fraction = len(text.partition(".")[2])
        return format(less.quantize(Decimal(1).scaleb(-fraction)), "f").zfill(_width(text))


def _width(text: str) -> int:
    """Return how wide a padded number is; one that is not padded may become shorter."""
    padded = text.startswith("0") and text[1:2] not in ("", ".")
    return len(text) if padded else 0


def _back(moment: datetime, lookback: timedelta) -> datetime:
    try:
        return moment - lookback
    except OverflowError:
        return datetime.min.replace(tzinfo=moment.tzinfo)


def _in_utc(moment: datetime) -> datetime:
    """Return the time in UTC; one without a zone, or before the first year there, as it is."""
    if moment.tzinfo is None:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def _write_iso(moment: datetime) -> Json:
    text = _fill("%Y-%m-%dT%H:%M:%S", _in_utc(moment))
    return text if moment.tzinfo is None else f"{text}Z"


def _write_unix(moment: datetime) -> Json:
    return (_aware(moment) - _EPOCH) // timedelta(seconds=1)


def _write_unix_ms(moment: datetime) -> Json:
    return (_aware(moment) - _EPOCH) // timedelta(milliseconds=1)


def _write_date(moment: datetime) -> Json:
    """Write the day, in its own zone or in UTC, whichever is earlier.

    A bare day is read in a zone that nobody states; the later of the two could begin after the
    cursor.
    """
    return min(moment.date(), _in_utc(moment).date()).isoformat()


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


_NAMED: Final[Mapping[str, Callable[[datetime], Json]]] = {
    "iso": _write_iso,
    "unix": _write_unix,
    "unix_ms": _write_unix_ms,
    "date": _write_date,
}
# Not strftime itself: its answers for the first thousand years differ from system to system.
_WORDS: Final[Mapping[str, Callable[[datetime], str]]] = {
    "%Y": lambda moment: f"{moment.year:04}",
    "%m": lambda moment: f"{moment.month:02}",
    "%d": lambda moment: f"{moment.day:02}",
    "%H": lambda moment: f"{moment.hour:02}",
    "%M": lambda moment: f"{moment.minute:02}",
    "%S": lambda moment: f"{moment.second:02}",
    "%f": lambda moment: f"{moment.microsecond:06}",
    "%z": lambda moment: "" if moment.tzinfo is None else "+0000",
    "%%": lambda _: "%",
}
_WORD: Final = re.compile("%.?", re.DOTALL)


def _is_pattern(text: str) -> bool:
    words = _WORD.findall(text)
    return text.isprintable() and _WORDS.keys() >= {*words} and {"%Y", "%m", "%d"} <= {*words}


def _fill(pattern: str, moment: datetime) -> str:
    return _WORD.sub(lambda found: _WORDS[found.group()](moment), pattern)


_ISO: Final = re.compile(
    r"[0-9]{4}(?P<dash>-?)[0-9]{2}(?P=dash)[0-9]{2}"
    r"(?:(?P<between>[Tt ])[0-9]{2}(?:(?P<colon>:?)(?P<minute>[0-9]{2})(?:(?P=colon)"
    r"(?P<second>[0-9]{2})(?:(?P<point>[.,])(?P<fraction>[0-9]{1,30}))?)?)?"
    r"(?P<zone>Z|z|[+-][0-9]{2}(?::?[0-9]{2}){0,2})?)?"
)


def _write_alike(text: str, moment: datetime) -> str:
    """Write a time as another one is written: separators, precision and zone the same."""
    found = _ISO.fullmatch(text)
    if found is None:
        raise ValueError(
            "the cursor is written in a way that 'lookback' cannot keep to; add 'format'"
        )
    dash, between, colon = found["dash"], found["between"], found["colon"]
    written = _fill(dash.join(("%Y", "%m", "%d")), moment)
    if between is None:
        return written
    written += between + f"{moment.hour:02}"
    if found["minute"] is not None:
        written += f"{colon}{moment.minute:02}"
    if found["second"] is not None:
        written += f"{colon}{moment.second:02}"
    if found["fraction"] is not None:
        digits = len(found["fraction"])
        written += found["point"] + f"{moment.microsecond:06}"[:digits].ljust(digits, "0")
    return written + (found["zone"] or "")
