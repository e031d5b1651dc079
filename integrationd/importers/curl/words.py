"""A command line to its words, each with its place, as a shell would part them.

What is read is text that somebody copied: nothing in it is run, and no variable is looked up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from integrationd.config.nodes import Position
from integrationd.errors import IntegrationError

_ENDS: Final = ";|&<>()"
_ESCAPES: Final = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "e": "\x1b",
    "E": "\x1b",
}
_CODE: Final = re.compile(
    r"x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})"
)
_VARIABLE: Final = re.compile(r"\$(?:\w+|\{\w+\})")
_CARET_QUOTE: Final = re.compile(r"""[^'"]*(?<!\S)\^\"""")
"""The first quote of a command for Windows' shell: a caret before it begins a word."""
_CARET_LINE: Final = re.compile(r"\^\r?\n")
_QUOTED: Final = re.compile(r"""'[^']*'|"[^"]*\"""")


class CommandError(IntegrationError):
    """A command line that cannot be read at all."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word, without its quotes."""

    text: str
    position: Position


@dataclass(slots=True)
class Command:
    """The words of the first command, and what the shell would have done besides."""

    words: list[Word] = field(default_factory=list)
    rest: Word | None = None
    """What follows it, from the sign on that ends it."""
    substitutions: list[Position] = field(default_factory=list)
    """Where a command inside the command would have been run."""


def split_command(text: str, *, file: str) -> Command:
    """Return the words of a command line.

    Args:
        text: As a POSIX shell reads it, or as Windows' does where ``^`` stands before quotes.
        file: How places are told.

    Raises:
        CommandError: A quote has no end.
    """
    marked = [(sign, at) for at, sign in enumerate(text)]
    is_windows = bool(_CARET_QUOTE.match(text) or _CARET_LINE.search(_QUOTED.sub("", text)))
    reader = _Reader(text, _without_carets(marked) if is_windows else marked, file)
    return reader.read(is_windows=is_windows)


def _without_carets(marked: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Take out the signs by which Windows' shell escapes others."""
    kept: list[tuple[str, int]] = []
    at = 0
    while at < len(marked):
        if marked[at][0] == "^" and at + 1 < len(marked):
            at += 1
            if marked[at][0] == "\r" and marked[at + 1 : at + 2] and marked[at + 1][0] == "\n":
                at += 1
            kept.append((" ", marked[at][1]) if marked[at][0] == "\n" else marked[at])
        else:
            kept.append(marked[at])
        at += 1
    return kept


class _Reader:
    """Reads signs one by one."""

    def __init__(self, text: str, marked: list[tuple[str, int]], file: str) -> None:
        self._lines = [0, *(found.end() for found in re.finditer("\n", text))]
        self._signs = "".join(sign for sign, _ in marked)
        self._places = [at for _, at in marked]
        self._file = file
        self._at = 0
        self._command = Command()
        self._word: list[str] | None = None
        self._begun = 0

    def read(self, *, is_windows: bool) -> Command:
        while self._at < len(self._signs):
            if not self._take(is_windows=is_windows):
                break
        self._end_word()
        return self._command

    def _take(self, *, is_windows: bool) -> bool:
        """Take the next sign, with what belongs to it; tells whether the command goes on."""
        sign = self._signs[self._at]
        if sign in " \t\r":
            self._end_word()
        elif sign == "\n":
            self._end_word()
            if self._command.words:
                self._leave_rest()
                return False
        elif sign == '"':
            self._quoted(is_windows=is_windows)
            return True
        elif is_windows:
            self._put(sign)
        else:
            return self._take_posix(sign)
        self._at += 1
        return True

    def _take_posix(self, sign: str) -> bool:
        if sign == "'":
            self._put(self._until("'", self._at + 1))
        elif self._signs.startswith("$'", self._at):
            self._at += 2
            self._ansi()
            return True
        elif sign == "\\":
            self._escaped()
        elif sign == "#" and self._word is None:
            end = self._signs.find("\n", self._at)
            self._at = len(self._signs) if end < 0 else end
            return True
        elif sign in _ENDS and not (sign in "<>" and self._is_placeholder()):
            self._end_word()
            if self._command.words:
                self._leave_rest()
                return False
        elif self._substitutes():
            self._put("")
        else:
            self._put(sign)
        self._at += 1
        return True

    def _is_placeholder(self) -> bool:
        """Tell whether ``<`` and ``>`` stand around a word, as vendors write what to fill in."""
        around = self._signs[max(0, self._at - 60) : self._at + 60]
        here = min(self._at, 60)
        return any(
            found.start() <= here < found.end() for found in re.finditer(r"<[\w. -]{1,50}>", around)
        )

    def _substitutes(self) -> bool:
        """Note a command inside the command."""
        if self._signs[self._at] != "`" and not self._signs.startswith("$(", self._at):
            return False
        self._command.substitutions.append(self._position(self._at))
        close = "`" if self._signs[self._at] == "`" else ")"
        end = self._signs.find(close, self._at + 2)
        self._at = len(self._signs) - 1 if end < 0 else end
        return True

    def _quoted(self, *, is_windows: bool) -> None:
        """Read text in double quotes."""
        begun = self._at
        self._put("")
        self._at += 1
        while self._at < len(self._signs):
            sign = self._signs[self._at]
            following = self._signs[self._at + 1 : self._at + 2]
            if sign == '"':
                self._at += 1
                return
            if sign == "\\" and following == "\n" and not is_windows:
                self._at += 1
            elif sign == "\\" and following and following in ('"\\' if is_windows else '"\\$`'):
                self._put(following)
                self._at += 1
            elif is_windows or not self._substitutes():
                self._put(sign)
            self._at += 1
        raise CommandError(f"{self._position(begun)}: the quote that begins here has no end")

    def _ansi(self) -> None:
        """Read text as ``$'…'`` has it, with line ends and codes behind a backslash."""
        begun = self._at - 2
        self._put("")
        while self._at < len(self._signs):
            sign = self._signs[self._at]
            self._at += 1
            if sign == "'":
                return
            if sign != "\\":
                self._put(sign)
                continue
            code = _CODE.match(self._signs, self._at)
            if code is not None:
                *hexadecimal, octal = code.groups()
                digits = next((each for each in hexadecimal if each), None)
                number = int(digits, 16) if digits else int(octal, 8)
                self._put(chr(min(number, 0x10FFFF)))
                self._at = code.end()
            else:
                following = self._signs[self._at : self._at + 1]
                self._put(_ESCAPES.get(following, following))
                self._at += 1
        raise CommandError(f"{self._position(begun)}: the quote that begins here has no end")

    def _escaped(self) -> None:
        """Read a sign behind a backslash; one before a line end is nothing."""
        following = self._signs[self._at + 1 : self._at + 3]
        if following == "\r\n":
            self._at += 2
        elif following[:1] == "\n":
            self._at += 1
        else:
            self._at += 1
            self._put(following[:1])

    def _until(self, close: str, begin: int) -> str:
        end = self._signs.find(close, begin)
        if end < 0:
            place = self._position(self._at)
            raise CommandError(f"{place}: the quote that begins here has no end")
        self._put("")
        self._at = end
        return self._signs[begin:end]

    def _put(self, text: str) -> None:
        if self._word is None:
            self._word = []
            self._begun = self._at
        self._word.append(text)

    def _end_word(self) -> None:
        if self._word is not None:
            self._command.words.append(Word("".join(self._word), self._position(self._begun)))
            self._word = None

    def _leave_rest(self) -> None:
        rest = self._signs[self._at :].strip()
        if rest and not rest.startswith("#"):
            self._command.rest = Word(rest, self._position(self._at))

    def _position(self, at: int) -> Position:
        place = self._places[min(at, len(self._places) - 1)] if self._places else 0
        line = sum(1 for start in self._lines if start <= place)
        return Position(self._file, line, place - self._lines[line - 1] + 1)


def find_variables(text: str) -> Iterator[str]:
    """Yield the shell's variables in a word."""
    for found in _VARIABLE.finditer(text):
        yield found.group().strip("${}")
