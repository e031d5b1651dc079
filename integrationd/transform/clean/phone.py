"""Telephone numbers in E.164, ``+593991234567``."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import ClassVar, Final

from integrationd.config.decode import Invalid, Site
from integrationd.config.leaves import decode_text
from integrationd.config.nodes import Node
from integrationd.config.sites import Leaf
from integrationd.transform.clean.cleaner import UnfitError
from integrationd.transform.clean.regions import Plan, plans_by_code, plans_by_region

_WRITTEN: Final = re.compile(
    r"(?:tel:)?\s*(\+|00(?=[1-9\s]))?([0-9\s().\-/\u2010-\u2015]*)", re.IGNORECASE
)
_SEPARATORS: Final = re.compile(r"[^0-9]+")
_CHARS_MAX: Final = 64
_DIGITS_MAX: Final = 15
_CODE_DIGITS: Final = (1, 2, 3)


class Region(str):
    """A country by its two letters, ``DE``."""

    __slots__ = ()
    FORM: ClassVar[Leaf] = Leaf(
        "a country's two letters, such as DE", {"type": "string", "pattern": "^[A-Z]{2}$"}
    )

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Region | Invalid:
        """Read a code of ISO 3166 that has telephone numbers."""
        text = decode_text(node, site)
        if isinstance(text, Invalid):
            return text
        if text not in plans_by_region():
            return site.expected(node, "a country's two letters, such as DE", "E111")
        return cls(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """Writes a telephone number in E.164: ``+``, the calling code, the number, digits alone.

    A number with ``+`` or ``00`` in front says its country itself. Any other one needs a region:
    ``{phone: DE}``, or ``region`` of the tenant in the settings; without one it stays as it is, as
    nobody can tell what country it is of. A number whose calling code is not assigned, that is
    longer or shorter than its country's are, or has letters or an extension, becomes null. Whether
    somebody has the number is not looked at, nor which digits a country has given out.
    """

    kind: ClassVar[str] = "phone"
    form: ClassVar[str] = "a telephone number such as +593991234567"
    phone: Region | None = None
    """The country of numbers that do not say theirs, ``DE``."""

    def clean(self, text: str) -> str | None:
        """Return the number; None of an empty text.

        Raises:
            UnfitError: It is no telephone number, or none of its country.

        Source:
            ITU-T E.164 section 6.2, E.123 for how numbers are written.
        """
        text = text.strip()
        if not text:
            return None
        plain = text if text.isascii() else "".join(map(_to_ascii, text))
        found = _WRITTEN.fullmatch(plain) if len(plain) <= _CHARS_MAX else None
        is_abroad = found is not None and found[1] is not None
        written = "" if found is None else found[2]
        digits = _SEPARATORS.sub("", written.replace("(0)", "") if is_abroad else written)
        if digits and not is_abroad and self.phone is None:
            return text
        number = _read_international(digits) if is_abroad else _read_national(digits, self.phone)
        if number is None or len(number) > _DIGITS_MAX:
            raise UnfitError(f"expected {self.form}")
        return f"+{number}"


def _to_ascii(sign: str) -> str:
    """Return a digit of any script as ours, and a full-width sign in its usual width."""
    digit = unicodedata.decimal(sign, None)
    return unicodedata.normalize("NFKC", sign) if digit is None else str(digit)


def _read_international(digits: str) -> str | None:
    """Return calling code and number; a trunk prefix between them, which some write, goes."""
    for length in _CODE_DIGITS:
        plan = plans_by_code().get(digits[:length])
        if plan is not None:
            rest = digits[length:].removeprefix(_ZERO if plan.trunks == (_ZERO,) else "")
            return f"{plan.code}{rest}" if _fits(rest, plan) else None
    return None


def _read_national(digits: str, region: Region | None) -> str | None:
    """Return calling code and number of one written as inside its country."""
    if region is None:
        return None
    plan = plans_by_region()[region]
    for prefix in (*plan.trunks, "", plan.code):
        rest = digits.removeprefix(prefix)
        if digits.startswith(prefix) and _fits(rest, plan):
            return f"{plan.code}{rest}"
    return None


def _fits(rest: str, plan: Plan) -> bool:
    # Where a nought stands before a number, none begins with one.
    return len(rest) in plan.lengths and not (_ZERO in plan.trunks and rest.startswith(_ZERO))


_ZERO: Final = "0"
