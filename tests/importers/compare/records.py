"""Records by a stream's own schema, key, cursor and what others read of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from tests.importers.compare import lenient
from tests.importers.compare.configs import begin

_DEPTH_MAX = 4


def build_record(
    stream: Mapping[str, Any], number: int, config: Mapping[str, Any], wanted: list[str]
) -> dict[str, Any]:
    """Return one record.

    Args:
        stream: As the resolved manifest says it.
        number: Which of them, from 0.
        config: What templates see.
        wanted: Paths that other streams read.
    """
    schema = stream.get("schema_loader") or {}
    schema = next(iter(schema), {}) if isinstance(schema, list) else schema
    made = _value("record", schema.get("schema") or {"type": "object"}, number, 0)
    record = made if isinstance(made, dict) else {}
    for path in _keys(stream.get("primary_key")):
        _set(record, path, _unique(_get(record, path), number))
    for path in _seen(stream):
        if _get(record, path) in (None, {}, []):
            _set(record, path, f"{path[-1]}-{number + 1}")
    for path in wanted:
        steps = path.split("/")
        _set(record, steps, _unique(_get(record, steps), number))
    _set_cursor(record, stream.get("incremental_sync") or {}, number, config)
    return record or {"id": number + 1}


def _seen(stream: Mapping[str, Any]) -> list[list[str]]:
    """Return the paths that the stream's own templates read of a record."""
    key = id(stream)
    if key not in _SEEN:
        texts = [*_texts(stream.get("transformations")), *_texts(stream.get("retriever"))]
        found = {
            tuple(map(str, path))
            for text in texts
            for root in ("record", "last_record")
            for path in lenient.paths(text, root)
            if path and all(isinstance(step, str) for step in path)
        }
        _SEEN[key] = (stream, sorted(map(list, found)))
    return _SEEN[key][1]


_SEEN: dict[int, tuple[Mapping[str, Any], list[list[str]]]] = {}


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        # What a parent reads of its records is no business of its children.
        for key, inner in node.items():
            yield from _texts(inner) if key != "stream" else ()
    elif isinstance(node, list):
        for inner in node:
            yield from _texts(inner)
    elif isinstance(node, str) and "record" in node:
        yield node


def _set_cursor(
    record: dict[str, Any], cursor: Mapping[str, Any], number: int, config: Mapping[str, Any]
) -> None:
    name = cursor.get("cursor_field")
    if not name:
        return
    name = lenient.render(name, {"config": config, "parameters": cursor.get("$parameters") or {}})
    forms = cursor.get("cursor_datetime_formats") or [cursor.get("datetime_format") or ""]
    at = begin() + timedelta(days=1, minutes=number)
    form = lenient.render(
        forms[0], {"config": config, "parameters": cursor.get("$parameters") or {}}
    )
    record[str(name)] = (
        number + 1 if cursor.get("type") == "IncrementingCountCursor" else write_time(at, str(form))
    )


def write_time(at: Any, form: str) -> Any:
    """Write a time as the source's notation says."""
    match form:
        case "%s":
            return int(at.timestamp())
        case "%s_as_float":
            return float(at.timestamp())
        case "%ms":
            return int(at.timestamp() * 1000)
        case "%epoch_microseconds":
            return int(at.timestamp() * 1_000_000)
    form = form.replace("%_ms", "000")
    return at.strftime(form or "%Y-%m-%dT%H:%M:%SZ")


def _keys(said: Any) -> list[list[str]]:
    if not said:
        return []
    several = said if isinstance(said, list) else [said]
    return [
        [str(step) for step in each] if isinstance(each, list) else str(each).split(".")
        for each in several
    ]


def _unique(before: Any, number: int) -> Any:
    return number + 1 if isinstance(before, int | float) else f"k{number + 1}"


def _get(record: Any, path: list[str]) -> Any:
    for step in path:
        record = record.get(step) if isinstance(record, dict) else None
    return record


def _set(record: dict[str, Any], path: list[str], value: Any) -> None:
    *outer, last = path
    for step in outer:
        inner = record.get(step)
        record[step] = inner if isinstance(inner, dict) else {}
        record = record[step]
    record[last] = value


def _value(name: str, schema: Any, number: int, depth: int) -> Any:  # noqa: C901, PLR0911 - a table with a line for each kind
    schema = schema if isinstance(schema, dict) else {}
    for word in ("oneOf", "anyOf", "allOf"):
        if isinstance(schema.get(word), list) and schema[word]:
            return _value(name, schema[word][0], number, depth)
    if schema.get("enum"):
        return schema["enum"][0]
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    several = [kinds] if isinstance(kinds, str) else [each for each in kinds if each != "null"]
    match next(iter(several), "string"):
        case "object":
            if depth >= _DEPTH_MAX:
                return {}
            inner = schema.get("properties") or {}
            return {key: _value(key, each, number, depth + 1) for key, each in inner.items()}
        case "array":
            return (
                []
                if depth >= _DEPTH_MAX
                else [_value(name, schema.get("items"), number, depth + 1)]
            )
        case "integer":
            return number + 1
        case "number":
            return number + 1.5
        case "boolean":
            return number % 2 == 0
    return _text(name, schema, number)


def _text(name: str, schema: Mapping[str, Any], number: int) -> str:
    at = begin() + timedelta(days=1, minutes=number)
    if schema.get("format") == "date-time":
        return f"{at:%Y-%m-%dT%H:%M:%SZ}"
    if schema.get("format") == "date":
        return f"{at:%Y-%m-%d}"
    return f"{name}-{number + 1}"
