"""Parameters as templates: how lists and objects of each are written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from integrationd.importers.openapi.calls import Call, Parameter
from integrationd.importers.openapi.document import Spot
from integrationd.importers.openapi.shapes import Shape, Shapes, to_nullable
from integrationd.model.json import Json

_SEPARATORS: Final = {
    "csv": ",",
    "ssv": " ",
    "tsv": "\t",
    "pipes": "|",
    "spaceDelimited": " ",
    "pipeDelimited": "|",
    "simple": ",",
    "form": ",",
}
_LEVELS: Final = (1, 2, 3, 4, 6)


@dataclass(slots=True)
class Encoding:
    """What ``encode`` says of one call."""

    said: dict[str, str] = field(default_factory=dict)

    def take_deep(self) -> None:
        """Write objects in brackets, and lists with their numbers in them."""
        self.said.update(objects="brackets", lists="indexed")

    def omit_nulls(self) -> None:
        """Leave out members of a JSON body that are null."""
        self.said["nulls"] = "omit"


def write_value(
    call: Call, parameter: Parameter, variable: str, shapes: Shapes, encoding: Encoding
) -> str:
    """Return the template of a parameter.

    Args:
        call: Whose it is.
        parameter: Which one.
        variable: What stands for its value, ``input.tags``.
        shapes: Who reads schemas.
        encoding: How the call writes values.
    """
    shape = shapes.read(parameter.schema)
    spot, old = parameter.spot, parameter.spot.document.is_old
    style = spot.text("collectionFormat") or "csv" if old else spot.text("style") or "form"
    plain = f"{{{{ {variable} }}}}"
    if parameter.is_json or shape.types <= {"string", "integer", "number", "boolean"}:
        return plain
    if style == "deepObject":
        encoding.take_deep()
        return plain
    if "array" in shape.types:
        explode = spot.value("explode")
        if style == "multi" or (
            style == "form" and parameter.place == "query" and explode is not False
        ):
            return plain
        separator = _SEPARATORS.get(style, ",")
        joined = f"{variable} | join({separator!r})"
        return f"{{{{ {joined} if {variable} is not none else none }}}}"
    if "object" in shape.types:
        call.lose(spot, f"the object {parameter.name!r} in this style, {style}, is sent as JSON")
    return plain


def input_schema(
    shapes: Shapes, schema: Spot | None, *, budget: int, about: str = ""
) -> dict[str, Json]:
    """Return what an operation's input is, as deep as fits."""
    made = shapes.schema(schema, 0) or {}
    for depth in _LEVELS:
        deeper = shapes.schema(schema, depth, budget)
        if deeper is None:
            break
        made = deeper
    return {**made, "description": about} if about else made


def to_optional(schema: dict[str, Json]) -> dict[str, Json]:
    """Return a schema of what may be left out, and is null then."""
    return {**to_nullable(schema), "default": None}


def to_fixed(schema: dict[str, Json], shape: Shape) -> dict[str, Json] | None:
    """Return a schema with its only value as the default; None where there are several."""
    values = shape.facts.get("enum")
    if isinstance(values, list) and len(values) == 1 and "enum" in schema:
        return {**schema, "default": values[0]}
    return None


def count(value: Json) -> int:
    """Return how many values there are in a value."""
    if isinstance(value, dict):
        return 1 + sum(map(count, value.values()))
    return 1 + sum(map(count, value)) if isinstance(value, list) else 1
