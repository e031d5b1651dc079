"""JSON Web Tokens, written and signed: RFC 7515 and RFC 7519 in compact form."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from integrationd.errors import ExpressionError, SecretError
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.transform.template import JsonTemplate
from integrationd.wire import signing, texts
from integrationd.wire.signing import Scheme


class Algorithm(StrEnum):
    """How a token is signed, RFC 7518 section 3.1; ``none`` is not among them."""

    HS256 = "HS256"
    HS384 = "HS384"
    HS512 = "HS512"
    RS256 = "RS256"
    RS384 = "RS384"
    RS512 = "RS512"
    PS256 = "PS256"
    ES256 = "ES256"
    ES384 = "ES384"
    EDDSA = "EdDSA"

    @property
    def is_shared(self) -> bool:
        """Tell whether both sides have the same key."""
        return self in _DIGESTS


_DIGESTS: Final[Mapping[Algorithm, str]] = {
    Algorithm.HS256: "sha256",
    Algorithm.HS384: "sha384",
    Algorithm.HS512: "sha512",
}


def build_token(
    algorithm: Algorithm,
    key: Secret | bytes,
    claims: Mapping[str, Json],
    header: Mapping[str, Json],
    where: str,
) -> Secret:
    """Return a signed token, ``eyJ….eyJ….…``.

    Args:
        algorithm: Put into the header too.
        key: Of a shared key its bytes, else a private key as PEM.
        claims: In the order of the file; those that are None are left out.
        header: Further names beside ``alg`` and ``typ``.
        where: The field that the key is from.

    Raises:
        SecretError: The key cannot be used for that algorithm.
        RefusedError: A claim is a number without bounds.
    """
    head = {"alg": algorithm.value, "typ": "JWT", **header}
    text = ".".join(_encode(texts.dump_json(_given(part)).encode()) for part in (head, claims))
    if isinstance(key, bytes):
        signature = signing.authenticate(_DIGESTS[algorithm], key, text.encode())
    else:
        signature = signing.sign(Scheme(algorithm.value), key, text.encode(), where)
    return Secret(f"{text}.{_encode(signature)}")


def is_signed(algorithm: Algorithm, key: Secret | bytes, token: str, where: str) -> bool:
    """Tell whether a token was signed with a key; of a private one with its public part.

    Raises:
        SecretError: The key cannot be used for that algorithm.
    """
    text, _, signature = token.rpartition(".")
    signed = decode_part(signature)
    if isinstance(key, bytes):
        expected = signing.authenticate(_DIGESTS[algorithm], key, text.encode())
        return hmac.compare_digest(expected, signed)
    return signing.verify(Scheme(algorithm.value), key, text.encode(), signed, where)


def decode_part(text: str) -> bytes:
    """Return the bytes of one part of a token; raises ValueError where it is none."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def render_claims(
    values: Mapping[str, JsonTemplate], variables: Mapping[str, Json], where: str
) -> dict[str, Json]:
    """Fill in what a token says.

    Raises:
        SecretError: A template has no value; ``where`` names the field that they are from.
    """
    rendered = {}
    for name, value in values.items():
        try:
            rendered[name] = value.render(variables)
        except ExpressionError as wrong:
            raise SecretError(f"{where}.{name} cannot be made: {wrong}") from None
    return rendered


def _given(values: Mapping[str, Json]) -> Json:
    return {name: value for name, value in values.items() if value is not None}


def _encode(data: bytes) -> str:
    """Write base64url without padding, RFC 7515 section 2."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
