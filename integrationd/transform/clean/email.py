"""E-mail addresses, as they can be written to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from integrationd.transform.clean.cleaner import UnfitError

_CHARS_MAX: Final = 254
_LOCAL_BYTES_MAX: Final = 64
_LOCAL: Final = r"(?P<local>[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*)"
_LABEL: Final = r"[^\W_](?:(?:[^\W_]|-){0,61}[^\W_])?"
_ADDRESS: Final = re.compile(rf"{_LOCAL}@(?P<domain>(?:{_LABEL}\.)+{_LABEL})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """Trims an e-mail address and writes its domain in small letters.

    What is no address becomes null: one that has no ``@``, white space in it, or a domain without
    a dot; several in one text; quoted local parts and addresses of hosts, which nobody has. The
    part before the ``@`` stays as it is: only its own server knows what it means.
    """

    kind: ClassVar[str] = "email"
    form: ClassVar[str] = "an e-mail address such as ana@example.org"

    def clean(self, text: str) -> str | None:
        """Return the address; None of an empty text.

        Raises:
            UnfitError: It is no address.

        Source:
            RFC 5321 sections 4.1.2 and 4.5.3.1, RFC 6531 for letters beyond ASCII.
        """
        text = text.strip()
        if text[:7].lower() == "mailto:":
            text = text[7:].lstrip()
        if not text:
            return None
        found = _read(text)
        if found is None:
            raise UnfitError(f"expected {self.form}")
        address = f"{found['local']}@{found['domain'].lower()}"
        # A few letters grow when they are made small, and are then no letters any more.
        if not address.isascii() and _read(address) is None:
            raise UnfitError(f"expected {self.form}")
        return address


def _read(text: str) -> re.Match[str] | None:
    found = _ADDRESS.fullmatch(text) if len(text) <= _CHARS_MAX else None
    if found is None or len(found["local"].encode(errors="replace")) > _LOCAL_BYTES_MAX:
        return None
    return None if found["domain"].rpartition(".")[2].isdigit() else found
