"""Times by a pattern, ``%d/%m/%Y %H:%M``: the words of strftime that mean the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Final, NamedTuple

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHORT: Final = 3
_NOON: Final = 12
_MICRO_DIGITS: Final = 6
_CENTURY: Final = 69
"""The first of two digits that is of the last century, as POSIX has it."""


@dataclass(slots=True)
class _Parts:
    """What the words of a pattern found in a text."""

    numbers: dict[str, int] = field(default_factory=dict)
    zone: timezone | None = None
    afternoon: bool | None = None

    def moment(self) -> datetime:
        """Put them together; raises ValueError where they are no time."""
        found = self.numbers
        if "epoch" in found:
            return EPOCH + timedelta(seconds=found["epoch"])
        hour = found.get("hour", 0)
        if self.afternoon is not None:
            if not 1 <= hour <= _NOON:
                raise ValueError
            hour = hour % _NOON + (_NOON if self.afternoon else 0)
        clock = (hour, found.get("minute", 0), found.get("second", 0), found.get("micro", 0))
        return datetime(found["year"], found["month"], found["day"], *clock, tzinfo=self.zone)


class _Word(NamedTuple):
    """One word: how it is written, what it looks like, and what it says."""

    write: Callable[[datetime], str]
    looks: str
    note: Callable[[_Parts, str], None]
    finest: timedelta | None = None
    """The unit that it counts."""


def _number(name: str) -> Callable[[_Parts, str], None]:
    def note(parts: _Parts, text: str) -> None:
        parts.numbers[name] = int(text)

    return note


def _note_short_year(parts: _Parts, text: str) -> None:
    year = int(text)
    parts.numbers["year"] = year + (1900 if year >= _CENTURY else 2000)


def _note_fraction(parts: _Parts, text: str) -> None:
    parts.numbers["micro"] = int(text[:_MICRO_DIGITS].ljust(_MICRO_DIGITS, "0"))


def _note_zone(parts: _Parts, text: str) -> None:
    parts.zone = UTC
    if text not in "Zz":
        digits = text[1:].replace(":", "")
        distance = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        parts.zone = timezone(-distance if text[0] == "-" else distance)


def _note_half(parts: _Parts, text: str) -> None:
    parts.afternoon = text.lower() == "pm"


def _note_month(parts: _Parts, text: str) -> None:
    starts = [month[:_SHORT].lower() for month in _MONTHS]
    parts.numbers["month"] = starts.index(text[:_SHORT].lower()) + 1


def _ignore(_parts: _Parts, _text: str) -> None:
    """Take a word that says nothing more, as the day of the week."""


def _one_of(names: tuple[str, ...]) -> str:
    return "|".join(names)


_TWO: Final = "[0-9]{1,2}"
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)
_SECOND: Final = timedelta(seconds=1)
_SHORT_MONTHS: Final = tuple(name[:_SHORT] for name in _MONTHS)
_SHORT_DAYS: Final = tuple(name[:_SHORT] for name in _DAYS)
# Not strftime itself: its answers for the first thousand years differ from system to system, and
# its names from language to language.
_WORDS: Final[Mapping[str, _Word]] = {
    "%Y": _Word(lambda at: f"{at.year:04}", "[0-9]{4}", _number("year")),
    "%y": _Word(lambda at: f"{at.year % 100:02}", "[0-9]{2}", _note_short_year),
    "%m": _Word(lambda at: f"{at.month:02}", _TWO, _number("month")),
    "%b": _Word(lambda at: _SHORT_MONTHS[at.month - 1], _one_of(_SHORT_MONTHS), _note_month),
    "%B": _Word(lambda at: _MONTHS[at.month - 1], _one_of(_MONTHS), _note_month),
    "%d": _Word(lambda at: f"{at.day:02}", _TWO, _number("day"), _DAY),
    "%a": _Word(lambda at: _SHORT_DAYS[at.weekday()], _one_of(_SHORT_DAYS), _ignore),
    "%A": _Word(lambda at: _DAYS[at.weekday()], _one_of(_DAYS), _ignore),
    "%H": _Word(lambda at: f"{at.hour:02}", _TWO, _number("hour"), _HOUR),
    "%I": _Word(lambda at: f"{(at.hour - 1) % _NOON + 1:02}", _TWO, _number("hour"), _HOUR),
    "%p": _Word(lambda at: "AM" if at.hour < _NOON else "PM", "[AaPp][Mm]", _note_half),
    "%M": _Word(lambda at: f"{at.minute:02}", _TWO, _number("minute"), _MINUTE),
    "%S": _Word(lambda at: f"{at.second:02}", _TWO, _number("second"), _SECOND),
    "%f": _Word(
        lambda at: f"{at.microsecond:06}", "[0-9]{1,30}", _note_fraction, timedelta(microseconds=1)
    ),
    "%z": _Word(
        lambda at: "" if at.tzinfo is None else "+0000",
        "Z|z|[+-][0-9]{2}:?[0-9]{2}",
        _note_zone,
    ),
    "%s": _Word(
        lambda at: str((_aware(at) - EPOCH) // _SECOND), "-?[0-9]{1,12}", _number("epoch"), _SECOND
    ),
    "%%": _Word(lambda _: "%", "%", _ignore),
}
WORDS: Final = " ".join(word for word in _WORDS if word != "%%")
_WORD: Final = re.compile("%.?", re.DOTALL)
_NAMES_UTC: Final = re.compile("%[SfM] ?(?:Z|UTC|GMT|[+-]00:?00)")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern, ready to read and to write."""

    text: str
    words: tuple[str, ...]
    looks: re.Pattern[str]

    @property
    def unit(self) -> timedelta:
        """Return the smallest distance between two times that are written differently."""
        return min(finest for word in self.words if (finest := _WORDS[word].finest) is not None)

    @property
    def names_zone(self) -> bool:
        """Tell whether what it writes says its zone, or is a moment whatever the zone."""
        return bool({"%z", "%s"} & {*self.words}) or self.names_utc

    @property
    def names_utc(self) -> bool:
        """Tell whether the text around its words says that it is UTC."""
        return _NAMES_UTC.search(self.text) is not None

    def write(self, moment: datetime) -> str:
        """Write a time as it stands; what is too fine is cut off."""
        return _WORD.sub(lambda found: _WORDS[found.group()].write(moment), self.text)

    def read(self, text: str) -> datetime:
        """Read a time; without a zone where the text has none.

        Raises:
            ValueError: It is written otherwise, or there is no such day.
        """
        found = self.looks.fullmatch(text)
        if found is None:
            raise ValueError
        parts = _Parts(zone=UTC if self.names_utc else None)
        for word, piece in zip(self.words, found.groups(), strict=True):
            _WORDS[word].note(parts, piece)
        return parts.moment()


@lru_cache(maxsize=256)
def parse_pattern(text: str) -> Pattern | None:
    """Return a pattern; None for a text that is none, as it names no day."""
    words = tuple(_WORD.findall(text))
    named = {*words}
    has_day = bool({"%Y", "%y"} & named) and bool({"%m", "%b", "%B"} & named) and "%d" in named
    if not (text.isprintable() and named <= _WORDS.keys() and (has_day or "%s" in named)):
        return None
    if ("%I" in named) != ("%p" in named):
        return None
    between = iter(_WORD.split(text))
    looks = re.escape(next(between))
    for word, after in zip(words, between, strict=True):
        looks += f"({_WORDS[word].looks}){re.escape(after)}"
    return Pattern(text, words, re.compile(looks, re.IGNORECASE))


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
