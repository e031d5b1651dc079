"""Caps on the tail: files, functions and parameters that grow past them hide a missing concept."""

from __future__ import annotations

import ast

from tests.meta.repository import (
    PACKAGE,
    TESTS,
    Function,
    functions,
    parse,
    python_files,
    show,
)

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
PARAMETERS_MAX = 6


def test_no_file_is_too_long():
    """No Python file, tests included, has more than 400 lines."""
    lines = {
        show(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in (*python_files(PACKAGE), *python_files(TESTS))
    }

    assert {path: count for path, count in lines.items() if count > FILE_LINES_MAX} == {}


def test_no_function_is_too_long():
    """No function of the package has more than 60 lines, its docstring included."""
    lines = {
        f"{show(path)}:{function.name}": (function.end_lineno or 0) - function.lineno + 1
        for path in python_files(PACKAGE)
        for function in functions(parse(path))
    }

    assert {name: count for name, count in lines.items() if count > FUNCTION_LINES_MAX} == {}


def test_no_function_takes_too_much():
    """No function of the package has more than six parameters beside self."""
    counts = {
        f"{show(path)}:{function.name}": len(parameters(function))
        for path in python_files(PACKAGE)
        for function in functions(parse(path))
    }

    assert {name: count for name, count in counts.items() if count > PARAMETERS_MAX} == {}


def test_every_test_states_a_fact():
    """Each test has a docstring whose first line is a sentence."""
    silent = [
        f"{show(path)}:{function.name}"
        for path in python_files(TESTS)
        if path.name.startswith("test_")
        for function in functions(parse(path))
        if function.name.startswith("test_") and not is_sentence(ast.get_docstring(function))
    ]

    assert silent == []


def parameters(function: Function) -> list[str]:
    """Return the parameters that a caller may give."""
    given = function.args
    names = [item.arg for item in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls")]


def is_sentence(docstring: str | None) -> bool:
    """Tell whether a docstring begins with a sentence on one line."""
    return bool(docstring) and docstring.splitlines()[0].rstrip().endswith(".")
