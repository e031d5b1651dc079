"""The filters and tests of templates: only what is safe, bounded and says what it takes."""

from __future__ import annotations

import functools
import inspect
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from integrationd.config.nodes import Position
from integrationd.errors import ExpressionError, MappingError
from integrationd.model.json import Json
from integrationd.transform.convert import FieldType, converter
from integrationd.transform.expression import Expression
from integrationd.transform.functions import FUNCTIONS
from integrationd.transform.functions.function import Function, Parameter
from integrationd.transform.jinja.meter import Meter, check_size
from integrationd.transform.printing import describe, print_value


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter or test, as the sandbox puts it to work."""

    run: Callable[..., Any]
    """Of the value and the arguments, the rendering's meter before them where it is taken."""
    takes_meter: bool = False
    is_free: bool = False
    """Whether it looks at no more than a few items, however many there are."""
    takes_missing: bool = False
    """Whether the value may be one that is not there."""
    is_repeated: bool = False
    """Whether it looks at its arguments again for each item of the value."""

    def signature(self) -> inspect.Signature:
        """Return what a template may give it: the value first, then the arguments."""
        found = inspect.signature(self.run)
        if not self.takes_meter:
            return found
        _, *given = found.parameters.values()
        return found.replace(parameters=given)


class NoItem:
    """What ``first`` and ``last`` give of nothing; the sandbox makes it a missing value."""


NO_ITEM: Final = NoItem()
_PRECISION_MAX: Final = 20
_CHARS_MAX: Final = 100
"""Most characters that are trimmed; each is tried at every end of the text."""
_CACHE_MAX: Final = 1024
_NOWHERE: Final = Position("", 1, 1)


def _wrong(what: str, value: Json) -> ExpressionError:
    return ExpressionError(f"expected {what}, found {describe(value)}")


def _list(value: Json) -> list[Json]:
    if not isinstance(value, list):
        raise _wrong("a list", value)
    return value


def _number(value: Json) -> Any:  # noqa: ANN401 - int or float, whichever it was
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong("a number", value)
    return value


def _sized(value: Json) -> Any:  # noqa: ANN401 - one of three kinds
    if not isinstance(value, str | list | dict):
        raise _wrong("text, a list or an object", value)
    return value


