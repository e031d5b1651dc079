"""An entity: the common shape that many providers' records are mapped to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from integrationd.config.decode import Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.model.json import Json
from integrationd.transform.mapping import CUSTOM
from integrationd.transform.mapping import Mapping as RecordMapping
from integrationd.transform.schema.record import RecordSchema


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A file that begins with ``entity``."""

    title: str = ""
    """For people."""
    description: str = ""
    """What is one such thing, and what is not."""
    schema: RecordSchema
    """A JSON Schema (2020-12) of its records: an object, with ``properties``. A record that breaks
    it is set aside. Nothing is fetched, patterns cannot look around, formats are checked."""
    custom_fields: bool = False
    """Whether tenants may add fields of their own; a record holds them under ``custom``."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a field in the place of the tenants' own."""
        if not self.custom_fields or CUSTOM not in self.schema.properties:
            return None
        message = (
            f"schema.properties has {CUSTOM!r}, where the fields of tenants stand; rename it, or "
            "leave out custom_fields"
        )
        return site.refuse(node.key_position("schema"), "E114", message)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordShape:
    """What a stream's records become."""

    entity: str
    mapping: RecordMapping | None
    """With what the integration lays over it; without one records are kept as they came."""
    schema: RecordSchema | None
    """What they are held against, the tenant's own fields included."""


def build_schema(entity: Entity | None, custom: Mapping[str, Json]) -> RecordSchema | None:
    """Return the schema of an entity with the fields that a tenant adds; None where all goes.

    Args:
        entity: Its file; None where it has none.
        custom: Schemas by name. Each may be left out of a record, and others may not be added.
    """
    if not custom or (entity is not None and not entity.custom_fields):
        return None if entity is None else entity.schema
    own = {} if entity is None else entity.schema.schema
    added = {"type": "object", "properties": dict(custom), "additionalProperties": False}
    return RecordSchema({**own, "properties": {**own.get("properties", {}), CUSTOM: added}})
