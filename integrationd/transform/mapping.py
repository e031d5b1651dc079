"""Mappings: a provider's record to an entity, one compiled function over each record."""

from __future__ import annotations

import re
from collections import abc
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Self

from integrationd.config.decode import Invalid, Keys, Marked, Site, decode_fields
from integrationd.config.nodes import Fields, Node
from integrationd.config.problems import nearest, shorten
from integrationd.config.sites import OWN, Written
from integrationd.errors import ExpressionError, MappingError
from integrationd.model.json import Json
from integrationd.transform.convert import Convert, FieldType, TimeFormat, converter
from integrationd.transform.expression import Expression, compile_fields
from integrationd.transform.scopes import Scope

VARIABLES: Final = Scope(("config", "each", "lookups"))
"""What ``var()`` may name inside a mapping."""
FIELD_NAME: Final = Keys(
    r"[a-z][a-z0-9_]{0,62}", "small letters, digits and underscores, as in call_number"
)

Variables = abc.Mapping[str, Json]
MapRecord = Callable[[Json, Variables], dict[str, Json]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of several possible values; the first whose condition holds is taken."""

    when: Annotated[Expression | None, VARIABLES] = None
    """Always holds where it is left out."""
    value: Annotated[Expression, VARIABLES]
    """What the field becomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """How one field comes about: read, choose, translate, convert, fill."""

    FORM: ClassVar[Written] = Written((Expression, OWN))

    path: Annotated[Expression | None, VARIABLES] = None
    """The value, read from the record."""
    first: tuple[Choice, ...] | None = None
    """The value, chosen."""
    map: abc.Mapping[str, Json] | None = None
    """Other values for some, by their text: ``{true: expired, "0": active}``."""
    type: FieldType | None = None
    """What the value is made into; left as it is without."""
    format: TimeFormat | None = None
    """How a ``datetime`` is written where it is not ISO 8601."""
    default: Json = None
    """Stands where the value is null or not among ``map``."""

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Self | Invalid:
        """Read an expression alone, or an object."""
        if isinstance(node, Fields):
            return decode_fields(node, cls, site)
        path = Expression.decode_node(node, site.noted(VARIABLES))
        return path if isinstance(path, Invalid) else cls(path=path)

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a rule with two sources, or none."""
        if (self.path is None) == (not self.first):
            message = f"{site.path} needs either 'path' or 'first', and just one of them"
            return site.refuse(node.position, "E114", message)
        if self.format is not None and self.type is not FieldType.DATETIME:
            message = f"{site.path} has 'format', which goes with 'type: datetime' alone"
            return site.refuse(node.key_position("format"), "E114", message)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """A file that begins with ``mapping``."""

    entity: Marked | None = None
    """The shape that records become; by default one of the stream's own."""
    fields: Annotated[abc.Mapping[str, FieldRule], FIELD_NAME]
    """An expression, or a rule, for each field of the entity."""
    required: tuple[Marked, ...] = ()
    """Fields without which a record goes to quarantine."""
    compiled: list[MapRecord] = field(
        default_factory=list, compare=False, repr=False, metadata={"internal": True}
    )

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse required fields that are not mapped, and an entity without a proper name."""
        _ = node
        told: Invalid | None = None
        if self.entity is not None and not re.fullmatch(FIELD_NAME.pattern, self.entity):
            what = "small letters, digits and underscores, as in menu_item"
            message = f"entity is {shorten(str(self.entity))}, expected {what}"
            told = site.refuse(self.entity.position, "E109", message)
        for name in self.required:
            if name not in self.fields:
                message = f"required names {str(name)!r}, which is not among the fields"
                hint = nearest(name, self.fields)
                told = site.refuse(name.position, "E302", f"{message}{hint}")
        return told

    def apply(self, record: Json, variables: Variables) -> dict[str, Json]:
        """Map one record.

        Raises:
            MappingError: A field could not be read or converted, or a required one is null.
        """
        if not self.compiled:
            self.compiled.append(_compile(self))
        return self.compiled[0](record, variables)


def _compile(mapping: Mapping) -> MapRecord:
    paths = {name: rule.path for name, rule in mapping.fields.items() if rule.path is not None}
    read = compile_fields(paths)
    choices = {name: rule.first for name, rule in mapping.fields.items() if rule.first is not None}
    after = [(name, _after(rule)) for name, rule in mapping.fields.items() if _has_after(rule)]
    required = tuple(mapping.required)

    def apply(record: Json, variables: Variables) -> dict[str, Json]:
        try:
            entity = read(record, variables)
            for name, options in choices.items():
                entity[name] = _choose(options, record, variables)
        except ExpressionError:
            raise _blame(mapping, record, variables) from None
        for name, change in after:
            try:
                entity[name] = change(entity[name])
            except ValueError as wrong:
                raise MappingError(f"field {name!r}: {wrong}", code="type", field=name) from None
        for name in required:
            if entity[name] is None:
                raise MappingError(
                    f"field {name!r} is required and null", code="required", field=name
                )
        return entity

    return apply


def _choose(options: tuple[Choice, ...], record: Json, variables: Variables) -> Json:
    for option in options:
        if option.when is None or is_true(option.when.search(record, variables)):
            return option.value.search(record, variables)
    return None


def is_true(value: Json) -> bool:
    """Tell whether JMESPath counts a value as true: zero does, empty and null do not."""
    return not (value is None or value is False or value in ("", [], {}))


def _has_after(rule: FieldRule) -> bool:
    return rule.map is not None or rule.type is not None or rule.default is not None


def _after(rule: FieldRule) -> Convert:
    translate = rule.map
    convert = None if rule.type is None else converter(rule.type, rule.format)
    default = rule.default

    def change(value: Json) -> Json:
        if translate is not None:
            value = translate.get(_as_key(value))
        if value is None:
            return default
        return value if convert is None else convert(value)

    return change


def _as_key(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | float) or (isinstance(value, int) and abs(value) < _WHOLE_MAX):
        return str(value)
    raise ValueError("expected a single value to look up in 'map'")


_WHOLE_MAX: Final = 10**100
"""Python prints no whole number of more than 4,300 digits, and no key is as long."""


def _blame(mapping: Mapping, record: Json, variables: Variables) -> MappingError:
    """Find the field whose expression failed, by evaluating one after the other."""
    for name, rule in mapping.fields.items():
        try:
            if rule.path is not None:
                rule.path.search(record, variables)
            elif rule.first is not None:
                _choose(rule.first, record, variables)
        except ExpressionError as wrong:
            return MappingError(f"field {name!r}: {wrong}", code="expression", field=name)
    return MappingError("the record cannot be mapped", code="expression")
