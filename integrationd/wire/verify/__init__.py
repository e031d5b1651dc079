"""How an inbound call proves its sender; one kind, one file."""

from __future__ import annotations

from typing import Final

from integrationd.wire.verify.basic import BasicVerifier
from integrationd.wire.verify.ecdsa import EcdsaVerifier
from integrationd.wire.verify.ed25519 import Ed25519Verifier
from integrationd.wire.verify.hash import HashVerifier
from integrationd.wire.verify.hmac import HmacVerifier
from integrationd.wire.verify.http_signature import HttpSignatureVerifier
from integrationd.wire.verify.jwt import JwtVerifier
from integrationd.wire.verify.rsa import RsaVerifier
from integrationd.wire.verify.token import TokenVerifier

KINDS: Final = (
    HmacVerifier,
    HashVerifier,
    TokenVerifier,
    BasicVerifier,
    RsaVerifier,
    EcdsaVerifier,
    Ed25519Verifier,
    JwtVerifier,
    HttpSignatureVerifier,
)
