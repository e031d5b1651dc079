"""What may be written in a file, as a tree: read off the same definitions as the parser reads.

From it come the JSON Schema for editors (:mod:`integrationd.config.editor`) and the reference.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, Literal, TypeAlias

from integrationd.config import units
from integrationd.config.decode import fields_of
from integrationd.config.leaves import name_choices
from integrationd.config.nodes import Fields, Items, Scalar
from integrationd.config.sites import (
    OWN,
    Bounds,
    Keys,
    Kinds,
    LaidOver,
    Leaf,
    Named,
    SecretNote,
    SizeNote,
    Written,
)
from integrationd.config.units import Rate
from integrationd.model.json import Json


@dataclass(frozen=True, slots=True)
class ListForm:
    """A list."""

    item: Form


@dataclass(frozen=True, slots=True)
class MapForm:
    """An object whose names its author chooses."""

    keys: Keys | None
    value: Form


@dataclass(frozen=True, slots=True)
class AnyForm:
    """One of several shapes."""

    options: tuple[Form, ...]


@dataclass(frozen=True, slots=True)
class ObjectForm:
    """An object of known fields, by the name of its table."""

    table: str


@dataclass(frozen=True, slots=True)
class PartForm:
    """Fields that are laid over an object's, none of which has to be there."""

    table: str


@dataclass(frozen=True, slots=True)
class KindsForm:
    """One of several objects, told apart by ``type``."""

    tables: Mapping[str, str]
    """Names of tables by kind."""


@dataclass(frozen=True, slots=True)
class NamedForm:
    """One of several things, each by its name alone or as an object with that one key."""

    tables: Mapping[str, str]
    """Names of tables by kind."""


