"""What the docstring of a function says: its text, and examples of an expression and its value."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from integrationd.transform.functions.function import Function

_GIVES = "-> "


def text_of(function: Function) -> str:
    """Return what a function does."""
    return " ".join(each for each in _paragraphs(function) if _GIVES not in each)


def examples_of(function: Function) -> Iterator[tuple[str, str]]:
    """Yield expressions, over an empty object, and what they give as JSON text."""
    for paragraph in _paragraphs(function):
        if _GIVES in paragraph:
            parts = paragraph.split(f" {_GIVES}")
            yield parts[0], parts[1]


def _paragraphs(function: Function) -> Iterator[str]:
    """Yield paragraphs; each example is one, on one line or two."""
    for part in (inspect.getdoc(function.run) or "").split("\n\n"):
        joined = part.replace(f"\n{_GIVES}", f" {_GIVES}")
        if _GIVES in joined:
            yield from joined.split("\n")
        else:
            yield " ".join(joined.split())
