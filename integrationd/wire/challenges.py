"""What a 401 asks for: the challenges of ``WWW-Authenticate``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105 - RFC 9110's word for the signs of a name
_BETWEEN: Final = re.compile(r"[ \t,]*")
_NAME: Final = re.compile(_TOKEN)
_VALUE: Final = re.compile(rf'[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))')
_TOKEN68: Final = re.compile(r"[ \t]+[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))")
_ESCAPE: Final = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way in that is offered."""

    scheme: str
    """In lower case, ``digest``."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case, values without their quotes."""


def parse_challenges(text: str) -> list[Challenge]:
    """Return the challenges of a header, those of a repeated one joined by commas.

    What cannot be read ends the list: the rest of it is nobody's.

    Source:
        RFC 9110 section 11.6.1.
    """
    found: list[Challenge] = []
    at = 0
    while True:
        at = _end(_BETWEEN, text, at)
        name = _NAME.match(text, at)
        if name is None:
            return found
        value = _VALUE.match(text, name.end())
        if value is None:
            found.append(Challenge(name.group().lower(), {}))
            at = _end(_TOKEN68, text, name.end())
        elif not found:
            return found
        else:
            quoted, plain = value.groups()
            given = plain if quoted is None else _ESCAPE.sub(r"\1", quoted)
            last = found[-1]
            known = {name.group().lower(): given, **last.parameters}
            found[-1] = Challenge(last.scheme, known)
            at = value.end()


def quote_text(text: str) -> str:
    """Write a value in quotes, as challenges and their answers have it; RFC 9110 section 5.6.4."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return at if match is None else match.end()
