"""Idempotency keys: what lets a provider know a call again that it has seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, Final, Self

from integrationd.config.decode import Invalid, Site, decode_fields
from integrationd.config.nodes import Fields, Node
from integrationd.config.sites import Written
from integrationd.errors import RefusedError
from integrationd.model.json import Json
from integrationd.transform.scopes import Scope
from integrationd.transform.template import Template
from integrationd.wire import texts
from integrationd.wire.messages import Request
from integrationd.wire.places import Place, Root, Roots

DELIVERY: Final = ("id",)
"""What there is under ``delivery`` in the templates of a call."""
_PLACES: Final = Roots((Root.HEADER, Root.QUERY, Root.JSON, Root.FORM))
_MADE_OF: Final = Scope(("config", "input", "delivery"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Key:
    """Where a call's key goes, and what it is."""

    into: Annotated[Place, _PLACES]
    """Where it goes, ``header.idempotency-key``."""
    value: Annotated[Template | None, _MADE_OF] = None
    """The key: an id of the call's own by default, ``{{ delivery.id }}``, in ``steps`` with the
    step's name behind it. ``{{ input.order_id }}`` where the same order shall be known again in
    another call too."""
    keep: timedelta | None = None
    """How long the provider remembers a key. What may have been done is not sent again after
    that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKey:
    """The key of a call: a place, or an object."""

    FORM: ClassVar[Written] = Written((Place, _Key))

    into: Annotated[Place, _PLACES]
    value: Annotated[Template | None, _MADE_OF] = None
    keep: timedelta | None = None

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Self | Invalid:
        """Read a place, or an object with ``into``."""
        if isinstance(node, Fields):
            said = decode_fields(node, _Key, site)
            if isinstance(said, Invalid):
                return said
            return cls(into=said.into, value=said.value, keep=said.keep)
        into = Place.decode_node(node, site.noted(_PLACES))
        return into if isinstance(into, Invalid) else cls(into=into)

    def put(self, request: Request, variables: Mapping[str, Json], own: str) -> Request:
        """Return the request with its key.

        Args:
            request: Without one.
            variables: ``config``, ``input`` and ``delivery``.
            own: The key where ``value`` does not say another one.

        Raises:
            RefusedError: ``value`` is empty: two calls would be one to the provider.
        """
        text = own if self.value is None else self.value.render_text(variables)
        if not texts.to_text(text):
            raise RefusedError("idempotency_key.value is empty, expected a key")
        return self.into.put(request, text)
