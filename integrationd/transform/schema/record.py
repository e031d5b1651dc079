"""The schema of a record: read from a file, compiled at the first use, held against records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, ClassVar, Final

from integrationd.config.decode import INVALID, Invalid, Site
from integrationd.config.nodes import Fields, Items, Node, to_json
from integrationd.config.problems import shorten
from integrationd.config.sites import Leaf
from integrationd.errors import MappingError
from integrationd.model.json import Json
from integrationd.transform.schema import engine
from integrationd.transform.schema.walk import CODE, Walk

if TYPE_CHECKING:
    from jsonschema_rs import Validator

_TOLD_MAX: Final = 3
_REASON_CHARS: Final = 500


@dataclass(frozen=True, slots=True)
class FieldSchema:
    """The schema of one value, whole in itself."""

    FORM: ClassVar[Leaf] = Leaf("a JSON Schema", {"type": "object"})

    schema: Mapping[str, Json]

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> FieldSchema | Invalid:
        """Read a schema that refers to nothing."""
        schema = _read(node, site, refers=False)
        return schema if isinstance(schema, Invalid) else cls(schema)


@dataclass(frozen=True, slots=True)
class RecordSchema:
    """The schema of a whole record: an object and its fields."""

    FORM: ClassVar[Leaf] = FieldSchema.FORM

    schema: Mapping[str, Json]
    compiled: list[Validator] = field(default_factory=list, compare=False, repr=False)

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> RecordSchema | Invalid:
        """Read a schema; references stay inside it."""
        schema = _read(node, site, refers=True)
        if isinstance(schema, Invalid):
            return INVALID
        assert isinstance(node, Fields)
        if schema.get("type", "object") != "object" or "properties" not in schema:
            message = f"{site.name} is of no record, expected 'type: object' and 'properties'"
            return site.refuse(node.position, CODE, message)
        return cls(schema)

    @property
    def properties(self) -> Mapping[str, Json]:
        """Return the schema of each field."""
        found: Mapping[str, Json] = self.schema["properties"]
        return found

    @property
    def required(self) -> tuple[str, ...]:
        """Return the fields that every record has."""
        return tuple(self.schema.get("required", ()))

    @property
    def is_open(self) -> bool:
        """Tell whether it says in so many words that a record may have further fields."""
        return self.schema.get("additionalProperties", False) is not False or any(
            word in self.schema for word in _OPENING
        )

    def takes(self, name: str, value: Json) -> bool:
        """Tell whether a field may have a value, which is no object."""
        place = name.replace("~", "~0").replace("/", "~1")
        below = {word: self.schema[word] for word in ("$defs", "properties") if word in self.schema}
        return engine.compile_schema({**below, "$ref": f"#/properties/{place}"}).is_valid(value)

    def check(self, record: Json) -> None:
        """Hold a record against the schema.

        Raises:
            MappingError: It does not fit; the reason names fields and what was expected there,
                three at most, and never what was found.
        """
        if not self.compiled:
            self.compiled.append(engine.compile_schema(self.schema))
        validator = self.compiled[0]
        try:
            fits = validator.is_valid(record)
        except ValueError:
            message = "the record cannot be held against its schema"
            raise MappingError(message, code="schema") from None
        if not fits:
            raise _explain(validator, record)


def _explain(validator: Validator, record: Json) -> MappingError:
    """Word what is wrong with a record."""
    found = islice(validator.iter_errors(record), _TOLD_MAX + 1)
    told: dict[str, str] = {}
    first = ""
    for error in found:
        path, expected = engine.word_violation(error)
        name = _print_path(path)
        first = first or name
        told[f"field {shorten(name)}: {expected}" if path else expected] = name
    reasons = list(told)[:_TOLD_MAX]
    more = "; and more" if len(told) > _TOLD_MAX else ""
    reason = f"{'; '.join(reasons)}"[:_REASON_CHARS]
    return MappingError(f"{reason}{more}", code="schema", field=first[:_FIELD_CHARS])


_FIELD_CHARS: Final = 100


def _print_path(path: list[str | int]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def _read(node: Node, site: Site, *, refers: bool) -> Mapping[str, Json] | Invalid:
    if not isinstance(node, Fields):
        return site.expected(node, "a JSON Schema, an object")
    told = len(site.problems.found)
    schema: Mapping[str, Json] = to_json(node)
    _tell_violations(schema, node, site)
    if len(site.problems.found) == told:
        Walk(refers=refers).tell_flaws(node, site)
    if len(site.problems.found) == told:
        try:
            engine.compile_schema(schema)
        except ValueError:
            site.refuse(node.position, CODE, f"{site.name} cannot be used as a JSON Schema")
    return schema if len(site.problems.found) == told else INVALID


def _tell_violations(schema: Json, node: Node, site: Site) -> None:
    told: set[tuple[object, str]] = set()
    for error in engine.find_violations(schema):
        path, expected = engine.word_violation(error)
        place, at = _find(node, site, path)
        message = f"{at.name}: {expected}"
        if (place.position, message) not in told:
            told.add((place.position, message))
            site.refuse(place.position, CODE, message)


def _find(node: Node, site: Site, path: list[str | int]) -> tuple[Node, Site]:
    for step in path:
        if isinstance(node, Fields) and step in node.entries:
            node, site = node.entries[str(step)], site.key(str(step))
        elif isinstance(node, Items):
            node, site = node.items[int(step)], site.item(int(step))
    return node, site


_OPENING: Final = ("patternProperties", "unevaluatedProperties", "$ref", "allOf", "anyOf", "oneOf")
