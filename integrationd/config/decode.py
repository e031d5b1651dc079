"""A marked tree decoded into frozen dataclasses, every problem told, nothing raised.

A field's annotation says all: plain types, ``timedelta`` for ``30s``, :class:`Rate`, ``StrEnum``
and ``Literal`` for choices, ``tuple`` and ``Mapping``, nested dataclasses, ``X | None``. What a
type cannot say rides in ``Annotated``: :class:`Kinds`, :class:`Keys`, :class:`Bounds`,
:data:`SIZE`. A class that reads itself has a classmethod ``decode_node(node, site)``. A field
called ``position`` is filled with the place of its object; a trailing underscore (``from_``) is
not part of the key. A dataclass may have ``check(node, site)`` for rules between its fields: it
tells problems and returns INVALID, or returns None. It may name in ``LATER`` fields of the language
that this version does not act on, so that they are not told as typing errors.
"""

from __future__ import annotations

import dataclasses
import functools
import re
import types
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, TypeVar

from integrationd.config.leaves import (
    LEAF_NAMES,
    LEAVES,
    decode_choice,
    decode_text,
    name_choices,
    takes_scalar,
)
from integrationd.config.nodes import Fields, Items, Node, Position, Scalar, to_json
from integrationd.config.problems import nearest
from integrationd.config.sites import (
    INVALID,
    SECRET,
    SIZE,
    Bounds,
    Decodable,
    Invalid,
    Keys,
    Kind,
    Kinds,
    OfClass,
    SecretNote,
    Site,
    SizeNote,
)

__all__ = [
    "INVALID",
    "SECRET",
    "SIZE",
    "Bounds",
    "Decodable",
    "FieldSpec",
    "Invalid",
    "Keys",
    "Kind",
    "Kinds",
    "Marked",
    "OfClass",
    "SecretNote",
    "Site",
    "SizeNote",
    "decode",
    "decode_fields",
    "fields_of",
    "internal",
]

T = TypeVar("T")
_HINTS_MAX = 20
"""Unknown fields of one object that get a nearest name; comparing thousands would take seconds."""


class Marked(str):
    """Text that remembers where it was written, for problems that are found later."""

    __slots__ = ("position",)
    position: Position

    @classmethod
    def at(cls, text: str, position: Position) -> Marked:
        """Mark a text with its place."""
        marked = cls(text)
        marked.position = position
        return marked

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Marked | Invalid:
        """Read text and keep its place."""
        value = decode_text(node, site)
        return value if isinstance(value, Invalid) else cls.at(value, node.position)


def decode(node: Node, hint: Any, site: Site) -> Any:  # noqa: ANN401 - the hint decides the type
    """Decode a node into the type that ``hint`` names; INVALID where problems were told."""
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        base, *notes = typing.get_args(hint)
        return decode(node, base, site.noted(*notes))
    if isinstance(node, Scalar) and node.told:
        return INVALID
    read = _GENERIC.get(origin)
    if read is not None:
        return read(node, typing.get_args(hint), site)
    kinds = site.note(Kinds)
    if kinds is not None:
        return _decode_kind(node, kinds, site)
    return _decode_plain(node, hint, site)