Form: TypeAlias = (
    Leaf | ListForm | MapForm | AnyForm | ObjectForm | PartForm | KindsForm | NamedForm
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One field."""

    key: str
    form: Form
    required: bool
    default: Any
    """``dataclasses.MISSING`` where there is none."""
    text: str
    """What it is for; empty where the source cannot be read."""
    nullable: bool
    """Whether a file may say null."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """An object of known fields."""

    name: str
    text: str
    """The class's docstring."""
    rows: tuple[Row, ...]


class Described:
    """The tables that a description has needed so far."""

    def __init__(self) -> None:
        """Begin with none."""
        self.tables: dict[str, Table] = {}

    def describe(self, hint: Any, notes: Sequence[object] = ()) -> Form:  # noqa: ANN401 - any type
        """Describe what decoding into a type hint takes; tables are added as they are met."""
        origin = typing.get_origin(hint)
        if origin is typing.Annotated:
            base, *noted = typing.get_args(hint)
            return self.describe(base, noted)
        if origin in _GENERIC:
            return _GENERIC[origin](self, typing.get_args(hint), notes)
        kinds = _note(notes, Kinds)
        if kinds is not None:
            return KindsForm({cls.kind: self._table(cls) for cls in kinds.classes})
        named = _note(notes, Named)
        if named is not None:
            return NamedForm({cls.kind: self._table(cls) for cls in named.classes})
        laid = _note(notes, LaidOver)
        if laid is not None:
            return PartForm(self._table(laid.cls))
        return self._describe_plain(hint, notes)

    def describe_fields(self, cls: type[Any]) -> ObjectForm:
        """Describe a dataclass as an object."""
        return ObjectForm(self._table(cls))

    def _describe_plain(self, hint: Any, notes: Sequence[object]) -> Form:  # noqa: ANN401
        written = getattr(hint, "FORM", None)
        if isinstance(written, Leaf):
            return written if _note(notes, SecretNote) is None else _name_secret(written)
        if isinstance(written, Written):
            return _any(
                ObjectForm(self._table(hint)) if way is OWN else self._describe_way(way)
                for way in written.ways
            )
        if hint in _LEAVES:
            return _LEAVES[hint](notes)
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            return _choice(tuple(item.value for item in hint))
        if isinstance(hint, type) and issubclass(hint, str):
            return _text(notes)
        if dataclasses.is_dataclass(hint) and not hasattr(hint, "decode_node"):
            return ObjectForm(self._table(typing.cast("type[Any]", hint)))
        message = f"{hint} reads itself and has no FORM, a Leaf or Written of config/sites.py"
        raise TypeError(message)

    def _describe_way(self, way: Any) -> Form:  # noqa: ANN401
        return way if isinstance(way, Leaf) else self.describe(way)

    def _table(self, cls: type[Any]) -> str:
        name = cls.__name__.lstrip("_")
        if name in self.tables:
            return name
        self.tables[name] = Table(name=name, text="", rows=())  # ends what refers to itself
        texts = field_texts(cls)
        defaults = {item.name: item for item in dataclasses.fields(cls)}
        rows = [
            Row(
                key=key,
                form=self.describe(spec.hint),
                required=spec.required,
                default=_default(defaults[spec.name]),
                text=texts.get(spec.name, ""),
                nullable=_takes_null(spec.hint),
            )
            for key, spec in fields_of(typing.cast("Any", cls)).items()
        ]
        text = inspect.cleandoc(cls.__doc__ or "")
        self.tables[name] = Table(name=name, text=text, rows=tuple(rows))
        return name


def field_texts(cls: type[Any]) -> Mapping[str, str]:
    """Return the texts under the fields of a dataclass, its bases' included.

    Python drops them when it runs, so they are read from the source; decoding never needs them.
    """
    found: dict[str, str] = {}
    for base in filter(dataclasses.is_dataclass, reversed(cls.__mro__)):
        try:
            source = inspect.getsource(base)
        except (OSError, TypeError):
            continue
        found.update(_read_texts(inspect.cleandoc(source)))
    return found


def _read_texts(source: str) -> Iterator[tuple[str, str]]:
    (definition,) = ast.parse(source).body
    assert isinstance(definition, ast.ClassDef)
    for declared, after in zip(definition.body, definition.body[1:], strict=False):
        if not isinstance(declared, ast.AnnAssign) or not isinstance(declared.target, ast.Name):
            continue
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            yield declared.target.id, " ".join(inspect.cleandoc(str(after.value.value)).split())


def _name_secret(form: Leaf) -> Leaf:
    """Describe a template that has to name a secret."""
    return Leaf(f"{form.words} that names a secret", {**form.schema, "pattern": "^$|secrets"})


def _note(notes: Sequence[object], kind: type[Any]) -> Any:  # noqa: ANN401 - of that kind
    return next((note for note in notes if isinstance(note, kind)), None)


def _default(declared: dataclasses.Field[Any]) -> Any:  # noqa: ANN401
    if declared.default_factory is not dataclasses.MISSING:
        return declared.default_factory()
    return declared.default


def _any(options: typing.Iterable[Form]) -> Form:
    found: list[Form] = []
    for option in options:
        if option not in found:
            found.append(option)
    return found[0] if len(found) == 1 else AnyForm(tuple(found))


def _takes_null(hint: Any) -> bool:  # noqa: ANN401
    bare = typing.get_args(hint)[0] if typing.get_origin(hint) is typing.Annotated else hint
    return type(None) in typing.get_args(bare)


def _union(described: Described, hints: tuple[Any, ...], notes: Sequence[object]) -> Form:
    return _any(described.describe(hint, notes) for hint in hints if hint is not type(None))


def _tuple(described: Described, hints: tuple[Any, ...], notes: Sequence[object]) -> Form:
    return ListForm(described.describe(hints[0], notes))


def _mapping(described: Described, hints: tuple[Any, ...], notes: Sequence[object]) -> Form:
    own = [note for note in notes if not isinstance(note, Keys)]  # of its names, not its values
    return MapForm(_note(notes, Keys), described.describe(hints[1], own))


def _choice(choices: tuple[Json, ...]) -> Leaf:
    return Leaf(name_choices(choices), {"enum": list(choices)})


def _text(notes: Sequence[object]) -> Leaf:
    keys = _note(notes, Keys)
    if keys is None:
        return Leaf("text", {"type": "string"})
    return Leaf(keys.what, {"type": "string", "pattern": f"^(?:{keys.pattern})$"})


def _number(words: str, type_: str) -> Callable[[Sequence[object]], Leaf]:
    def describe(notes: Sequence[object]) -> Leaf:
        if _note(notes, SizeNote) is not None:
            pattern = f"^(?:{units.SIZE_PATTERN})$"
            return Leaf("a size such as 10MB", {"type": "string", "pattern": pattern})
        bounds = _note(notes, Bounds) or Bounds()
        schema: dict[str, Json] = {"type": type_}
        parts = [words]
        if bounds.least is not None:
            schema["minimum"] = bounds.least
            parts.append(f"from {bounds.least:g}")
        if bounds.most is not None:
            schema["maximum"] = bounds.most
            parts.append(f"to {bounds.most:g}")
        return Leaf(" ".join(parts), schema)

    return describe


def _fixed(words: str, **schema: Json) -> Callable[[Sequence[object]], Leaf]:
    return lambda _: Leaf(words, schema)


ANYTHING: Final = Leaf("any value", {})
DURATION: Final = Leaf(
    "a duration such as 30s", {"type": "string", "pattern": f"^(?=.)(?:{units.DURATION_PATTERN})$"}
)

_GENERIC: Final[Mapping[Any, Callable[[Described, tuple[Any, ...], Sequence[object]], Form]]] = {
    types.UnionType: _union,
    typing.Union: _union,
    tuple: _tuple,
    Mapping: _mapping,
    dict: _mapping,
    Literal: lambda _, choices, __: _choice(choices),
}
_LEAVES: Final[Mapping[Any, Callable[[Sequence[object]], Leaf]]] = {
    Any: lambda _: ANYTHING,
    str: _text,
    bool: _fixed("true or false", type="boolean"),
    int: _number("a whole number", "integer"),
    float: _number("a number", "number"),
    timedelta: lambda _: DURATION,
    Rate: _fixed("a rate such as 10/s", type="string", pattern=f"^(?:{units.RATE_PATTERN})$"),
    Scalar: _fixed("a single value", type=["string", "number", "boolean", "null"]),
    Items: _fixed("a list", type="array"),
    Fields: _fixed("an object", type="object"),
}
