"""Expressions read backwards: what must stand in the input so that a given value is found.

What plays a provider needs it: the spec says how to find the records of an answer, and the player
has to make such an answer. Only what can be turned round is; the caller evaluates the expression on
what came out, so that nothing is ever taken on trust.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, TypeAlias

from jmespath.parser import Parser

from integrationd.model.json import Json

Node: TypeAlias = Mapping[str, Any]
Tree: TypeAlias = Json
"""JSON in which a :class:`Mark`, or any object that the caller asked for, may stand for a value."""
Join: TypeAlias = Callable[[Tree, Tree], Tree]
"""Decides what stands where two values meet, or raises UnsolvableError."""


class Mark(Enum):
    """What may stand for a value that is not decided."""

    FREE = "free"
    """Anything."""
    TRUE = "true"
    """Anything that counts as true."""
    FALSE = "false"
    """Anything that counts as false."""


class UnsolvableError(ValueError):
    """The expression cannot be turned round, or two wishes contradict each other."""


def solve(text: str, wanted: Tree) -> Tree:
    """Return the least input on which an expression gives ``wanted``.

    Args:
        text: The expression.
        wanted: A JSON value, a :class:`Mark`, or an opaque object, which ends up where the value
            would stand.

    Raises:
        UnsolvableError: It holds something that has no inverse here.
    """
    return _solve(_parse(text), wanted)


def outline(text: str, leaf: object, join: Join | None = None) -> Tree:
    """Return the shape of everything that an expression reads, with ``leaf`` at every end."""
    return _outline(_parse(text), leaf, join)


def premise(text: str) -> Tree:
    """Return the input on which everything holds that stands before the last ``&&``.

    Raises:
        UnsolvableError: A condition has no inverse here.
    """
    node, tree = _parse(text), Mark.FREE
    while node["type"] == "and_expression":
        left, node = node["children"]
        tree = merge(tree, _solve(left, Mark.TRUE))
    return tree


def merge(one: Tree, other: Tree, join: Join | None = None) -> Tree:
    """Lay two inputs together.

    Lists meet item by item. Where two values meet, equal ones stand, a mark gives way to a value
    that suits it, and ``join`` decides the rest.

    Raises:
        UnsolvableError: They contradict each other.
    """
    if one is Mark.FREE or other is Mark.FREE:
        return other if one is Mark.FREE else one
    if isinstance(one, dict) and isinstance(other, dict):
        both = {key: merge(one[key], other[key], join) for key in one.keys() & other.keys()}
        return {**one, **other, **both}
    if isinstance(one, list) and isinstance(other, list):
        longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
        met = [merge(*pair, join) for pair in zip(one, other, strict=False)]
        return [*met, *longer[len(shorter) :]]
    for value, mark in ((one, other), (other, one)):
        if isinstance(mark, Mark) and not isinstance(value, Mark) and suits(value, mark):
            return value
    if type(one) is type(other) and one == other:
        return one
    if join is not None:
        return join(one, other)
    raise UnsolvableError("two values are wanted at the same place")


def suits(value: Tree, mark: Mark) -> bool:
    """Tell whether a value is what a mark asks for; an opaque object counts as true."""
    truth = not (value is None or value is False or value in ("", [], {}))
    return mark is Mark.FREE or truth == (mark is Mark.TRUE)


@functools.lru_cache(maxsize=1024)
def _parse(text: str) -> Node:
    parsed: Node = Parser().parse(text).parsed
    return parsed


def _solve(node: Node, wanted: Tree) -> Tree:
    rule = _RULES.get(node["type"])
    if rule is None:
        raise UnsolvableError(f"{node['type'].replace('_', ' ')} cannot be turned round")
    return rule(node, wanted)


def _solve_chain(node: Node, wanted: Tree) -> Tree:
    for child in reversed(node["children"]):
        wanted = _solve(child, wanted)
    return wanted


def _solve_field(node: Node, wanted: Tree) -> Tree:
    return {node["value"]: wanted}


def _solve_index(node: Node, wanted: Tree) -> Tree:
    index: int = node["value"]
    return [Mark.FREE] * index + [wanted] if index >= 0 else [wanted] + [Mark.FREE] * (-index - 1)


def _solve_identity(_: Node, wanted: Tree) -> Tree:
    return wanted


def _solve_literal(node: Node, wanted: Tree) -> Tree:
    value = node["value"]
    same = suits(value, wanted) if isinstance(wanted, Mark) else _is_same(value, wanted)
    if not same:
        raise UnsolvableError("a literal is not what is wanted")
    return Mark.FREE


def _solve_or(node: Node, wanted: Tree) -> Tree:
    left, right = node["children"]
    if _is_true(wanted):
        return _solve(left, wanted)
    return merge(_solve(left, wanted), _solve(right, wanted))


def _solve_and(node: Node, wanted: Tree) -> Tree:
    left, right = node["children"]
    if _is_true(wanted):
        return merge(_solve(left, Mark.TRUE), _solve(right, wanted))
    return _solve(left, wanted)


def _solve_not(node: Node, wanted: Tree) -> Tree:
    (child,) = node["children"]
    return _solve(child, Mark.FALSE if _read_truth(wanted) else Mark.TRUE)


def _solve_comparator(node: Node, wanted: Tree) -> Tree:
    left, right = node["children"]
    truth, sign = _read_truth(wanted), node["value"]
    if right["type"] == "literal":
        return _solve(left, _comparable(sign, right["value"], truth=truth))
    if left["type"] == "literal":
        return _solve(right, _comparable(_MIRRORED[sign], left["value"], truth=truth))
    return merge(_solve(left, _comparable(sign, 1, truth=truth)), _solve(right, 1))


def _comparable(sign: str, literal: Json, *, truth: bool) -> Json:
    """Return a value for which ``value SIGN literal`` is as wanted."""
    if sign in ("eq", "ne"):
        return literal if truth == (sign == "eq") else _different(literal)
    if isinstance(literal, bool) or not isinstance(literal, int | float):
        raise UnsolvableError("only numbers are ordered")
    step, included = _ORDER[sign]
    # The literal itself where the sign takes it in and it is wanted, or the other way round.
    return literal if truth == included else literal + (step if truth else -step)


def _different(literal: Json) -> Json:
    if isinstance(literal, bool):
        return not literal
    if isinstance(literal, int | float):
        return literal + 1
    return f"{literal}-other" if isinstance(literal, str) else Mark.TRUE


def _solve_function(node: Node, wanted: Tree) -> Tree:
    name, arguments = node["value"], node["children"]
    if name in _KEEPING:
        return _solve(arguments[0], wanted)
    if name == "length" and isinstance(wanted, int) and not isinstance(wanted, bool):
        return _solve(arguments[0], [Mark.FREE] * max(wanted, 0))
    if name == "reverse" and isinstance(wanted, list):
        return _solve(arguments[0], wanted[::-1])
    if name == "map":
        return _solve(arguments[1], [_solve(_inside(arguments[0]), one) for one in wanted])
    if name == "merge":
        return _solve_merge(arguments, wanted)
    if name == "from_items":
        return _solve_pairs(arguments[0], wanted)
    raise UnsolvableError(f"the function {name} cannot be turned round")


_KEEPING: Final = frozenset({"to_number", "to_string", "not_null", "to_array", "sort_by"})
"""Functions that give their first argument, where that is what it should be."""


def _inside(node: Node) -> Node:
    inside: Node = node["children"][0] if node["type"] == "expref" else node
    return inside


def _solve_merge(arguments: list[Node], wanted: Tree) -> Tree:
    """Take the fields that a later object brings from what it makes them of."""
    first, *later = arguments
    if not isinstance(wanted, dict):
        return _solve(first, wanted)
    rest = dict(wanted)
    trees: list[Tree] = []
    for part in later:
        for pair in part["children"] if part["type"] == "multi_select_dict" else ():
            if pair["value"] in rest:
                value = rest.pop(pair["value"])
                trees.append(_solve_as_far(pair["children"][0], value))
    return functools.reduce(_lay_together, [*trees, _solve(first, rest)])


def _solve_as_far(node: Node, wanted: Tree) -> Tree:
    """Return an input that gives the value, or one that has it wherever the expression looks."""
    try:
        return _solve(node, wanted)
    except UnsolvableError:
        return _outline(node, wanted, lambda one, _: one)


def _lay_together(one: Tree, other: Tree) -> Tree:
    return merge(one, other, lambda _, last: last)


def _solve_pairs(node: Node, wanted: Tree) -> Tree:
    """Turn ``items(x)``, whatever is left out of it, round to ``x``."""
    while node["type"] in ("filter_projection", "projection", "index_expression"):
        node = node["children"][0]
    if node["type"] == "function_expression" and node["value"] == "items":
        return _solve(node["children"][0], wanted)
    raise UnsolvableError("the function from_items cannot be turned round")


def _solve_fields(node: Node, wanted: Tree) -> Tree:
    """Turn an object of expressions round; what it has no field for is lost."""
    if not isinstance(wanted, dict):
        raise UnsolvableError("an object of expressions gives an object")
    pairs = ((one["children"][0], one["value"]) for one in node["children"])
    trees = (_solve(child, wanted[name]) for child, name in pairs if name in wanted)
    return functools.reduce(merge, trees, Mark.FREE)


def _solve_projection(node: Node, wanted: Tree) -> Tree:
    source, each = node["children"][:2]
    items = [_solve(each, item) for item in _read_list(wanted)]
    if node["type"] == "filter_projection":
        condition = _solve(node["children"][2], Mark.TRUE)
        items = [merge(item, condition) for item in items]
    inner = source["children"][0] if source["type"] == "flatten" else source
    return _solve(inner, items)


def _read_list(wanted: Tree) -> list[Tree]:
    if isinstance(wanted, Mark):
        return [] if wanted is Mark.FALSE else [wanted]
    if isinstance(wanted, list):
        return wanted
    if wanted is None or isinstance(wanted, bool | int | float | str | dict):
        raise UnsolvableError("a projection gives a list")
    return [wanted]


def _solve_select(node: Node, wanted: Tree) -> Tree:
    if not isinstance(wanted, list) or len(wanted) != len(node["children"]):
        raise UnsolvableError("a list of another length is wanted")
    parts = zip(node["children"], wanted, strict=True)
    return functools.reduce(merge, (_solve(child, value) for child, value in parts), Mark.FREE)


def _is_true(wanted: Tree) -> bool:
    if isinstance(wanted, Mark):
        return wanted is not Mark.FALSE
    return suits(wanted, Mark.TRUE)


def _read_truth(wanted: Tree) -> bool:
    if isinstance(wanted, bool):
        return wanted
    if isinstance(wanted, Mark):
        return wanted is not Mark.FALSE
    raise UnsolvableError("a condition is true or false")


def _is_same(one: Json, other: Json) -> bool:
    return type(one) is type(other) and bool(one == other)


def _outline(node: Node, leaf: object, join: Join | None) -> Tree:
    try:
        return _solve(node, leaf)
    except UnsolvableError:
        children = [child for child in node["children"] if isinstance(child, Mapping)]
        if node["type"] in _SCOPED:
            # What stands behind the first child is read from what that gives, not from the input.
            children = children[:1]
        parts = (_outline(child, leaf, join) for child in children)
        return functools.reduce(lambda one, other: merge(one, other, join), parts, Mark.FREE)


_SCOPED: Final = frozenset(
    {"subexpression", "pipe", "projection", "value_projection", "filter_projection", "flatten"}
    | {"index_expression"}
)
_ORDER: Final = {"lt": (-1, False), "lte": (-1, True), "gt": (1, False), "gte": (1, True)}
"""For each sign the way to what it holds for, and whether the literal itself is in it."""
_MIRRORED: Final = {"eq": "eq", "ne": "ne", "lt": "gt", "gt": "lt", "lte": "gte", "gte": "lte"}
_RULES: Final[Mapping[str, Callable[[Node, Tree], Tree]]] = {
    "subexpression": _solve_chain,
    "index_expression": _solve_chain,
    "pipe": _solve_chain,
    "field": _solve_field,
    "index": _solve_index,
    "identity": _solve_identity,
    "current": _solve_identity,
    "literal": _solve_literal,
    "or_expression": _solve_or,
    "and_expression": _solve_and,
    "not_expression": _solve_not,
    "comparator": _solve_comparator,
    "function_expression": _solve_function,
    "projection": _solve_projection,
    "filter_projection": _solve_projection,
    "multi_select_list": _solve_select,
    "multi_select_dict": _solve_fields,
}
