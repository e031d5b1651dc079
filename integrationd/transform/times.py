"""How providers write times, read and written: the one home of every notation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_FLOOR, Decimal
from email.utils import parsedate_to_datetime
from typing import ClassVar, Final

from integrationd.config.decode import Invalid, Site
from integrationd.config.nodes import Node, Scalar
from integrationd.config.sites import Leaf
from integrationd.model.json import Json
from integrationd.transform.patterns import EPOCH, parse_pattern

_SECOND: Final = timedelta(seconds=1)
_MICRO: Final = timedelta(microseconds=1)
UNITS: Final = {
    "iso": _SECOND,
    "date": timedelta(days=1),
    "unix": _SECOND,
    "unix_ms": timedelta(milliseconds=1),
    "unix_us": _MICRO,
    "rfc2822": _SECOND,
    "http_date": _SECOND,
    "dotnet": timedelta(milliseconds=1),
}
"""The notations that have a name, and the smallest distance between two times in each."""
_COUNTS: Final = frozenset({"unix", "unix_ms", "unix_us"})
_WHAT: Final = f"{', '.join(UNITS)} or a pattern such as %Y-%m-%d %H:%M:%S"
_PATTERNS: Final = {
    "iso": "%Y-%m-%dT%H:%M:%S",
    "date": "%Y-%m-%d",
    "rfc2822": "%a, %d %b %Y %H:%M:%S +0000",
    "http_date": "%a, %d %b %Y %H:%M:%S GMT",
}
_DOTNET: Final = re.compile(r"\\?/Date\((-?[0-9]{1,18})(?:[+-][0-9]{4})?\)\\?/")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:e\+?[0-9]{1,2})?")
_MAIL: Final = re.compile(
    r"(?:[A-Za-z]{3}, )?[0-9]{1,2} [A-Za-z]{3} [0-9]{4} [0-9]{2}:[0-9]{2}(?::[0-9]{2})? "
    r"(?:[+-][0-9]{4}|GMT|UT|UTC|Z|[ECMP][SD]T)"
)
_FIRST: Final = datetime.min.replace(tzinfo=UTC)


class TimeNotation(str):
    """How a time is written: a name, or a pattern of strftime's commonest words."""

    __slots__ = ()
    FORM: ClassVar[Leaf] = Leaf(_WHAT, {"type": "string"})

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> TimeNotation | Invalid:
        """Read a name, or a pattern that says at least year, month and day."""
        text = node.value if isinstance(node, Scalar) else None
        if not isinstance(text, str):
            return site.expected(node, _WHAT)
        if text not in UNITS and parse_pattern(text) is None:
            return site.expected(node, _WHAT, "E111")
        return cls(text)

    @property
    def unit(self) -> timedelta:
        """Return the smallest distance between two times that are written differently."""
        if self in UNITS:
            return UNITS[self]
        pattern = parse_pattern(self)
        assert pattern is not None
        return pattern.unit

    def read(self, value: Json) -> datetime:
        """Return the time that a value means; without a zone where it says none.

        Raises:
            ValueError: It is written otherwise; the text says how it is expected.
        """
        with suppress(ValueError, OverflowError, IndexError, TypeError):
            if self in _COUNTS:
                return _read_count(value, UNITS[self])
            if isinstance(value, str):
                return self._read_text(value)
        raise ValueError(f"expected {self.said()}")

    def write(self, moment: datetime, zone: tzinfo | None = None, *, earlier: bool = False) -> Json:
        """Write a time; what is too fine for the notation is cut off.

        Args:
            moment: With a zone, or without one, which is written as it stands.
            zone: Of what is written where the notation does not name it; UTC by default.
            earlier: Whether the time just before it is meant, one unit of the notation less.
        """
        back = self.unit if earlier else timedelta()
        if self in _COUNTS:
            return (_aware(moment) - EPOCH - back) // UNITS[self]
        if self == "dotnet":
            return f"/Date({(_aware(moment) - EPOCH - back) // UNITS[self]}+0000)/"
        if self == "date" and zone is None:
            # A bare day is read in a zone that nobody states; the later of the two could begin
            # after the cursor.
            return (min(moment.date(), in_utc(moment).date()) - back).isoformat()
        pattern = parse_pattern(_PATTERNS.get(self, self))
        assert pattern is not None
        if zone is None or self == "iso" or pattern.names_zone:
            wall = in_utc(moment)
        else:
            wall = wall_time(moment, zone)
        text = pattern.write(earlier_by(wall, back))
        return f"{text}Z" if self == "iso" and moment.tzinfo is not None else text

    def _read_text(self, text: str) -> datetime:
        if self == "iso":
            return read_iso(text)
        if self in ("rfc2822", "http_date"):
            if not _MAIL.fullmatch(text):
                raise ValueError
            return _aware(parsedate_to_datetime(text))
        if self == "dotnet":
            found = _DOTNET.fullmatch(text)
            if found is None:
                raise ValueError
            return _read_count(int(found[1]), UNITS[self])
        pattern = parse_pattern(_PATTERNS.get(self, self))
        assert pattern is not None
        return pattern.read(text)

    def said(self) -> str:
        """Say what is expected, by an example."""
        return f"a time such as {self.write(_EXAMPLE)}"


