"""A YAML document as a tree in which every value knows where it was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from typing_extensions import override

from integrationd.model.json import Json


class Position(NamedTuple):
    """A place in a file; lines and columns count from 1, as editors show them."""

    # A tuple and not a dataclass: one is made for every value of every file.
    file: str
    line: int
    column: int

    @override
    def __str__(self) -> str:
        """Print as compilers do, so that editors can jump there."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value: None, bool, int, float or text, by the core rules of YAML 1.2."""

    value: bool | int | float | str | None
    position: Position
    quoted: bool = False
    """Whether it stood in quotes or in a block, so that it can only be text."""
    written: str = ""
    """The file's own characters where the value is not text, so that 1.10 is told as 1.10."""
    told: bool = False
    """Whether the reader already told what is wrong with it, so that it is told once."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class Fields:
    """An object; keys are always text and each remembers its own place."""

    entries: Mapping[str, Node]
    position: Position
    key_positions: Mapping[str, Position] = field(default_factory=dict)

    def key_position(self, key: str) -> Position:
        """Return where ``key`` was written, or where the object begins."""
        return self.key_positions.get(key, self.position)

    def get(self, key: str) -> Node | None:
        """Return the value under ``key``, if there is one."""
        return self.entries.get(key)


Node: TypeAlias = Scalar | Items | Fields


def to_json(node: Node) -> Json:
    """Return the plain value, without positions."""
    match node:
        case Scalar():
            return node.value
        case Items():
            return [to_json(item) for item in node.items]
        case Fields():
            return {key: to_json(value) for key, value in node.entries.items()}


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and everything under it, in the order of the file."""
    yield node
    match node:
        case Items():
            for item in node.items:
                yield from walk(item)
        case Fields():
            for value in node.entries.values():
                yield from walk(value)
        case Scalar():
            pass


def describe(node: Node) -> str:
    """Name the kind of a node as its author would: text, a number, a list, an object."""
    match node:
        case Items():
            return "a list"
        case Fields():
            return "an object"
        case Scalar(value=None):
            return "nothing"
        case Scalar(value=bool()):
            return "true or false"
        case Scalar(value=int() | float()):
            return "a number"
        case Scalar():
            return "text"
