"""What an HMAC and a plain hash share: a digest that both sides can make."""

from __future__ import annotations

import hmac
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from typing_extensions import override

from integrationd.config.decode import INVALID, Invalid, OfClass, Site
from integrationd.config.nodes import Fields
from integrationd.errors import SecretError, SignatureError
from integrationd.model.json import Json
from integrationd.transform.scopes import Scope
from integrationd.wire.inbound.candidates import Signature
from integrationd.wire.inbound.fetched import NOTHING, Fetched
from integrationd.wire.inbound.keys import SharedKeys
from integrationd.wire.inbound.sending import as_call, prepare
from integrationd.wire.inbound.signed import Signed, check_time, covers, covers_body
from integrationd.wire.inbound.times import Timestamp
from integrationd.wire.inbound.values import OVER_A_CALL
from integrationd.wire.messages import Call, Request
from integrationd.wire.places import Place, Root


@dataclass(frozen=True, slots=True, kw_only=True)
class Digested(SharedKeys):
    """A digest that is made of a call and a secret, and compared with what the call says."""

    scope: ClassVar[Scope] = OVER_A_CALL

    signature: Signature
    """Where the signature stands."""
    timestamp: Timestamp | None = None
    """Where the time stands at which it was signed, and how old it may be."""
    signed: Annotated[Signed | None, OfClass("scope")] = None
    """What is signed, byte for byte: the body, unless it is said; a template such as
    ``"{{ timestamp }}.{{ body }}"``, fields, or a list of both. There are ``method``, ``url`` (the
    public one with its query), ``path``, ``query``, ``headers``, ``form``, ``body`` (the bytes),
    ``json`` (what they hold), ``timestamp`` and ``config``."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse what could never verify."""
        valid = not self.tell_empty(node, site)
        for place in self.signature.places:
            if place.root in (Root.JSON, Root.FORM) and covers(self.signed, "body"):
                told = _inside(site, place)
                valid = site.refuse(node.entries["signature"].position, "E114", told) is None
        places = () if self.timestamp is None else self.timestamp.places
        valid = check_time(self.signed, places, node, site) and valid
        return None if valid else INVALID

    @property
    @override
    def covers_body(self) -> bool:
        """Tell whether the body as a whole is among what is signed."""
        return covers_body(self.signed)

    def verify(
        self,
        call: Call,
        variables: Mapping[str, Json],
        now: datetime,
        fetched: Fetched = NOTHING,
    ) -> None:
        """Return when a signature of the call fits what is signed.

        Raises:
            SignatureError: There is no usable signature, none fits, the time is too far off, or
                something else is not as it has to be.
            SecretError: A key is empty: the endpoint stays closed, as anybody could sign.
        """
        _ = fetched
        keys = self.read_keys(call, variables, now)
        timestamp = None if self.timestamp is None else self.timestamp.read(call, now)
        self.demand(call, variables, timestamp)
        name = self.digest_of(call)
        expected = [self.digest(name, key, call, variables, timestamp) for key in keys]
        matches = False
        for candidate in self.signature.read_candidates(call, name, len(expected[0])):
            for digest in expected:
                # Every pair is compared, so that time tells nothing of which one fits.
                matches |= hmac.compare_digest(candidate, digest)
        if not matches:
            what = "the body" if self.signed is None else "what is signed"
            message = f"no signature in {self.signature.shown} fits {what}"
            raise SignatureError(f"{message}; another key, or {what} was changed on its way")

    def sign(
        self, request: Request, body: bytes, variables: Mapping[str, Json], now: datetime
    ) -> Request:
        """Return the request as the sender would sign it with its newest key.

        Raises:
            SecretError: A key is empty, or something that is signed is missing.
        """
        key = self.read_keys(None, variables, now)[0]
        request, written = prepare(request, body, self.signed, self.timestamp, now)
        call = as_call(request, body)
        try:
            digest = self.digest(self.digest_of(call), key, call, variables, written)
        except SignatureError as wrong:
            raise SecretError(str(wrong)) from None
        return self.signature.put(request, self.signature.encoding.write(digest))

    @abstractmethod
    def digest_of(self, call: Call) -> str:
        """Return hashlib's name of the digest; raises SignatureError where the call names none."""

    @abstractmethod
    def digest(
        self,
        name: str,
        key: bytes,
        call: Call,
        variables: Mapping[str, Json],
        timestamp: str | None,
    ) -> bytes:
        """Return the digest that a call has under a key."""


def _inside(site: Site, place: Place) -> str:
    return (
        f"{site.path}.signature stands in the body ({place}), which is signed as a whole; say with "
        "'signed' what is"
    )