def _get(value: Json, attribute: Json) -> Json:
    """Read ``a.b`` out of an item; what is not there is null, as in JMESPath."""
    for part in print_value(attribute).split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _join(value: Json, separator: Json = "", attribute: Json = None) -> Json:
    items = _list(value) if attribute is None else _map(value, attribute)
    texts = [print_value(item) for item in items]
    between = print_value(separator)
    check_size(sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


def concat(value: Json) -> Json:
    """Join the parts of ``a ~ b``."""
    return _join(value)


def cut(value: Json, start: Json = None, stop: Json = None, step: Json = None) -> Json:
    """Take ``value[start:stop:step]``."""
    if not isinstance(value, str | list):
        raise _wrong("text or a list", value)
    return value[slice(start, stop, step)]


def _length(value: Json) -> Json:
    return len(_sized(value))


def _first(value: Json) -> Any:  # noqa: ANN401
    return next(iter(_sized(value)), NO_ITEM)


def _last(value: Json) -> Any:  # noqa: ANN401
    return next(reversed(_sized(value)), NO_ITEM)


def _default(value: Json, otherwise: Json = "", boolean: Json = False) -> Json:  # noqa: FBT002
    """Stand in for what is missing or null, as in a mapping; with ``true`` for all that is false.

    In Jinja2 itself null stays: there a value that is not there is missing. In JSON, and among the
    values of inputs and steps, it is null.
    """
    lacks = value is NO_ITEM or value is None
    return otherwise if lacks or (boolean and not value) else value


def _int(value: Json, default: Json = None) -> Json:
    if isinstance(value, float) and math.isfinite(value):
        return math.trunc(value)
    return _convert(FieldType.INTEGER, value, default)


def _float(value: Json, default: Json = None) -> Json:
    number = _convert(FieldType.NUMBER, value, default)
    return float(number) if isinstance(number, int) and not isinstance(number, bool) else number


def _convert(type_: FieldType, value: Json, default: Json) -> Json:
    try:
        return converter(type_)(value)
    except ValueError as wrong:
        if default is not None:
            return default
        raise ExpressionError(f"{wrong}, found {describe(value)}") from None


def _abs(value: Json) -> Json:
    return abs(_number(value))


def _sum(value: Json, attribute: Json = None) -> Json:
    items = _list(value) if attribute is None else _map(value, attribute)
    return sum(_number(item) for item in items)


def _min(value: Json) -> Any:  # noqa: ANN401
    return min(_list(value), default=NO_ITEM)


def _max(value: Json) -> Any:  # noqa: ANN401
    return max(_list(value), default=NO_ITEM)


def _sort(value: Json, reverse: Json = False, attribute: Json = None) -> Json:  # noqa: FBT002
    if attribute is None:
        return sorted(_list(value), reverse=bool(reverse))
    return sorted(_list(value), key=lambda item: _get(item, attribute), reverse=bool(reverse))


def _reverse(value: Json) -> Json:
    return cut(value, None, None, -1)


def _map(value: Json, attribute: Json) -> list[Json]:
    return [_get(item, attribute) for item in _list(value)]


def _passes(test: Json, arguments: tuple[Json, ...]) -> Callable[[Json], bool]:
    if test is None:
        return bool
    found = TESTS.get(test) if isinstance(test, str) else None
    if found is None:
        raise ExpressionError("expected the name of a test, such as 'none' or 'equalto'")
    return lambda item: bool(found.run(item, *arguments))


def _select(value: Json, test: Json = None, *arguments: Json) -> Json:
    return list(filter(_passes(test, arguments), _list(value)))


def _reject(value: Json, test: Json = None, *arguments: Json) -> Json:
    passes = _passes(test, arguments)
    return [item for item in _list(value) if not passes(item)]


def _selectattr(value: Json, attribute: Json, test: Json = None, *arguments: Json) -> Json:
    passes = _passes(test, arguments)
    return [item for item in _list(value) if passes(_get(item, attribute))]


def _rejectattr(value: Json, attribute: Json, test: Json = None, *arguments: Json) -> Json:
    passes = _passes(test, arguments)
    return [item for item in _list(value) if not passes(_get(item, attribute))]


@functools.lru_cache(_CACHE_MAX)
def expression_of(text: str) -> Expression:
    """Parse what ``search`` looks for; raises ExpressionError."""
    return Expression.parse(text, _NOWHERE)


def _search(value: Json, expression: Json) -> Json:
    return expression_of(print_value(expression)).search(value)


def _mapping(meter: Meter, value: Json, name: Json) -> Json:
    """Map an object, or each item of a list."""
    mapper = meter.mappers.get(print_value(name))
    if mapper is None:
        raise ExpressionError("the mapping is not there")
    try:
        return [mapper(item) for item in value] if isinstance(value, list) else mapper(value)
    except MappingError as wrong:
        raise ExpressionError(wrong.reason) from None


def _filter_of(function: Function) -> Filter:
    """Make a filter of a function that expressions call; a single value becomes text if need be."""
    signature = inspect.signature(function.run)

    @functools.wraps(function.run)
    def run(*given: Json, **named: Json) -> Json:
        bound = signature.bind(*given, **named)
        bound.apply_defaults()
        places = zip(function.places(), bound.args, strict=False)
        try:
            return function.apply([_fit(place, value) for place, value in places])
        except ValueError as wrong:
            raise ExpressionError(str(wrong)) from None

    return Filter(run)


def _fit(place: Parameter, value: Json) -> Json:
    return value if place.takes(value) or str not in place.kinds else print_value(value)


FILTERS: Final[Mapping[str, Filter]] = {
    **{name: _filter_of(function) for name, function in FUNCTIONS.items()},
    "abs": Filter(_abs),
    "default": Filter(_default, is_free=True, takes_missing=True),
    "first": Filter(_first, is_free=True),
    "float": Filter(_float),
    "int": Filter(_int),
    "join": Filter(_join, is_repeated=True),
    "last": Filter(_last, is_free=True),
    "length": Filter(_length, is_free=True),
    "map": Filter(_map, is_repeated=True),
    "mapping": Filter(_mapping, takes_meter=True),
    "max": Filter(_max),
    "min": Filter(_min),
    "reject": Filter(_reject, is_repeated=True),
    "rejectattr": Filter(_rejectattr, is_repeated=True),
    "reverse": Filter(_reverse),
    "search": Filter(_search),
    "select": Filter(_select, is_repeated=True),
    "selectattr": Filter(_selectattr, is_repeated=True),
    "sort": Filter(_sort, is_repeated=True),
    "string": Filter(print_value),
    "sum": Filter(_sum, is_repeated=True),
}


def _is(kind: Any) -> Filter:  # noqa: ANN401 - a type or a union of types
    return Filter(lambda value: isinstance(value, kind), is_free=True)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_in(value: Json, several: Json) -> bool:
    if isinstance(several, str) and not isinstance(value, str):
        raise _wrong("text to look for in text", value)
    return value in _sized(several)


TESTS: Final[Mapping[str, Filter]] = {
    "boolean": _is(bool),
    "defined": Filter(lambda value: value is not NO_ITEM, is_free=True, takes_missing=True),
    "eq": Filter(operator.eq),
    "equalto": Filter(operator.eq),
    "false": Filter(lambda value: value is False, is_free=True),
    "ge": Filter(operator.ge),
    "gt": Filter(operator.gt),
    "in": Filter(_is_in),
    "integer": Filter(lambda value: _is_number(value) and isinstance(value, int), is_free=True),
    "le": Filter(operator.le),
    "lt": Filter(operator.lt),
    "mapping": _is(dict),
    "ne": Filter(operator.ne),
    "none": _is(type(None)),
    "number": Filter(_is_number, is_free=True),
    "sequence": _is(list),
    "string": _is(str),
    "true": Filter(lambda value: value is True, is_free=True),
    "undefined": Filter(lambda value: value is NO_ITEM, is_free=True, takes_missing=True),
}
