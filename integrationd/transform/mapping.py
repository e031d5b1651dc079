"""Mappings: a provider's record to an entity, one compiled function over each record."""

from __future__ import annotations

import re
from collections import abc
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Final, Self, TypeAlias

from integrationd.config.decode import Invalid, Keys, Marked, Site, decode_fields
from integrationd.config.nodes import Fields, Node, Position
from integrationd.config.problems import nearest, shorten
from integrationd.config.sites import OWN, Written
from integrationd.errors import ExpressionError, MappingError
from integrationd.model.json import Json
from integrationd.transform.clean import Clean, Cleaning, Region, Tally, UnfitError
from integrationd.transform.convert import Convert, FieldType, converter
from integrationd.transform.expression import Expression, compile_fields
from integrationd.transform.lookup import FACTS, LookUp
from integrationd.transform.scopes import Reference, Scope, Variables
from integrationd.transform.times import TimeNotation, as_notations
from integrationd.transform.zones import Zone

VARIABLES: Final = Scope(("config", "each", "lookups"))
"""What ``var()`` may name inside a mapping."""
FIELD_NAME: Final = Keys(
    r"[a-z][a-z0-9_]{0,62}", "small letters, digits and underscores, as in call_number"
)

LOOKUPS: Final = "lookups"
CUSTOM: Final = "custom"
"""Under this name a record holds the fields that its tenant added."""

