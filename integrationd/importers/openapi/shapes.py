"""What a schema says of a value, with everything that it is put together of laid into one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from integrationd.config.schema import schema_problems
from integrationd.importers.openapi.document import Document, Spot
from integrationd.model.json import Json

_FACTS: Final = (
    *("enum", "format", "pattern", "default", "minLength", "maxLength", "minItems", "maxItems"),
    *("uniqueItems", "multipleOf", "description", "title", "example", "readOnly", "writeOnly"),
)
_KEPT: Final[Mapping[str, tuple[str, ...]]] = {
    "string": ("format", "pattern", "minLength", "maxLength"),
    "array": ("minItems", "maxItems", "uniqueItems"),
    "number": ("multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    "integer": ("multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}
"""Rules of a schema that are taken over, by the type that they are for."""
_FORMATS: Final = ("date", "date-time", "uuid", "email")  # no set: what is asked may be a list
_TEXT_MAX: Final = 160
_DEEP_MAX: Final = 40
_VALUES_MAX: Final = 2000
_TAG: Final = re.compile(r"<[^<>]{0,300}>")


@dataclass(slots=True)
class Shape:
    """A value, as its schema has it."""

    types: set[str] = field(default_factory=set)
    """Without ``null``."""
    nullable: bool = False
    properties: dict[str, Spot] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    items: Spot | None = None
    values: Spot | bool | None = None
    """Of members that are not named."""
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """Return its one type; nothing where there are several or none."""
        if self.types == {"integer", "number"}:
            return "number"
        return next(iter(self.types)) if len(self.types) == 1 else ""

    @property
    def is_object(self) -> bool:
        """Tell whether it is an object whose members are named."""
        return self.type == "object" or (not self.types and bool(self.properties))

    @property
    def is_array(self) -> bool:
        """Tell whether it is a list."""
        return self.type == "array" or (not self.types and self.items is not None)

    @property
    def format(self) -> str:
        """Return its format."""
        found = self.facts.get("format")
        return found if isinstance(found, str) else ""

    @property
    def about(self) -> str:
        """Return one line for people."""
        return to_line(self.facts.get("description") or self.facts.get("title"))


def to_line(text: Json) -> str:
    """Return the first sentence of a description."""
    if not isinstance(text, str):
        return ""
    plain = " ".join(_TAG.sub(" ", text).split())
    first = re.split(r"(?<=[a-z)])\.(?= )", plain)[0].rstrip(".")
    return first if len(first) <= _TEXT_MAX else f"{first[: _TEXT_MAX - 1].rstrip()}…"


class Shapes:
    """Reads schemas, each once."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._known: dict[str, Shape] = {}
        self._left = 0

    def read(self, spot: Spot | None) -> Shape:
        """Return the shape that a schema says."""
        if spot is None:
            return Shape()
        known = self._known.get(spot.pointer)
        if known is None:
            known = Shape()
            self._lay(spot, known, set(), is_sure=True)
            self._known[spot.pointer] = known
        return known

    def _lay(self, spot: Spot, shape: Shape, seen: set[str], *, is_sure: bool) -> None:
        """Lay a schema over a shape, with what it consists of."""
        if spot.pointer in seen or len(seen) > _DEEP_MAX:
            return
        seen.add(spot.pointer)
        own = spot.value("type")
        for name in own if isinstance(own, list) else [own]:
            if name == "null":
                shape.nullable = True
            elif isinstance(name, str):
                shape.types.add("string" if name == "file" else name)
        shape.nullable = shape.nullable or spot.flag("nullable") or spot.flag("x-nullable")
        self._lay_members(spot, shape, is_sure=is_sure)
        shape.facts.update({key: spot.value(key) for key in _FACTS if spot.has(key)})
        if own == "file":
            shape.facts["format"] = "binary"
        shape.facts.update(_bounds(spot))
        if spot.has("const"):
            shape.facts["enum"] = [spot.value("const")]
        for word in ("allOf", "oneOf", "anyOf"):
            self._lay_parts(spot, word, shape, seen, is_sure=is_sure)

    def _lay_members(self, spot: Spot, shape: Shape, *, is_sure: bool) -> None:
        members = spot.get("properties")
        for name, each in members.members() if members is not None else ():
            shape.properties[name] = each
        required = spot.value("required")
        if is_sure and isinstance(required, list):
            shape.required.update(str(name) for name in required)
        if spot.has("items"):
            shape.items = spot.get("items")
        if spot.has("additionalProperties"):
            plain = spot.value("additionalProperties")
            shape.values = plain if isinstance(plain, bool) else spot.get("additionalProperties")

    def _lay_parts(
        self, spot: Spot, word: str, shape: Shape, seen: set[str], *, is_sure: bool
    ) -> None:
        found = spot.get(word)
        parts = [] if found is None else list(found.items(is_schema=True))
        named = [part for part in parts if part.value("type") != "null"]
        shape.nullable = shape.nullable or len(named) < len(parts)
        alone = word == "allOf" or len(named) == 1
        facts = dict(shape.facts)
        if not alone and is_sure and named:
            shape.required |= self._common_required(named, seen)
        for part in named:
            self._lay(part, shape, seen, is_sure=is_sure and alone)
        if not alone and named:
            # What one of several says does not hold for the others.
            shape.facts = facts

    def _common_required(self, parts: list[Spot], seen: set[str]) -> set[str]:
        """Return what is required whichever of several holds."""
        found: list[set[str]] = []
        for part in parts:
            alone = Shape()
            self._lay(part, alone, set(seen), is_sure=True)
            found.append(alone.required)
        return set.intersection(*found)

    def schema(
        self, spot: Spot | None, depth: int, values_max: int = _VALUES_MAX
    ) -> dict[str, Json] | None:
        """Return a JSON Schema of ours, so many levels deep; what is unknown is left open.

        None where it would hold more than ``values_max`` values.
        """
        self._left = values_max
        made = self._schema(self.read(spot), depth, frozenset())
        if self._left < 0:
            return None
        if schema_problems(made):
            # A pattern that Python does not know, a bound of the wrong type.
            made = {key: made[key] for key in ("type", "description") if key in made}
        return {} if schema_problems(made) else made

    def _schema(self, shape: Shape, depth: int, above: frozenset[int]) -> dict[str, Json]:
        made: dict[str, Json] = {}
        self._left -= 1
        if self._left < 0:
            return made
        types = sorted(shape.types & _TYPES)
        if types:
            made["type"] = types[0] if len(types) == 1 else types
        values = shape.facts.get("enum")
        if isinstance(values, list) and values:
            made["enum"] = [value for value in values if not isinstance(value, dict | list)]
        made.update(_rules(shape))
        self._left -= len(made) + len(made.get("enum", ()))
        if depth > 0 and id(shape) not in above:
            inside = above | {id(shape)}
            made.update(self._members(shape, depth - 1, inside))
            if shape.items is not None and "array" in shape.types:
                made["items"] = self._schema(self.read(shape.items), depth - 1, inside)
        if shape.nullable:
            made = to_nullable(made)
        return made

    def _members(self, shape: Shape, depth: int, above: frozenset[int]) -> dict[str, Json]:
        properties: dict[str, Json] = {}
        for name, spot in shape.properties.items():
            inner = self.read(spot)
            if inner.facts.get("readOnly") is not True:
                properties[name] = self._schema(inner, depth, above)
        made: dict[str, Json] = {"properties": properties} if properties else {}
        required = [name for name in properties if name in shape.required]
        if required:
            made["required"] = required
        if shape.values is False and "object" in shape.types:
            made["additionalProperties"] = False
        return made


