"""What a keyword of JSON Schema asks for, in our own words: of values in files and of records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from integrationd.config import formats
from integrationd.config.problems import shorten
from integrationd.model.json import Json


def expect(keyword: str, value: Json) -> str:
    """Say what a keyword asks for, to end a sentence that begins with "expected"."""
    if keyword in _EXPECTATIONS:
        return _EXPECTATIONS[keyword](value)
    return f"what {keyword!r} in its schema allows"


def _name_types(wanted: str | list[str]) -> str:
    names = [wanted] if isinstance(wanted, str) else wanted
    return " or ".join(TYPE_NAMES[name] for name in names)


def _print(value: Json) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return value if isinstance(value, str) and value else shorten(value)


TYPE_NAMES: Final[Mapping[str, str]] = {
    "null": "nothing",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "an object",
}

_EXPECTATIONS: Final[Mapping[str, Callable[[Any], str]]] = {
    "type": _name_types,
    "enum": lambda choices: f"one of {', '.join(map(_print, choices))}",
    "const": _print,
    "format": lambda name: formats.NAMES.get(name, f"text in the format {name!r}"),
    "oneOf": lambda _: "a value that fits one alternative of its schema, not several",
    "minLength": lambda count: f"at least {count} characters",
    "maxLength": lambda count: f"at most {count} characters",
    "minItems": lambda count: f"at least {count} items",
    "maxItems": lambda count: f"at most {count} items",
    "minProperties": lambda count: f"at least {count} fields",
    "maxProperties": lambda count: f"at most {count} fields",
    "minimum": lambda number: f"at least {shorten(number)}",
    "maximum": lambda number: f"at most {shorten(number)}",
    "exclusiveMinimum": lambda number: f"more than {shorten(number)}",
    "exclusiveMaximum": lambda number: f"less than {shorten(number)}",
    "multipleOf": lambda number: f"a multiple of {shorten(number)}",
    "pattern": lambda pattern: f"text that matches {shorten(pattern)}",
    "uniqueItems": lambda _: "no item twice",
}