MapRecord: TypeAlias = Callable[[Json, Variables, Tally], dict[str, Json]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of several possible values; the first whose condition holds is taken."""

    when: Annotated[Expression | None, VARIABLES] = None
    """Always holds where it is left out."""
    value: Annotated[Expression, VARIABLES]
    """What the field becomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """How one field comes about: read or choose, clean, translate, convert, fill."""

    FORM: ClassVar[Written] = Written((Expression, OWN))

    path: Annotated[Expression | None, VARIABLES] = None
    """The value, read from the record."""
    first: tuple[Choice, ...] | None = None
    """The value, chosen."""
    clean: Cleaning | None = None
    """What is done to texts first: ``[trim, nfc]``. What cannot be made fit becomes null."""
    map: abc.Mapping[str, Json] | None = None
    """Other values for some, by their text: ``{true: expired, "0": active}``."""
    type: FieldType | None = None
    """What the value is made into; left as it is without."""
    format: TimeNotation | tuple[TimeNotation, ...] | None = None
    """How a ``datetime`` or a ``date`` is written where it is not ISO 8601: ``unix``, ``unix_ms``,
    ``rfc2822``, ``dotnet`` (``/Date(…)/``), a pattern such as ``%d/%m/%Y %H:%M``, or a list."""
    timezone: Zone | None = None
    """Of a ``datetime`` that names none, ``Europe/Berlin``; it stays without otherwise."""
    default: Json = None
    """Stands where the value is null or not among ``map``."""
    position: Position | None = field(default=None, compare=False)

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Self | Invalid:
        """Read an expression alone, or an object."""
        if isinstance(node, Fields):
            return decode_fields(node, cls, site)
        path = Expression.decode_node(node, site.noted(VARIABLES))
        return path if isinstance(path, Invalid) else cls(path=path, position=node.position)

    @property
    def needs_region(self) -> bool:
        """Tell whether what it gives depends on the country of a telephone number."""
        return self.clean is not None and self.clean.needs_region

    @property
    def needs_zone(self) -> bool:
        """Tell whether it reads times that may name no zone."""
        return self.type is FieldType.DATETIME and self.timezone is None

    def bound(self, region: Region) -> FieldRule:
        """Return the rule for telephone numbers of a country."""
        return self if self.clean is None else replace(self, clean=self.clean.bound(region))

    @property
    def references(self) -> tuple[Reference, ...]:
        """Return what ``var()`` names in it."""
        paths = [] if self.path is None else [self.path]
        for choice in self.first or ():
            paths += [choice.value] if choice.when is None else [choice.when, choice.value]
        return tuple(each for path in paths for each in path.references)

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a rule with two sources, or none."""
        if (self.path is None) == (not self.first):
            message = f"{site.path} needs either 'path' or 'first', and just one of them"
            return site.refuse(node.position, "E114", message)
        if self.format is not None and self.type not in (FieldType.DATETIME, FieldType.DATE):
            message = f"{site.path} has 'format', which goes with 'type: datetime' or 'date' alone"
            return site.refuse(node.key_position("format"), "E114", message)
        if self.timezone is not None and self.type is not FieldType.DATETIME:
            message = f"{site.path} has 'timezone', which goes with 'type: datetime' alone"
            return site.refuse(node.key_position("timezone"), "E114", message)
        return None

    def converter(self) -> Convert | None:
        """Return what makes a value into the field's type; None where it stays as it is."""
        if self.type is None:
            return None
        zone = None if self.timezone is None else self.timezone.info
        return converter(self.type, as_notations(self.format), zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """A file that begins with ``mapping``."""

    entity: Marked | None = None
    """The shape that records become; by default one of the stream's own."""
    lookups: Annotated[abc.Mapping[str, LookUp], FIELD_NAME] = field(default_factory=dict)
    """What is looked up among the stored records, once for each page: ``var('lookups.NAME.id')``
    is the internal id, and there are ``external_id``, ``data`` and ``deleted``."""
    fields: Annotated[abc.Mapping[str, FieldRule], FIELD_NAME]
    """An expression, or a rule, for each field of the entity."""
    required: tuple[Marked, ...] = ()
    """Fields without which a record goes to quarantine."""
    custom: abc.Mapping[str, FieldRule] = field(default_factory=dict, metadata={"internal": True})
    """Fields that the tenant added; they stand under ``custom``, where they have a value."""
    compiled: list[MapRecord] = field(
        default_factory=list, compare=False, repr=False, metadata={"internal": True}
    )
    memo: dict[str, Any] = field(
        default_factory=dict, compare=False, repr=False, metadata={"internal": True}
    )
    """What was worked out of it once: many integrations may use one mapping."""

    @property
    def references(self) -> tuple[Reference, ...]:
        """Return what ``var()`` names anywhere in it."""
        found: tuple[Reference, ...] | None = self.memo.get("references")
        if found is None:
            named = [rule.references for _, rule in self.rules()]
            named += [lookup.references for lookup in self.lookups.values()]
            found = tuple(each for references in named for each in references)
            self.memo["references"] = found
        return found

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
        for reference in self.references:
            if reference.path[0] == LOOKUPS:
                told = self._check_reference(reference, site) or told
        return told

    def _check_reference(self, reference: Reference, site: Site) -> Invalid | None:
        """Refuse a look-up that is not declared, and what a look-up does not find."""
        known: abc.Collection[str] = self.lookups
        for depth, name in enumerate(reference.path[1:3], start=1):
            if name not in known:
                place = ".".join(reference.path[:depth])
                used = f"{place}.{name}"
                message = f"{used!r} is used here but not declared under {place!r}"
                if depth > 1:
                    message = f"{used!r} is used here, but a look-up finds {', '.join(FACTS)}"
                hint = nearest(name, known).partition("; known here")[0]
                return site.refuse(reference.position, "E204", f"{message}{hint}")
            known = FACTS
        return None

    def rules(self) -> abc.Iterator[tuple[str, FieldRule]]:
        """Yield every rule with the path of its field, ``title`` or ``custom.house``."""
        yield from self.fields.items()
        yield from ((f"{CUSTOM}.{name}", rule) for name, rule in self.custom.items())

    def overlaid(
        self, fields: abc.Mapping[str, FieldRule], custom: abc.Mapping[str, FieldRule]
    ) -> Mapping:
        """Return the mapping with some fields replaced or added, and a tenant's own."""
        together = {**self.fields, **fields}
        return replace(self, fields=together, custom=custom, compiled=[], memo={})

    def bound(self, region: Region) -> Mapping:
        """Return the mapping where telephone numbers that do not say their country are of one."""
        if not any(rule.needs_region for _, rule in self.rules()):
            return self
        return self._changed(lambda rule: rule.bound(region))

    def in_zone(self, zone: Zone) -> Mapping:
        """Return the mapping where times that name no zone are of one."""
        if not any(rule.needs_zone for _, rule in self.rules()):
            return self
        return self._changed(lambda rule: replace(rule, timezone=zone) if rule.needs_zone else rule)

    def _changed(self, change: Callable[[FieldRule], FieldRule]) -> Mapping:
        fields, custom = (
            {name: change(rule) for name, rule in rules.items()}
            for rules in (self.fields, self.custom)
        )
        return replace(self, fields=fields, custom=custom, compiled=[], memo={})

    def apply(
        self, record: Json, variables: Variables, tally: Tally | None = None
    ) -> dict[str, Json]:
        """Map one record.

        Args:
            record: As the source gave it, or as an application did.
            variables: What ``var()`` reads.
            tally: Counts what cleaning changed.

        Raises:
            MappingError: A field could not be read or converted, or a required one is null.
        """
        if not self.compiled:
            self.compiled.append(_compile_all(self))
        return self.compiled[0](record, variables, tally or Tally())


def _compile_all(mapping: Mapping) -> MapRecord:
    own = _compile(mapping.fields, tuple(mapping.required), "")
    if not mapping.custom:
        return own
    inner = _compile(mapping.custom, (), f"{CUSTOM}.")

    def apply(record: Json, variables: Variables, tally: Tally) -> dict[str, Json]:
        entity = own(record, variables, tally)
        added = inner(record, variables, tally)
        entity[CUSTOM] = {name: value for name, value in added.items() if value is not None}
        return entity

    return apply


def _compile(
    rules: abc.Mapping[str, FieldRule], required: tuple[str, ...], prefix: str
) -> MapRecord:
    paths = {name: rule.path for name, rule in rules.items() if rule.path is not None}
    read = compile_fields(paths)
    choices = {name: rule.first for name, rule in rules.items() if rule.first is not None}
    cleaners = [(name, rule.clean.compile()) for name, rule in rules.items() if rule.clean]
    after = [(name, _after(rule)) for name, rule in rules.items() if _has_after(rule)]

    def apply(record: Json, variables: Variables, tally: Tally) -> dict[str, Json]:
        try:
            entity = read(record, variables)
            for name, options in choices.items():
                entity[name] = _choose(options, record, variables)
        except ExpressionError:
            raise _blame(rules, prefix, record, variables) from None
        unfit = _clean(entity, cleaners, tally) if cleaners else _NONE_UNFIT
        for name, change in after:
            try:
                entity[name] = change(entity[name])
            except ValueError as wrong:
                raise _wrong(f"{prefix}{name}", str(wrong), "type") from None
        for name in required:
            if entity[name] is None:
                raise _missing(name, unfit.get(name))
        return entity

    return apply


def _clean(
    entity: dict[str, Json], cleaners: list[tuple[str, Clean]], tally: Tally
) -> abc.Mapping[str, str]:
    """Clean some fields in place; return why those are null that could not be made fit."""
    unfit = _NONE_UNFIT
    for name, clean in cleaners:
        value = entity[name]
        if value is not None:
            try:
                entity[name] = clean(value, tally)
            except UnfitError as wrong:
                entity[name] = None
                tally.dropped += 1
                unfit = {**unfit, name: str(wrong)}
    return unfit


def _wrong(name: str, reason: str, code: str) -> MappingError:
    return MappingError(f"field {name!r}: {reason}", code=code, field=name)


def _missing(name: str, unfit: str | None) -> MappingError:
    if unfit is not None:
        return _wrong(name, unfit, "clean")
    return MappingError(f"field {name!r} is required and null", code="required", field=name)


_NONE_UNFIT: Final[abc.Mapping[str, str]] = {}


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
    convert = rule.converter()
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


def _blame(
    rules: abc.Mapping[str, FieldRule], prefix: str, record: Json, variables: Variables
) -> MappingError:
    """Find the field whose expression failed, by evaluating one after the other."""
    for name, rule in rules.items():
        try:
            if rule.path is not None:
                rule.path.search(record, variables)
            elif rule.first is not None:
                _choose(rule.first, record, variables)
        except ExpressionError as wrong:
            return _wrong(f"{prefix}{name}", str(wrong), "expression")
    return MappingError("the record cannot be mapped", code="expression")
