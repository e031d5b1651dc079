"""A configuration made up from a manifest's ``connection_specification``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

KEY = None
DAYS = 40
"""How far back reading begins."""


def build_config(schema: Mapping[str, Any], text: str, *, optional: bool = True) -> dict[str, Any]:
    """Return a configuration.

    Args:
        schema: The specification.
        text: The whole manifest, which shows what a value is used for.
        optional: Whether what may be left out is there as well.
    """
    made = _object(schema, text, optional=optional)
    return made if isinstance(made, dict) else {}


def _object(schema: Mapping[str, Any], text: str, *, optional: bool) -> dict[str, Any]:
    required = schema.get("required") or []
    made: dict[str, Any] = {}
    for name, inner in (schema.get("properties") or {}).items():
        if not isinstance(inner, dict):
            continue
        is_end = re.search(r"(?:end|until|stop|to)_?(?:date|time|$)", name, re.IGNORECASE)
        wanted = name in required or "const" in inner or (optional and not is_end)
        if wanted:
            made[name] = _value(name, inner, text, optional=optional)
        elif "default" in inner:
            made[name] = inner["default"]
    return made


def _value(name: str, schema: Mapping[str, Any], text: str, *, optional: bool) -> Any:  # noqa: C901, PLR0911 - a table with a line for each kind
    for word in ("const", "default"):
        if word in schema and schema[word] not in (None, ""):
            is_date = isinstance(schema[word], str) and re.match(r"\d{4}-\d\d", schema[word])
            if not is_date or word == "const":
                return schema[word]
    for word in ("oneOf", "anyOf", "allOf"):
        if schema.get(word):
            first = schema[word][0]
            inner = {**schema, **first}
            inner["properties"] = {**schema.get("properties", {}), **first.get("properties", {})}
            inner.pop(word)
            return _value(name, inner, text, optional=optional)
    if schema.get("enum"):
        return schema["enum"][0]
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    kind = next((each for each in [kinds] if isinstance(each, str)), None) or next(
        each for each in kinds if each != "null"
    )
    match kind:
        case "object":
            return _object(schema, text, optional=optional)
        case "array":
            return [
                _value(name, schema.get("items") or {"type": "string"}, text, optional=optional)
            ]
        case "boolean":
            return True
        case "integer" | "number":
            return _number(schema)
    return _text(name, schema, text)


def _number(schema: Mapping[str, Any]) -> int:
    example = (schema.get("examples") or [None])[0]
    if isinstance(example, int):
        return example
    return int(max(schema.get("minimum", 3), min(3, schema.get("maximum", 3))))


def begin() -> datetime:
    """Return when what is read begins."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=DAYS)


def _text(name: str, schema: Mapping[str, Any], text: str) -> str:  # noqa: C901 - a table with a line for each kind
    """Return a text that fits what is known of it."""
    examples = schema.get("examples") or schema.get("example") or []
    examples = examples if isinstance(examples, list) else [examples]
    pattern = str(schema.get("pattern") or "")
    dated = _date(name, schema, pattern, examples)
    if dated:
        return dated
    for example in examples:
        if isinstance(example, str) and example and re.search(pattern or "", example):
            return example
    chosen = f"{re.sub('[^a-z0-9]+', '-', name.lower())}-1"
    if re.search(rf"(?:url_base|url):\s*['\"]?\{{\{{\s*config\W+{re.escape(name)}\b", text):
        is_host = re.search(rf"https?://\{{\{{\s*config\W+{re.escape(name)}\b", text)
        chosen = "shop.example.com" if is_host else "https://shop.example.com"
    if schema.get("format") == "uri" or "https?://" in pattern:
        chosen = "https://shop.example.com"
    if schema.get("format") in ("email", "idn-email"):
        chosen = "ana@example.com"
    for candidate in (
        chosen,
        "1234567890",
        "a1" * 16,
        "shop.example.com",
        "https://a.example.com/",
        "A",
        "12",
        "a-b_c",
        "00000000-0000-4000-8000-000000000001",
        "P1D",
    ):
        if re.search(pattern, candidate):
            return candidate
    return chosen


def _date(name: str, schema: Mapping[str, Any], pattern: str, examples: list[Any]) -> str:
    named = re.search(r"date|start|since|from$", name, re.IGNORECASE)
    shown = next((each for each in examples if re.match(r"\d{4}-\d\d", str(each))), "")
    kind = schema.get("format")
    if kind not in ("date", "date-time") and not shown and not (named and pattern):
        return ""
    at = begin()
    for form in _order(kind, str(shown)):
        made = f"{at:{form}}"
        if re.search(pattern, made):
            return made
    return ""


def _order(kind: Any, shown: str) -> list[str]:
    whole, fine, day = "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.000Z", "%Y-%m-%d"
    spaced, bare = "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"
    forms = [day, whole, fine, spaced, bare]
    if kind == "date-time" or "T" in shown:
        forms = [fine, whole] if "." in shown else [whole, fine]
        forms += [bare, spaced, day]
    if " " in shown:
        forms.insert(0, spaced)
    return forms
