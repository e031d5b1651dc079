"""A tree to Python: one flat function for the whole, one for each thing done to elements.

The source is made of names that are counted and of fixed words. Whatever an author wrote (field
names, literals, variables) is a constant that the code refers to by number, so no text of an
expression is ever part of the source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from integrationd.model.json import Json
from integrationd.transform.functions import FUNCTIONS
from integrationd.transform.jmes import runtime
from integrationd.transform.jmes.runtime import Compiled
from integrationd.transform.jmes.tree import VARIABLE, Tree, copies, weight

CompiledFields = Callable[[Json, runtime.Variables, runtime.Budget], dict[str, Json]]
COPIES_MAX: Final = 64
"""How often one value may stand in a result before the result is paid for as a whole."""
NODES_A_STEP: Final = 16
_OUTERMOST: Final = "    "
_CHAINS: Final = ("subexpression", "index_expression", "pipe")
_SCOPE: Mapping[str, object] = {
    name: getattr(runtime, name)
    for name in (
        "call",
        "call_own",
        "equal",
        "find_variable",
        "flatten",
        "is_true",
        "keep",
        "measure",
        "negate",
        "order",
        "project",
        "project_values",
        "Each",
        "Reference",
    )
}


def compile_tree(tree: Tree) -> Compiled:
    """Compile one expression to ``run(value, variables, budget)``."""
    module = _Module(measured=copies(tree) > COPIES_MAX)
    name = module.add_function(tree, measure_result=True)
    compiled: Compiled = module.build()[name]
    return compiled


def compile_trees(trees: Mapping[str, Tree]) -> CompiledFields:
    """Compile several expressions over one value to one function that gives them by name."""
    module = _Module(measured=any(copies(tree) > COPIES_MAX for tree in trees.values()))
    body = _Body(module)
    found = {name: body.emit(tree, "value") for name, tree in trees.items()}
    pairs = ", ".join(f"{module.constant(name)}: {where}" for name, where in found.items())
    body.line(f"result = {{{pairs}}}")
    name = module.close(body, "result", measured=module.measured)
    compiled: CompiledFields = module.build()[name]
    return compiled


class _Module:
    """The functions and constants of one compilation."""

    def __init__(self, *, measured: bool) -> None:
        self.measured = measured
        self._scope: dict[str, Any] = dict(_SCOPE)
        self._functions: list[str] = []

    def constant(self, value: object) -> str:
        """Keep a value and return the name that stands for it."""
        name = f"k{len(self._scope)}"
        self._scope[name] = value
        return name

    def add_function(self, tree: Tree, *, measure_result: bool = False) -> str:
        """Add a function that evaluates a tree over its first argument."""
        body = _Body(self)
        result = body.emit(tree, "value")
        return self.close(body, result, measured=measure_result and self.measured)

    def add_each(self, inner: Sequence[Tree]) -> str:
        """Add what is done to elements, a tree and maybe a condition, as one value."""
        names = [self.add_function(tree) for tree in inner]
        name = f"e{len(self._functions)}"
        steps = 1 + sum(map(weight, inner)) // NODES_A_STEP
        self._functions.append(f"{name} = Each({names[0]}, {steps}, {names[-1]})")
        return name

    def close(self, body: _Body, result: str, *, measured: bool) -> str:
        """Finish a function and return its name."""
        name = f"f{len(self._functions)}"
        ending = f"measure({result}, budget)" if measured else result
        lines = [f"def {name}(value, variables, budget):", *body.lines, f"    return {ending}"]
        self._functions.append("\n".join(lines))
        return name

    def build(self) -> dict[str, Any]:
        """Turn the source into functions."""
        code = compile("\n".join(self._functions), "<jmespath>", "exec")
        exec(code, self._scope)  # noqa: S102 - made of counted names only, see the module
        return self._scope


class _Body:
    """The statements of one function, one value after the other."""

    def __init__(self, module: _Module) -> None:
        self.lines: list[str] = []
        self._module = module
        self._count = 0
        self._indent = _OUTERMOST
        self._fields: dict[tuple[str, str], str] = {}
        """Names of fields read already, by value and key; only of those that every path reads."""

    def line(self, text: str) -> None:
        """Add a statement."""
        self.lines.append(self._indent + text)

    def emit(self, node: Tree, value: str) -> str:
        """Add what evaluates a node over a named value; returns the name of the result."""
        kind = node["type"]
        if kind in ("current", "identity"):
            return value
        if kind in _CHAINS:
            for child in node["children"]:
                value = self.emit(child, value)
            return value
        if kind == "literal":
            return self._module.constant(node["value"])
        emit: Callable[[Tree, str], str] = getattr(self, f"_{kind}")
        return emit(node, value)

    def _set(self, expression: str) -> str:
        self._count += 1
        name = f"t{self._count}"
        self.line(f"{name} = {expression}")
        return name

    def _field(self, node: Tree, value: str) -> str:
        place = (value, node["value"])
        known = self._fields.get(place)
        if known is not None:
            return known
        key = self._module.constant(node["value"])
        found = self._set(f"{value}.get({key}) if {value}.__class__ is dict else None")
        if self._indent == _OUTERMOST:
            self._fields[place] = found
        return found

    def _index(self, node: Tree, value: str) -> str:
        at = int(node["value"])
        inside = f"len({value}) > {at}" if at >= 0 else f"len({value}) >= {-at}"
        return self._set(f"{value}[{at}] if {value}.__class__ is list and {inside} else None")

    def _slice(self, node: Tree, value: str) -> str:
        part = self._module.constant(slice(*node["children"]))
        return self._set(f"{value}[{part}] if {value}.__class__ is list else None")

    def _comparator(self, node: Tree, value: str) -> str:
        left, right = (self.emit(child, value) for child in node["children"])
        name = node["value"]
        if name not in ("eq", "ne"):
            return self._set(f"order({name!r}, {left}, {right})")
        literals = [child for child in node["children"] if child["type"] == "literal"]
        if any(isinstance(child["value"], str) for child in literals):
            # Text equals nothing but text, so that Python's own comparison is the right one.
            return self._set(f"{left} {'==' if name == 'eq' else '!='} {right}")
        return self._set(f"{'not ' if name == 'ne' else ''}equal({left}, {right}, budget)")

    def _or_expression(self, node: Tree, value: str) -> str:
        return self._branch(node, value, "if not is_true({}):")

    def _and_expression(self, node: Tree, value: str) -> str:
        return self._branch(node, value, "if is_true({}):")

    def _branch(self, node: Tree, value: str, condition: str) -> str:
        left = self._set(self.emit(node["children"][0], value))
        self.line(condition.format(left))
        outer, self._indent = self._indent, self._indent + " "
        right = self.emit(node["children"][1], value)
        self.line(f"{left} = {right}")
        self._indent = outer
        return left

    def _not_expression(self, node: Tree, value: str) -> str:
        return self._set(f"negate({self.emit(node['children'][0], value)})")

    def _multi_select_list(self, node: Tree, value: str) -> str:
        def items() -> str:
            return f"[{', '.join(self.emit(child, value) for child in node['children'])}]"

        return self._unless_null(value, items)

    def _multi_select_dict(self, node: Tree, value: str) -> str:
        def items() -> str:
            pairs = [
                f"{self._module.constant(child['value'])}: {self.emit(child['children'][0], value)}"
                for child in node["children"]
            ]
            return f"{{{', '.join(pairs)}}}"

        return self._unless_null(value, items)

    def _unless_null(self, value: str, items: Callable[[], str]) -> str:
        found = self._set("None")
        self.line(f"if {value} is not None:")
        outer, self._indent = self._indent, self._indent + " "
        self.line(f"{found} = {items()}")
        self._indent = outer
        return found

    def _flatten(self, node: Tree, value: str) -> str:
        return self._set(f"flatten({self.emit(node['children'][0], value)}, budget)")

    def _projection(self, node: Tree, value: str) -> str:
        return self._over_elements("project", node["children"][:1], node["children"][1:2], value)

    def _value_projection(self, node: Tree, value: str) -> str:
        children = node["children"]
        return self._over_elements("project_values", children[:1], children[1:2], value)

    def _filter_projection(self, node: Tree, value: str) -> str:
        left, right, condition = node["children"]
        return self._over_elements("keep", [left], [right, condition], value)

    def _over_elements(
        self, function: str, left: Sequence[Tree], inner: Sequence[Tree], value: str
    ) -> str:
        base = self.emit(left[0], value)
        each = self._module.add_each(inner)
        return self._set(f"{function}({base}, {each}, variables, budget)")

    def _function_expression(self, node: Tree, value: str) -> str:
        if node["value"] == VARIABLE:
            path = self._module.constant(tuple(node["children"][0]["value"].split(".")))
            return self._set(f"find_variable(variables, {path})")
        arguments = [self._measured(self.emit(child, value)) for child in node["children"]]
        own = FUNCTIONS.get(node["value"])
        name = self._module.constant(node["value"] if own is None else own)
        call = "call" if own is None else "call_own"
        return self._set(f"{call}({name}, [{', '.join(arguments)}], budget)")

    def _expref(self, node: Tree, _: str) -> str:
        each = self._module.add_each(node["children"])
        return self._set(f"Reference({each}, variables, budget)")

    def _measured(self, name: str) -> str:
        """Pay for a value before it is compared or read whole, where it may stand for many."""
        return f"measure({name}, budget)" if self._module.measured else name
