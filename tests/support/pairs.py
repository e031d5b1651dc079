"""Pairs of keys, inbound calls that are signed by them, and what verifies these."""

from datetime import UTC, datetime

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from integrationd.model.secret import Secret
from integrationd.wire.messages import Call

NOW = datetime(2026, 3, 1, tzinfo=UTC)
AT = int(NOW.timestamp())
BODY = b'{"id": 7}'
RSA = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
EC = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
ED = [ed25519.Ed25519PrivateKey.generate() for _ in range(2)]
SPKI = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
PEM = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def public(key, form=PEM):
    """Write the public part of a key."""
    return key.public_key().public_bytes(*form)


def call(body=BODY, **headers):
    """Build an inbound call."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Call(
        method="POST",
        url="https://hooks.test/x?a=1",
        path="/x",
        query=(("a", "1"),),
        headers=names,
        body=body,
    )


def check(verifier, made, fetched=None, **config):
    """Verify a call; what is configured is also what is secret."""
    secrets = {name: Secret(value) for name, value in config.items()}
    verifier.verify(made, {"config": config, "secrets": secrets}, NOW, fetched or {})


def pss(key, data):
    """Sign as RSA-PSS with a salt of the digest's length."""
    return key.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


def raw(key, data):
    """Sign as ECDSA, both numbers one behind the other."""
    pair = decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
    return b"".join(part.to_bytes(32, "big") for part in pair)
