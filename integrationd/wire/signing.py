"""Digests and signatures over bytes.

A key that is shown in place of a secret, ``***``, signs to nothing: a request that is only shown
can be made without any secret.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from enum import StrEnum
from typing import Final

from integrationd.errors import SecretError
from integrationd.model.secret import PLACEHOLDER, Secret


class Scheme(StrEnum):
    """How a private key signs; the names of RFC 7518 section 3.1, but for the first."""

    RSA_SHA1 = "RSA-SHA1"
    """RFC 5849 section 3.4.3."""
    RS256 = "RS256"
    RS384 = "RS384"
    RS512 = "RS512"
    PS256 = "PS256"
    ES256 = "ES256"
    ES384 = "ES384"
    EDDSA = "EdDSA"
    """Ed25519, RFC 8037 section 3.1."""


def sign(scheme: Scheme, key: Secret, data: bytes, where: str) -> bytes:
    r"""Sign with a private key.

    Args:
        scheme: How.
        key: In PEM form; a line end may also be written ``\n``, as in variables of one line.
        data: What is signed.
        where: The field that the key is from, as its author wrote it.

    Returns:
        The signature as RFC 7518 writes it: of elliptic curves both numbers, one behind the other.

    Raises:
        SecretError: It is no such key, or one of another kind than the scheme needs.
    """
    if key.reveal() == PLACEHOLDER:
        return b""
    # Imported here: cryptography takes as long to load as all of a small command, and 7 MB.
    from integrationd.wire import key_pairs  # noqa: PLC0415

    return key_pairs.sign(scheme, key, data, where)


def verify(scheme: Scheme, key: Secret, data: bytes, signature: bytes, where: str) -> bool:
    """Tell whether a signature is of the public part of a private key.

    Raises:
        SecretError: It is no such key, or one of another kind than the scheme needs.
    """
    from integrationd.wire import key_pairs  # noqa: PLC0415 - see sign

    return key_pairs.verify(scheme, key, data, signature, where)


def authenticate(digest: str, key: bytes, data: bytes) -> bytes:
    """Return the HMAC of some bytes, RFC 2104; ``digest`` is hashlib's name, ``sha256``."""
    return hmac.digest(key, data, digest)


def read_base64_key(key: Secret, where: str) -> bytes:
    """Return the bytes of a key that is written in base64, the URL-safe letters too.

    Raises:
        SecretError: It is something else.
    """
    text = key.reveal().strip()
    if text == PLACEHOLDER:
        return b""
    try:
        plain = text.translate(_STANDARD)
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise SecretError(f"{where} is not base64; was it copied as a whole?") from None


_STANDARD: Final = str.maketrans("-_", "+/")
