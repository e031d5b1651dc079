"""Functions of lists and objects: what stands side by side, or as keys, made into rows and back."""

from __future__ import annotations

import json
import re
from typing import Final

import msgspec

from integrationd.model.json import Json
from integrationd.transform.functions.function import Function

_NEXT_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NO_WORD: Final = re.compile(r"[\W_]+")


def items(value: dict[str, Json]) -> Json:
    """Return the fields of an object as pairs of name and value.

    items(`{"a": 1, "b": 2}`) -> [["a", 1], ["b", 2]]
    items(`{"7": {"price": 5}}`)[*].{id: [0], price: [1].price} -> [{"id": "7", "price": 5}]
    """
    return [[key, item] for key, item in value.items()]


def from_items(pairs: list[Json]) -> Json:
    """Return an object of pairs of name and value; of equal names the last wins.

    from_items(`[["a", 1], ["b", 2]]`) -> {"a": 1, "b": 2}
    from_items(`[{"name": "color", "value": "red"}]`[].[name, value]) -> {"color": "red"}
    """
    found: dict[str, Json] = {}
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != _PAIR or not isinstance(pair[0], str):
            raise ValueError("expected a list of pairs, each of a text and a value")
        found[pair[0]] = pair[1]
    return found


def zip_(*lists: list[Json]) -> Json:
    """Return the first items of lists together, then the second ones, as far as the shortest goes.

    zip(`["a", "b"]`, `[1, 2]`) -> [["a", 1], ["b", 2]]
    from_items(zip(`["a", "b"]`, `[1, 2]`)) -> {"a": 1, "b": 2}
    """
    if not lists:
        raise ValueError("takes one list or more")
    return [list(row) for row in zip(*lists, strict=False)]


def rows_to_objects(rows: list[Json], header: list[Json] | None = None) -> Json:
    """Return an object for each row of a table, by the names in its header.

    Without a header it is the first row. What a short row does not have is null; what a row has
    beyond the header is left out.

    rows_to_objects(`[["id", "name"], [1, "Ana"], [2]]`)
    -> [{"id": 1, "name": "Ana"}, {"id": 2, "name": null}]
    rows_to_objects(`[[1, "Ana"]]`, `["id", "name"]`) -> [{"id": 1, "name": "Ana"}]
    """
    if header is None:
        if not rows:
            return []
        header, rows = rows[0], rows[1:]
    if not isinstance(header, list) or not all(isinstance(name, str) for name in header):
        raise ValueError("expected a header of texts")
    if not all(isinstance(row, list) for row in rows):
        raise ValueError("expected rows that are lists")
    width = len(header)
    _check_cells(width * len(rows))
    return [
        dict(zip(header, [*row[:width], *[None] * (width - len(row))], strict=True)) for row in rows
    ]


def add_to_each(objects: list[Json], fields: dict[str, Json]) -> Json:
    """Return the objects of a list with further fields, such as those of what the list stands in.

    An object's own fields are kept.

    add_to_each(`[{"sku": "A"}, {"sku": "B"}]`, {order_id: `7`})
    -> [{"order_id": 7, "sku": "A"}, {"order_id": 7, "sku": "B"}]
    """
    if not all(isinstance(each, dict) for each in objects):
        raise ValueError("expected a list of objects")
    _check_cells(len(objects) * len(fields))
    return [{**fields, **each} for each in objects]


def get(value: dict[str, Json], name: str, otherwise: Json = None) -> Json:
    """Return the field of an object by a name that is computed.

    Where it has none, null or what is said.

    get(`{"M": "male", "F": "female"}`, 'F') -> "female"
    get(`{"M": "male"}`, 'X', 'unknown') -> "unknown"
    """
    return value.get(name, otherwise)


def unique(values: list[Json]) -> Json:
    """Return a list with every value once, where it stands first.

    unique(`["b", "a", "b"]`) -> ["b", "a"]
    """
    found: dict[str, Json] = {}
    for item in values:
        found.setdefault(_text_of(item), item)
    return list(found.values())


def drop_nulls(value: Json) -> Json:
    """Return a value without the fields and items that are null, however deep they stand.

    drop_nulls(`{"a": null, "b": {"c": null, "d": [1, null]}}`) -> {"b": {"d": [1]}}
    """
    if isinstance(value, dict):
        return {key: drop_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [drop_nulls(item) for item in value if item is not None]
    return value


def snake_keys(value: Json) -> Json:
    """Return a value whose fields have names of small letters and underscores, however deep.

    Of fields that are then called the same the last wins.

    snake_keys(`{"firstName": 1, "Home Address": {"ZIPCode": 2}}`)
    -> {"first_name": 1, "home_address": {"zip_code": 2}}
    """
    if isinstance(value, dict):
        return {_snake(key): snake_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [snake_keys(item) for item in value]
    return value


def tojson(value: Json) -> Json:
    r"""Return a value as JSON text.

    tojson(`{"a": [1, "é"]}`) -> "{\"a\":[1,\"é\"]}"
    """
    return _text_of(value)


def fromjson(text: str) -> Json:
    """Return the value that a JSON text holds; numbers keep all their digits.

    fromjson('{"id": 12345678901234567890}') -> {"id": 12345678901234567890}
    """
    try:
        return msgspec.json.decode(text)
    except (ValueError, RecursionError):
        raise ValueError("expected text that is JSON") from None


def _check_cells(count: int) -> None:
    """Refuse what would grow from little to much: one list beside many."""
    if count > _CELLS_MAX:
        raise ValueError(f"makes more than {_CELLS_MAX:,} fields")


def _text_of(value: Json) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def _snake(name: str) -> str:
    return _NO_WORD.sub("_", _NEXT_WORD.sub("_", name)).strip("_").lower() or name


_PAIR: Final = 2
_CELLS_MAX: Final = 200_000
FUNCTIONS: Final = (
    *(Function.of(run) for run in (items, from_items, zip_, rows_to_objects, add_to_each, get)),
    *(Function.of(run, deep=True) for run in (unique, drop_nulls, snake_keys, tojson, fromjson)),
)
