"""Signatures with pairs of keys; the one home of ``cryptography`` in this room."""

from __future__ import annotations

import base64
import functools
import hmac
import itertools
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    RSAPublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import (
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

from integrationd.errors import PageShapeError, SecretError, SignatureError
from integrationd.model.secret import Secret
from integrationd.wire import decoding
from integrationd.wire.public_keys import Family, LoadedKey, PublicEncoding, Way
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


@functools.lru_cache(_KEYS_MAX)
def load_public(text: Secret, encoding: PublicEncoding, where: str) -> LoadedKey:
    """Read a public key; see :func:`integrationd.wire.public_keys.load`."""
    plain = text.reveal().strip().replace("\\n", "\n")
    try:
        loaded = _READERS[encoding](plain)
    except (ValueError, UnsupportedAlgorithm):
        told = f"{where} is no public key in {encoding}; was it copied as a whole?"
        raise SecretError(told) from None
    if not isinstance(loaded, RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey):
        raise SecretError(f"{where} is a key of another kind, expected RSA, EC or Ed25519")
    return LoadedKey(loaded)


def _read_pem(text: str) -> object:
    if "BEGIN CERTIFICATE-----" in text:
        return x509.load_pem_x509_certificate(text.encode()).public_key()
    return load_pem_public_key(text.encode())


_READERS: Final[Mapping[PublicEncoding, Callable[[str], object]]] = {
    PublicEncoding.PEM: _read_pem,
    PublicEncoding.SPKI: lambda text: load_der_public_key(base64.b64decode(text, validate=True)),
    PublicEncoding.HEX: lambda text: Ed25519PublicKey.from_public_bytes(bytes.fromhex(text)),
    PublicEncoding.BASE64: lambda text: Ed25519PublicKey.from_public_bytes(
        base64.b64decode(text, validate=True)
    ),
}


def load_certificate(
    data: bytes, now: datetime, has_name: Callable[[str], bool], where: str
) -> LoadedKey:
    """Read a certificate; see :func:`integrationd.wire.public_keys.load_certificate`."""
    try:
        chain = x509.load_pem_x509_certificates(data)
        names = _names_of(chain[0])
        key = chain[0].public_key()
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension):
        raise SignatureError(f"{where} gives no certificate") from None
    if not any(map(has_name, names)):
        raise SignatureError(f"{where} gives the certificate of somebody else")
    for certificate in chain:
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise SignatureError(f"{where} gives a certificate that is not valid at this time")
    for issued, issuer in itertools.pairwise(chain):
        try:
            issued.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            raise SignatureError(f"{where} gives certificates that do not follow") from None
    return LoadedKey(key)


def _names_of(certificate: x509.Certificate) -> list[str]:
    """Return its common name, and the hosts that it is for."""
    found = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    names = [str(attribute.value) for attribute in found]
    try:
        others = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return names
    return [*names, *others.value.get_values_for_type(x509.DNSName)]


_DIGESTS: Final[Mapping[str, Callable[[], hashes.HashAlgorithm]]] = {
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}


def fits(way: Way, key: LoadedKey, data: bytes, signature: bytes) -> bool:
    """Verify; see :func:`integrationd.wire.public_keys.fits`."""
    try:
        match way.family, key.key:
            case Family.RSA_PKCS1, RSAPublicKey() as rsa:
                rsa.verify(signature, data, padding.PKCS1v15(), _DIGESTS[way.digest]())
            case Family.RSA_PSS, RSAPublicKey() as rsa:
                digest = _DIGESTS[way.digest]()
                salted = padding.PSS(mgf=padding.MGF1(digest), salt_length=digest.digest_size)
                rsa.verify(signature, data, salted, digest)
            case Family.ECDSA_DER, EllipticCurvePublicKey() as curve:
                curve.verify(signature, data, ec.ECDSA(_DIGESTS[way.digest]()))
            case Family.ECDSA_RAW, EllipticCurvePublicKey() as curve:
                encoded = _as_der(signature, (curve.key_size + 7) // 8)
                curve.verify(encoded, data, ec.ECDSA(_DIGESTS[way.digest]()))
            case Family.ED25519, Ed25519PublicKey() as edwards:
                edwards.verify(signature, data)
            case _:
                return False
    except (InvalidSignature, ValueError):
        return False
    return True


def _as_der(signature: bytes, size: int) -> bytes:
    if len(signature) != 2 * size:
        raise ValueError
    pair = (int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))
    return encode_dss_signature(*pair)


def load_set(data: bytes, kid: str | None) -> list[LoadedKey]:
    """Read a key set; see :func:`integrationd.wire.public_keys.load_set`."""
    try:
        found = decoding.decode_bytes(data)
    except PageShapeError:
        found = None
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise SignatureError("verify.jwks gives no key set")
    meant = [
        key
        for key in listed[:_KEYS_MAX]
        if isinstance(key, dict) and (kid is None or key.get("kid") == kid)
    ]
    return [LoadedKey(loaded) for loaded in map(_read_jwk, meant) if loaded is not None]


def _read_jwk(key: Mapping[str, object]) -> object:
    """Read one key, RFC 7518 section 6; None where it is of a kind that is not known."""
    if key.get("use", "sig") != "sig":
        return None
    try:
        match key.get("kty"), key.get("crv"):
            case "RSA", _:
                return RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()
            case "EC", str() as crv if crv in _JWK_CURVES:
                numbers = EllipticCurvePublicNumbers(
                    _number(key["x"]), _number(key["y"]), _JWK_CURVES[crv]()
                )
                return numbers.public_key()
            case "OKP", "Ed25519":
                return Ed25519PublicKey.from_public_bytes(_octets(key["x"]))
    except (KeyError, ValueError):
        return None
    return None


_JWK_CURVES: Final[Mapping[str, Callable[[], ec.EllipticCurve]]] = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
}


def _octets(text: object) -> bytes:
    return base64.b64decode(f"{text}{'=' * (-len(str(text)) % 4)}", altchars=b"-_", validate=True)


def _number(text: object) -> int:
    return int.from_bytes(_octets(text))