def decode_fields(
    node: Node, cls: type[T], site: Site, skip: frozenset[str] = frozenset()
) -> T | Invalid:
    """Decode an object into a dataclass; ``skip`` names keys that the caller reads itself."""
    if not isinstance(node, Fields):
        told = isinstance(node, Scalar) and node.told
        return INVALID if told else site.expected(node, "an object")
    specs = fields_of(typing.cast("Any", cls))  # mypy: type[T] is not Hashable
    later = getattr(cls, "LATER", ())
    valid = not _tell_unknown(node, {*specs, *skip, *later}, site)
    valid &= not _tell_later(node, later, site)
    values: dict[str, Any] = {}
    for key, spec in specs.items():
        child = node.get(key)
        if child is not None:
            values[spec.name] = value = decode(child, spec.hint, site.key(key))
            valid &= value is not INVALID
        elif spec.required:
            site.refuse(node.position, "E102", f"{site.name} has no {key!r}, which is required")
            valid = False
    if not valid:
        return INVALID
    if "position" in _field_names(cls):
        values["position"] = node.position
    built = cls(**values)
    check = getattr(built, "check", None)
    return INVALID if check is not None and check(node, site) is INVALID else built


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a dataclass as decoding sees it."""

    name: str
    hint: Any
    required: bool


@functools.cache
def fields_of(cls: type[Any]) -> Mapping[str, FieldSpec]:
    """Return the fields that a file may name, by their key."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return {
        f.name.rstrip("_"): FieldSpec(
            f.name,
            _facts_of(cls, hints[f.name]),
            f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING,
        )
        for f in dataclasses.fields(cls)
        if f.name != "position" and f.init and not f.metadata.get("internal")
    }


def _facts_of(cls: type[Any], hint: Any) -> Any:  # noqa: ANN401
    """Put what a class says for itself in the place of each :class:`OfClass`."""
    if typing.get_origin(hint) is not typing.Annotated:
        return hint
    base, *notes = typing.get_args(hint)
    facts = [getattr(cls, note.name) if isinstance(note, OfClass) else note for note in notes]
    return typing.Annotated[(base, *facts)]


def _field_names(cls: Any) -> Collection[str]:  # noqa: ANN401
    return typing.cast("Mapping[str, Any]", cls.__dataclass_fields__)


def internal(default: Any) -> Any:  # noqa: ANN401 - as dataclasses.field
    """Declare a field that no file can name."""
    return field(default=default, metadata={"internal": True})


def _decode_plain(node: Node, hint: Any, site: Site) -> Any:  # noqa: ANN401
    if hint is Any:
        value = to_json(node)
    elif hint in LEAVES:
        value = LEAVES[hint](node, site)
    elif hint in (Scalar, Items, Fields):
        value = node if isinstance(node, hint) else site.expected(node, _name_hint(hint))
    elif hasattr(hint, "decode_node"):
        value = typing.cast("type[Decodable]", hint).decode_node(node, site)
    elif isinstance(hint, type) and issubclass(hint, StrEnum):
        value = decode_choice(node, tuple(item.value for item in hint), site)
        value = value if value is INVALID else hint(value)
    elif dataclasses.is_dataclass(hint):
        value = decode_fields(node, typing.cast("type[Any]", hint), site)
    else:
        raise TypeError(hint)
    return value


def _decode_kind(node: Node, kinds: Kinds, site: Site) -> Any:  # noqa: ANN401
    by_name: dict[str, type[Kind]] = {cls.kind: cls for cls in kinds.classes}
    choices = ", ".join(sorted(by_name))
    if not isinstance(node, Fields):
        named = by_name.get(node.value) if _is_text(node) else None
        if named is None:
            return site.expected(node, f"one of {choices}, or an object with 'type'")
        return decode_fields(Fields({}, node.position), named, site)
    type_node = node.get("type")
    if type_node is None:
        message = f"{site.name} has no 'type', expected one of {choices}"
        return site.refuse(node.position, "E102", message)
    name = decode(type_node, str, site.key("type"))
    if name is INVALID:
        return INVALID
    if name in by_name:
        return decode_fields(node, by_name[name], site, skip=frozenset({"type"}))
    shown = site.quote(name, by_name, before=" is ") or " is a word"
    message = f"{site.key('type').path}{shown}, which is not known{nearest(name, by_name)}"
    return site.refuse(type_node.position, "E110", message)


def _is_text(node: Node) -> typing.TypeGuard[Any]:
    return isinstance(node, Scalar) and isinstance(node.value, str)


