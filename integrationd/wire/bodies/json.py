"""``json:``, a body that is one JSON text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from integrationd.config.decode import INVALID, Invalid, Site
from integrationd.config.nodes import Fields, Node
from integrationd.config.sites import Leaf
from integrationd.model.json import Json
from integrationd.transform.printing import OMIT
from integrationd.transform.scopes import Reference
from integrationd.transform.template import JsonTemplate
from integrationd.wire.messages import JsonBody
from integrationd.wire.parameters import Encode, Nulls, waits

_LACKING: Final = object()
"""There is no body while there is no cursor, or where a template omits it."""


@dataclass(frozen=True, slots=True)
class JsonBodyTemplate:
    """A JSON body: an object whose members may be left out one by one, or any other value."""

    FORM: ClassVar[Leaf] = JsonTemplate.FORM

    members: Mapping[str, JsonTemplate] | None
    whole: JsonTemplate | None = None
    """Where the body is no object in the file."""

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Self | Invalid:
        """Read a template for each member, or one for the whole."""
        if not isinstance(node, Fields):
            whole = JsonTemplate.decode_node(node, site)
            return whole if isinstance(whole, Invalid) else cls(None, whole)
        members: dict[str, JsonTemplate] = {}
        for key, child in node.entries.items():
            member = JsonTemplate.decode_node(child, site.member(key))
            if not isinstance(member, Invalid):
                members[key] = member
        return cls(members) if len(members) == len(node.entries) else INVALID

    @property
    def references(self) -> tuple[Reference, ...]:
        """Return the variables that it uses."""
        parts = [self.whole] if self.whole is not None else (self.members or {}).values()
        return tuple(reference for part in parts for reference in part.references)

    def render(self, variables: Mapping[str, Json], encode: Encode) -> JsonBody | None:
        """Fill in values; without a cursor the members that use it are left out."""
        value = self._fill_in(variables)
        if value is _LACKING:
            return None
        return JsonBody(value if encode.nulls is Nulls.KEEP else _without_nulls(value))

    def _fill_in(self, variables: Mapping[str, Json]) -> Json:
        if self.whole is not None:
            filled = OMIT if waits(self.whole, variables) else self.whole.render_member(variables)
            return _LACKING if filled is OMIT else filled
        found = (
            (key, part.render_member(variables))
            for key, part in (self.members or {}).items()
            if not waits(part, variables)
        )
        return {key: value for key, value in found if value is not OMIT}


def _without_nulls(value: Json) -> Json:
    """Leave out the members that are null; in a list each item has its place, so nulls stay."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(item) for item in value]
    return value
