"""Templates parsed, checked and run by Jinja2, with every way to attributes and calls closed."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from jinja2 import (
    StrictUndefined,
    TemplateSyntaxError,
    Undefined,
    UndefinedError,
    nodes,
    pass_context,
)
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer
from typing_extensions import override

from integrationd.config.problems import shorten
from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.transform import printing
from integrationd.transform.jinja import filters
from integrationd.transform.jinja.allowed import NODES_MAX, Flaw, Path, Walk, count_nodes, follow
from integrationd.transform.jinja.filters import NO_ITEM, Filter
from integrationd.transform.jinja.meter import ITEM_COST, Meter, check_size
from integrationd.transform.printing import describe, print_value

Run: TypeAlias = Callable[[Mapping[str, Json], Meter], Json]
TEMPLATE_MAX: Final = 16_384
_CACHE_MAX: Final = 1024
_METER: Final = "the meter"
"""Where a rendering keeps its meter; with a space, so that no template can name it."""
_RESULT: Final = "_result"
"""Names that begin so are refused in templates."""
_LOOP_FACTS: Final = frozenset(
    {"index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0"}
)


class EmptyError(UndefinedError):
    """Something is missing that has no name of its own."""


class Missing(StrictUndefined):
    """A value that is not there: any use of it raises, and the message is its name alone."""

    __slots__ = ()

    @property
    @override
    def _undefined_message(self) -> str:
        return str(self._undefined_hint or self._undefined_name)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2 in which ``a.b`` and ``a['b']`` are the item of an object or a list, never more."""

    # The second line behind the walk at load: operators are looked at when they run, too.
    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)

    def __init__(self) -> None:
        """Close what is open by default, and leave in only our own filters and tests."""
        super().__init__(
            undefined=Missing,
            finalize=_print_part,
            autoescape=False,  # what is written is URLs, headers and JSON, not HTML
            keep_trailing_newline=True,
            # Folding constants would run filters while a file is only being checked.
            optimized=False,
            cache_size=0,
        )
        self.globals.clear()
        self.globals["omit"] = printing.OMIT
        self.filters = {name: _metered(one, name) for name, one in filters.FILTERS.items()}
        self.filters |= {name: _metered(one, "") for name, one in _INNER.items()}
        self.filters[_LOOP] = _begin_loop
        self.tests = {name: _metered(one, name) for name, one in filters.TESTS.items()}

    @override
    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return the item of an object; of a loop, its counters."""
        if isinstance(obj, LoopContext) and attribute in _LOOP_FACTS:
            return getattr(obj, attribute)
        _need(obj)
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return Missing(name=attribute)

    @override
    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return the item of an object, a list or a text."""
        _need(obj, argument)
        is_index = isinstance(argument, int) and not isinstance(argument, bool)
        if isinstance(obj, dict) and isinstance(argument, str) and argument in obj:
            return obj[argument]
        if isinstance(obj, list | str) and is_index and -len(obj) <= argument < len(obj):
            return obj[argument]
        # The key may be data, so it is not told.
        return Missing(hint="a key in square brackets finds nothing", exc=EmptyError)

    @override
    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Add, subtract and divide numbers; add texts and lists as long as they are short."""
        _need(left, right)
        kinds = {describe(left), describe(right)}
        if operator == "+" and kinds in ({"text"}, {"a list"}):
            meter = context.parent[_METER]
            meter.weigh(left)
            meter.weigh(right)
            check_size(len(left) + len(right))
        elif operator not in ("+", "-", "/", "//") or kinds != {"a number"}:
            found = f"found {describe(left)} and {describe(right)}"
            raise ExpressionError(f"'{operator}' takes two numbers, {found}")
        return super().call_binop(context, operator, left, right)


def _metered(one: Filter, name: str) -> Callable[..., Json]:
    """Put a filter to work: nothing missing goes in, and what it looks at is paid for."""

    @pass_context
    def run(context: Context, value: Json, *arguments: Json, **named: Json) -> Json:
        given = (*arguments, *named.values())
        _need(*given)
        if not one.takes_missing:
            _need(value)
        elif isinstance(value, Undefined):
            value = NO_ITEM
        meter = context.parent[_METER]
        _pay(meter, one, value, given)
        try:
            act = functools.partial(one.run, meter) if one.takes_meter else one.run
            result = act(value, *arguments, **named)
        except ExpressionError as wrong:
            raise ExpressionError(f"{name}: {wrong}" if name else str(wrong)) from None
        if result is NO_ITEM:
            return Missing(hint=f"{name}: found nothing in the list", exc=EmptyError)
        if not one.is_free:
            meter.weigh(result)
        return result

    return run


def _need(*values: Json) -> None:
    """Raise where one of the values is missing; it names what was missing first."""
    for value in values:
        if isinstance(value, Undefined):
            str(value)


def _pay(meter: Meter, one: Filter, value: Json, given: tuple[Json, ...]) -> None:
    if one.is_free:
        return
    meter.weigh(value)
    times = 1 + len(value) if one.is_repeated and isinstance(value, list) else 1
    for each in given:
        meter.weigh(each, times)


@pass_context
def _print_part(context: Context, value: Json) -> str:
    _need(value)
    text = print_value(value)
    encode = context.parent[_METER].encode
    return text if encode is None else encode(text)


@pass_context
def _begin_loop(context: Context, value: Json, size: int) -> list[Json]:
    """Pay for a whole loop before it runs: for each item, every node of its body."""
    _need(value)
    if not isinstance(value, list | dict):
        raise ExpressionError(f"a loop runs over a list or an object, found {describe(value)}")
    context.parent[_METER].spend(len(value) * size * ITEM_COST)
    return list(value)


_LOOP: Final = "(loop)"
_INNER: Final = {
    "(concat)": Filter(filters.concat),
    "(cut)": Filter(filters.cut),
    "(weigh)": Filter(lambda value: value),
}
"""Filters that stand for syntax; no template can write their names."""


class _Rewrite(NodeTransformer):
    """Puts a filter in front of whatever takes time by the size of its value."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - the library's names
        size = nodes.Const(count_nodes(node))
        self.generic_visit(node)
        node.iter = _apply(_LOOP, node.iter, size)
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Compare:  # noqa: N802
        self.generic_visit(node)
        node.expr = _apply("(weigh)", node.expr)
        for operand in node.ops:
            operand.expr = _apply("(weigh)", operand.expr)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802
        self.generic_visit(node)
        return _apply("(concat)", nodes.List(node.nodes))

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        if isinstance(node.arg, nodes.Slice):
            nothing = nodes.Const(None)
            parts = (node.arg.start, node.arg.stop, node.arg.step)
            return _apply("(cut)", node.node, *(part or nothing for part in parts))
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            return nodes.Getattr(node.node, node.arg.value, "load")
        return node


