"""Signatures by elliptic curves."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from typing_extensions import override

from integrationd.wire.inbound.public import PublicVerifier
from integrationd.wire.messages import Call
from integrationd.wire.public_keys import Family, Way


class Algorithm(StrEnum):
    """The digest that is signed."""

    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


class Form(StrEnum):
    """How the two numbers of a signature are written."""

    DER = "der"
    RAW = "raw"
    """One behind the other, as in RFC 7518 section 3.4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EcdsaVerifier(PublicVerifier):
    """Accept what is signed with a key on an elliptic curve; which one the key says.

    Source:
        FIPS 186-5; Twilio SendGrid, "Event Webhook Security Features".
    """

    kind: ClassVar[str] = "ecdsa"

    algorithm: Algorithm = Algorithm.SHA256
    """The digest."""
    form: Form = Form.DER
    """``der``, or ``raw``: both numbers one behind the other."""

    @property
    @override
    def way_name(self) -> str:
        return self.kind

    @override
    def way(self, call: Call) -> Way:
        """Return how signatures are verified."""
        family = Family.ECDSA_DER if self.form is Form.DER else Family.ECDSA_RAW
        return Way(family, self.algorithm)
