"""What a call takes: named values with a JSON Schema each, given as JSON or as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from integrationd.config.decode import INVALID, Invalid, Site, decode
from integrationd.config.nodes import Fields, Node, to_json
from integrationd.config.problems import nearest, shorten
from integrationd.config.schema import schema_problems, value_problems
from integrationd.config.sites import Leaf, Written
from integrationd.errors import InputError, PageShapeError
from integrationd.model.json import Json
from integrationd.spec.names import WORD_NAME
from integrationd.wire import decoding


def decode_schemas(node: Node, site: Site) -> Mapping[str, Json] | Invalid:
    """Read a JSON Schema for each name, and tell what is wrong with each."""
    if isinstance(node, Fields) and isinstance(node.get("properties"), Fields):
        message = (
            f"{site.path} has 'properties' as a whole JSON Schema has; the values stand directly "
            f"under {site.path.rpartition('.')[2]!r}, each by its name with a schema of its own"
        )
        return site.refuse(node.key_position("properties"), "E103", message)
    values = decode(node, Mapping[str, Fields], site.noted(WORD_NAME))
    if isinstance(values, Invalid):
        return INVALID
    schemas = {name: to_json(child) for name, child in values.items()}
    told = [
        site.refuse(values[name].position, "E103", f"{site.path}.{name}: {message}")
        for name, schema in schemas.items()
        for message in schema_problems(schema)
    ]
    return INVALID if told else schemas


class SchemaDeclaration:
    """A JSON Schema, under the name of a value."""

    FORM = Leaf("a JSON Schema", {"type": ["object", "boolean"]})


@dataclass(frozen=True, slots=True)
class Inputs:
    """What one operation takes."""

    FORM: ClassVar = Written((Mapping[str, SchemaDeclaration],))

    schemas: Mapping[str, Json] = field(default_factory=dict)

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Inputs | Invalid:
        """Read the schemas; a default that its own schema refuses is told as well."""
        schemas = decode_schemas(node, site)
        if isinstance(schemas, Invalid):
            return INVALID
        assert isinstance(node, Fields)
        told = [
            site.refuse(node.entries[name].position, "E305", message)
            for name, schema in schemas.items()
            if "default" in schema
            for message in value_problems(schema, schema["default"], f"{site.path}.{name}.default")
        ]
        return INVALID if told else cls(schemas)

    def read(
        self, given: Mapping[str, Json], texts: Mapping[str, str], *, whole: bool = True
    ) -> dict[str, Json]:
        """Return the values with defaults filled in.

        Args:
            given: Values with their types.
            texts: Values as a person typed them, of which each becomes what its schema declares;
                they come before those in ``given``.
            whole: Whether one without a value and a default is missed.

        Raises:
            InputError: All that does not fit, a line each.
        """
        typed = {name: self._convert(name, text) for name, text in texts.items()}
        values = {**self._defaults(), **given, **typed}
        problems = [*(self._find_missing(values) if whole else ()), *self._find_wrong(values)]
        if problems:
            raise InputError("\n".join(problems))
        return values

    def _defaults(self) -> dict[str, Json]:
        return {
            name: schema["default"] for name, schema in self.schemas.items() if "default" in schema
        }

    def _convert(self, name: str, text: str) -> Json:
        """Return what a text says by its declared type; one that it does not fit stays text."""
        types = _declared_types(self.schemas.get(name, {}))
        if not types or "string" in types:
            return text
        try:
            return decoding.decode_bytes(text.encode(errors="surrogateescape"))
        except PageShapeError:
            return text

    def _find_missing(self, values: Mapping[str, Json]) -> Iterator[str]:
        for name, schema in self.schemas.items():
            if name not in values:
                meaning = schema.get("description", "")
                yield f"input {name!r} is missing{f' ({meaning})' if meaning else ''}"

    def _find_wrong(self, values: Mapping[str, Json]) -> Iterator[str]:
        for name, value in values.items():
            if name in self.schemas:
                yield from value_problems(self.schemas[name], value, f"input.{name}")
            else:
                yield f"unknown input {shorten(name)}{nearest(name, self.schemas)}"


def _declared_types(schema: Json) -> frozenset[str]:
    """Return the JSON types that a schema names, by ``type`` or by the values that it lists."""
    named = schema.get("type")
    if named is not None:
        return frozenset(named if isinstance(named, list) else [named])
    listed = [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else ())]
    return frozenset(_NAMES[type(value)] for value in listed)


_NAMES: Final[Mapping[type, str]] = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}
