"""Book numbers, as ISBN-13."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from integrationd.transform.clean.cleaner import UnfitError

_PREFIX: Final = re.compile(r"(?:isbn)?(?:[-\s]?1[03])?[:\s]*(?=[0-9])", re.IGNORECASE)
_GAP: Final = r"[-\u2010-\u2015\s]?"
_NUMBERS: Final = (
    re.compile(rf"97[89](?:{_GAP}[0-9]){{10}}"),
    re.compile(rf"[0-9](?:{_GAP}[0-9]){{8}}{_GAP}[0-9xX]"),
)
_BEHIND: Final = re.compile(r"(?![\w-])")
"""What follows is no part of a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Isbn:
    """Writes a book number as 13 digits, from ISBN-10 too; its check digit has to be right.

    Hyphens, spaces, the word ``ISBN`` in front and a remark behind, as in ``0131103628 (pbk.)``,
    go; of several numbers in one text the first is taken. What is none becomes null.
    """

    kind: ClassVar[str] = "isbn"
    form: ClassVar[str] = "an ISBN whose check digit is right"

    def clean(self, text: str) -> str | None:
        """Return 13 digits; None of an empty text.

        Raises:
            UnfitError: It is no ISBN.

        Source:
            ISO 2108, as in the ISBN Users' Manual, section 5.
        """
        text = text.strip()
        if not text:
            return None
        if len(text) == _DIGITS and text.isascii() and text.isdecimal() and _is_right(text):
            return text
        for start in _starts(text):
            for pattern in _NUMBERS:
                found = pattern.match(text, start)
                if found is not None and _BEHIND.match(text, found.end()):
                    number = _read(re.sub("[^0-9Xx]", "", found[0]).upper())
                    if number is not None:
                        return number
        raise UnfitError(f"expected {self.form}")


def _starts(text: str) -> list[int]:
    """Return where the number may begin: behind the word in front, or at the very first digit."""
    found = _PREFIX.match(text)
    starts = [] if found is None else [found.end()]
    return [*starts, 0] if text[0].isdigit() else starts


def _read(signs: str) -> str | None:
    if len(signs) == len("0131103628"):
        total = sum((10 - place) * _worth(sign) for place, sign in enumerate(signs))
        return None if total % 11 else _complete(f"978{signs[:9]}")
    return signs if _is_right(signs) else None


def _worth(sign: str) -> int:
    return 10 if sign == "X" else int(sign)


def _is_right(digits: str) -> bool:
    return digits.startswith(("978", "979")) and _weigh(digits) % 10 == 0


def _complete(digits: str) -> str:
    return f"{digits}{-_weigh(digits) % 10}"


def _weigh(digits: str) -> int:
    return sum(map(int, digits[::2])) + 3 * sum(map(int, digits[1::2]))


_DIGITS: Final = 13
