"""What a template may say: its tree walked once, when the file is read."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from jinja2 import nodes

from integrationd.config.problems import nearest
from integrationd.errors import ExpressionError
from integrationd.transform.functions import FUNCTIONS, Argument
from integrationd.transform.jinja.filters import FILTERS, TESTS, Filter, expression_of

NODES_MAX: Final = 2000
DEPTH_MAX: Final = 40
"""Python's own parser, which reads what Jinja2 writes, takes 200 brackets within each other."""
LOOPS_MAX: Final = 2
Path: TypeAlias = tuple[str | int, ...]
_Bound: TypeAlias = frozenset[str]
_TAGS: Final = "allowed are {{ }}, {% if %}, {% for %} and {# #}"
_SIGNS: Final = "allowed are + - / // ~ and comparisons"
_ARGUMENTS: Final = "arguments are written one by one"
OMIT: Final = "omit"
"""What leaves out the member that has it."""
_PLAIN: Final = (
    *(nodes.Output, nodes.TemplateData, nodes.If, nodes.List, nodes.Compare, nodes.Operand),
    *(nodes.And, nodes.Or, nodes.Not, nodes.Concat, nodes.Add, nodes.Sub, nodes.Div),
    *(nodes.FloorDiv, nodes.Neg, nodes.Pos, nodes.Template, nodes.Pair, nodes.Keyword),
)
_FORBIDDEN: Final[Mapping[type[nodes.Node], tuple[str, str]]] = {
    nodes.Assign: ("{% set %}", _TAGS),
    nodes.AssignBlock: ("{% set %}", _TAGS),
    nodes.Block: ("{% block %}", _TAGS),
    nodes.Call: ("a call", "a value is changed by a filter, as in name | upper"),
    nodes.CallBlock: ("{% call %}", _TAGS),
    nodes.Extends: ("{% extends %}", _TAGS),
    nodes.FilterBlock: ("{% filter %}", _TAGS),
    nodes.FromImport: ("{% from %}", _TAGS),
    nodes.Import: ("{% import %}", _TAGS),
    nodes.Include: ("{% include %}", _TAGS),
    nodes.Macro: ("{% macro %}", _TAGS),
    nodes.Mod: ("'%'", _SIGNS),
    nodes.Mul: ("'*'", _SIGNS),
    nodes.Pow: ("'**'", _SIGNS),
    nodes.ScopedEvalContextModifier: ("{% autoescape %}", _TAGS),
    nodes.Slice: ("a slice with a comma", "a slice is written name[1:3]"),
    nodes.Tuple: ("a list in round brackets or with a bare comma", "a list is written [a, b]"),
    nodes.With: ("{% with %}", _TAGS),
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why a template is not taken, by the code of the problem."""

    code: str
    message: str


def follow(node: nodes.Node) -> tuple[nodes.Node, Path]:
    """Return what a chain of constant keys begins with, and the keys: ``a.b['c'][0]``."""
    keys: list[str | int] = []
    while True:
        if isinstance(node, nodes.Getattr):
            keys.append(node.attr)
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            if isinstance(node.arg.value, bool) or not isinstance(node.arg.value, str | int):
                break
            keys.append(node.arg.value)
        else:
            break
        node = node.node
    return node, tuple(reversed(keys))


@dataclass(slots=True)
class Walk:
    """One walk over a tree: what it finds, and what it finds wrong."""

    flaws: dict[Flaw, None] = field(default_factory=dict)
    """In the order of the template, each once."""
    paths: dict[Path, None] = field(default_factory=dict)
    """The variables that are read, with their constant keys."""
    mappings: dict[str, None] = field(default_factory=dict)
    results: frozenset[int] = frozenset()
    """The nodes whose value may be what the template gives, or a member of it, by their ids."""

    def expect(self, only: nodes.Expr | None) -> None:
        """Take note of what a template gives that is one expression; None where it is text."""
        self.results = find_results(only)

    def visit(self, node: nodes.Node, bound: _Bound = frozenset(), depth: int = 0) -> None:
        """Walk over a node; ``bound`` are the variables of the loops around it."""
        if depth > DEPTH_MAX:
            self._refuse("E111", f"template is nested deeper than {DEPTH_MAX} levels")
            return
        special = _SPECIAL.get(type(node))
        if special is not None:
            getattr(self, special)(node, bound, depth)
        elif isinstance(node, _PLAIN):
            self._visit_all(node.iter_child_nodes(), bound, depth)
        else:
            # A kind of node that is not known here is refused like one that is.
            what, instead = _FORBIDDEN.get(type(node), (f"{type(node).__name__} of Jinja2", _TAGS))
            self._refuse("E203", f"template uses {what}, which it may not; {instead}")

    def _visit_all(self, several: Iterator[nodes.Node], bound: _Bound, depth: int) -> None:
        for node in several:
            self.visit(node, bound, depth + 1)

    def _refuse(self, code: str, message: str) -> None:
        self.flaws[Flaw(code, message)] = None

    def _visit_const(self, node: nodes.Const, _bound: _Bound, _depth: int) -> None:
        if isinstance(node.value, float) and node.value in (float("inf"), -float("inf")):
            self._refuse("E111", "template has a number that is too large")

    def _visit_dict(self, node: nodes.Dict, bound: _Bound, depth: int) -> None:
        for pair in node.items:
            if not (isinstance(pair.key, nodes.Const) and isinstance(pair.key.value, str)):
                self._refuse(
                    "E203", "template uses an object with a computed key; keys are text in quotes"
                )
            self.visit(pair.value, bound, depth + 1)

    def _visit_chain(
        self, node: nodes.Name | nodes.Getattr | nodes.Getitem, bound: _Bound, depth: int
    ) -> None:
        start, keys = follow(node)
        if isinstance(start, nodes.Name) and start.name == OMIT and OMIT not in bound:
            if keys or id(start) not in self.results:
                message = f"template uses {OMIT!r} inside a text or a value; it stands alone"
                self._refuse("E203", f"{message}, as in {{{{ name if name else {OMIT} }}}}")
        elif isinstance(start, nodes.Name):
            self._note(start.name, keys, bound)
        elif isinstance(start, nodes.Getitem):
            self.visit(start.node, bound, depth + 1)
            # Only here a slice may stand; a[1:2, 3] is a tuple of slices.
            several = start.arg.iter_child_nodes() if isinstance(start.arg, nodes.Slice) else None
            self._visit_all(several or iter((start.arg,)), bound, depth)
        else:
            self.visit(start, bound, depth + len(keys) + 1)
        if len(keys) > DEPTH_MAX:
            self._refuse("E111", f"template is nested deeper than {DEPTH_MAX} levels")

    def _note(self, name: str, keys: Path, bound: _Bound) -> None:
        if name.startswith("_") or name == "self":
            self._refuse("E203", f"template uses the name {name!r}, which is not for templates")
        elif name not in bound:
            self.paths[name, *keys] = None

    def _visit_for(self, node: nodes.For, bound: _Bound, depth: int) -> None:
        if node.recursive:
            self._refuse("E203", "template uses a recursive loop; a loop runs over one list")
        if _loops(node) > LOOPS_MAX:
            message = f"template has more than {LOOPS_MAX} loops within each other"
            self._refuse("E203", message)
            return
        self.visit(node.iter, bound, depth + 1)
        names = {target.name for target in _targets(node.target)}
        inner = bound | names | {"loop"}
        for name in names:
            self._note(name, (), inner)
        self._visit_all(iter(node.body), inner, depth)
        self._visit_all(iter(node.else_), bound, depth)
        if node.test is not None:
            self.visit(node.test, bound | names, depth + 1)

    def _visit_choice(self, node: nodes.CondExpr, bound: _Bound, depth: int) -> None:
        if node.expr2 is None:
            self._refuse("E203", "template uses 'a if b' without an 'else'; say what it is then")
        self._visit_all(node.iter_child_nodes(), bound, depth)

    def _visit_filter(self, node: nodes.Filter, bound: _Bound, depth: int) -> None:
        self._check_use("filter", FILTERS, node)
        self._check_fixed(node)
        if node.name == "search" and node.args:
            self._check_search(node.args[0])
        if node.name == "mapping" and node.args:
            self._note_mapping(node.args[0])
        if node.name in _TESTING:
            self._check_named_test(node.args[_TESTING[node.name] :])
        self._visit_all(node.iter_child_nodes(), bound, depth)

    def _visit_test(self, node: nodes.Test, bound: _Bound, depth: int) -> None:
        self._check_use("test", TESTS, node)
        self._visit_all(node.iter_child_nodes(), bound, depth)

    def _check_use(
        self, kind: str, known: Mapping[str, Filter], node: nodes.Filter | nodes.Test
    ) -> None:
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            self._refuse("E203", f"template uses '*' before an argument; {_ARGUMENTS}")
        elif node.name not in known:
            hint = nearest(node.name, known)
            self._refuse("E205", f"template uses the {kind} {node.name!r}, not known{hint}")
        else:
            signature = known[node.name].signature()
            try:
                signature.bind(
                    node.node, *node.args, **{str(each.key): each for each in node.kwargs}
                )
            except TypeError:
                usage = _usage(node.name, signature)
                message = f"template gives the {kind} {node.name!r} other arguments than it takes"
                self._refuse("E202", f"{message}; it is written {usage}")

    def _check_fixed(self, node: nodes.Filter) -> None:
        """Look at what has to stand in quotes, such as a pattern, as it does in an expression."""
        function = FUNCTIONS.get(node.name)
        if function is None:
            return
        named = {each.key: each.value for each in node.kwargs}
        given = dict(zip((each.name for each in function.parameters[1:]), node.args, strict=False))
        for parameter in function.parameters[1:]:
            written = (given | named).get(parameter.name)
            if written is None:
                continue
            if isinstance(written, nodes.Const):
                argument = Argument(is_literal=True, value=written.value)
            else:
                argument = Argument(is_literal=False)
            fault = parameter.find_fixed_fault(argument)
            if fault:
                self._refuse("E202", f"template: filter {node.name!r} {fault}")

    def _check_search(self, expression: nodes.Expr) -> None:
        if not (isinstance(expression, nodes.Const) and isinstance(expression.value, str)):
            self._refuse("E203", "template computes what 'search' looks for; write it in quotes")
            return
        try:
            references = expression_of(expression.value).references
        except ExpressionError as wrong:
            self._refuse("E201", f"in search({expression.value!r}): {wrong}")
            return
        if references:
            self._refuse("E203", "template uses var() in 'search'; there it sees only its value")

    def _note_mapping(self, name: nodes.Expr) -> None:
        if isinstance(name, nodes.Const) and isinstance(name.value, str):
            self.mappings[name.value] = None
        else:
            self._refuse("E203", "template computes the name of a mapping; write it in quotes")

    def _check_named_test(self, arguments: list[nodes.Expr]) -> None:
        match arguments:
            case [nodes.Const(value=str(name)), *_] if name not in TESTS:
                hint = nearest(name, TESTS)
                self._refuse("E205", f"template uses the test {name!r}, not known{hint}")


_TESTING: Final = {"select": 0, "reject": 0, "selectattr": 1, "rejectattr": 1}
"""Where the name of a test stands among the arguments of a filter."""
_SPECIAL: Final[Mapping[type[nodes.Node], str]] = {
    nodes.CondExpr: "_visit_choice",
    nodes.Const: "_visit_const",
    nodes.Dict: "_visit_dict",
    nodes.Filter: "_visit_filter",
    nodes.For: "_visit_for",
    nodes.Getattr: "_visit_chain",
    nodes.Getitem: "_visit_chain",
    nodes.Name: "_visit_chain",
    nodes.Test: "_visit_test",
}


def find_results(node: nodes.Node | None) -> frozenset[int]:
    """Return the ids of the nodes that an expression may give: branches, and members of lists."""
    inner: list[nodes.Node | None]
    match node:
        case nodes.CondExpr():
            inner = [node.expr1, node.expr2]
        case nodes.Or() | nodes.And():
            inner = [node.left, node.right]
        case nodes.Filter(name="default"):
            inner = [node.node, *node.args[:1]]
        case nodes.List():
            inner = [*node.items]
        case nodes.Dict():
            inner = [pair.value for pair in node.items]
        case _:
            return frozenset() if node is None else frozenset((id(node),))
    return frozenset().union(*map(find_results, inner))


def count_nodes(node: nodes.Node) -> int:
    """Count a node and all under it."""
    return 1 + sum(map(count_nodes, node.iter_child_nodes()))


def _loops(node: nodes.Node) -> int:
    """Return how many loops stand within each other, at most."""
    inner = max(map(_loops, node.iter_child_nodes()), default=0)
    return inner + isinstance(node, nodes.For)


def _targets(target: nodes.Node) -> list[nodes.Name]:
    """Return the names of ``for a`` or ``for a, b``."""
    return [*target.find_all(nodes.Name)] if not isinstance(target, nodes.Name) else [target]


def _usage(name: str, signature: inspect.Signature) -> str:
    """Write a filter or test as an author would: ``join(separator='', attribute=None)``."""
    _, *parameters = signature.parameters.values()
    words = [
        p.name if p.default is p.empty else f"{p.name}={p.default!r}"
        for p in parameters
        if p.kind is not p.VAR_POSITIONAL
    ]
    return f"{name}({', '.join(words)})" if words else name
