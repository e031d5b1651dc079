"""Signatures by Ed25519."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from typing_extensions import override

from integrationd.wire.inbound.public import PublicVerifier
from integrationd.wire.messages import Call
from integrationd.wire.public_keys import Family, Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Ed25519Verifier(PublicVerifier):
    """Accept what is signed with an Ed25519 key.

    Source:
        RFC 8032; Discord, "Validating Security Request Headers"; Standard Webhooks, ``v1a``.
    """

    kind: ClassVar[str] = "ed25519"

    @property
    @override
    def way_name(self) -> str:
        return self.kind

    @override
    def way(self, call: Call) -> Way:
        """Return how signatures are verified."""
        return Way(Family.ED25519)
