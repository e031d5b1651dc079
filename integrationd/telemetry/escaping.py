"""Foreign text on its way into a log: nothing in it may act on a terminal or fake a line."""

from __future__ import annotations

import re
from typing import Final

from integrationd.model.json import Json

_ACTING: Final = (
    "\x00-\x1f\x7f-\x9f"  # C0, DEL and C1: terminals obey them
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls: text reads otherwise
    "\u2028\u2029\ufeff"  # line separators and the byte order mark
    "\ud800-\udfff"  # lone surrogates: no encoding takes them
)
_PATTERN: Final = re.compile(f"[{_ACTING}]")
VALUE_CHARACTERS_MAX: Final = 2000
"""Of one value; a whole provider page in a message would drown the log."""
_ITEMS_MAX: Final = 100


def escape(text: str) -> str:
    r"""Show every character that acts as ``\n``, ``\x1b`` or ``\u202e``."""
    return _PATTERN.sub(_show, text)


def escape_lines(text: str) -> str:
    """Escape each line and keep the line ends, for tracebacks."""
    return "\n".join(escape(line) for line in text.split("\n"))


def escape_json(text: str) -> str:
    r"""Write acting characters of a JSON document as ``\u202e``; its value stays the same."""
    return _PATTERN.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def shorten(value: Json, most: int = VALUE_CHARACTERS_MAX) -> Json:
    """Cut long text and long lists, and turn what is no JSON into text."""
    if isinstance(value, str):
        return value if len(value) <= most else f"{value[:most]}… ({len(value)} characters)"
    if isinstance(value, dict):
        items = list(value.items())[:_ITEMS_MAX]
        return {shorten(str(key), most): shorten(item, most) for key, item in items}
    if isinstance(value, list | tuple):
        return [shorten(item, most) for item in value[:_ITEMS_MAX]]
    if value is None or isinstance(value, bool | int | float):
        return value
    return shorten(str(value), most)


def _show(found: re.Match[str]) -> str:
    shown = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(found.group())
    code = ord(found.group())
    return shown or (f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}")  # noqa: PLR2004 - a byte
