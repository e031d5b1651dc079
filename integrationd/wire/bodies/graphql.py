"""``graphql:``, a query with its variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

from integrationd.config.decode import INVALID, Invalid, Site, decode_fields
from integrationd.config.nodes import Fields, Node
from integrationd.config.sites import OWN, Written
from integrationd.model.json import Json
from integrationd.transform.scopes import Reference
from integrationd.wire.bodies.json import JsonBodyTemplate
from integrationd.wire.messages import JsonBody
from integrationd.wire.parameters import Encode


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphqlTemplate:
    """A GraphQL request. Its text is constant: values go into variables, which keep their type.

    Servers report failures with status 200, so say ``errors: [{when: body.errors, then: fail}]``.
    Pages are walked by a variable: ``into: json.variables.after``.

    Source:
        GraphQL over HTTP, section 5.
    """

    FORM: ClassVar = Written((OWN,))

    query: str
    """The query or mutation, ``query ($after: String) { orders(after: $after) { … } }``."""
    variables: JsonBodyTemplate | None = None
    """A value for each variable; one that uses ``cursor`` is left out while there is none."""
    operation: str | None = None
    """Which operation is meant, where ``query`` holds several."""

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Self | Invalid:
        """Read the query, and check the names that its variables use."""
        made = decode_fields(node, cls, site)
        if isinstance(made, Invalid) or made.variables is None or not isinstance(node, Fields):
            return made
        values = node.entries["variables"]
        inside = site.key("variables").noted(*site.notes)
        if not isinstance(values, Fields):
            return site.key("variables").expected(values, "an object")
        checked = JsonBodyTemplate.decode_node(values, inside)
        return INVALID if isinstance(checked, Invalid) else made

    @property
    def references(self) -> tuple[Reference, ...]:
        """Return the variables that it uses."""
        return () if self.variables is None else self.variables.references

    def render(self, variables: Mapping[str, Json], encode: Encode) -> JsonBody:
        """Fill in values."""
        body: dict[str, Json] = {"query": self.query}
        filled = None if self.variables is None else self.variables.render(variables, encode)
        if filled is not None:
            body["variables"] = filled.value
        if self.operation is not None:
            body["operationName"] = self.operation
        return JsonBody(body)
