"""The repository's own files, as the rules about them see them."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "integrationd"
TESTS = ROOT / "tests"
INNER = ("spec", "wire", "transform", "config", "model", "signals.py", "errors.py")
"""Rooms without sockets, files, clock and randomness."""

# What .gitignore names, and the environment, which may lie here under another name.
_LEFT_OUT = re.compile(
    r"\.git|\.venv.*|__pycache__|\..*_cache|\.hypothesis|\.demo|build|dist|.*\.egg-info"
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


def files(top: Path = ROOT) -> Iterator[Path]:
    """Yield every file that belongs to the repository; there may be no git to ask."""
    for path in sorted(top.iterdir()):
        if _LEFT_OUT.fullmatch(path.name):
            continue
        if path.is_dir():
            yield from files(path)
        elif path.suffix != ".pyc" and path.name != ".coverage":
            yield path


def python_files(top: Path) -> list[Path]:
    """Return the Python files under a directory, or the one file that is named."""
    return [path for path in ([top] if top.is_file() else files(top)) if path.suffix == ".py"]


def inner_files() -> list[Path]:
    """Return the Python files of the inner layers."""
    return [path for room in INNER for path in python_files(PACKAGE / room)]


def show(path: Path) -> str:
    """Return a path as people are told it."""
    return path.relative_to(ROOT).as_posix()


def parse(path: Path) -> ast.Module:
    """Parse one file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def functions(tree: ast.AST) -> Iterator[Function]:
    """Yield every function, however deep it lies."""
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node


def project() -> dict[str, Any]:
    """Return ``pyproject.toml``."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def codes_in_source() -> set[str]:
    """Return every E- and W-code that stands as a literal in the package."""
    literal = re.compile(r"""["']([EW]\d{3})["']""")
    return {
        code
        for path in python_files(PACKAGE)
        for code in literal.findall(path.read_text(encoding="utf-8"))
    }
