"""The lower bound that an incremental reading sends, made from the cursor that is kept.

Whatever is done to a cursor here makes it earlier or leaves it where it is, never later: a row that
is read twice costs a comparison, one that is stepped over is lost.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import ROUND_FLOOR, Decimal, localcontext
from math import floor
from typing import Final

from integrationd.model.json import Json
from integrationd.transform.cursors import Scale
from integrationd.transform.times import ISO, TimeNotation, earlier_by, wall_time

_DIGITS: Final = 300
"""More than any number of :mod:`cursors` has, so that nothing is rounded."""
_MICRO_DIGITS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeBound:
    """How the bound of a time is written."""

    scale: Scale
    """How cursors are read."""
    notation: TimeNotation | None = None
    """None for the one in which the cursor itself is written."""
    exclusive: bool = False
    """The provider leaves out what equals the bound, so that what is sent is one unit earlier."""

    def of_cursor(self, cursor: Json, lookback: timedelta) -> Json:
        """Write a cursor, or the time so long before it; as received where nothing changes it.

        Raises:
            ValueError: It is written in a way that is not known; the text says what to do.
        """
        own, found = self.scale.find(cursor)
        if self.notation is None and not lookback and not self.exclusive:
            return cursor
        moment = earlier_by(found, lookback)
        if self.notation is not None:
            return self.notation.write(moment, self.scale.zone, earlier=self.exclusive)
        if own == ISO:
            return _write_alike(str(cursor), moment, self.scale.zone, earlier=self.exclusive)
        written = own.write(moment, self.scale.zone, earlier=self.exclusive)
        return str(written) if isinstance(cursor, str) else written

    def of_time(self, moment: datetime) -> Json:
        """Write the lower bound of a reading that begins at a time."""
        return self._own.write(moment, self.scale.zone, earlier=self.exclusive)

    def upper(self, moment: datetime) -> Json:
        """Write the upper bound of a window."""
        return self._own.write(moment, self.scale.zone)

    @property
    def _own(self) -> TimeNotation:
        """Return the notation of times that are no cursors."""
        return self.notation or next(iter(self.scale.notations), ISO)


def number_bound(cursor: Json, lookback: float, *, exclusive: bool = False) -> Json:
    """Return a number so much smaller; text stays text, with as many digits after the point.

    Args:
        cursor: As it is kept.
        lookback: How much.
        exclusive: Whether it is one unit less, the last digit's.
    """
    with localcontext(prec=_DIGITS, rounding=ROUND_FLOOR):
        less = Decimal(str(cursor)) - Decimal(str(lookback))
        if isinstance(cursor, int):
            return floor(less) - exclusive
        if isinstance(cursor, float):
            return math.nextafter(float(less), -math.inf) if exclusive else float(less)
        text = str(cursor)
        unit = Decimal(1).scaleb(-len(text.partition(".")[2]))
        found = less.quantize(unit) - (unit if exclusive else 0)
        return format(found, "f").zfill(_width(text))


def _width(text: str) -> int:
    """Return how wide a padded number is; one that is not padded may become shorter."""
    padded = text.startswith("0") and text[1:2] not in ("", ".")
    return len(text) if padded else 0


_ISO: Final = re.compile(
    r"[0-9]{4}(?P<dash>-?)[0-9]{2}(?P=dash)[0-9]{2}"
    r"(?:(?P<between>[Tt ])[0-9]{2}(?:(?P<colon>:?)(?P<minute>[0-9]{2})(?:(?P=colon)"
    r"(?P<second>[0-9]{2})(?:(?P<point>[.,])(?P<fraction>[0-9]{1,30}))?)?)?"
    r"(?P<zone> ?(?:Z|z|[+-][0-9]{2}(?::?[0-9]{2}){0,2}))?)?"
)


def _write_alike(text: str, moment: datetime, zone: tzinfo | None, *, earlier: bool) -> str:
    """Write a time as another one is written: separators, precision and zone the same."""
    found = _ISO.fullmatch(text)
    if found is None:
        raise ValueError(
            "the cursor is written in a way that 'lookback' cannot keep to; add 'format'"
        )
    if found["zone"] is None and zone is not None:
        moment = wall_time(moment, zone)
    if earlier:
        moment = earlier_by(moment, _unit(found))
    dash, between, colon = found["dash"], found["between"], found["colon"]
    written = f"{moment.year:04}{dash}{moment.month:02}{dash}{moment.day:02}"
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


def _unit(found: re.Match[str]) -> timedelta:
    """Return the smallest distance between two times that are written so."""
    if found["fraction"] is not None:
        return timedelta(microseconds=10 ** max(_MICRO_DIGITS - len(found["fraction"]), 0))
    for part, unit in (("second", "seconds"), ("minute", "minutes"), ("between", "hours")):
        if found[part] is not None:
            return timedelta(**{unit: 1})
    return timedelta(days=1)