_TYPES: Final = frozenset({"string", "integer", "number", "boolean", "array", "object"})


def to_nullable(schema: dict[str, Json]) -> dict[str, Json]:
    """Return a schema that takes null as well."""
    made = dict(schema)
    kind = made.get("type")
    if kind is not None:
        made["type"] = [*dict.fromkeys([*(kind if isinstance(kind, list) else [kind]), "null"])]
    if "enum" in made and None not in made["enum"]:
        made["enum"] = [*made["enum"], None]
    return made


def _rules(shape: Shape) -> Iterator[tuple[str, Json]]:
    for key in _KEPT.get(shape.type, ()):
        value = shape.facts.get(key)
        if key not in shape.facts or (key == "format" and value not in _FORMATS):
            continue
        if key == "pattern" and not _is_pattern(value):
            continue
        yield key, value


def _is_pattern(value: Json) -> bool:
    try:
        re.compile(value if isinstance(value, str) else "(")
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def _bounds(spot: Spot) -> dict[str, Json]:
    """Return the bounds of a number, with those of version 3.0 written as later ones are."""
    made: dict[str, Json] = {}
    for key, other in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        value, exclusive = spot.value(key), spot.value(other)
        if _is_number(value):
            made[other if exclusive is True else key] = value
        if _is_number(exclusive):
            made[other] = exclusive
    return made


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
