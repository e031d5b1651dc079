"""Where the source puts a value, as a place of ours."""

from __future__ import annotations

from typing import Final

from integrationd.importers.airbyte.parts import Part
from integrationd.importers.airbyte.scope import MISSING, Missing, Scope
from integrationd.model.json import Json
from integrationd.wire.places import Place

_ROOTS: Final = {
    "request_parameter": "query",
    "header": "header",
    "body_data": "form",
    "body_json": "json",
}


def read_place(option: Part, scope: Scope) -> str | None:
    """Return the place that a RequestOption names; None where there is none, which is told."""
    root = _ROOTS.get(option.text("inject_into"))
    path = option.get("field_path")
    name: Json | Missing = MISSING
    if path is not None:
        steps = scope.template(option, path, f"{option.path}.field_path")
        name = ".".join(map(str, steps)) if isinstance(steps, list) else MISSING
    elif option.get("field_name") is not None:
        node = option.get("field_name")
        assert node is not None
        name = scope.template(option, node, f"{option.path}.field_name")
    place = f"{root}.{name}" if root is not None and isinstance(name, str) else ""
    if "{{" in place or Place.parse(place) is None:
        option.report.lose(option.position, f"{option.path}: no place of ours is {place or name!r}")
        return None
    return place.lower() if root == "header" else place
