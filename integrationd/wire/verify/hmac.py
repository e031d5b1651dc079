"""A keyed digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from typing_extensions import override

from integrationd.model.json import Json
from integrationd.wire import signing
from integrationd.wire.inbound import signed
from integrationd.wire.inbound.choice import Named, pick
from integrationd.wire.inbound.digested import Digested
from integrationd.wire.messages import Call


class Algorithm(StrEnum):
    """The digest that is keyed."""

    SHA256 = "sha256"
    SHA1 = "sha1"
    """As HMAC it still holds; some senders have no other."""
    SHA384 = "sha384"
    SHA512 = "sha512"
    MD5 = "md5"
    """As HMAC nobody has broken it yet; for senders that have nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmOfCall(Named):
    """The digest that a call names, of those that are allowed."""

    map: Mapping[str, Algorithm]
    """What the call's words stand for, ``{"1": sha256}``; any other is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HmacVerifier(Digested):
    """Accept what is signed with a shared secret: an HMAC over the body, or over what is said.

    Several signatures may stand in one header, parted by commas; any of them and any of the keys
    may match. Stripe's, with the time in the same header:

        verify:
          type: hmac
          keys: ["{{ secrets.webhook_secret }}"]
          timestamp: {from: header.stripe-signature, split: ",", key: t}
          signature: {from: header.stripe-signature, key: v1}
          signed: "{{ timestamp }}.{{ body }}"

    Source:
        RFC 2104. GitHub, Shopify, Stripe, Slack, Square, Twilio and most others sign so.
    """

    kind: ClassVar[str] = "hmac"

    algorithm: Algorithm | AlgorithmOfCall = Algorithm.SHA256
    """The digest, or ``{from: PLACE, map: {…}}`` where the call names it."""

    @override
    def digest_of(self, call: Call) -> str:
        """Return the digest that is keyed."""
        chosen = self.algorithm
        return chosen if isinstance(chosen, Algorithm) else pick(chosen, chosen.map, call)

    @override
    def digest(
        self,
        name: str,
        key: bytes,
        call: Call,
        variables: Mapping[str, Json],
        timestamp: str | None,
    ) -> bytes:
        """Return the HMAC of what is signed."""
        known = {"config": variables.get("config", {})}
        return signing.authenticate(name, key, signed.build(self.signed, call, known, timestamp))
