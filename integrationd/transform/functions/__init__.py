"""Functions that expressions call and templates use as filters: pure, bounded, one set for both.

Each is one function of Python that says in its signature what it takes, in its docstring what it
gives, with examples that are run.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from integrationd.transform.functions import digests, fitting, lists, moments, numbers, texts
from integrationd.transform.functions.function import Argument, Function

__all__ = ["FUNCTIONS", "GROUPS", "Argument", "Function"]

GROUPS: Final[Mapping[str, tuple[Function, ...]]] = MappingProxyType(
    {
        "Lists and objects": (*lists.FUNCTIONS, *fitting.FUNCTIONS),
        "Text": texts.FUNCTIONS,
        "Numbers": numbers.FUNCTIONS,
        "Times": moments.FUNCTIONS,
        "Digests and encodings": digests.FUNCTIONS,
    }
)
"""As the reference tells of them."""
FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    {each.name: each for group in GROUPS.values() for each in group}
)
