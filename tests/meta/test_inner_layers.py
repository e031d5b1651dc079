"""What import contracts do not show: the clock, chance and files by other ways, and words."""

from __future__ import annotations

import ast
import re

from tests.meta.repository import PACKAGE, inner_files, parse, python_files, show

CLOCK_AND_CHANCE = {"now", "utcnow", "today", "uuid1", "uuid4", "environ", "getenv"}
CALLS = {"open", "print", "input", "breakpoint", "__import__"}
AVOIDED = {"manager", "handler", "helper", "util"}
NOT_OURS = {f"integrationd/web/{name}.py: handler" for name in ("control", "listener")} | {
    f"integrationd/wire/sax.py: {name}Handler"
    for name in ("StartDoctypeDecl", "StartElement", "EndElement", "CharacterData")
}
"""What aiohttp hands a middleware that comes next, and what expat calls, have these names."""


def test_inner_layers_ask_nobody():
    """From spec down nothing reads a clock, a file, the environment or chance."""
    found = [
        f"{show(path)}:{node.lineno}: {name}"
        for path in inner_files()
        for node in ast.walk(parse(path))
        if (name := forbidden(node)) is not None
    ]

    assert found == []


def test_no_name_is_an_avoided_word():
    """Nothing that we name is a manager, a handler, a helper or a util."""
    found = {
        f"{show(path)}: {name}"
        for path in python_files(PACKAGE)
        for name in (path.stem, *defined_names(parse(path)))
        if {word.removesuffix("s") for word in words(name)} & AVOIDED
    }

    assert found - NOT_OURS == set()


def forbidden(node: ast.AST) -> str | None:
    """Return what a node uses and an inner layer must not; None where it may."""
    match node:
        case ast.Attribute(attr=name) if name in CLOCK_AND_CHANCE:
            return name
        case ast.Name(id=name) if name in {"uuid1", "uuid4", "environ"}:
            return name
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            return name
        case _:
            return None


def defined_names(tree: ast.AST) -> set[str]:
    """Return the names that a file gives: to classes, functions, parameters and values."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                found.add(name)
            case ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
            case ast.Attribute(attr=name, ctx=ast.Store()):
                found.add(name)
    return found


def words(name: str) -> list[str]:
    """Split a name of either style into lower-case words."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")
