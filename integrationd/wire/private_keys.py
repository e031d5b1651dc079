"""Signatures with private keys; the one home of ``cryptography`` in this room."""

from __future__ import annotations

import functools
import hmac
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from integrationd.errors import SecretError
from integrationd.model.secret import Secret
from integrationd.wire.signing import Scheme

_Key: TypeAlias = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey
_KEYS_MAX: Final = 64
"""Parsed keys that are kept."""


def sign(scheme: Scheme, key: Secret, data: bytes, where: str) -> bytes:
    """Sign; see :func:`integrationd.wire.signing.sign`."""
    loaded = _load(key, where)
    match loaded:
        case RSAPrivateKey() if scheme in _RSA:
            return _sign_rsa(scheme, loaded, data)
        case EllipticCurvePrivateKey() if scheme in _CURVES:
            return _sign_curve(scheme, loaded, data, where)
        case Ed25519PrivateKey() if scheme is Scheme.EDDSA:
            return loaded.sign(data)
        case _:
            raise SecretError(f"{where} is {_describe(loaded)}, {scheme} needs {_needs(scheme)}")


def verify(scheme: Scheme, key: Secret, data: bytes, signature: bytes, where: str) -> bool:
    """Verify; see :func:`integrationd.wire.signing.verify`."""
    if scheme not in (Scheme.ES256, Scheme.ES384, Scheme.PS256):
        # These sign the same text alike each time.
        return hmac.compare_digest(sign(scheme, key, data, where), signature)
    loaded = _load(key, where)
    try:
        match loaded:
            case RSAPrivateKey():
                digest = _RSA[scheme]()
                salted = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
                loaded.public_key().verify(signature, data, salted, digest)
            case EllipticCurvePrivateKey():
                size = len(signature) // 2
                pair = (int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))
                way = ec.ECDSA(_CURVES[scheme][1])
                loaded.public_key().verify(encode_dss_signature(*pair), data, way)
            case _:
                return False
    except InvalidSignature:
        return False
    return True


_RSA: Final[Mapping[Scheme, Callable[[], hashes.HashAlgorithm]]] = {
    Scheme.RSA_SHA1: hashes.SHA1,
    Scheme.RS256: hashes.SHA256,
    Scheme.RS384: hashes.SHA384,
    Scheme.RS512: hashes.SHA512,
    Scheme.PS256: hashes.SHA256,
}
_CURVES: Final[Mapping[Scheme, tuple[type[ec.EllipticCurve], hashes.HashAlgorithm, str]]] = {
    Scheme.ES256: (ec.SECP256R1, hashes.SHA256(), "P-256"),
    Scheme.ES384: (ec.SECP384R1, hashes.SHA384(), "P-384"),
}


@functools.lru_cache(_KEYS_MAX)
def _load(key: Secret, where: str) -> _Key:
    text = key.reveal().strip().replace("\\n", "\n")
    if "PRIVATE KEY-----" not in text:
        raise SecretError(f"{where} is no private key in PEM form, '-----BEGIN PRIVATE KEY-----'")
    try:
        # To prove that an RSA key of 4096 bits is one takes 0.6 s, which no step of ours may; it
        # guards against keys of strangers, and this one is the administrator's own.
        loaded = load_pem_private_key(
            text.encode(), password=None, unsafe_skip_rsa_key_validation=True
        )
    except TypeError:
        raise SecretError(
            f"{where} is a private key with a passphrase; store it without one, the encrypted "
            "store protects it"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise SecretError(f"{where} cannot be read; was it copied with all its lines?") from None
    if not isinstance(loaded, _Key):
        raise SecretError(f"{where} is a key of another kind, expected RSA, EC or Ed25519")
    return loaded


def _sign_rsa(scheme: Scheme, key: RSAPrivateKey, data: bytes) -> bytes:
    digest = _RSA[scheme]()
    if scheme is Scheme.PS256:
        salted = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
        return key.sign(data, salted, digest)
    return key.sign(data, padding.PKCS1v15(), digest)


def _sign_curve(scheme: Scheme, key: EllipticCurvePrivateKey, data: bytes, where: str) -> bytes:
    curve, digest, name = _CURVES[scheme]
    if not isinstance(key.curve, curve):
        raise SecretError(f"{where} is {_describe(key)}, {scheme} needs one on {name}")
    size = (key.key_size + 7) // 8
    parts = decode_dss_signature(key.sign(data, ec.ECDSA(digest)))
    return b"".join(part.to_bytes(size, "big") for part in parts)


def _describe(key: _Key) -> str:
    match key:
        case RSAPrivateKey():
            return "an RSA key"
        case EllipticCurvePrivateKey():
            return f"an elliptic-curve key on {key.curve.name}"
        case Ed25519PrivateKey():
            return "an Ed25519 key"


def _needs(scheme: Scheme) -> str:
    if scheme in _RSA:
        return "an RSA key"
    return "an Ed25519 key" if scheme is Scheme.EDDSA else f"one on {_CURVES[scheme][2]}"
