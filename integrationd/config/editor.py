"""JSON Schema for editors, of the forms that the parser reads: what they can know, they show.

A schema knows less than ``check`` does: neither expressions, nor names in other files, nor which
of two fields exclude each other. It never refuses what ``check`` takes.

Source:
    JSON Schema 2020-12; yaml-language-server and VS Code read it up to draft 2019-09, so only
    words are used that all of them know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from integrationd.config.forms import (
    AnyForm,
    Described,
    Form,
    KindsForm,
    ListForm,
    MapForm,
    NamedForm,
    ObjectForm,
    PartForm,
    Row,
    Table,
)
from integrationd.config.sites import Keys, Leaf
from integrationd.model.json import Json

DIALECT: Final = "http://json-schema.org/draft-07/schema#"
Schema: TypeAlias = dict[str, Json]
Manner = Literal["whole", "part"]
"""``part`` is laid over something else: nothing is required, and null removes."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Prints forms as JSON Schema; the tables become ``definitions``."""

    described: Described

    def definitions(self) -> Schema:
        """Return every table, once as a whole and once as a part."""
        return {
            _name(table, manner): self.table(table, manner)
            for table in self.described.tables.values()
            for manner in ("whole", "part")
        }

    def form(self, form: Form, manner: Manner) -> Schema:
        """Return the schema of one form."""
        match form:
            case Leaf():
                return dict(form.schema)
            case ListForm():
                return {"type": "array", "items": self.form(form.item, "whole")}
            case MapForm():
                return _map(form.keys, self.form(form.value, manner), manner)
            case AnyForm():
                return {"anyOf": [self.form(option, manner) for option in form.options]}
            case ObjectForm() | PartForm():
                own = "part" if isinstance(form, PartForm) else manner
                return _refer(self.described.tables[form.table], own)
            case KindsForm() | NamedForm():
                return self._alternatives(form, manner)

    def table(self, table: Table, manner: Manner) -> Schema:
        """Return the schema of an object of known fields."""
        schema: Schema = {
            "type": "object",
            "description": table.text,
            "properties": {row.key: self._row(row, manner) for row in table.rows},
            "additionalProperties": False,
        }
        required = [row.key for row in table.rows if row.required]
        return {**schema, "required": required} if required and manner == "whole" else schema

    def _row(self, row: Row, manner: Manner) -> Schema:
        schema = self.form(row.form, manner)
        if manner == "part" or row.default is None or row.nullable:
            schema = {"anyOf": [schema, {"type": "null"}]} if schema else schema
        return {**schema, "description": row.text} if row.text else schema

    def _alternatives(self, form: KindsForm | NamedForm, manner: Manner) -> Schema:
        return self._kinds(form, manner) if isinstance(form, KindsForm) else self._named(form)

    def _kinds(self, form: KindsForm, manner: Manner) -> Schema:
        """Return the object of a kind behind its ``type``, or the bare name of one."""
        tables = {kind: self.described.tables[name] for kind, name in form.tables.items()}
        keys = sorted({row.key for table in tables.values() for row in table.rows})
        named: Schema = {
            "type": "object",
            "properties": {"type": {"enum": list(tables)}, **dict.fromkeys(keys, True)},
            "additionalProperties": False,
            "allOf": [self._kind(kind, table, manner) for kind, table in tables.items()],
        }
        if manner == "whole":
            named["required"] = ["type"]
        alone = [kind for kind, table in tables.items() if not _needs(table)]
        return {"anyOf": [{"enum": alone}, named]} if alone else named

    def _named(self, form: NamedForm) -> Schema:
        """Return the bare names, and an object for each that takes a value."""
        tables = {kind: self.described.tables[name] for kind, name in form.tables.items()}
        alone = [kind for kind, table in tables.items() if not _needs(table)]
        taking = [_refer(table, "whole") for table in tables.values() if table.rows]
        return {"anyOf": [{"enum": alone}, *taking]}

    def _kind(self, kind: str, table: Table, manner: Manner) -> Schema:
        held = self.table(table, manner)
        held["properties"] = {"type": True, **held["properties"]}
        condition = {"properties": {"type": {"const": kind}}, "required": ["type"]}
        return {"if": condition, "then": held}


def _needs(table: Table) -> bool:
    return any(row.required for row in table.rows)


def _name(table: Table, manner: Manner) -> str:
    return table.name if manner == "whole" else f"{table.name}.part"


def _refer(table: Table, manner: Manner) -> Schema:
    return {"allOf": [{"$ref": f"#/definitions/{_name(table, manner)}"}]}


def _map(keys: Keys | None, value: Schema, manner: Manner) -> Schema:
    if manner == "part":
        value = {"anyOf": [value, {"type": "null"}]}
    schema: Schema = {"type": "object", "additionalProperties": value}
    if keys is None:
        return schema
    # Editors' regular expressions know no flags inside; only a name in capitals is not warned of.
    pattern = keys.pattern.replace("(?i:", "(?:")
    return {**schema, "propertyNames": {"pattern": f"^(?:{pattern})$"}}
