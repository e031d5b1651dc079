"""Where decoding stands, what it tells there, and the facts that an annotation can carry."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self, TypeVar

from integrationd.config.nodes import Node, Position, Scalar, describe
from integrationd.config.problems import Problems, shorten
from integrationd.model.json import Json

T = TypeVar("T")


class Invalid:
    """What decoding gives where a problem was told instead of a value."""

    __slots__ = ()


INVALID: Final = Invalid()


@dataclass(frozen=True, slots=True)
class Site:
    """Where decoding stands: the path as an author would name it, and where problems go."""

    problems: Problems
    path: str
    notes: tuple[object, ...] = ()
    """The ``Annotated`` facts of the field being decoded."""

    @property
    def name(self) -> str:
        """How a message names the place."""
        return self.path or "the document"

    def key(self, name: str) -> Site:
        """Step into an object's field."""
        return Site(self.problems, f"{self.path}.{name}" if self.path else name)

    def item(self, index: int) -> Site:
        """Step into a list's item; the facts hold for each item."""
        return Site(self.problems, f"{self.path}[{index}]", self.notes)

    def noted(self, *notes: object) -> Site:
        """Return the same place with the facts of an annotation."""
        return Site(self.problems, self.path, notes)

    def refuse(self, position: Position, code: str, message: str) -> Invalid:
        """Tell a problem and give back what stands for no value."""
        self.problems.add(position, code, message)
        return INVALID

    def expected(self, node: Node, what: str, code: str = "E103") -> Invalid:
        """Tell that a value is not what was expected; of the wrong type, unless ``code`` says."""
        hint = ""
        if what == "text" and isinstance(node, Scalar) and node.value is not None:
            hint = "; put it in quotes"
        return self.refuse(
            node.position, code, f"{self.name} is {show(node)}, expected {what}{hint}"
        )

    def note(self, kind: type[T]) -> T | None:
        """Return the first fact of a kind, if the annotation carries one."""
        return next((note for note in self.notes if isinstance(note, kind)), None)


def show(node: Node) -> str:
    """Show a value as its author wrote it; lists and objects by name only."""
    if not isinstance(node, Scalar):
        return describe(node)
    if node.value is None:
        return "empty"
    if isinstance(node.value, str):
        return shorten(node.value)
    return node.written or shorten(node.value).lower()


class Decodable(Protocol):
    """A type that reads itself from a node."""

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Self | Invalid:
        """Return the value, or tell problems and return INVALID."""
        ...


class Kind(Protocol):
    """One alternative among several, told apart by ``type``."""

    kind: typing.ClassVar[str]


@dataclass(frozen=True, slots=True)
class Kinds:
    """The alternatives of a field; text alone names one that needs no fields, as ``none`` does."""

    classes: tuple[type[Any], ...]


@dataclass(frozen=True, slots=True)
class Named:
    """The alternatives of a list's items, told apart by name: alone, or as an object's one key.

    A class that has a field calls it as its kind: ``{max_length: 200}``.
    """

    classes: tuple[type[Any], ...]


@dataclass(frozen=True, slots=True)
class Keys:
    """What the keys of a mapping must look like, as a whole."""

    pattern: str
    what: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """The least and the greatest number allowed, both included."""

    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class OfClass:
    """Stands for a fact that each class says for itself, so that heirs of a field can differ."""

    name: str
    """The class variable that holds the fact."""


class SizeNote:
    """Marks an int that is written as a size, ``10MB``."""


SIZE: Final = SizeNote()


OWN: Final = "its own fields"
"""Among the ways of writing a class that reads itself: as an object of the class's own fields."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A single value, or anything that is described as a whole."""

    words: str
    """For people: ``text``, ``a duration such as 30s``."""
    schema: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Written:
    """How a class that reads itself is written, as its ``FORM``: type hints, forms, :data:`OWN`."""

    ways: tuple[Any, ...]
