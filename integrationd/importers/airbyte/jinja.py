"""Templates of the source, read by Jinja2's own parser, to terms.

What is not known here is refused with the reason; nothing is guessed and nothing is run.

Source:
    ``sources/declarative/interpolation`` of airbytehq/airbyte-python-cdk: its variables, macros and
    filters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from jinja2 import Environment, TemplateError, nodes

from integrationd.importers.airbyte.terms import (
    Apply,
    Const,
    Resolve,
    Step,
    Term,
    Text,
    UnsayableError,
    behind,
    fold,
    listed,
)

_PARSER: Final = Environment(autoescape=False)  # noqa: S701 - it only parses
_CHARS_MAX: Final = 20_000
_DEPTH_MAX: Final = 50

_COMPARE: Final = {
    "eq": "==",
    "ne": "!=",
    "lt": "<",
    "lteq": "<=",
    "gt": ">",
    "gteq": ">=",
    "in": "in",
    "notin": "not in",
}
_BINARY: Final[Mapping[type[nodes.Node], str]] = {
    nodes.And: "and",
    nodes.Or: "or",
    nodes.Add: "+",
    nodes.Sub: "-",
    nodes.Mul: "*",
    nodes.Div: "/",
    nodes.FloorDiv: "//",
    nodes.Mod: "%",
}
_FUNCTIONS: Final = frozenset(
    {
        *("now_utc", "today_utc", "today_with_timezone", "timestamp", "str_to_datetime", "max"),
        *("min", "day_delta", "duration", "format_datetime", "sanitize_url", "generate_uuid"),
        *("camel_case_to_snake_case", "range", "iso8601_duration_to_timedelta"),
    }
)
_METHODS: Final = frozenset(
    {
        *("split", "replace", "strip", "lower", "upper", "startswith", "endswith", "strftime"),
        *("items", "keys", "values", "join", "title", "lstrip", "rstrip", "isoformat", "format"),
        *("timestamp", "index", "find"),
    }
)
_ALIASES: Final = {
    "d": "default",
    "count": "length",
    "base64encode": "b64encode",
    "base64decode": "b64decode",
}
"""Filters and methods that have another name in terms."""
_STRIPPING: Final = frozenset({"strip", "lstrip", "rstrip"})
_TESTS: Final = frozenset({"defined", "undefined", "none", "string", "number", "mapping", "in"})
_FLAT: Final = frozenset({"config", "stream_slice", "stream_partition", "stream_interval"})
"""Variables whose names stand for themselves here, and not for an object as a whole."""
_CONSTANTS: Final = {"true": True, "false": False}
"""Tests for one value."""
_COMPARING: Final = {"equalto": "==", "eq": "==", "ne": "!=", "gt": ">", "ge": ">=", "lt": "<"}
"""Tests that compare, by the sign."""


def parse(text: str, resolve: Resolve) -> Term:
    """Parse a template.

    Args:
        text: As it stands in the manifest; without marks it is a constant.
        resolve: Gives our term for a variable of the source.

    Raises:
        UnsayableError: It is no template, or uses what is not known.
    """
    if not any(mark in text for mark in ("{{", "{%", "{#")):
        return Const(text)
    if len(text) > _CHARS_MAX:
        raise UnsayableError(f"the template has more than {_CHARS_MAX} characters")
    try:
        tree = _PARSER.parse(text.strip())
    except (TemplateError, RecursionError):
        raise UnsayableError("the template is not one that Jinja can read") from None
    return _Reader(resolve).body(tree.body)


class _Reader:
    """One walk over a tree."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._set: dict[str, Term] = {}
        """What ``{% set %}`` named."""
        self._depth = 0
        self._readers: dict[type[nodes.Node], Callable[[Any], Term]] = {
            nodes.Const: self._const,
            nodes.TemplateData: self._data,
            nodes.Name: self._name,
            nodes.Getattr: self._item,
            nodes.Getitem: self._item,
            nodes.Call: self._call,
            nodes.Filter: self._filter,
            nodes.Test: self._test,
            nodes.Compare: self._compare,
            nodes.CondExpr: self._choice,
            nodes.List: self._list,
            nodes.Tuple: self._list,
            nodes.Dict: self._dict,
            nodes.Concat: self._concat,
            nodes.Not: self._not,
            nodes.Neg: self._negative,
        }

    def body(self, statements: list[nodes.Node]) -> Term:
        """Read what stands one behind the other."""
        parts: list[Term] = []
        for statement in statements:
            match statement:
                case nodes.Output():
                    parts += [self.read(node) for node in statement.nodes]
                case nodes.Assign(target=nodes.Name(name=name)):
                    self._set[name] = self.read(statement.node)
                case nodes.If():
                    parts.append(self._branch(statement))
                case nodes.For():
                    raise UnsayableError("a loop, {% for %}, cannot be translated")
                case _:
                    what = type(statement).__name__
                    raise UnsayableError(f"the statement {what} of Jinja is not known here")
        kept = [part for part in parts if not _is_blank(part)] if self._set else parts
        if len(kept) == 1:
            return kept[0]
        return Text(tuple(kept)) if kept else Const("")

    def read(self, node: nodes.Node) -> Term:
        """Read an expression."""
        self._depth += 1
        if self._depth > _DEPTH_MAX:
            raise UnsayableError(f"the template is nested deeper than {_DEPTH_MAX} levels")
        try:
            reader = self._readers.get(type(node))
            if reader is not None:
                return reader(node)
            if isinstance(node, nodes.BinExpr) and type(node) in _BINARY:
                both = (self.read(node.left), self.read(node.right))
                return fold(Apply(_BINARY[type(node)], both))
        finally:
            self._depth -= 1
        raise UnsayableError(f"{type(node).__name__} of Jinja is not known here")

    def _branch(self, node: nodes.If) -> Term:
        otherwise = self.body(node.else_)
        for each in reversed(node.elif_):
            otherwise = Apply("if", (self.read(each.test), self.body(each.body), otherwise))
        return Apply("if", (self.read(node.test), self.body(node.body), otherwise))

    def _const(self, node: nodes.Const) -> Term:
        return Const(node.value)

    def _data(self, node: nodes.TemplateData) -> Term:
        return Const(node.data)

    def _name(self, node: nodes.Name) -> Term:
        if node.name in self._set:
            return self._set[node.name]
        return self._resolve((node.name,))

    def _item(self, node: nodes.Getattr | nodes.Getitem) -> Term:
        start, steps = _chain(node)
        if isinstance(start, nodes.Getitem):
            return self._computed(start, steps)
        if isinstance(start, nodes.Name) and start.name not in self._set:
            return self._resolve((start.name, *steps))
        return behind(self.read(start), steps)

    def _computed(self, node: nodes.Getitem, steps: tuple[Step, ...]) -> Term:
        """Read ``a[b]`` and ``a[1:]``, and the constant keys behind it."""
        if not isinstance(node.arg, nodes.Slice):
            raise UnsayableError("a key that is itself a variable cannot be translated")
        marks = (node.arg.start, node.arg.stop, node.arg.step)
        given = [Const(None) if mark is None else self.read(mark) for mark in marks]
        return behind(Apply("slice", (self.read(node.node), *given)), steps)

    def _call(self, node: nodes.Call) -> Term:
        args = [self.read(arg) for arg in node.args]
        named = {each.key: self.read(each.value) for each in node.kwargs}
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            raise UnsayableError("arguments with '*' cannot be translated")
        if isinstance(node.node, nodes.Name):
            name = node.node.name
            if name not in _FUNCTIONS:
                raise UnsayableError(f"the macro {name}() is not known here")
            given = (*args, *named.values())
            if name in ("max", "min") and len(given) > 1:
                given = (listed(given),)
            return Apply(name, given)
        if isinstance(node.node, nodes.Getattr):
            return self._method(node.node, args)
        raise UnsayableError("what is called here cannot be translated")

    def _method(self, node: nodes.Getattr, args: list[Term]) -> Term:
        if node.attr == "get":
            return self._get(node.node, args)
        if node.attr not in _METHODS:
            raise UnsayableError(f"the method .{node.attr}() is not known here")
        value = self.read(node.node)
        if node.attr in _STRIPPING:
            return _strip(node.attr, value, args)
        if node.attr == "format":
            return _fill(value, args)
        return Apply(_ALIASES.get(node.attr, node.attr), (value, *args))

    def _get(self, node: nodes.Node, args: list[Term]) -> Term:
        match args:
            case [Const(value=str() | int() as key), *rest]:
                found = self._read_key(node, key)
            case _:
                raise UnsayableError(".get() with a key that is not written out")
        default = rest[0] if rest else Const(None)
        if isinstance(default, Const) and not default.value and default.value != 0:
            return found
        return Apply("default", (found, default))

    def _read_key(self, node: nodes.Node, key: Step) -> Term:
        start, steps = _chain(node)
        if isinstance(start, nodes.Name) and start.name not in self._set:
            return self._resolve((start.name, *steps, key))
        return behind(self.read(node), (key,))

    def _filter(self, node: nodes.Filter) -> Term:
        if node.node is None:
            raise UnsayableError("{% filter %} cannot be translated")
        name = _ALIASES.get(node.name, node.name)
        args = [self.read(arg) for arg in node.args]
        args += [self.read(each.value) for each in node.kwargs]
        if name in ("dictsort", "groupby", "batch", "slice"):
            raise UnsayableError(f"the filter '{node.name}' cannot be translated")
        value = self.read(node.node)
        if name == "default" and any(each == Const(value=True) for each in args[1:]):
            return fold(Apply("or", (value, args[0])))
        if name == "list":
            return value  # what is read one by one there is a list here
        if name == "map" and [each.key for each in node.kwargs] == ["attribute"]:
            return Apply("map attribute", (value, *args))
        return (
            Apply("join", (args[0] if args else Const(""), value))
            if name == "join"
            else (Apply(name, (value, *args)))
        )

    def _test(self, node: nodes.Test) -> Term:
        value = self.read(node.node)
        if node.name in _CONSTANTS:
            return Apply("==", (value, Const(_CONSTANTS[node.name])))
        if node.name in _COMPARING and len(node.args) == 1:
            return Apply(_COMPARING[node.name], (value, self.read(node.args[0])))
        if node.name not in _TESTS:
            raise UnsayableError(f"the test '{node.name}' is not known here")
        if isinstance(value, Const) and node.name in ("defined", "undefined"):
            return Const((value.value is None) == (node.name == "undefined"))
        return Apply(f"is {node.name}", (value, *(self.read(arg) for arg in node.args)))

    def _compare(self, node: nodes.Compare) -> Term:
        left = self.read(node.expr)
        found: Term | None = None
        for operand in node.ops:
            named = self._find_name(left, operand)
            right = named or self.read(operand.expr)
            test = "is defined" if operand.op == "in" else "is undefined"
            each: Term = Apply(_COMPARE[operand.op], (left, right))
            if named is not None:
                each = Apply(test, (named,))
            found = each if found is None else Apply("and", (found, each))
            left = right
        assert found is not None
        return found

    def _find_name(self, left: Term, operand: nodes.Operand) -> Term | None:
        """Return the value of ``'a' in config``, an object that is laid flat here."""
        start, steps = _chain(operand.expr)
        is_flat = isinstance(start, nodes.Name) and start.name in _FLAT
        if operand.op not in ("in", "notin") or not is_flat or not isinstance(left, Const):
            return None
        assert isinstance(start, nodes.Name)
        try:
            self._resolve((start.name, *steps))
        except UnsayableError:
            return self._resolve((start.name, *steps, str(left.value)))
        return None

    def _choice(self, node: nodes.CondExpr) -> Term:
        otherwise = Const(None) if node.expr2 is None else self.read(node.expr2)
        return fold(Apply("if", (self.read(node.test), self.read(node.expr1), otherwise)))

    def _list(self, node: nodes.List | nodes.Tuple) -> Term:
        return listed(tuple(self.read(item) for item in node.items))

    def _dict(self, node: nodes.Dict) -> Term:
        keys, values = (
            [self.read(each) for each in several]
            for several in ((pair.key for pair in node.items), (pair.value for pair in node.items))
        )
        if not all(isinstance(each, Const) for each in (*keys, *values)):
            raise UnsayableError("an object written in a template cannot be translated")
        pairs = zip(keys, values, strict=True)
        return Const({str(key.value): value.value for key, value in pairs})  # type: ignore[union-attr] # checked above

    def _concat(self, node: nodes.Concat) -> Term:
        return Text(tuple(self.read(each) for each in node.nodes))

    def _not(self, node: nodes.Not) -> Term:
        return fold(Apply("not", (self.read(node.node),)))

    def _negative(self, node: nodes.Neg) -> Term:
        value = self.read(node.node)
        if isinstance(value, Const) and isinstance(value.value, int | float):
            return Const(-value.value)
        return Apply("-", (Const(0), value))


