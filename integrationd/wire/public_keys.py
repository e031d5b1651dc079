"""Signatures held against public keys: what a key is, and how it is asked.

The library behind it is imported at the first use, see :mod:`integrationd.wire.signing`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from integrationd.model.secret import Secret


class PublicEncoding(StrEnum):
    """How a public key is written."""

    PEM = "pem"
    """``-----BEGIN PUBLIC KEY-----``, or a certificate."""
    SPKI = "spki"
    """The same in base64 without its first and last line."""
    HEX = "hex"
    """The 32 bytes of an Ed25519 key."""
    BASE64 = "base64"
    """The 32 bytes of an Ed25519 key."""


class Family(StrEnum):
    """How a public key verifies."""

    RSA_PKCS1 = "rsa-pkcs1"
    RSA_PSS = "rsa-pss"
    """With a salt as long as the digest."""
    ECDSA_DER = "ecdsa-der"
    ECDSA_RAW = "ecdsa-raw"
    """Both numbers one behind the other, each as long as the curve's."""
    ED25519 = "ed25519"


@dataclass(frozen=True, slots=True)
class Way:
    """A way to verify: the family, and hashlib's name of the digest, which Ed25519 has none of."""

    family: Family
    digest: str = ""


@dataclass(frozen=True, slots=True)
class LoadedKey:
    """A public key that was read."""

    key: object
    """The library's own."""


def load(text: Secret, encoding: PublicEncoding, where: str) -> LoadedKey:
    """Read a public key; raises SecretError where it is none, naming ``where`` it stands."""
    from integrationd.wire import key_pairs  # noqa: PLC0415 - see integrationd.wire.signing

    return key_pairs.load_public(text, encoding, where)


def load_certificate(
    data: bytes, now: datetime, has_name: Callable[[str], bool], where: str
) -> LoadedKey:
    """Return the key of a certificate in PEM, with those that issued it behind it.

    Args:
        data: The file.
        now: All have to be valid at this time, each issued by the next.
        has_name: Tells whether a name is the sender's.
        where: Where it came from, for messages.

    Raises:
        SignatureError: It is no certificate, not of the sender, or not valid.
    """
    from integrationd.wire import key_pairs  # noqa: PLC0415 - see integrationd.wire.signing

    return key_pairs.load_certificate(data, now, has_name, where)


def load_set(data: bytes, kid: str | None) -> list[LoadedKey]:
    """Return the keys of a key set, RFC 7517; of a name only that one, and none where it has none.

    Raises:
        SignatureError: It is no key set.
    """
    from integrationd.wire import key_pairs  # noqa: PLC0415 - see integrationd.wire.signing

    return key_pairs.load_set(data, kid)


def fits(way: Way, key: LoadedKey, data: bytes, signature: bytes) -> bool:
    """Tell whether a signature is of the private part of a key; one of another kind fits none."""
    from integrationd.wire import key_pairs  # noqa: PLC0415 - see integrationd.wire.signing

    return key_pairs.fits(way, key, data, signature)