def _apply(name: str, value: nodes.Node, *arguments: nodes.Expr) -> nodes.Filter:
    assert isinstance(value, nodes.Expr)
    return nodes.Filter(value, name, list(arguments), [], None, None, lineno=value.lineno)


@functools.cache
def sandbox() -> Sandbox:
    """Return the one environment that all templates share."""
    return Sandbox()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """What is known of a template before it runs."""

    flaws: tuple[Flaw, ...] = ()
    paths: tuple[Path, ...] = ()
    """What it reads: names that are free in it, each with the constant keys behind it."""
    mappings: tuple[str, ...] = ()
    """The names of those that it uses."""
    is_native: bool = False
    """Whether it is exactly one ``{{ }}``."""
    is_path: bool = False
    """Whether that one is nothing but the first of the paths."""


@functools.lru_cache(_CACHE_MAX)
def outline(text: str) -> Outline:
    """Check a template; nothing of it is run."""
    try:
        tree, walk = _parse(text), Walk()
        if not isinstance(tree, Flaw):
            walk.expect(_only_expression(tree))
            walk.visit(tree)
    except TemplateSyntaxError as wrong:
        return Outline(flaws=(_explain(wrong, text),))
    except RecursionError:
        return Outline(flaws=(Flaw("E111", "template is nested too deep"),))
    except ValueError:
        return Outline(flaws=(Flaw("E111", "template has a number that is too large"),))
    if isinstance(tree, Flaw):
        return Outline(flaws=(tree,))
    only = _only_expression(tree)
    return Outline(
        flaws=tuple(walk.flaws),
        paths=tuple(walk.paths),
        mappings=tuple(walk.mappings),
        is_native=only is not None,
        is_path=bool(walk.paths) and only is not None and isinstance(follow(only)[0], nodes.Name),
    )


