"""Where decoding stands, what it tells there, and the facts that an annotation can carry."""

from __future__ import annotations

import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self, TypeVar

from integrationd.config import hiding
from integrationd.config.nodes import Node, Position, Scalar, describe
from integrationd.config.problems import Problems, find_nearest, shorten
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
    hides: bool = False
    """Whether what stands here may be a secret, so that no message shows it."""

    @property
    def name(self) -> str:
        """How a message names the place."""
        return self.path or "the document"

    def key(self, name: str) -> Site:
        """Step into an object's field."""
        path = f"{self.path}.{name}" if self.path else name
        return Site(self.problems, path, (), self.hides or hiding.hides(name))

    def member(self, name: str) -> Site:
        """Step into an object whose names its author chose; the facts hold for each member.

        Where the name says that a secret stands there, that is one fact more.
        """
        facts = (*self.notes, SECRET) if hiding.names_secret(name) else self.notes
        return self.key(name).noted(*facts)

    def item(self, index: int) -> Site:
        """Step into a list's item; the facts hold for each item."""
        return Site(self.problems, f"{self.path}[{index}]", self.notes, self.hides)

    def noted(self, *notes: object) -> Site:
        """Return the same place with the facts of an annotation."""
        return Site(self.problems, self.path, notes, self.hides)

    def refuse(self, position: Position, code: str, message: str) -> Invalid:
        """Tell a problem and give back what stands for no value."""
        self.problems.add(position, code, message)
        return INVALID

    def expected(
        self, node: Node, what: str, code: str = "E103", known: Iterable[str] = ()
    ) -> Invalid:
        """Tell that a value is not what was expected; of the wrong type, unless ``code`` says.

        One that is near one of the ``known`` can be shown anywhere.
        """
        hint = ""
        if what == "text" and isinstance(node, Scalar) and node.value is not None:
            hint = "; put it in quotes"
        return self.refuse(
            node.position, code, f"{self.name} is {self.show(node, known)}, expected {what}{hint}"
        )

    def show(self, node: Node, known: Iterable[str] = ()) -> str:
        """Show a value as its author wrote it; only its kind where it may be a secret."""
        value = node.value if isinstance(node, Scalar) else None
        is_near = isinstance(value, str) and find_nearest(value, known) is not None
        is_open = is_near or value is None or isinstance(value, bool)
        return show(node) if is_open or not self.hides else describe(node)

    def quote(self, name: str, known: Iterable[str] = (), *, before: str = " ") -> str:
        """Quote a name behind a blank; nothing where it may be a secret and is near none known."""
        if self.hides and find_nearest(name, known) is None:
            return ""
        return f"{before}{shorten(name)}"

    def refuse_text(self, node: Node) -> Invalid:
        """Tell that a secret stands here itself, or is made of ``config``, where it would."""
        message = (
            f"{self.name} holds a secret as text or from config, expected a template such as "
            '"{{ secrets.NAME }}"; declare its name under secrets'
        )
        return self.refuse(node.position, "E401", message)

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


class SecretNote:
    """Marks a template that gives a secret: it has to name one, and no message shows its text."""


SECRET: Final = SecretNote()


class SizeNote:
    """Marks an int that is written as a size, ``10MB``."""


SIZE: Final = SizeNote()


@dataclass(frozen=True, slots=True)
class LaidOver:
    """Marks an object that is kept as it was written, to be laid over one of a class."""

    cls: type[Any]


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
