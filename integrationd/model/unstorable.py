"""Values that JSON can say and nothing here can store: half a surrogate pair, endless numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec
from typing_extensions import override

from integrationd.model.json import Json

_encode: Final = msgspec.json.Encoder().encode
_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")
"""A text of Python can hold it, UTF-8 cannot."""
_SHOWN_CHARS: Final = 10_000
_PATH_CHARS: Final = 80


class Endless(float):
    """A number beyond what a double can hold, or with more digits than are read."""

    __slots__ = ("text",)

    text: str

    @classmethod
    def of(cls, text: str) -> Endless:
        """Keep a number as it was written; counted with, it is infinite."""
        number = cls("-inf" if text.startswith("-") else "inf")
        number.text = text
        return number


@dataclass(frozen=True, slots=True)
class Unstorable:
    """A record that holds such a value, in the place of the record."""

    record: Json = field(repr=False)
    """As it came."""
    shown: Json
    """The same for people to see, with text for what cannot be stored."""
    reason: str
    """Where it is, and what."""


def is_half_pair(text: str) -> bool:
    """Tell whether a text holds half of a surrogate pair, which JSON can say and UTF-8 cannot."""
    return not text.isascii() and _HALF_PAIR.search(text) is not None


class Fault(NamedTuple):
    """The first such value inside another one."""

    path: str
    """Where it is, in the words of an expression; empty for the value itself."""
    what: str

    @override
    def __str__(self) -> str:
        """Say both, and why it matters."""
        cut = self.path if len(self.path) <= _PATH_CHARS else f"{self.path[: _PATH_CHARS - 1]}…"
        where = f"{_show_text(cut)}: " if cut else ""
        return f"{where}{self.what}, which cannot be stored"


def find_unstorable(value: Json) -> Fault | None:
    """Find what in a value cannot be stored; None where all of it can."""
    left: list[tuple[str, Json]] = [("", value)]
    while left:
        path, item = left.pop()
        what = _judge(item)
        if what is not None:
            return Fault(path, what)
        if isinstance(item, dict):
            inner = [(f"{path}.{name}" if path else name, one) for name, one in item.items()]
            left.extend(reversed(inner))
        elif isinstance(item, list):
            left.extend((f"{path}[{index}]", item[index]) for index in reversed(range(len(item))))
    return None


def _judge(value: Json) -> str | None:
    """Say what is wrong with a value alone, not with what is in it."""
    if isinstance(value, str) and is_half_pair(value):
        return "text with half a surrogate pair"
    if isinstance(value, dict) and any(map(is_half_pair, value)):
        return "a name with half a surrogate pair"
    return "a number that is too large" if isinstance(value, Endless) else None


def sift(records: Iterable[Json]) -> list[Json]:
    """Return records with an :class:`Unstorable` in the place of each that cannot be stored."""
    return [_sift(record) for record in records]


def _sift(record: Json) -> Json:
    try:
        _encode(record)  # some ten times as fast as looking at each value
    except (UnicodeEncodeError, TypeError, RecursionError):
        fault = find_unstorable(record)
        return record if fault is None else Unstorable(record, _show(record), str(fault))
    return record


def _show(record: Json) -> Json:
    try:
        return show(record)
    except RecursionError:
        return "nested too deep to be shown"


def show(value: Json) -> Json:
    """Return a copy that can be stored: half pairs as their escapes, numbers as text.

    Raises:
        RecursionError: It is nested deeper than Python can follow.
    """
    if isinstance(value, dict):
        return {_show_text(name): show(item) for name, item in value.items()}
    if isinstance(value, list):
        return [show(item) for item in value]
    if isinstance(value, str):
        return _show_text(value)
    return value.text[:_SHOWN_CHARS] if isinstance(value, Endless) else value


def shown(record: Json) -> Json:
    """Return what :func:`sift` gave as it is shown."""
    return record.shown if isinstance(record, Unstorable) else record


def _show_text(text: str) -> str:
    return _HALF_PAIR.sub(lambda half: f"\\u{ord(half.group()):x}", text)
