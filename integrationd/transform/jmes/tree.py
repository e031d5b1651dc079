"""The library's tree, looked at before it is compiled: what it names, and whether it may run."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from integrationd.model.json import Json
from integrationd.transform.functions import FUNCTIONS, Argument
from integrationd.transform.jmes.runtime import LIBRARY

Tree: TypeAlias = dict[str, Any]
"""``{"type", "children", "value"}`` as :mod:`jmespath.ast` builds it."""

TEXT_MAX: Final = 4096
DEPTH_MAX: Final = 60
"""Levels of a tree; what people write has fewer than fifteen."""
VARIABLE: Final = "var"
_CHAINS: Final = frozenset({"subexpression", "index_expression", "pipe", "projection"})
_FIRST_ONLY: Final = _CHAINS | {"filter_projection", "value_projection"}
"""Nodes of which only the first child looks at the value that they themselves were given."""
_BESIDE: Final = frozenset({"multi_select_list", "multi_select_dict", "function_expression"})
"""Nodes whose value holds those of all their children."""
_COPIES_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a tree may not run."""

    code: str
    message: str
    name: str = ""
    """The unknown function, where that is the fault."""


def find_faults(tree: Tree) -> Iterator[Fault]:
    """Yield what is wrong with a tree beyond its syntax."""
    if _depth(tree) > DEPTH_MAX:
        yield Fault("E201", f"the expression is nested deeper than {DEPTH_MAX} levels")
        return
    for node in walk(tree):
        if node["type"] == "function_expression":
            yield from _function_faults(node)
        elif node["type"] == "subexpression" and node["children"][0]["type"] == "not_expression":
            # Read so by the grammar, always null, and never what its author meant.
            yield Fault("E201", "'!a.b' reads b of what is not a; write !(a.b)")
        elif node["type"] == "slice" and node["children"][2] == 0:
            yield Fault("E201", "a slice has a step of 0")
        elif node["type"] == "literal" and not _is_finite(node["value"]):
            yield Fault("E201", "a literal holds a number without bounds (NaN or infinity)")
    yield from _stray_references(tree)


def _function_faults(node: Tree) -> Iterator[Fault]:
    name, given = node["value"], len(node["children"])
    if name == VARIABLE:
        if given != 1 or not _is_text(node["children"][0]):
            yield Fault("E207", "var() takes one name in quotes, such as var('config.region')")
        return
    own = FUNCTIONS.get(name)
    if own is not None:
        fault = own.find_fault([_as_argument(child) for child in node["children"]])
        if fault:
            yield Fault("E201", f"function {name}() {fault}")
        return
    known = LIBRARY.FUNCTION_TABLE.get(name)
    if known is None:
        yield Fault("E205", f"unknown function {name}()", name=name)
        return
    signature = known["signature"]
    variadic = bool(signature and signature[-1].get("variadic"))
    if given < len(signature) or (given > len(signature) and not variadic):
        least = "at least " if variadic else ""
        message = f"function {name}() has {given} arguments, expected {least}{len(signature)}"
        yield Fault("E201", message)


def _as_argument(node: Tree) -> Argument:
    return Argument(is_literal=node["type"] == "literal", value=node.get("value"))


def _stray_references(tree: Tree) -> Iterator[Fault]:
    """Refuse ``&`` wherever no function asks for it: alone it is no JSON value."""
    asked = {
        id(child)
        for node in walk(tree)
        if node["type"] == "function_expression" and node["value"] in LIBRARY.FUNCTION_TABLE
        for child, wanted in zip(
            node["children"], LIBRARY.FUNCTION_TABLE[node["value"]]["signature"], strict=False
        )
        if wanted["types"] == ["expref"]
    }
    if any(node["type"] == "expref" and id(node) not in asked for node in walk(tree)):
        yield Fault("E201", "'&' stands before an argument of map, sort_by, min_by or max_by only")


def function_names() -> list[str]:
    """Return the names of all functions, ``var`` included."""
    return sorted([*LIBRARY.FUNCTION_TABLE, *FUNCTIONS, VARIABLE])


def find_variables(tree: Tree) -> list[tuple[str, ...]]:
    """Return the paths that ``var()`` names."""
    return [
        tuple(node["children"][0]["value"].split("."))
        for node in walk(tree)
        if node["type"] == "function_expression" and node["value"] == VARIABLE
    ]


def find_roots(node: Tree) -> Iterator[str]:
    """Yield the names that are read from the value itself, not from parts of it."""
    kind = node["type"]
    if kind == "field":
        yield node["value"]
    elif kind in _FIRST_ONLY:
        yield from find_roots(_reader(node))
    elif kind not in ("expref", "slice"):
        for child in node["children"]:
            yield from find_roots(child)


def find_members(node: Tree) -> Iterator[tuple[str, str]]:
    """Yield the names that are read from the value itself with what is read of each, ``a.b``."""
    kind, children = node["type"], node.get("children", ())
    first = [child["value"] for child in children[:2] if child["type"] == "field"]
    if kind == "subexpression" and len(first) > 1:
        yield first[0], first[1]
    elif kind in _FIRST_ONLY:
        yield from find_members(_reader(node))
    elif kind not in ("expref", "slice"):
        for child in children:
            yield from find_members(child)


def _reader(node: Tree) -> Tree:
    """Return the child that looks at the value itself: in ``@.a`` that is ``a``."""
    children: list[Tree] = node["children"]
    if node["type"] not in ("subexpression", "pipe"):
        return children[0]
    return next((child for child in children if child["type"] != "current"), children[0])


def copies(node: Tree) -> int:
    """Return how often one value may stand in a result, at most; not exact above a million."""
    kind, children = node["type"], node["children"]
    if kind == "slice":
        return 1
    each = [copies(child) for child in children]
    if kind in _BESIDE:
        return sum(each) or 1
    if kind in ("or_expression", "and_expression"):
        return max(each)
    return min(math.prod(each), _COPIES_MAX)


def weight(node: Tree) -> int:
    """Count the nodes that are evaluated once for each value, not once for each element of it."""
    kind = node["type"]
    if kind == "slice":
        return 1
    inner = node["children"][: 1 if kind.endswith("projection") else None]
    return 1 + sum(weight(child) for child in inner if child["type"] != "expref")


def walk(tree: Tree) -> Iterator[Tree]:
    """Yield every node."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if node["type"] != "slice":
            waiting.extend(node["children"])


def _depth(tree: Tree) -> int:
    deepest, waiting = 0, [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        if node["type"] != "slice":
            waiting.extend((child, depth + 1) for child in node["children"])
    return deepest


def _is_finite(value: Json) -> bool:
    if isinstance(value, list):
        return all(map(_is_finite, value))
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    return not isinstance(value, float) or math.isfinite(value)


def _is_text(node: Tree) -> bool:
    return node["type"] == "literal" and isinstance(node["value"], str)
