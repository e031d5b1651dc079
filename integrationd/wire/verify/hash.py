"""A plain digest over a text that has the secret in it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from typing_extensions import override

from integrationd.config.decode import INVALID, Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.transform.scopes import Scope
from integrationd.wire import signable
from integrationd.wire.inbound import signed
from integrationd.wire.inbound.choice import Named, pick
from integrationd.wire.inbound.digested import Digested
from integrationd.wire.inbound.signed import covers
from integrationd.wire.inbound.values import WITH_KEY
from integrationd.wire.messages import Call


class Algorithm(StrEnum):
    """The digest."""

    SHA256 = "sha256"
    SHA1 = "sha1"
    SHA512 = "sha512"
    MD5 = "md5"
    """Broken, and still the default of some senders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmOfCall(Named):
    """The digest that a call names, of those that are allowed."""

    map: Mapping[str, Algorithm]
    """What the call's words stand for; any other is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HashVerifier(Digested):
    """Accept what has the digest of a text in which the secret stands, as ``{{ key }}``.

    It is no HMAC, and weaker; for senders that have nothing else. Cloudinary's:

        verify:
          type: hash
          algorithm: sha1
          keys: ["{{ secrets.api_secret }}"]
          timestamp: {from: header.x-cld-timestamp, tolerance: 2h}
          signature: {from: header.x-cld-signature}
          signed: "{{ body }}{{ timestamp }}{{ key }}"

    Source:
        Cloudinary, "Verifying notification signatures"; HubSpot, "Validating requests", v1 and v2;
        Vonage, "Signing messages", md5hash.
    """

    kind: ClassVar[str] = "hash"
    scope: ClassVar[Scope] = WITH_KEY

    algorithm: Algorithm | AlgorithmOfCall = Algorithm.SHA256
    """The digest, or ``{from: PLACE, map: {…}}`` where the call names it."""

    @override
    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a text without the secret: anybody could hash it."""
        valid = Digested.check(self, node, site) is None
        if not covers(self.signed, "key"):
            message = (
                f"{site.path}.signed does not use 'key', so that anybody could make the hash; "
                'expected a template such as "{{ body }}{{ key }}"'
            )
            valid = site.refuse(node.position, "E102", message) is None and valid
        return None if valid else INVALID

    @override
    def digest_of(self, call: Call) -> str:
        """Return the digest."""
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
        """Return the digest of what is signed, the key among it."""
        known = {
            "config": variables.get("config", {}),
            "key": Secret(signable.as_text(key)),
        }
        text = signed.build(self.signed, call, known, timestamp)
        return hashlib.new(name, text, usedforsecurity=False).digest()
