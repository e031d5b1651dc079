"""JSON values as YAML that reads back to the same values, the same text each time."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Final

from integrationd.config.scalars import DIGITS_MAX, read_plain
from integrationd.config.syntax import UNPRINTABLE, escape_character
from integrationd.model.json import Json

# Narrower than what YAML allows: whatever needs a second thought goes in quotes.
_PLAIN = re.compile(r"[A-Za-z0-9/_](?:[A-Za-z0-9_./@+-]|:(?=[A-Za-z0-9/])| (?=[A-Za-z0-9/_(]))*")
_NAME_CHARS_MAX: Final = 1000
"""Longer names need '? ' before them; YAML looks ahead 1,024 characters for the colon."""
_DEPTH_MAX: Final = 100
"""More than the reader's 32, for what is printed but never read; below Python's recursion."""


def print_yaml(value: Json) -> str:
    """Print a value as one YAML document, objects in their own order.

    Reading it back gives an equal value, within the reader's limits of bytes, nodes and depth.

    Raises:
        ValueError: YAML cannot say it, or not so that it is read back: an infinite number, half a
            surrogate pair, a whole number of more than 300 digits, more than 100 levels.
    """
    if isinstance(value, dict | list) and value:
        return "".join(f"{line}\n" for line in _block(value, 0))
    return f"{_leaf(value)}\n"


def _block(value: Json, depth: int) -> Iterator[str]:
    if depth >= _DEPTH_MAX:
        raise ValueError(f"more than {_DEPTH_MAX} levels inside each other")
    if isinstance(value, list):
        for item in value:
            yield from _entry("-", item, depth)
        return
    for name, item in value.items():
        printed = _name(name)
        if len(printed) <= _NAME_CHARS_MAX:
            yield from _entry(f"{printed}:", item, depth)
        else:
            yield f"{_pad(depth)}? {printed}"
            yield from _entry(":", item, depth)


def _entry(head: str, value: Json, depth: int) -> Iterator[str]:
    """Print what stands before a value and the value, on as many lines as it takes."""
    pad = _pad(depth)
    if isinstance(value, dict | list) and value:
        lines = _block(value, depth + 1)
        if head == "-":
            yield f"{pad}- {next(lines).lstrip()}"
        else:
            yield f"{pad}{head}"
        yield from lines
    elif isinstance(value, str) and _is_block(value):
        yield f"{pad}{head} {'|' if value.endswith(chr(10)) else '|-'}"
        for line in value.removesuffix("\n").split("\n"):
            yield f"{pad}  {line}" if line else ""
    else:
        yield f"{pad}{head} {_leaf(value)}"


def _leaf(value: Json) -> str:
    match value:
        case None | bool() | dict() | list():
            return json.dumps(value)
        case str():
            return value if _is_plain(value) else _quote(value)
        case int() if abs(value) < 10**DIGITS_MAX:
            return str(value)
        case float() if math.isfinite(value):
            text = repr(value)
            # 1e+22 is text to YAML 1.1, which wants the point.
            return text if "." in text else text.replace("e", ".0e")
        case int() | float():
            raise ValueError("a number that is infinite or too long for YAML")
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _name(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else _quote(name)


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None and read_plain(text) is text


def _is_block(text: str) -> bool:
    """Tell whether text of several lines can stand as it is, below a ``|``."""
    lines = text.removesuffix("\n").split("\n")
    if len(lines) == 1 or not lines[-1].strip() or lines[0] != lines[0].lstrip() or not lines[0]:
        return False
    return "\r" not in text and UNPRINTABLE.search(text) is None


def _quote(text: str) -> str:
    """Print text in quotes: single ones where those save escapes, else as JSON does."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("text with half a surrogate pair") from error
    if ('"' in text or "\\" in text) and text.isprintable() and not UNPRINTABLE.search(text):
        return "'" + text.replace("'", "''") + "'"
    quoted = json.dumps(text, ensure_ascii=False)
    return UNPRINTABLE.sub(lambda found: escape_character(found.group()), quoted)


def _pad(depth: int) -> str:
    return "  " * depth
