"""A record's schema as a mapping, and what a list can be asked for by its changes."""

from __future__ import annotations

from typing import Any, Final

from integrationd.importers.draft import MappingDraft
from integrationd.importers.guessing import CHANGED, CHANGED_FROM, find_named, squeeze
from integrationd.importers.literals import to_expression, to_member
from integrationd.importers.naming import distinct, to_word
from integrationd.importers.openapi.calls import Parameter
from integrationd.importers.openapi.lists import Listing
from integrationd.importers.openapi.shapes import Shape, Shapes
from integrationd.model.json import Json

_TYPES: Final = {"string": "text", "integer": "integer", "number": "decimal", "boolean": "boolean"}
_FORMATS: Final = {"date": "date", "date-time": "datetime"}
_SHOWN_MAX: Final = 12
_FIELDS_MAX: Final = 300


def write_mapping(
    name: str, listing: Listing, shapes: Shapes, carried: dict[str, str]
) -> MappingDraft | None:
    """Return the mapping of a list's records; None where nothing is said of them.

    Args:
        name: Of the mapping.
        listing: The list.
        shapes: Who reads schemas.
        carried: Fields that come of parents.
    """
    fields: dict[str, Json] = {}
    told: list[str] = []
    for member, spot in listing.item.properties.items():
        shape = shapes.read(spot)
        if shape.facts.get("writeOnly") is True:
            continue
        word = distinct(to_word(member, "field"), fields)
        fields[word] = _write_field(member, shape)
        told += _tell_values(word, shape)
    for word in carried:
        fields.setdefault(word, word)
    if not listing.item.properties or len(fields) > _FIELDS_MAX:
        return None
    about = [f"Made of the schema that {listing.call.title} answers with.", *told]
    return MappingDraft(name=name, fields=fields, about=about)


def _write_field(member: str, shape: Shape) -> Json:
    path = to_member(member)
    kind = _FORMATS.get(shape.format) if shape.type == "string" else None
    kind = kind or _TYPES.get(shape.type)
    return path if kind is None else {"path": path, "type": kind}


def _tell_values(word: str, shape: Shape) -> list[str]:
    """Return a line that names the values of a field, where the schema lists them."""
    values = shape.facts.get("enum")
    if not isinstance(values, list) or not values:
        return []
    shown = [str(value)[:40] for value in values if value is not None]
    more = ", …" if shown[_SHOWN_MAX:] else ""
    return [f"{word} is one of {', '.join(shown[:_SHOWN_MAX])}{more}"]


def find_incremental(
    listing: Listing, shapes: Shapes, query: dict[str, Parameter]
) -> tuple[dict[str, Any], str, str] | None:
    """Return what ``incremental`` says, the parameter that it fills in, and why; None mostly.

    Only where a parameter says by its name that it is a lower bound of changes, and the record has
    a time that is called so.
    """
    name = next((each for each in query if CHANGED_FROM.fullmatch(squeeze(each))), None)
    member = find_named(listing.item.properties, CHANGED)
    if name is None or member is None:
        return None
    bound = shapes.read(query[name].schema)
    value = shapes.read(listing.item.properties[member])
    said: dict[str, Any] = {"field": to_expression([member]), "into": f"query.{name}"}
    numbers = {"integer", "number"}
    if value.types and value.types <= numbers:
        if not bound.types <= numbers:
            return None
        said["type"] = "number"
    elif not value.types <= {"string"} or (bound.types & numbers and not bound.types & {"string"}):
        return None
    elif bound.format == "date" and value.format != "date":
        said["format"] = "date"
    return said, name, f"{name!r} asks for what changed, by {member!r} of the records"
