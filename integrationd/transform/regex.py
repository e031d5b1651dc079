"""Regular expressions that find, in time that grows with the text alone: no step is tried twice.

The engine that tells whether a pattern matches does not say where. This one does, for the patterns
that people write to take an id out of a text: all ways through a pattern are followed at once, one
sign after the other, and of several the one that a backtracking engine would find first is taken.

Source:
    Russ Cox, Regular Expression Matching: the Virtual Machine Approach,
    https://swtch.com/~rsc/regexp/regexp2.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

STEPS_MAX: Final = 100_000
"""In one search; at worst a tenth of a second."""
PROGRAM_MAX: Final = 1000
_DEPTH_MAX: Final = 30
_CACHE_MAX: Final = 256
_SHORT: Final = frozenset("dDwWsStnrfv")
_COUNT: Final = re.compile(r"\{([0-9]{1,4})(,)?([0-9]{1,4})?\}")
_FLAGS: Final = "(?i)"
_ENDLESS: Final = -1

Takes: TypeAlias = Callable[[str], bool]
Marks: TypeAlias = tuple[int, ...]
"""Where each group begins and ends, by number; -1 where it is not in the match."""


class Step(NamedTuple):
    """One instruction."""

    does: str
    """take, split, save, begin, end, edge, inner or done."""
    takes: Takes | None = None
    first: int = 0
    """Where it goes on; of a save, which mark."""
    second: int = 0


@dataclass(frozen=True, slots=True)
class Finder:
    """One pattern, ready to find."""

    program: tuple[Step, ...]
    groups: int
    """How many there are in brackets."""

    def find_all(self, text: str) -> Iterator[Marks]:
        """Yield the marks of one match after the other.

        Raises:
            ValueError: It takes more steps than one search may.
        """
        left, at = [STEPS_MAX], 0
        while at <= len(text):
            found = self._find(text, at, left)
            if found is None:
                return
            yield found
            at = found[1] + (found[1] == found[0])

    def _find(self, text: str, start: int, left: list[int]) -> Marks | None:
        none: Marks = (-1,) * (2 * self.groups + 2)
        found: Marks | None = None
        now: list[tuple[int, Marks]] = []
        for at in range(start, len(text) + 1):
            if found is None:
                seen = {state for state, _ in now}
                self._add(now, seen, (0, none), text, at, left)
            elif not now:
                break
            following: list[tuple[int, Marks]] = []
            seen = set()
            for state, marks in now:
                step = self.program[state]
                if step.takes is None:
                    found = marks
                    break
                if at < len(text) and step.takes(text[at]):
                    self._add(following, seen, (state + 1, marks), text, at + 1, left)
            now = following
        return found

    def _add(
        self,
        into: list[tuple[int, Marks]],
        seen: set[int],
        begin: tuple[int, Marks],
        text: str,
        at: int,
        left: list[int],
    ) -> None:
        """Follow a state to all that take a sign, in the order in which they are to be tried."""
        waiting = [begin]
        while waiting:
            state, marks = waiting.pop()
            if state in seen:
                continue
            seen.add(state)
            left[0] -= 1
            if left[0] < 0:
                raise ValueError(f"needs more than {STEPS_MAX:,} steps for this text")
            step = self.program[state]
            if step.does == "split":
                waiting += [(step.second, marks), (step.first, marks)]
            elif step.does == "save":
                kept = (*marks[: step.first], at, *marks[step.first + 1 :])
                waiting.append((state + 1, kept))
            elif step.does in _PLACES:
                if _PLACES[step.does](text, at):
                    waiting.append((state + 1, marks))
            else:
                into.append((state, marks))


def _is_edge(text: str, at: int) -> bool:
    before = at > 0 and _is_word(text[at - 1])
    return before != (at < len(text) and _is_word(text[at]))


def _is_word(sign: str) -> bool:
    return sign == "_" or sign.isalnum()


_PLACES: Final[dict[str, Callable[[str, int], bool]]] = {
    "begin": lambda _text, at: at == 0,
    "end": lambda text, at: at == len(text),
    "edge": _is_edge,
    "inner": lambda text, at: not _is_edge(text, at),
}


@lru_cache(_CACHE_MAX)
def parse_finder(pattern: str) -> Finder:
    """Compile a pattern.

    Raises:
        ValueError: It holds what is not known here, or is too large; the text says what.
    """
    ignores_case = pattern.startswith(_FLAGS)
    reader = _Reader(pattern[len(_FLAGS) :] if ignores_case else pattern, ignores_case)
    body = reader.read_choice(0)
    if not reader.is_done:
        raise ValueError("has a ')' too many")
    program = (*_saved(0, body), Step("done"))
    return Finder(tuple(_settle(program)), reader.groups)


_Code: TypeAlias = tuple[Step, ...]
"""Instructions whose jumps count from themselves."""


def _settle(code: _Code) -> Iterator[Step]:
    """Count jumps from the beginning."""
    for at, step in enumerate(code):
        yield (
            step._replace(first=at + step.first, second=at + step.second)
            if (step.does == "split")
            else step
        )


def _saved(group: int, code: _Code) -> _Code:
    return (Step("save", None, 2 * group), *code, Step("save", None, 2 * group + 1))


def _either(one: _Code, other: _Code) -> _Code:
    over = len(other) + 1
    jump = Step("split", None, over, over)
    return (Step("split", None, 1, len(one) + 2), *one, jump, *other)


def _repeated(code: _Code, least: int, most: int, *, greedy: bool) -> _Code:
    """Repeat code; each further time is a choice."""
    size = len(code)
    if most == _ENDLESS:
        into, past = 1, size + 2
        split = Step("split", None, *((into, past) if greedy else (past, into)))
        tail: _Code = (split, *code, Step("split", None, -size - 1, -size - 1))
    else:
        tail = ()
        for _ in range(most - least):
            past = 1 + size + len(tail)
            split = Step("split", None, *((1, past) if greedy else (past, 1)))
            tail = (split, *code, *tail)
            _check_length(tail)
    _check_length(code, least)
    return code * least + tail


def _check_length(code: _Code, times: int = 1) -> None:
    if len(code) * times > PROGRAM_MAX:
        raise ValueError("is too large a pattern")


@dataclass(slots=True)
class _Reader:
    """Reads a pattern from left to right."""

    text: str
    ignores_case: bool
    at: int = 0
    groups: int = field(default=0)

    @property
    def is_done(self) -> bool:
        """Tell whether nothing is left."""
        return self.at >= len(self.text)

    def read_choice(self, depth: int) -> _Code:
        """Read alternatives up to a closing bracket or the end."""
        if depth > _DEPTH_MAX:
            raise ValueError("is too deep a pattern")
        code = self._read_row(depth)
        branches = [code]
        while self._skip("|"):
            branches.append(self._read_row(depth))
        code = branches.pop()
        for branch in reversed(branches):
            code = _either(branch, code)
        _check_length(code)
        return code

    def _read_row(self, depth: int) -> _Code:
        code: _Code = ()
        while not self.is_done and self.text[self.at] not in "|)":
            code += self._read_quantity(self._read_one(depth))
            _check_length(code)
        return code

    def _read_one(self, depth: int) -> _Code:
        sign = self.text[self.at]
        self.at += 1
        if sign == "(":
            return self._read_group(depth)
        if sign == "[":
            return self._take(self._read_class())
        if sign == "\\":
            return self._read_escape()
        if sign in _SIGNS:
            return (Step(_SIGNS[sign]),)
        if sign in "*+?{":
            raise ValueError(f"has {sign!r} where nothing is to be repeated")
        return self._take("." if sign == "." else re.escape(sign))

    def _read_group(self, depth: int) -> _Code:
        if self._skip("?:"):
            number = None
        elif self.text.startswith("?", self.at):
            raise ValueError("has a bracket with '?', of which only '(?:' is known here")
        else:
            self.groups += 1
            number = self.groups
        code = self.read_choice(depth + 1)
        if not self._skip(")"):
            raise ValueError("has a '(' that is not closed")
        return code if number is None else _saved(number, code)

    def _read_class(self) -> str:
        start = self.at
        self._skip("^")
        self._skip("]")
        while not self.is_done and self.text[self.at] != "]":
            if self.text[self.at] == "[":
                raise ValueError("has a '[' inside of '[…]'; write it '\\['")
            self.at += 2 if self.text[self.at] == "\\" else 1
        self.at += 1
        inside = self.text[start : self.at]
        if any(pair in inside for pair in _SETS):
            raise ValueError("reckons with sets inside of '[…]', which is not known here")
        return f"[{inside}"

    def _read_escape(self) -> _Code:
        sign = self.text[self.at : self.at + 1]
        self.at += 1
        if sign in ("b", "B"):
            return (Step("edge" if sign == "b" else "inner"),)
        if not sign or (sign.isalnum() and sign not in _SHORT):
            raise ValueError(f"has '\\{sign}', which is not known here")
        return self._take(f"\\{sign}")

    def _read_quantity(self, code: _Code) -> _Code:
        counted = _COUNT.match(self.text, self.at)
        if counted is not None:
            self.at = counted.end()
            least = int(counted[1])
            most = least if counted[2] is None else int(counted[3] or _ENDLESS)
        else:
            sign = self.text[self.at : self.at + 1]
            if not sign or sign not in _TIMES:
                return code
            self.at += 1
            least, most = _TIMES[sign]
        greedy = not self._skip("?")
        if not self.is_done and self.text[self.at] in "*+?{":
            raise ValueError("repeats what is repeated; put brackets round it")
        return _repeated(code, least, most, greedy=greedy)

    def _take(self, one: str) -> _Code:
        try:
            takes = re.compile(one, re.IGNORECASE if self.ignores_case else 0).match
        except re.error:
            raise ValueError(f"has {one!r}, which is not known here") from None
        return (Step("take", lambda sign: takes(sign) is not None),)

    def _skip(self, text: str) -> bool:
        found = self.text.startswith(text, self.at)
        self.at += len(text) if found else 0
        return found


_SIGNS: Final = {"^": "begin", "$": "end"}
_SETS: Final = ("--", "&&", "~~", "||")
_TIMES: Final = {"*": (0, _ENDLESS), "+": (1, _ENDLESS), "?": (0, 1)}
