"""What templates and expressions inside a decoded value read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from integrationd.transform.scopes import Reference
from integrationd.transform.template import Template


def references_in(value: Any) -> Sequence[Reference]:  # noqa: ANN401 - any decoded value
    """Return the references of every template and expression inside a decoded value."""
    return [each for part in _find(value, _has_references) for each in part.references]


def parts_in(value: Any) -> Sequence[Any]:  # noqa: ANN401 - any decoded value
    """Return every template and expression inside a decoded value, and what is made of them."""
    return _find(value, _has_references)


def templates_in(value: Any) -> Sequence[Template]:  # noqa: ANN401 - any decoded value
    """Return every template inside a decoded value."""
    return _find(value, _is_template)


def _find(value: Any, wanted: Callable[[Any], bool]) -> list[Any]:  # noqa: ANN401
    """Return the values inside one whose type is wanted, in order; what is in those is not."""
    found: list[Any] = []
    waiting = [value]
    while waiting:
        value = waiting.pop()
        kind: Any = type(value)
        if wanted(kind):
            found.append(value)
            continue
        names = _names_of(kind)
        if names is None:
            waiting.extend(reversed(value.values() if isinstance(value, dict) else value))
        elif names:
            waiting.extend([getattr(value, name) for name in reversed(names)])
    return found


@cache
def _has_references(kind: type[Any]) -> bool:
    return hasattr(kind, "references")


@cache
def _is_template(kind: type[Any]) -> bool:
    return issubclass(kind, Template)


@cache
def _names_of(kind: type[Any]) -> tuple[str, ...] | None:
    """Return the fields of a dataclass; asked of a type once, as a bundle has millions of values.

    Of single values, which most are, there are none; of lists and objects it cannot be said.
    """
    if dataclasses.is_dataclass(kind):
        return tuple(field.name for field in dataclasses.fields(kind))
    return None if issubclass(kind, dict | tuple | list) else ()