ISO: Final = TimeNotation("iso")
_EXAMPLE: Final = datetime(2026, 1, 31, 12, tzinfo=UTC)


def read_iso(text: Json) -> datetime:
    """Return the time that ISO 8601 writes so; without a zone where it has none.

    Raises:
        ValueError: It is no time; the text says what was expected.
    """
    if isinstance(text, str):
        with suppress(ValueError):
            return datetime.fromisoformat(text)
        with suppress(ValueError):
            return datetime.fromisoformat(text.upper())  # RFC 3339 allows t and z
    raise ValueError("expected a time such as 2026-01-31T12:00:00Z")


def as_notations(
    said: TimeNotation | tuple[TimeNotation, ...] | None,
) -> tuple[TimeNotation, ...]:
    """Return what a file says as one notation, a list of them or nothing, as a list."""
    return said if isinstance(said, tuple) else () if said is None else (said,)


def find_notation(value: Json, notations: Sequence[TimeNotation]) -> tuple[TimeNotation, datetime]:
    """Return the first of some notations that a value is written in, and the time it means.

    Without notations it is ISO 8601.

    Raises:
        ValueError: It is none of them; the text says what was expected.
    """
    for notation in notations:
        with suppress(ValueError):
            return notation, notation.read(value)
    if not notations:
        return ISO, read_iso(value)
    said = " or ".join(notation.said() for notation in notations)
    raise ValueError(f"expected {said.replace(' or a time such as', ' or')}")


def settle(moment: datetime, zone: tzinfo | None) -> datetime:
    """Return a time without a zone as one of a zone, in UTC; others, and where none is said, as is.

    Raises:
        ValueError: It is before the first year there.
    """
    if zone is None or moment.tzinfo is not None:
        return moment
    try:
        return moment.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        raise ValueError("expected a time between the years 1 and 9999") from None


def wall_time(moment: datetime, zone: tzinfo) -> datetime:
    """Return what clocks of a zone show; of an hour that they show twice, the one before.

    Who reads it there cannot tell which of the two is meant, and the later one could be too late.
    """
    if moment.tzinfo is None:
        return moment
    try:
        local = moment.astimezone(zone)
    except OverflowError:
        return datetime.min  # noqa: DTZ901 - what a clock shows has no zone
    offsets = [local.replace(fold=fold).utcoffset() or timedelta() for fold in (0, 1)]
    repeated = max(offsets[0] - offsets[1], timedelta())
    return local.replace(tzinfo=None, fold=0) - repeated


def in_utc(moment: datetime) -> datetime:
    """Return the time in UTC; one without a zone, or before the first year there, as it is."""
    if moment.tzinfo is None:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return _FIRST


def earlier_by(moment: datetime, distance: timedelta) -> datetime:
    """Return a time so much earlier; before the first day there is none."""
    try:
        return moment - distance
    except OverflowError:
        return datetime.min.replace(tzinfo=moment.tzinfo)


def _read_count(value: Json, unit: timedelta) -> datetime:
    if isinstance(value, int) and not isinstance(value, bool):
        return EPOCH + value * unit
    text = str(value).strip() if isinstance(value, str | float) else ""
    if not _NUMBER.fullmatch(text):
        raise ValueError
    micros = Decimal(text) * (unit // _MICRO)
    return EPOCH + int(micros.to_integral_value(ROUND_FLOOR)) * _MICRO


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
