"""Structured fields, as far as message signatures need them: RFC 8941 (9651) in small.

What is read here comes from strangers: anything that is not written exactly so is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

_KEY: Final = re.compile(r"[a-z*][a-z0-9_.*-]{0,63}")
_STRING: Final = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
_INTEGER: Final = re.compile(r"-?[0-9]{1,15}(?![0-9.])")
_TOKEN: Final = re.compile(r"[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*")
_BYTES: Final = re.compile(r":([A-Za-z0-9+/=]*):")
_BLANK: Final = re.compile(r" *")
_COMMA: Final = re.compile(r"[ \t]*,[ \t]*")
ITEMS_MAX: Final = 32
"""Most members, components and parameters, each."""

Value: TypeAlias = str | int | bytes | bool


class WrittenWrongError(ValueError):
    """It is no structured field."""


@dataclass(frozen=True, slots=True)
class Item:
    """One value with its parameters."""

    value: Value
    parameters: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a dictionary: a list in brackets, or a value."""

    items: tuple[Item, ...]
    """Of a single value that alone."""
    parameters: Mapping[str, Value]
    text: str
    """As it was written, the parameters included."""

    @property
    def single(self) -> Value | None:
        """Return the value that stands alone; None of a list in brackets."""
        return None if self.text.startswith("(") else self.items[0].value


def parse_dictionary(text: str) -> dict[str, Member]:
    """Parse a dictionary; of a key that stands twice it is refused.

    Raises:
        WrittenWrongError: It is none.
    """
    reader = _Reader(text.strip(" "))
    found: dict[str, Member] = {}
    while True:
        key = reader.take(_KEY)
        reader.expect("=")
        if key in found or len(found) == ITEMS_MAX:
            raise WrittenWrongError
        found[key] = reader.member()
        if reader.is_done:
            return found
        reader.take(_COMMA)


@dataclass(slots=True)
class _Reader:
    """Walks through a text."""

    text: str
    at: int = 0

    @property
    def is_done(self) -> bool:
        """Tell whether nothing is left."""
        return self.at == len(self.text)

    def take(self, pattern: re.Pattern[str]) -> str:
        """Take what has to stand here; the first group where there is one."""
        found = pattern.match(self.text, self.at)
        if found is None:
            raise WrittenWrongError
        self.at = found.end()
        return found[1] if found.re.groups else found[0]

    def has(self, sign: str) -> bool:
        """Tell whether a sign stands here, and step over it."""
        there = self.text.startswith(sign, self.at)
        self.at += there
        return there

    def expect(self, sign: str) -> None:
        """Step over a sign that has to stand here."""
        if not self.has(sign):
            raise WrittenWrongError

    def member(self) -> Member:
        """Take a list in brackets or a value."""
        start = self.at
        if not self.has("("):
            item = self.item()
            return Member((item,), item.parameters, self.text[start : self.at])
        items: list[Item] = []
        self.take(_BLANK)
        while not self.has(")"):
            if len(items) == ITEMS_MAX:
                raise WrittenWrongError
            items.append(self.item())
            if not self.text.startswith((" ", ")"), self.at):
                raise WrittenWrongError
            self.take(_BLANK)
        parameters = self.parameters()
        return Member(tuple(items), parameters, self.text[start : self.at])

    def item(self) -> Item:
        """Take a value with its parameters."""
        value = self.bare()
        return Item(value, self.parameters())

    def parameters(self) -> dict[str, Value]:
        """Take the parameters that stand here."""
        found: dict[str, Value] = {}
        while self.has(";"):
            self.take(_BLANK)
            key = self.take(_KEY)
            if key in found or len(found) == ITEMS_MAX:
                raise WrittenWrongError
            found[key] = self.bare() if self.has("=") else True
        return found

    def bare(self) -> Value:
        """Take a value without parameters."""
        sign = self.text[self.at : self.at + 1]
        if sign == '"':
            return re.sub(r"\\(.)", r"\1", self.take(_STRING))
        if sign == ":":
            try:
                return base64.b64decode(self.take(_BYTES), validate=True)
            except binascii.Error:
                raise WrittenWrongError from None
        if sign == "?":
            self.at += 1
            return self.take(re.compile("[01]")) == "1"
        if sign.isdigit() or sign == "-":
            return int(self.take(_INTEGER))
        return self.take(_TOKEN)
