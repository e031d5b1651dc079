"""Cleaners that any text can go through."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from integrationd.config.decode import Bounds

_CONTROL: Final = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""Unicode's category Cc but for tab and the ends of lines, the marks that turn the direction of
writing round, the byte order mark, and halves of surrogate pairs, which cannot be stored."""
_LINE_END: Final = re.compile("\r\n?")


def remove_control(text: str) -> str:
    """Remove control characters; every end of a line becomes a line feed."""
    if text.isascii() and text.isprintable():
        return text
    return _CONTROL.sub("", _LINE_END.sub("\n", text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Removes control characters but tabs and ends of lines, and marks of writing direction."""

    kind: ClassVar[str] = "control"

    def clean(self, text: str) -> str:
        """Return the text without them."""
        return remove_control(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nfc:
    """Composes characters (Unicode NFC), so that an ``é`` is the same wherever it was typed."""

    kind: ClassVar[str] = "nfc"

    def clean(self, text: str) -> str:
        """Return the text in NFC."""
        return text if text.isascii() else unicodedata.normalize("NFC", text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spaces:
    """Makes every run of white space one space, and leaves none at the ends."""

    kind: ClassVar[str] = "spaces"

    def clean(self, text: str) -> str:
        """Return the words with one space between them."""
        return " ".join(text.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Trim:
    """Removes white space at both ends."""

    kind: ClassVar[str] = "trim"

    def clean(self, text: str) -> str:
        """Return the text without it."""
        return text.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class MaxLength:
    """Cuts a text after so many characters, and white space before the cut."""

    kind: ClassVar[str] = "max_length"
    max_length: Annotated[int, Bounds(1, 100_000)]
    """How many characters (code points) are kept."""

    def clean(self, text: str) -> str:
        """Return its beginning."""
        return text if len(text) <= self.max_length else text[: self.max_length].rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty:
    """Makes a text of nothing, or of white space alone, null."""

    kind: ClassVar[str] = "empty"

    def clean(self, text: str) -> str | None:
        """Return the text, or None."""
        return None if not text or text.isspace() else text