def _parse(text: str) -> nodes.Template | Flaw:
    """Parse what is short enough; raises what the library raises."""
    if len(text) > TEMPLATE_MAX:
        message = f"template has {len(text):,} characters, expected at most {TEMPLATE_MAX:,}"
        return Flaw("E111", message)
    if "\r" in text:
        message = "template holds a carriage return, which would be lost; write {{ '\\r' }} for it"
        return Flaw("E203", message)
    if text.endswith("{#"):
        # The library takes this one as an empty comment.
        return Flaw("E202", "template is wrong at its end: a comment is not closed")
    tree = sandbox().parse(text)
    if count_nodes(tree) > NODES_MAX:
        return Flaw("E111", f"template has more than {NODES_MAX:,} parts; make it shorter")
    return tree


@functools.lru_cache(_CACHE_MAX)
def compile_template(text: str) -> Run:
    """Compile a template that has no flaws.

    Returns:
        A function of the variables and a meter. It gives the value of a native template, else
        text, and raises what the library raises.
    """
    environment = sandbox()
    tree = environment.parse(text)
    only = _only_expression(tree)
    if only is not None:
        tree = nodes.Template(
            [nodes.Assign(nodes.Name(_RESULT, "store"), only, lineno=1)], lineno=1
        )
    _Rewrite().visit(tree)
    tree.set_environment(environment)
    template = environment.from_string(tree)

    def run(variables: Mapping[str, Json], meter: Meter) -> Json:
        context = template.new_context({**variables, _METER: meter})
        size, parts = 0, []
        for part in template.root_render_func(context):
            size += len(part)
            check_size(size)
            parts.append(part)
        if only is None:
            return "".join(parts)
        result = context.vars[_RESULT]
        _need(result)
        # What a template builds counts as what it writes.
        check_size(_measure(result))
        return result

    return run


def _measure(value: Json) -> int:
    """Return about how many characters a value has as JSON."""
    size, pending = 0, [value]
    while pending:
        value = pending.pop()
        size += len(value) if isinstance(value, str) else 1
        check_size(size)
        if isinstance(value, list):
            pending.extend(value)
        elif isinstance(value, dict):
            pending.extend(value)
            pending.extend(value.values())
    return size


def _only_expression(tree: nodes.Template) -> nodes.Expr | None:
    match tree.body:
        case [nodes.Output(nodes=[only])] if not isinstance(only, nodes.TemplateData):
            return only
    return None


_BLOCK: Final = re.compile(r"\{\{.*?(?:\}\}|$)|\{%.*?(?:%\}|$)", re.DOTALL)
_TAG_UNKNOWN: Final = re.compile(r"Encountered unknown tag '(\w+)'")
_WORDS: Final = (
    ("'end of print statement'", "'}}'"),
    ("'end of statement block'", "'%}'"),
    ("'begin of print statement'", "'{{'"),
    ("Jinja was looking for the following tags: ", "expected "),
    ("The innermost block that needs to be closed is ", "still open is "),
    (". ", "; "),
    ("expected token ", "expected "),
)


def _explain(wrong: TemplateSyntaxError, text: str) -> Flaw:
    message = str(wrong.message)
    unknown = _TAG_UNKNOWN.match(message)
    if unknown and not unknown[1].startswith(("end", "el")):
        instead = "allowed are {{ }}, {% if %}, {% for %} and {# #}"
        return Flaw("E203", f"template uses {{% {unknown[1]} %}}, which it may not; {instead}")
    for theirs, ours in _WORDS:
        message = message.replace(theirs, ours)
    # The library counts characters from nought, over the whole text; the place is told below.
    message = re.sub(r" at [0-9]+$", "", message.rstrip("."))
    place = _find_place(wrong, text)
    return Flaw("E202", f"template is wrong {place}: {message[0].lower()}{message[1:]}")


def _find_place(wrong: TemplateSyntaxError, text: str) -> str:
    """Name the first block that cannot be read by itself, or only the line."""
    for block in _BLOCK.finditer(text):
        if block[0].startswith("{{") and not _is_readable(block[0]):
            line = text.count("\n", 0, block.start()) + 1
            column = block.start() - text.rfind("\n", 0, block.start())
            return f"at its line {line}, column {column}, in {shorten(block[0])}"
    return f"at its line {wrong.lineno}"


def _is_readable(block: str) -> bool:
    try:
        sandbox().parse(block)
    except TemplateSyntaxError:
        return False
    return True
