"""What a schema asks of a played value, and a value made to suit it, as far as that can be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from integrationd.model.json import Json
from integrationd.transform.mapping import CUSTOM
from integrationd.transform.schema.record import RecordSchema

Limits = Mapping[str, Json]
_EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)


def find_limits(schema: RecordSchema | None, path: str) -> Limits:
    """Return the schema of a field, ``title`` or ``custom.house``; empty where it has none."""
    if schema is None:
        return {}
    fields: Json = schema.properties
    if path.startswith(f"{CUSTOM}."):
        fields = fields.get(CUSTOM, {}).get("properties", {})
    found = fields.get(path.removeprefix(f"{CUSTOM}."), {})
    while isinstance(found, dict) and "$ref" in found:
        found = _look_up(schema.schema, found["$ref"])
    return found if isinstance(found, dict) else {}


def suit(value: Json, limits: Limits, number: int) -> Json:
    """Return a value as a schema asks for it: one of its choices, of its type, within its bounds.

    A pattern is left to chance; who plays says when a record came out unfit.
    """
    choices = [choice for choice in limits.get("enum", ()) if choice is not None]
    if choices:
        # Multiplying by a prime keeps neighbours apart, as in other choices.
        return choices[number * 7919 % len(choices)]
    if "const" in limits:
        return limits["const"]
    if limits.get("format") in _FORMATTED:
        return _FORMATTED[limits["format"]](number)
    value = _retype(value, limits.get("type", ()), number)
    if isinstance(value, str):
        return value[: limits.get("maxLength")].ljust(limits.get("minLength", 0), "x")
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = min(value, limits.get("maximum", value))
        return max(value, limits.get("minimum", value))
    return value


def _retype(value: Json, types: str | list[str] | tuple[str, ...], number: int) -> Json:
    named = [types] if isinstance(types, str) else [*types]
    if not named or any(type(value) in _PYTHON[name] for name in named):
        return value
    wanted = next((name for name in named if name != "null"), "null")
    return _MADE[wanted](value, number)


def _look_up(schema: Json, reference: str) -> Json:
    for step in reference.removeprefix("#/").split("/"):
        schema = schema[step.replace("~1", "/").replace("~0", "~")]
    return schema


_FORMATTED: Final[Mapping[str, Callable[[int], Json]]] = {
    "date": lambda number: (_EPOCH - timedelta(days=number % 7300)).date().isoformat(),
    "date-time": lambda number: (_EPOCH + timedelta(hours=number)).isoformat(),
    "email": lambda number: f"reader{number}@example.org",
    "uri": lambda number: f"https://example.org/{number}",
    "uuid": lambda number: f"00000000-0000-4000-8000-{number % 10**12:012d}",
}
_PYTHON: Final[Mapping[str, tuple[type, ...]]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "array": (list,),
    "object": (dict,),
}
_MADE: Final[Mapping[str, Callable[[Any, int], Json]]] = {
    "null": lambda _, __: None,
    "boolean": lambda _, number: number % 3 != 0,
    "integer": lambda _, number: number % 997,
    "number": lambda _, number: number % 997 / 4,
    "string": lambda value, number: str(number) if isinstance(value, list | dict) else str(value),
    "array": lambda value, _: [value],
    "object": lambda _, __: {},
}
