"""What an expression or a template may name, said at the field that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from integrationd.config.nodes import Position
from integrationd.model.json import Json

Variables: TypeAlias = Mapping[str, Json]
"""What ``var()`` reads."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One name that an expression or a template reads, ``config.base_url``."""

    path: tuple[str, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class Roots:
    """The top-level names of the value that an expression is evaluated over."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """The variables that a template, or ``var()`` in an expression, may use."""

    names: tuple[str, ...]
