"""Mappings against entities: what can be known to be wrong before a record is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from integrationd.config.decode import Site
from integrationd.config.nodes import Position
from integrationd.config.problems import Problems, nearest, shorten
from integrationd.config.wording import TYPE_NAMES
from integrationd.model.json import Json
from integrationd.spec.documents import MappingDocument
from integrationd.spec.entity import RecordShape, build_schema
from integrationd.spec.settings import Tenant
from integrationd.spec.shelf import Shelf
from integrationd.spec.stream import Stream
from integrationd.transform.convert import FieldType
from integrationd.transform.mapping import CUSTOM, FieldRule
from integrationd.transform.mapping import Mapping as RecordMapping
from integrationd.transform.schema.record import RecordSchema


def check_mapping(document: MappingDocument, shelf: Shelf, problems: Problems) -> None:
    """Tell how a mapping does not fit the file of its entity."""
    fitting = _Fitting(shelf, Site(problems, ""))
    fitting.shape_of(document.mapping, "", Tenant())


@dataclass(frozen=True, slots=True)
class Shaping:
    """What an integration's streams have in common for what their records become."""

    integration: str
    tenant_name: str
    tenant: Tenant
    shelf: Shelf
    site: Site

    def build(self, name: str, stream: Stream) -> RecordShape:
        """Build what a stream's records become, and tell what of it does not fit together."""
        own = f"{self.integration}.{name}"
        found = None if stream.mapping is None else self.shelf.mapping(stream.mapping)
        if found is None:
            return RecordShape(entity=own, mapping=None, schema=None)
        mapping = found[0].mapping
        if stream.fields or stream.custom:
            mapping = mapping.overlaid(stream.fields, stream.custom)
        if self.tenant.region is not None:
            mapping = mapping.bound(self.tenant.region)
        if stream.timezone is not None:
            mapping = mapping.in_zone(stream.timezone)
        fitting = _Fitting(self.shelf, self.site, self.tenant_name)
        return fitting.shape_of(mapping, own, self.tenant)


@dataclass(frozen=True, slots=True)
class _Fitting:
    """Holds one mapping against its entity."""

    shelf: Shelf
    site: Site
    tenant_name: str = ""

    def shape_of(self, mapping: RecordMapping, own: str, tenant: Tenant) -> RecordShape:
        """Return what records become; problems are told."""
        named = mapping.entity
        name = own if named is None else str(named)
        if named is not None and self.shelf.is_broken("entity", named):
            message = f"entity {name!r} has a file with errors; mend them first"
            self.site.refuse(named.position, "E303", message)
            return RecordShape(entity=name, mapping=mapping, schema=None)
        found = self.shelf.entity(name)
        entity = None if found is None else found[0].entity
        declared = {key: each.schema for key, each in tenant.fields.get(name, {}).items()}
        takes_custom = entity is None or entity.custom_fields
        for key, rule in mapping.custom.items():
            self._check_custom(key, rule, name, declared if takes_custom else None)
        schema = build_schema(entity, declared)
        if entity is not None and named is not None:
            self._tell_misfits(mapping, entity.schema, name, named.position)
        self._tell_never(mapping.fields, schema, "", name)
        if takes_custom and declared:
            custom = RecordSchema({"properties": declared})
            self._tell_never(mapping.custom, custom, f"{CUSTOM}.", name)
        return RecordShape(entity=name, mapping=mapping, schema=schema)

    def _check_custom(
        self, key: str, rule: FieldRule, entity: str, declared: Mapping[str, Json] | None
    ) -> None:
        if declared is None:
            message = (
                f"custom field {key!r} is added to entity {entity!r}, which takes none; its file "
                "would say 'custom_fields: true'"
            )
        elif key not in declared:
            message = (
                f"custom field {key!r} is not declared; the settings would say it under "
                f"tenants.{self.tenant_name}.fields.{entity}{nearest(key, declared)}"
            )
        else:
            return
        assert rule.position is not None
        self.site.refuse(rule.position, "E306", message)

    def _tell_misfits(
        self, mapping: RecordMapping, schema: RecordSchema, entity: str, at: Position
    ) -> None:
        for key, rule in mapping.fields.items():
            if key not in schema.properties and not schema.is_open:
                assert rule.position is not None
                message = f"field {key!r} is not in entity {entity!r}"
                hint = nearest(key, schema.properties)
                self.site.refuse(rule.position, "E303", f"{message}{hint}")
        for key in schema.required:
            if key not in mapping.fields and key != CUSTOM:
                message = f"entity {entity!r} requires {key!r}, which is not among the fields"
                self.site.refuse(at, "E303", message)

    def _tell_never(
        self,
        rules: Mapping[str, FieldRule],
        schema: RecordSchema | None,
        prefix: str,
        entity: str,
    ) -> None:
        """Warn of what no record can pass with."""
        for key, rule in rules.items():
            declared = None if schema is None else schema.properties.get(key)
            if schema is None or not isinstance(declared, dict):
                continue
            for misfit in _misfits(rule, declared, schema, key):
                assert rule.position is not None
                message = f"field {prefix + key!r} {misfit}, which entity {entity!r} does not take"
                self.site.problems.add(
                    rule.position, "W504", f"{message}; such a record is set aside"
                )


def _misfits(
    rule: FieldRule, declared: Mapping[str, Json], schema: RecordSchema, key: str
) -> Iterator[str]:
    made = _type_made(rule)
    if made is not None and not _takes_type(declared, made):
        yield f"becomes {TYPE_NAMES[made]}"
        return
    for value in _constants(rule):
        if not schema.takes(key, value):
            yield f"may become {shorten(value)}"


def _type_made(rule: FieldRule) -> str | None:
    """Return the JSON type of what a rule makes, where that is known."""
    if rule.type is not None:
        return _MADE.get(rule.type, "string")
    return "string" if rule.clean is not None and rule.clean.form and rule.map is None else None


def _takes_type(declared: Mapping[str, Json], made: str) -> bool:
    types = declared.get("type", made)
    named = {types} if isinstance(types, str) else {*types}
    return bool(named & ({"integer", "number"} if made in ("integer", "number") else {made}))


def _constants(rule: FieldRule) -> Iterator[Json]:
    """Yield the single values that a rule gives whatever the record holds."""
    if rule.default is not None and not isinstance(rule.default, dict):
        yield rule.default
    if rule.type is not None:
        return
    if rule.map is not None:
        yield from (value for value in rule.map.values() if value is not None)
    elif rule.clean is None:
        values = (option.value.constant for option in rule.first or ())
        yield from (value for value in values if isinstance(value, str | int | float | bool))


_MADE: Final[Mapping[FieldType, str]] = {
    FieldType.INTEGER: "integer",
    FieldType.NUMBER: "number",
    FieldType.BOOLEAN: "boolean",
}
"""All others become text."""
