"""Times, spans and notations of the source in ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from integrationd.config.nodes import Position, Scalar
from integrationd.config.problems import Problems
from integrationd.config.sites import Site
from integrationd.config.units import format_duration
from integrationd.importers.airbyte.terms import Apply, Const, Name, Term, Text, UnsayableError
from integrationd.transform.times import TimeNotation

_ISO: Final = re.compile(
    r"%Y-%m-%d(?:[T ]%H:%M(?::%S(?:\.(?:%f|%_ms|0{3,6}))?)?(?:Z|%z|\+00:?00|-00:?00)?)?"
)
_NOTATIONS: Final[Mapping[str, str]] = {
    "%Y-%m-%dT%H:%M:%SZ": "iso",
    "%Y-%m-%d": "date",
    "%s": "unix",
    "%s_as_float": "unix",
    "%ms": "unix_ms",
    "%epoch_microseconds": "unix_us",
}
_PARTS: Final[Mapping[str, tuple[int, int]]] = {
    "%Y": (0, 4),
    "%Y-%m": (0, 7),
    "%m": (5, 7),
    "%d": (8, 10),
}
"""Parts of a day, by where they stand in it."""
_SPAN: Final = re.compile(
    r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,6}))?S)?)?"
)
_DAYS: Final = (365, 30, 7, 1)
_SECONDS: Final = (3600, 60, 1)
NOW: Final = Name(("now",))
"""When a run began, as templates have it."""
_DELTA: Final = "%Y-%m-%dT%H:%M:%S.%f%z"
"""How the source writes a time that lies some days off, where nothing else is said."""
_ENDS: Final = frozenset({"cursor", "window"})
_NOW: Final = frozenset({"now_utc", "today_utc", "today_with_timezone"})
_WRITERS: Final = frozenset({"strftime", "format_datetime", "isoformat", "str_to_datetime"})
"""What only changes how a time is written."""


def is_iso(pattern: str) -> bool:
    """Tell whether what is written so is read as ISO 8601."""
    return _ISO.fullmatch(pattern) is not None


def read_notation(pattern: str) -> str | None:
    """Return our word for how a time is written; None where there is none."""
    if pattern in _NOTATIONS:
        return _NOTATIONS[pattern]
    site = Site(Problems(), "format")
    made = TimeNotation.decode_node(Scalar(pattern, Position("", 1, 1)), site)
    return str(made) if isinstance(made, TimeNotation) else None


def read_span(text: str) -> timedelta | None:
    """Return an ISO 8601 duration; a month has 30 days here, a year 365."""
    found = _SPAN.fullmatch(text)
    if found is None or text in ("P", "PT") or not any(found.groups()):
        return None
    *wholes, fraction = found.groups()
    numbers = [int(group or 0) for group in wholes]
    days = sum(number * each for number, each in zip(numbers[:4], _DAYS, strict=True))
    seconds = sum(number * each for number, each in zip(numbers[4:], _SECONDS, strict=True))
    return timedelta(days=days, seconds=seconds, microseconds=int((fraction or "").ljust(6, "0")))


def write_span(span: timedelta) -> str:
    """Write a duration by our rules."""
    return format_duration(span)


def has_calendar(text: str) -> bool:
    """Tell whether a span hangs on how long a month or a year is."""
    return re.match(r"P\d+[YM]", text) is not None


def unwrap(term: Term) -> Term:
    """Return a time without what only says how it is written."""
    while isinstance(term, Apply) and term.name in _WRITERS and term.terms:
        term = term.terms[0]
    return term


def is_now(term: Term) -> bool:
    """Tell whether a term is the present time."""
    term = unwrap(term)
    return isinstance(term, Apply) and (term.name in _NOW or read_ago(term) == timedelta())


def is_coarse(term: Term) -> bool:
    """Tell whether a term is written in days, so that it lies at the beginning of one."""
    found = False
    while isinstance(term, Apply) and term.name in _WRITERS and term.terms:
        found |= len(term.terms) > 1 and term.terms[1] == Const("%Y-%m-%d")
        term = term.terms[0]
    match term:
        case Apply("day_delta", (_, Const(value=str(pattern)))):
            return pattern == "%Y-%m-%d"
        case Apply("today_utc" | "today_with_timezone"):
            return True
        case Apply("+" | "-", (left, Apply("duration"))):
            return found or is_coarse(left)
        case _:
            return found


def read_ago(term: Term) -> timedelta | None:
    """Return how far in the past a term is; None where it is something else."""
    match unwrap(term):
        case Apply("-", (now, Apply("duration", (Const(value=str(span)), *_)))) if is_now(now):
            return read_span(span)
        case Apply("day_delta", (Const(value=int(days)), *_)) if days <= 0:
            return timedelta(days=-days)
        case _:
            return None


def read_first(term: Term, notation: str) -> Term:
    """Return a term in which the ends of an interval are read before they are written anew.

    Args:
        term: Any.
        notation: How the ends are written, which is not as our functions take times.
    """
    match term:
        case Text():
            return Text(tuple(read_first(each, notation) for each in term.parts))
        case Apply():
            terms = tuple(read_first(each, notation) for each in term.terms)
            if term.name in _WRITERS and isinstance(terms[0], Name) and terms[0].root in _ENDS:
                terms = (Apply("parse_time", (terms[0], Const(notation))), *terms[1:])
            return Apply(term.name, terms)
        case _:
            return term


def simplify(term: Term) -> Term:
    """Return a term whose reckoning with times is that of our functions.

    Raises:
        UnsayableError: A time is to be written in a way that has no word here.
    """
    match term:
        case Text():
            return Text(tuple(map(simplify, term.parts)))
        case Apply():
            return _reckon(term) or Apply(term.name, tuple(map(simplify, term.terms)))
        case _:
            return term


def _reckon(term: Apply) -> Term | None:
    """Return what a function of times is here; None where it is none."""
    return _reckon_now(term) or _reckon_time(term)


def _reckon_now(term: Apply) -> Term | None:
    match term:
        case Apply("now_utc", ()):
            return NOW
        case Apply("today_utc", ()):
            return Apply("format_time", (NOW, Const("date")))
        case Apply("today_with_timezone", (Const(value=str()) as zone,)):
            return Apply("format_time", (NOW, Const("date"), zone))
        case Apply("day_delta", (Const(value=int(days)), *rest)):
            pattern = rest[0] if rest else Const(_DELTA)
            moment = Apply("shift_time", (NOW, Const(f"{days}d"))) if days else NOW
            return simplify(Apply("strftime", (moment, pattern)))
        case _:
            return None


def _reckon_time(term: Apply) -> Term | None:
    match term:
        case Apply("str_to_datetime", (value, *_)):
            return simplify(value)
        case Apply("format_datetime" | "strftime", (value, Const(value=str(pattern)), *rest)):
            return _write(simplify(_read(value, rest)), pattern)
        case Apply("timestamp", (value,)):
            return _write(simplify(value), "%s")
        case Apply("+" | "-" as sign, (value, Apply("duration", (Const(value=str(span)), *_)))):
            length = read_span(span)
            if length is None:
                raise UnsayableError(f"{span!r} is no span of time")
            minus = "-" if sign == "-" else ""
            return Apply("shift_time", (simplify(value), Const(f"{minus}{write_span(length)}")))
        case _:
            return None


def _read(value: Term, rest: list[Term]) -> Term:
    if isinstance(value, Apply) and value.name == "parse_time":
        return value
    match rest:
        case [Const(value=str(pattern)), *_] if not is_iso(pattern):
            notation = read_notation(pattern)
            if notation is not None:
                return Apply("parse_time", (value, Const(notation)))
    return value


def _write(value: Term, pattern: str) -> Term:
    if pattern in _PARTS:
        day = Apply("format_time", (value, Const("date")))
        return Apply("slice", (day, *map(Const, _PARTS[pattern]), Const(None)))
    notation = read_notation(pattern)
    if notation is None:
        raise UnsayableError(f"no word of ours is for a time written as {pattern!r}")
    return Apply("format_time", (value, Const(notation)))