def _decode_union(node: Node, options: tuple[Any, ...], site: Site) -> Any:  # noqa: ANN401
    """Take the first option of the node's shape, and tell what is wrong by that option alone."""
    rest = tuple(option for option in options if option is not type(None))
    if len(rest) < len(options) and isinstance(node, Scalar) and node.value is None:
        return None
    for option in rest:
        if len(rest) == 1 or _takes(option, node):
            return decode(node, option, site)
    return site.expected(node, " or ".join(_name_hint(option) for option in rest))


def _takes(hint: Any, node: Node) -> bool:  # noqa: ANN401
    """Tell whether a node has the shape of a hint; its contents may still be wrong."""
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return _takes(typing.get_args(hint)[0], node)
    shape = _SHAPES.get(origin or hint)
    if shape is not None:
        return isinstance(node, shape)
    if hint in LEAVES:
        return isinstance(node, Scalar) and takes_scalar(hint, node)
    if isinstance(hint, type) and issubclass(hint, str):
        return _is_text(node)
    return isinstance(node, Fields) or hint is Any or hasattr(hint, "decode_node")


def _name_hint(hint: Any) -> str:  # noqa: ANN401
    """Name a type as messages do."""
    if hint in LEAF_NAMES:
        return LEAF_NAMES[hint]
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return _name_hint(typing.get_args(hint)[0])
    if origin is Literal:
        return name_choices(typing.get_args(hint))
    if origin is tuple or hint is Items:
        return "a list"
    if hint is Scalar:
        return "a single value"
    return "text" if isinstance(hint, type) and issubclass(hint, str) else "an object"


def _decode_tuple(node: Node, hints: tuple[Any, ...], site: Site) -> Any:  # noqa: ANN401
    if not isinstance(node, Items):
        return site.expected(node, "a list")
    values = [decode(item, hints[0], site.item(index)) for index, item in enumerate(node.items)]
    return INVALID if any(value is INVALID for value in values) else tuple(values)


def _decode_mapping(node: Node, hints: tuple[Any, ...], site: Site) -> Any:  # noqa: ANN401
    if not isinstance(node, Fields):
        return site.expected(node, "an object")
    keys = site.note(Keys)
    values: dict[str, Any] = {}
    valid = True
    for key, child in node.entries.items():
        if keys is not None and not re.fullmatch(keys.pattern, key):
            shown = site.quote(key, before="the name ") or "a name that does not fit"
            message = f"{site.name} has {shown}, expected {keys.what}"
            site.refuse(node.key_position(key), "E109", message)
            valid = False
        values[key] = decode(child, hints[1], site.member(key))
        valid &= values[key] is not INVALID
    return values if valid else INVALID


def _tell_unknown(node: Fields, known: set[str], site: Site) -> bool:
    unknown = [key for key in node.entries if key not in known]
    where = f" in {site.path}" if site.path else ""
    for index, key in enumerate(unknown):
        hint = nearest(key, known) if index < _HINTS_MAX else ""
        message = f"unknown field{site.quote(key, known)}{where}{hint}"
        site.refuse(node.key_position(key), "E101", message)
    return bool(unknown)


def _tell_later(node: Fields, later: Collection[str], site: Site) -> bool:
    found = [key for key in node.entries if key in later]
    for key in found:
        message = f"{site.name} has {key!r}, which this version does not act on yet; leave it out"
        site.refuse(node.key_position(key), "E115", message)
    return bool(found)


_SHAPES: dict[Any, type[Node]] = {
    Literal: Scalar,
    tuple: Items,
    Scalar: Scalar,
    Items: Items,
    Fields: Fields,
}
_GENERIC: dict[Any, Callable[[Node, tuple[Any, ...], Site], Any]] = {
    types.UnionType: _decode_union,
    typing.Union: _decode_union,
    tuple: _decode_tuple,
    Mapping: _decode_mapping,
    dict: _decode_mapping,
    Literal: decode_choice,
}
