"""RSA signatures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from typing_extensions import override

from integrationd.wire.inbound.choice import Named, pick
from integrationd.wire.inbound.public import PublicVerifier
from integrationd.wire.messages import Call
from integrationd.wire.public_keys import Family, Way


class Algorithm(StrEnum):
    """The digest that is signed."""

    SHA256 = "sha256"
    SHA1 = "sha1"
    """Broken; AWS SNS has it as version 1."""
    SHA384 = "sha384"
    SHA512 = "sha512"


class Padding(StrEnum):
    """How the digest is padded, RFC 8017."""

    PKCS1 = "pkcs1"
    PSS = "pss"
    """With a salt as long as the digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlgorithmOfCall(Named):
    """The digest that a call names, of those that are allowed."""

    map: Mapping[str, Algorithm]
    """What the call's words stand for, ``{"2": sha256}``; any other is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RsaVerifier(PublicVerifier):
    """Accept what is signed with an RSA key, known or by a certificate that the call names.

    Source:
        RFC 8017; AWS, "Verifying the signatures of Amazon SNS messages"; PayPal, "Webhooks,
        offline verification".
    """

    kind: ClassVar[str] = "rsa"

    algorithm: Algorithm | AlgorithmOfCall = Algorithm.SHA256
    """The digest, or ``{from: PLACE, map: {…}}`` where the call names it."""
    padding: Padding = Padding.PKCS1
    """``pkcs1`` or ``pss``."""

    @property
    @override
    def way_name(self) -> str:
        return self.kind

    @override
    def way(self, call: Call) -> Way:
        """Return how signatures are verified."""
        chosen = self.algorithm
        digest = chosen if isinstance(chosen, Algorithm) else pick(chosen, chosen.map, call)
        family = Family.RSA_PKCS1 if self.padding is Padding.PKCS1 else Family.RSA_PSS
        return Way(family, digest)
