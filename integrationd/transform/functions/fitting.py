"""Values made to fit the types that a provider's description gives them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Final

from integrationd.model.json import Json
from integrationd.transform.functions.function import Function

_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,40}")
_NUMBER: Final = re.compile(
    r"[+-]?(?:[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?"
)
_TRUE: Final = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE: Final = frozenset({"false", "f", "no", "n", "off", "0"})


def fit(value: Json, shape: Json) -> Json:
    """Return a value whose parts have the types that a shape names, as far as they can have them.

    A shape is a type, ``string``, ``integer``, ``number`` or ``boolean``, an object of shapes by
    field, or a list with the shape of its items. What a shape does not name stays, and so does null
    and whatever does not fit: ``"n/a"`` is no number.

    fit(`{"id": "7", "code": 5}`, `{"id": "integer", "code": "string"}`) -> {"id": 7, "code": "5"}
    fit(`[{"n": "1.5"}, {"n": "n/a"}]`, `[{"n": "number"}]`) -> [{"n": 1.5}, {"n": "n/a"}]
    """
    if value is None:
        return None
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return value
        return {key: fit(one, shape[key]) if key in shape else one for key, one in value.items()}
    if isinstance(shape, list):
        if not isinstance(value, list) or not shape:
            return value
        return [fit(one, shape[0]) for one in value]
    make = _MAKERS.get(shape) if isinstance(shape, str) else None
    if make is None:
        raise ValueError("expected a shape of string, integer, number, boolean, objects and lists")
    return make(value)


def _to_string(value: Json) -> Json:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _to_integer(value: Json) -> Json:
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, bool) else value


def _to_number(value: Json) -> Json:
    if not isinstance(value, str) or not _NUMBER.fullmatch(value.strip()):
        return value
    text = value.strip()
    return int(text) if _WHOLE.fullmatch(text) else float(text)


def _to_boolean(value: Json) -> Json:
    word = str(value).strip().lower() if isinstance(value, str | int) else ""
    return True if word in _TRUE else False if word in _FALSE else value


_MAKERS: Final[Mapping[str, Callable[[Json], Json]]] = {
    "string": _to_string,
    "integer": _to_integer,
    "number": _to_number,
    "boolean": _to_boolean,
}
FUNCTIONS: Final = (Function.of(fit, deep=True),)
