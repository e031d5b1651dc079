"""What is wrong in a file: a place, a code, what, what was expected, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

from typing_extensions import override

from integrationd.config.nodes import Position


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding. Codes that begin with W are advice and never stop a file from running."""

    position: Position
    code: str
    message: str

    @property
    def is_error(self) -> bool:
        """Whether it keeps the file from being taken up."""
        return not self.code.startswith("W")

    @override
    def __str__(self) -> str:
        """Print as ``file:line:column: E101: message``."""
        return f"{self.position}: {self.code}: {self.message}"


@dataclass(slots=True)
class Problems:
    """Collects findings while a document is read, so that all are told at once."""

    found: list[Problem] = field(default_factory=list)

    def add(self, position: Position, code: str, message: str) -> None:
        """Keep one finding."""
        self.found.append(Problem(position, code, message))

    @property
    def has_errors(self) -> bool:
        """Whether anything but advice was found."""
        return any(problem.is_error for problem in self.found)


def nearest(name: str, known: Iterable[str]) -> str:
    """Build the hint that ends a message: the nearest name, or the whole list when it is short.

    Returns:
        ``; did you mean 'x'?``, or ``; known here: a, b`` for up to twelve names, or nothing.
    """
    names = sorted(known)
    close = find_nearest(name, names)
    if close is not None:
        return f"; did you mean {close!r}?"
    if 0 < len(names) <= _SHORT_LIST:
        return f"; known here: {', '.join(names)}"
    return ""


def find_nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the name that was probably meant."""
    if len(name) > _NAME_CHARS:
        return None
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.7)
    return close[0] if close else None


def shorten(value: object) -> str:
    """Return ``repr`` of a value, cut at 80 characters."""
    try:
        text = repr(value[:_VALUE_CHARS] if isinstance(value, str) else value)
    except ValueError:
        # Python prints no whole number of more than 4,300 digits.
        return "a number of thousands of digits"
    return text if len(text) <= _VALUE_CHARS else text[: _VALUE_CHARS - 1] + "…"


_SHORT_LIST = 12
_VALUE_CHARS = 80
_NAME_CHARS = 100
"""Longer than any name of ours; comparing takes time that grows with the length."""
