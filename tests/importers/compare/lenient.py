"""The source's templates, evaluated well enough to make up answers for them.

Only answers hang on this, never the comparison: both sides are given the same.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from jinja2 import ChainableUndefined, Environment, TemplateError, nodes

_FALSE = ("", "0", "0.0", "False", "false", "None", "none", "null", "[]", "{}", "()", "nan")
_ENVIRONMENT = Environment(undefined=ChainableUndefined, autoescape=False)
_ENVIRONMENT.globals.update(
    now_utc=lambda: datetime.now(UTC),
    today_utc=lambda: datetime.now(UTC).date(),
    today_with_timezone=lambda _zone: datetime.now(UTC).date(),
    day_delta=lambda days, *_: str(datetime.now(UTC) + timedelta(days=days)),
    max=max,
    min=min,
    timestamp=lambda _value: 0,
    str_to_datetime=lambda value: value,
    format_datetime=lambda value, *_: value,
    duration=lambda _text: timedelta(),
)
_ENVIRONMENT.filters["string"] = str
_ENVIRONMENT.filters["regex_search"] = lambda value, pattern: next(
    iter(re.findall(pattern, str(value))), ""
)


def render(text: Any, variables: Mapping[str, Any]) -> Any:
    """Return what a template gives; None where it cannot be evaluated."""
    if not isinstance(text, str) or not ("{{" in text or "{%" in text):
        return text
    try:
        made = _ENVIRONMENT.from_string(text).render(**variables)
    except Exception:  # noqa: BLE001 - whatever a template may do
        return None
    try:
        return ast.literal_eval(made)
    except (ValueError, SyntaxError, MemoryError):
        return made


def is_true(value: Any) -> bool:
    """Tell whether the source takes a value for true."""
    return str(value).strip() not in _FALSE


def paths(text: Any, root: str) -> list[tuple[str | int, ...]]:
    """Return what a template reads of a variable, as paths of constant keys."""
    try:
        tree = _ENVIRONMENT.parse(text if isinstance(text, str) else "")
    except TemplateError:
        return []
    found = {path for path in _walk(tree) if path[:1] == (root,)}
    return sorted(
        (
            path[1:]
            for path in found
            if not any(other != path and other[: len(path)] == path for other in found)
        ),
        key=str,
    )


def constants(text: Any) -> list[str]:
    """Return the texts that stand in a template."""
    try:
        tree = _ENVIRONMENT.parse(text if isinstance(text, str) else "")
    except TemplateError:
        return []
    return [node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str)]


def _walk(node: nodes.Node) -> Iterator[tuple[str | int, ...]]:
    chain = _chain(node)
    if chain is not None:
        yield chain
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
        # The name of a method is no key.
        for child in (node.node.node, *node.args):
            yield from _walk(child)
        return
    for child in node.iter_child_nodes():
        yield from _walk(child)


def _chain(node: nodes.Node) -> tuple[str | int, ...] | None:
    match node:
        case nodes.Name(name=name):
            return (name,)
        case nodes.Getattr(node=inner, attr=str(key)) if key not in ("get", "items", "keys"):
            rest = _chain(inner)
        case nodes.Getitem(node=inner, arg=nodes.Const(value=key)):
            rest = _chain(inner)
        case nodes.Call(
            node=nodes.Getattr(node=inner, attr="get"), args=[nodes.Const(value=key), *_]
        ):
            rest = _chain(inner)
        case _:
            return None
    return None if rest is None else (*rest, key)