def _fill(value: Term, args: list[Term]) -> Term:
    """Return what ``'a{}b'.format(c)`` says."""
    parts = str(value.value).split("{}") if isinstance(value, Const) else []
    if len(parts) != len(args) + 1 or any("{" in part or "}" in part for part in parts):
        raise UnsayableError(".format() of a text whose places are not told in order by '{}'")
    first, *rest = map(Const, parts)
    pairs = zip(args, rest, strict=True)
    return Text((first, *(each for pair in pairs for each in pair)))


def _strip(name: str, value: Term, args: list[Term]) -> Term:
    """Return what takes signs off the ends of a text."""
    match args:
        case []:
            if name == "strip":
                return Apply("trim", (value,))
            signs = "\\s"
        case [Const(value=str(text))] if text:
            signs = "[" + re.sub(r"([\\\]^-])", r"\\\1", text) + "]"
        case _:
            raise UnsayableError(f".{name}() of signs that are not written out")
    ends = {"lstrip": f"^{signs}+", "rstrip": f"{signs}+$", "strip": f"^{signs}+|{signs}+$"}
    return Apply("regex_replace", (value, Const(ends[name]), Const("")))


def _chain(node: nodes.Node) -> tuple[nodes.Node, tuple[Step, ...]]:
    """Return what constant keys stand behind, and the keys."""
    steps: list[Step] = []
    while True:
        match node:
            case nodes.Getattr(attr=str(key)) | nodes.Getitem(arg=nodes.Const(value=str(key))):
                steps.append(key)
            case nodes.Getitem(arg=nodes.Const(value=int(key))):
                steps.append(key)
            case nodes.Getitem(arg=nodes.Neg(node=nodes.Const(value=int(key)))):
                steps.append(-key)
            case nodes.Call(
                node=nodes.Getattr(attr="get"), args=[nodes.Const(value=str(key)), *rest]
            ) if all(isinstance(each, nodes.Dict | nodes.List) for each in rest):
                assert isinstance(node.node, nodes.Getattr)
                steps.append(key)
                node = node.node
            case _:
                return node, tuple(reversed(steps))
        node = node.node


def _is_blank(term: Term) -> bool:
    return isinstance(term, Const) and isinstance(term.value, str) and not term.value.strip()
