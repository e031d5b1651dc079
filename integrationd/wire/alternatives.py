"""Several ways in which a sender may prove itself, any of which is enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar, Final

from typing_extensions import override

from integrationd.config.decode import INVALID, Invalid, Kinds, Site
from integrationd.config.nodes import Fields
from integrationd.errors import SignatureError
from integrationd.model.json import Json
from integrationd.wire import verify
from integrationd.wire.inbound.checks import Demands
from integrationd.wire.inbound.fetched import NOTHING, Fetched, UnknownKeyError
from integrationd.wire.messages import Call, Request
from integrationd.wire.verify.verifier import Verifier


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOfVerifier(Demands):
    """Accept what one of several ways accepts, in their order; the first one signs.

    For a sender that is changing its way, or that signs one of several addresses. A call that
    ``when`` of an alternative rules out is not looked at by it.
    """

    kind: ClassVar[str] = "any_of"

    of: Annotated[tuple[Verifier, ...], Kinds(verify.KINDS)]
    """The ways, each any other kind."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a choice among nothing."""
        if self.of:
            return None
        message = f"{site.path}.of is empty, expected a kind of signature for each way"
        site.refuse(node.entries["of"].position, "E102", message)
        return INVALID

    @property
    @override
    def covers_body(self) -> bool:
        """Tell whether every way refuses another body."""
        return all(way.covers_body for way in self.of)

    @override
    def addresses(self, call: Call, variables: Mapping[str, Json]) -> tuple[str, ...]:
        """Return what the ways need; of one that refuses the call nothing."""
        found: list[str] = []
        if not self.may_hold(call):
            return ()
        for way in self.of:
            try:
                found += way.addresses(call, variables)
            except SignatureError:
                continue
        return tuple(dict.fromkeys(found))

    def verify(
        self,
        call: Call,
        variables: Mapping[str, Json],
        now: datetime,
        fetched: Fetched = NOTHING,
    ) -> None:
        """Return when one of the ways accepts the call.

        Raises:
            UnknownKeyError: None does, and a key set that was fetched may be too old.
            SignatureError: None does; with the reason of each.
            SecretError: A key of one of them is missing: the endpoint stays closed.
        """
        self.demand(call, variables)
        reasons, unknown = [], None
        for way in self.of:
            try:
                way.verify(call, variables, now, fetched)
            except SignatureError as refused:
                reasons.append(str(refused))
                unknown = refused if isinstance(refused, UnknownKeyError) else unknown
            else:
                return
        if unknown is not None:
            raise unknown  # newer keys may let it pass
        raise SignatureError("; nor: ".join(dict.fromkeys(reasons)))

    def sign(
        self, request: Request, body: bytes, variables: Mapping[str, Json], now: datetime
    ) -> Request:
        """Return the request as the first way signs it; raises SecretError where it cannot."""
        return self.of[0].sign(request, body, variables, now)


VERIFY_KINDS: Final = (*verify.KINDS, AnyOfVerifier)
"""All that may stand under ``verify``."""
