"""What generated code calls: the library's functions and comparisons, within a budget.

Everything that can grow or loop pays for it. Answers are those of the library's own interpreter.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Final

from jmespath import functions

from integrationd.errors import ExpressionError
from integrationd.model.json import Json

Budget = list[int]
"""One number: the steps that are left."""
Variables = Mapping[str, Json]
Compiled = Callable[[Json, Variables, Budget], Json]

STEPS_MAX: Final = 500_000
"""Elements looked at, made or compared in one evaluation; about a fifth of a second."""
CHARACTERS_A_STEP: Final = 64
ORDERINGS: Final[Mapping[str, Callable[[Json, Json], bool]]] = {
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


class _Expression:
    """``&expr`` as the library's functions take it; they look at the name of this class."""

    def __init__(self, run: Compiled, variables: Variables, budget: Budget) -> None:
        self.expression = None
        self._run = run
        self._variables = variables
        self._budget = budget

    def visit(self, _: None, value: Json) -> Json:
        """Evaluate over one element."""
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


def equal(left: Json, right: Json) -> bool:
    """Compare as the library does: 0 and 1 are not false and true, at the top level."""
    if left.__class__ is bool or right.__class__ is bool:
        return left is right
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


def project(base: Json, right: Compiled, variables: Variables, budget: Budget) -> Json:
    """Evaluate over each element of a list; what gives null is left out."""
    if base.__class__ is not list:
        return None
    spend(budget, len(base))
    return [found for item in base if (found := right(item, variables, budget)) is not None]


def project_values(base: Json, right: Compiled, variables: Variables, budget: Budget) -> Json:
    """Evaluate over each value of an object."""
    if base.__class__ is not dict:
        return None
    return project(list(base.values()), right, variables, budget)


def keep(
    base: Json, condition: Compiled, right: Compiled, variables: Variables, budget: Budget
) -> Json:
    """Evaluate over each element for which a condition holds."""
    if base.__class__ is not list:
        return None
    spend(budget, len(base))
    return [
        found
        for item in base
        if is_true(condition(item, variables, budget))
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
    result = LIBRARY.call_function(name, arguments)
    spend(budget, _size(result) + 1)
    if result.__class__ is float and result - result != 0:
        raise ExpressionError(f"function {name}() gives a number that is not finite")
    return result


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
    return value


def _size(value: Json) -> int:
    if value.__class__ in (list, dict):
        return len(value)
    return len(value) // CHARACTERS_A_STEP if value.__class__ is str else 0


def _is_comparable(value: Json) -> bool:
    return value.__class__ in (int, float, str)
