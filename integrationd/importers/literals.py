"""Texts of others' inside templates and expressions of ours, so that they stay what they are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

_BRACE: Final = re.compile(r"\{+(?=[%#]|$)|\{{2,}")
_MARK: Final = re.compile(r"\{[{%#]")
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def to_template(text: str) -> str:
    """Return a text as a template that gives just this text."""
    return _BRACE.sub(lambda found: f"{{{{ '{found.group()}' }}}}", text) if _needs(text) else text


def _needs(text: str) -> bool:
    return _MARK.search(text) is not None


def to_expression(steps: Iterable[str], root: str = "") -> str:
    """Return the JMESPath that leads through members, ``body."next-page"``."""
    return ".".join([*([root] if root else []), *(map(to_member, steps))])


def to_member(name: str) -> str:
    """Return a member's name as JMESPath writes it."""
    return name if _WORD.fullmatch(name) else json.dumps(name)
