"""Functions of times. None of them knows what time it is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from integrationd.config.problems import shorten
from integrationd.config.units import parse_duration
from integrationd.model.json import Json
from integrationd.transform.convert import format_instant
from integrationd.transform.functions.function import Fixed, Function, Number
from integrationd.transform.patterns import parse_pattern
from integrationd.transform.times import UNITS, TimeNotation, read_iso, settle

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAMED: Final = ", ".join(f"'{name}'" for name in UNITS)


def _parse_notation(text: str) -> None:
    if text not in UNITS and parse_pattern(text) is None:
        what = f"{_NAMED} or a pattern such as '%d.%m.%Y'"
        raise ValueError(f"got {shorten(text)}, expected {what}")


@lru_cache
def _find_zone(text: str) -> ZoneInfo | None:
    if not text:
        return None
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"got {shorten(text)}, expected a time zone such as 'Europe/Berlin'"
        raise ValueError(message) from None


def _parse_shift(text: str) -> timedelta:
    found = parse_duration(text.removeprefix("-"))
    if found is None:
        raise ValueError(f"got {shorten(text)}, expected a duration such as '30d' or '-1h30m'")
    return -found if text.startswith("-") else found


_Notation = Annotated[str, Fixed(_parse_notation)]
_Zone = Annotated[str, Fixed(_find_zone)]
_Shift = Annotated[str, Fixed(_parse_shift)]


def parse_time(value: Number | str, notation: _Notation, timezone: _Zone = "") -> Json:
    """Return the time that a text or number means, in UTC as RFC 3339 writes it.

    The notations are those of ``format`` in a mapping. A time that does not name its zone is one of
    ``timezone``; without that it stays without a zone. Of a time that clocks of the zone show
    twice the first is meant; one that they skip is counted from the hour before.

    parse_time('31.01.2026 12:00', '%d.%m.%Y %H:%M', 'Europe/Madrid') -> "2026-01-31T11:00:00Z"
    parse_time(`1769860800`, 'unix') -> "2026-01-31T12:00:00Z"
    parse_time('Sat, 31 Jan 2026 12:00:00 GMT', 'rfc2822') -> "2026-01-31T12:00:00Z"
    """
    return _print(settle(TimeNotation(notation).read(value), _find_zone(timezone)))


def format_time(time: str, notation: _Notation, timezone: _Zone = "") -> Json:
    """Return a time, ISO 8601 as it comes, in another notation; as clocks of a zone show it.

    Without a zone it is written in UTC, and so is what names its zone itself.

    format_time('2026-01-31T23:30:00Z', '%d/%m/%Y %H:%M', 'Europe/Madrid') -> "01/02/2026 00:30"
    format_time('2026-01-31T12:00:00Z', 'unix') -> 1769860800
    format_time('2026-01-31T23:30:00-05:00', 'date') -> "2026-02-01"
    """
    moment = read_iso(time)
    if moment.tzinfo is not None and not _names_zone(notation):
        zone = _find_zone(timezone) or UTC
        try:
            moment = moment.astimezone(zone).replace(tzinfo=None)
        except OverflowError:
            raise ValueError("expected a time between the years 1 and 9999") from None
    return TimeNotation(notation).write(moment)


def shift_time(time: str, duration: _Shift) -> Json:
    """Return a time, ISO 8601 as it comes, so much later, or with a minus earlier; in UTC.

    Days have 24 hours. A day stays a day where it is moved by days.

    shift_time('2026-01-31T12:00:00Z', '-1h30m') -> "2026-01-31T10:30:00Z"
    shift_time('2026-01-31', '1d') -> "2026-02-01"
    """
    moment, distance = read_iso(time), _parse_shift(duration)
    try:
        moved = moment + distance
        if _DAY.fullmatch(time) and not distance % timedelta(days=1):
            return moved.date().isoformat()
        return _print(moved)
    except OverflowError:
        raise ValueError("expected a time between the years 1 and 9999") from None


def _names_zone(notation: str) -> bool:
    pattern = parse_pattern(notation)
    return pattern.names_zone if pattern is not None else notation != "date"


def _print(moment: datetime) -> str:
    try:
        return format_instant(moment)
    except OverflowError:
        raise ValueError("expected a time between the years 1 and 9999") from None


FUNCTIONS: Final = tuple(
    Function.of(run, weight=4) for run in (parse_time, format_time, shift_time)
)
