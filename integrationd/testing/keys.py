"""Secrets made up for a played provider: texts, and keys of the kinds that a spec signs with.

They are the same each time, as they guard nothing: whoever plays a provider tells them.
"""

from __future__ import annotations

import base64
import hashlib
import random
from collections.abc import Callable, Iterator
from typing import Final

from integrationd.spec.documents import Integration
from integrationd.spec.http import HttpSpec
from integrationd.transform.template import Template
from integrationd.wire.auth.jwt import JwtAuth
from integrationd.wire.auth.jwt import KeyForm as TokenKeyForm
from integrationd.wire.auth.oauth1 import OAuth1Auth
from integrationd.wire.auth.oauth2 import OAuth2Auth
from integrationd.wire.auth.shared_key import SharedKeyAuth
from integrationd.wire.auth.signed import KeyForm, SignedAuth
from integrationd.wire.jws import Algorithm

_PRIME_BITS: Final = 1024
_EXPONENT: Final = 65_537
_SMALL: Final = tuple(n for n in range(3, 2000, 2) if all(n % m for m in range(3, 45, 2) if m < n))
_CURVES: Final = {
    Algorithm.ES256: (32, "06082a8648ce3d030107"),
    Algorithm.ES384: (48, "06052b81040022"),
}
"""The size of a number, and the curve's name in DER."""
_ED25519: Final = "302e020100300506032b657004220420"
"""What stands before the 32 bytes of a key on Ed25519, RFC 8410 section 7."""

Maker = Callable[[str], str]


def make_secrets(integration: Integration) -> dict[str, str]:
    """Make up every secret that an integration declares."""
    makers = dict(_makers(integration.http)) if integration.http is not None else {}
    return {name: makers.get(name, make_text)(name) for name in integration.secrets}


def make_text(name: str) -> str:
    """Make up a secret that may be any text."""
    return f"play-{name.replace('_', '-')}"


def make_base64(name: str) -> str:
    """Make up a shared key that is written in base64."""
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


def make_rsa(name: str) -> str:
    """Make up an RSA key of 2048 bits: PKCS #1 in PEM, on one line."""
    chance = random.Random(name)  # noqa: S311 - it is to be the same each time
    one, other = sorted((_prime(chance), _prime(chance)), reverse=True)
    private = pow(_EXPONENT, -1, (one - 1) * (other - 1))
    numbers = [0, one * other, _EXPONENT, private, one, other]
    numbers += [private % (one - 1), private % (other - 1), pow(other, -1, one)]
    return _pem("RSA PRIVATE KEY", _sequence(b"".join(map(_integer, numbers))))


def make_curve(algorithm: Algorithm, name: str) -> str:
    """Make up a key on an elliptic curve: SEC 1 in PEM, on one line; RFC 5915 section 3."""
    size, curve = _CURVES[algorithm]
    number = hashlib.shake_256(name.encode()).digest(size)
    # Below the order of either curve.
    number = bytes([number[0] & 0x7F]) + number[1:]
    named = bytes.fromhex(curve)
    parts = _integer(1) + _tagged(0x04, number) + _tagged(0xA0, named)
    return _pem("EC PRIVATE KEY", _sequence(parts))


def make_ed25519(name: str) -> str:
    """Make up a key on Ed25519: PKCS #8 in PEM, on one line."""
    data = bytes.fromhex(_ED25519) + hashlib.sha256(name.encode()).digest()
    return _pem("PRIVATE KEY", data)


def _makers(http: HttpSpec) -> Iterator[tuple[str, Maker]]:
    match http.auth:
        case SharedKeyAuth(key=key):
            yield from _named(key, make_base64)
        case SignedAuth(key=key, key_encoding=KeyForm.BASE64):
            yield from _named(key, make_base64)
        case OAuth1Auth(private_key=key):
            yield from _named(key, make_rsa)
        case JwtAuth(key=key, key_encoding=form, algorithm=algorithm):
            is_base64 = form is TokenKeyForm.BASE64
            yield from _named(key, make_base64 if is_base64 else _maker(algorithm))
        case OAuth2Auth(assertion=one, client_assertion=other):
            for signer in (one, other):
                if signer is not None:
                    yield from _named(signer.key, _maker(signer.algorithm))


def _named(template: Template | None, maker: Maker) -> Iterator[tuple[str, Maker]]:
    """Yield the secret that a template is, where it is just one."""
    if template is None or not template.is_native:
        return
    for reference in template.references:
        root, *path = reference.path
        if root == "secrets" and path:
            yield str(path[0]), maker


def _maker(algorithm: Algorithm) -> Maker:
    if algorithm.is_shared:
        return make_text
    if algorithm in _CURVES:
        return lambda name: make_curve(algorithm, name)
    return make_ed25519 if algorithm is Algorithm.EDDSA else make_rsa


def _prime(chance: random.Random) -> int:
    while True:
        number = chance.getrandbits(_PRIME_BITS) | (3 << (_PRIME_BITS - 2)) | 1
        if not all(number % small for small in _SMALL) or (number - 1) % _EXPONENT == 0:
            continue
        # Fermat's test to several bases is enough for a number that nobody has chosen.
        if all(pow(base, number - 1, number) == 1 for base in (2, 3, 5, 7)):
            return number


def _integer(number: int) -> bytes:
    return _tagged(0x02, number.to_bytes(number.bit_length() // 8 + 1))


def _sequence(data: bytes) -> bytes:
    return _tagged(0x30, data)


def _tagged(tag: int, data: bytes) -> bytes:
    """Write a tag, a length and what it is of; X.690 section 8.1."""
    size = len(data)
    if size < 0x80:  # noqa: PLR2004 - one byte is enough below
        return bytes([tag, size]) + data
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + data


def _pem(what: str, data: bytes) -> str:
    text = base64.b64encode(data).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\\n".join([f"-----BEGIN {what}-----", *lines, f"-----END {what}-----"])
