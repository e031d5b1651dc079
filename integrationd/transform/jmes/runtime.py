"""What generated code calls: the library's functions and comparisons, within a budget.

Everything that can grow or loop pays for it. Answers are those of the library's own interpreter.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from jmespath import functions

from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.transform.functions import Function

Budget = list[int]
"""One number: the steps that are left."""
Variables = Mapping[str, Json]
Compiled = Callable[[Json, Variables, Budget], Json]

STEPS_MAX: Final = 500_000
"""Elements looked at, made or compared in one evaluation; at worst half a second."""
CHARACTERS_A_STEP: Final = 64
ORDERINGS: Final[Mapping[str, Callable[[Json, Json], bool]]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Each:
    """What is done to every element of a list."""

    run: Compiled
    steps: int
    """What one element costs."""
    condition: Compiled
    """Whether an element is taken at all, where that is asked."""


class _Expression:
    """``&expr`` as the library's functions take it; they look at the name of this class."""

    def __init__(self, each: Each, variables: Variables, budget: Budget) -> None:
        self.expression = None
        self._run = each.run
        self._steps = each.steps
        self._variables = variables
        self._budget = budget

    def visit(self, _: None, value: Json) -> Json:
        """Evaluate over one element."""
        spend(self._budget, self._steps)
        return self._run(value, self._variables, self._budget)


Reference = _Expression
LIBRARY: Final = functions.Functions()


def spend(budget: Budget, steps: int) -> None:
    """Pay for some steps; raises ExpressionError when there are none left."""
    budget[0] -= steps
    if budget[0] < 0:
        raise ExpressionError(f"the expression needs more than {STEPS_MAX} steps")


def is_true(value: Json) -> bool:
    """Tell what JMESPath counts as true: zero is, empty and null are not."""
    return not (value is None or value is False or value in ("", [], {}))


def equal(left: Json, right: Json, budget: Budget) -> bool:
    """Compare as the library does: 0 and 1 are not false and true, at the top level."""
    if left.__class__ is bool or right.__class__ is bool:
        return left is right
    if left.__class__ in _CONTAINERS and left.__class__ is right.__class__:
        measure(left, budget)
    return bool(left == right)


def order(name: str, left: Json, right: Json) -> bool | None:
    """Compare numbers or texts; anything else is null."""
    if not (_is_comparable(left) and _is_comparable(right)):
        return None
    return ORDERINGS[name](left, right)


def negate(value: Json) -> bool:
    """Return JMESPath's ``!``."""
    if value.__class__ in (int, float):
        return False
    return not value


def project(base: Json, each: Each, variables: Variables, budget: Budget) -> Json:
    """Evaluate over each element of a list; what gives null is left out."""
    if base.__class__ is not list:
        return None
    right = each.run
    spend(budget, len(base) * each.steps)
    return [found for item in base if (found := right(item, variables, budget)) is not None]


def project_values(base: Json, each: Each, variables: Variables, budget: Budget) -> Json:
    """Evaluate over each value of an object."""
    if base.__class__ is not dict:
        return None
    return project(list(base.values()), each, variables, budget)


def keep(base: Json, each: Each, variables: Variables, budget: Budget) -> Json:
    """Evaluate over each element for which a condition holds."""
    if base.__class__ is not list:
        return None
    right, holds = each.run, each.condition
    spend(budget, len(base) * each.steps)
    return [
        found
        for item in base
        if is_true(holds(item, variables, budget))
        and (found := right(item, variables, budget)) is not None
    ]


def flatten(base: Json, budget: Budget) -> Json:
    """Merge the lists in a list by one level."""
    if base.__class__ is not list:
        return None
    merged: list[Json] = []
    for item in base:
        if item.__class__ is list:
            spend(budget, len(item) + 1)
            merged.extend(item)
        else:
            merged.append(item)
    spend(budget, len(merged))
    return merged


def call(name: str, arguments: list[Json], budget: Budget) -> Json:
    """Call one of the library's functions, paying for what it reads and makes."""
    for argument in arguments:
        spend(budget, _size(argument))
    prepay = _PREPAID.get(name)
    if prepay is not None:
        prepay(arguments, budget)
    result = LIBRARY.call_function(name, arguments)
    spend(budget, _size(result) + 1)
    if result.__class__ is float and result - result != 0:
        raise ExpressionError(f"function {name}() gives a number that is not finite")
    return result


def call_own(function: Function, arguments: list[Json], budget: Budget) -> Json:
    """Call one of our own functions, paying for what it reads and makes."""
    for argument in arguments:
        _pay(function, argument, budget)
    result = function.call(arguments)
    _pay(function, result, budget)
    return result


def _pay(function: Function, value: Json, budget: Budget) -> None:
    if function.deep:
        measure(value, budget)
    else:
        spend(budget, _size(value) * function.weight + 1)


def measure(value: Json, budget: Budget) -> Json:
    """Pay for every element of a value, each time it stands there, and return it.

    Multi-selects can put one value into a result many times, so that what is small in memory is
    endless when it is written or compared.
    """
    waiting = [value]
    while waiting:
        item = waiting.pop()
        spend(budget, _size(item) + 1)
        if item.__class__ is list:
            waiting.extend(item)
        elif item.__class__ is dict:
            waiting.extend(item.values())
    return value


def find_variable(variables: Variables, path: tuple[str, ...]) -> Json:
    """Return what ``var('a.b.c')`` names, null where it is not there."""
    value: Json = variables
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    if isinstance(value, Secret):
        raise ExpressionError("var() names a secret; only a template may use one")
    return value


def _prepay_join(arguments: list[Json], budget: Budget) -> None:
    """Pay for a text before it is made: a long separator may stand between many items."""
    separator, items = arguments
    if separator.__class__ is str and items.__class__ is list:
        size = len(separator) * len(items) + sum(len(i) for i in items if i.__class__ is str)
        spend(budget, size // CHARACTERS_A_STEP)


def _prepay_contains(arguments: list[Json], budget: Budget) -> None:
    subject, sought = arguments
    if sought.__class__ in _CONTAINERS:
        measure(subject, budget)


def _prepay_to_string(arguments: list[Json], budget: Budget) -> None:
    measure(arguments[0], budget)


def _size(value: Json) -> int:
    if value.__class__ in (list, dict):
        return len(value)
    return len(value) // CHARACTERS_A_STEP if value.__class__ is str else 0


def _is_comparable(value: Json) -> bool:
    return value.__class__ in (int, float, str)


_CONTAINERS: Final = (list, dict)
_PREPAID: Final[Mapping[str, Callable[[list[Json], Budget], None]]] = {
    "contains": _prepay_contains,
    "join": _prepay_join,
    "to_string": _prepay_to_string,
}
"""Functions whose work is not seen from the length of what they are given."""
