"""Tokens that come with a call, and message signatures: what is held against the file."""

import base64
import hashlib
import hmac
import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from integrationd.errors import SignatureError
from integrationd.wire.inbound.fetched import UnknownKeyError
from tests.support.pairs import (
    AT,
    BODY,
    EC,
    RSA,
    call,
    check,
    raw,
)
from tests.support.senders import SENDERS, decode_verifier, verifier_of


def encode(value):
    """Write a part of a token."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(claims, key=b"k", **head):
    """Make a token that is signed by HMAC, without our own code."""
    text = f"{encode({'alg': 'HS256', **head})}.{encode(claims)}"
    return f"{text}.{encode(hmac.digest(key, text.encode(), 'sha256'))}"


GOOD = {"iat": AT, "iss": "Vonage", "payload_hash": hashlib.sha256(BODY).hexdigest()}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (token(GOOD, b"other"), "the token's signature does not fit it; another key?"),
        (token(GOOD, alg="none"), "the token is signed in a way that is not taken"),
        (token(GOOD, alg="HS512"), "the token is signed in a way that is not taken"),
        (token(GOOD, crit=["x"]), "the token is signed in a way that is not taken"),
        (token({**GOOD, "iss": "Other"}), "the token's iss is not what it has to be"),
        (token({**GOOD, "payload_hash": "00"}), "the token's payload_hash does not fit the body"),
        (token({**GOOD, "exp": AT - 61}), "the token has ended"),
        (token({**GOOD, "nbf": AT + 61}), "the token has not begun"),
        (token({**GOOD, "exp": True}), "the token's exp is no time"),
        (
            token({"iss": "Vonage"}),
            "the token does not say when it was made, expected 'iat'",
        ),
        (token(GOOD) + "=", "the token cannot be read, expected three parts in base64url"),
        ("a.b", "the token cannot be read, expected three parts in base64url"),
        (token([]), "the token cannot be read, expected objects"),
    ],
    ids=range(13),
)
def test_wrong_token_is_refused(text, message):
    """Each thing that a token says is held against the file."""
    check(SENDERS["vonage-jwt"], call(authorization=f"Bearer {token(GOOD)}"), key="k")

    with pytest.raises(SignatureError) as caught:
        check(SENDERS["vonage-jwt"], call(authorization=f"Bearer {text}"), key="k")

    assert str(caught.value) == message


SET = verifier_of("""
type: jwt
algorithms: [RS256, ES256]
jwks: https://keys.a.test/set
token: {from: header.authorization}
aud: us
""")


def number(value):
    """Write a number of a key set."""
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def key_set():
    """Write a key set of an RSA key and one on a curve."""
    one, two = RSA[0].public_key().public_numbers(), EC[0].public_key().public_numbers()
    return json.dumps(
        {
            "keys": [
                {"kty": "RSA", "kid": "one", "n": number(one.n), "e": number(one.e)},
                {
                    "kty": "EC",
                    "crv": "P-256",
                    "kid": "two",
                    "x": encode(two.x.to_bytes(32, "big")),
                    "y": encode(two.y.to_bytes(32, "big")),
                },
                {"kty": "oct", "kid": "three", "k": "AAAA"},
            ]
        }
    ).encode()


@pytest.mark.parametrize("kid", ["one", "two"])
def test_key_set_verifies_by_the_name_of_the_key(kid):
    """The key of the token's name verifies it, and no other of the set does."""
    algorithm, sign = {
        "one": ("RS256", lambda d: RSA[0].sign(d, padding.PKCS1v15(), hashes.SHA256())),
        "two": ("ES256", lambda d: raw(EC[0], d)),
    }[kid]

    def made(name):
        text = f"{encode({'alg': algorithm, 'kid': name})}.{encode({'exp': AT, 'aud': ['us']})}"
        return call(authorization=f"Bearer {text}.{encode(sign(text.encode()))}")

    address = SET.addresses(made(kid), {})
    assert address == ("https://keys.a.test/set",)
    check(SET, made(kid), {address[0]: key_set()})
    with pytest.raises(SignatureError):
        check(SET, made({"one": "two", "two": "one"}[kid]), {address[0]: key_set()})
    for unknown in ("three", "four"):
        with pytest.raises(UnknownKeyError):
            check(SET, made(unknown), {address[0]: key_set()})


MESSAGE = verifier_of("""
type: http_signature
algorithm: hmac-sha256
keys: ["{{ secrets.key }}"]
require: ["@method", content-digest]
""")
SHARED = base64.b64encode(b"shared").decode()
DIGEST = f"sha-256=:{base64.b64encode(hashlib.sha256(BODY).digest()).decode()}:"


def message(parts, parameters=f";created={AT}", digest=DIGEST, key=b"shared", **lines):
    """Sign a message by hand."""
    values = {"@method": "POST", "content-digest": digest, "@path": "/x", **lines}
    shown = f"({' '.join(f'{chr(34)}{part}{chr(34)}' for part in parts)}){parameters}"
    base = [f'"{part}": {values[part]}' for part in parts]
    data = "\n".join([*base, f'"@signature-params": {shown}']).encode()
    signature = base64.b64encode(hmac.digest(key, data, "sha256")).decode()
    return call(content_digest=digest, signature_input=f"s={shown}", signature=f"s=:{signature}:")


FULL = ("@method", "@path", "content-digest")


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (message(FULL, key=b"other"), "header.signature does not fit what is signed"),
        (message(("@method",)), "the signature does not cover content-digest"),
        (message(("content-digest",)), "the signature does not cover @method"),
        (message(FULL, ""), "the signature does not say when it was created"),
        (
            message(FULL, f";created={AT - 301}"),
            (
                "created is 301 s old, expected at most 300; an old call that came again, or a "
                "clock that is wrong"
            ),
        ),
        (message(FULL, f";created={AT};expires={AT - 1}"), "the signature has expired"),
        (
            message(FULL, f';created={AT};alg="none"'),
            "the signature names another algorithm than the file",
        ),
        (
            message(FULL, digest="sha-256=:AAAA:"),
            "header.content-digest does not fit the body",
        ),
        (message(FULL, digest="md5=:AAAA:"), "header.content-digest has no sha-256 or sha-512"),
        (message((*FULL, "@path")), "the signature covers a component that is not taken"),
        (call(signature="s=:AA==:"), "header.signature-input is missing, expected a signature"),
        (
            call(signature="s=:AA==:", signature_input='s=("a"'),
            "header.signature-input cannot be read",
        ),
    ],
    ids=range(12),
)
def test_wrong_message_signature_is_refused(made, told):
    """What has to be covered is, the algorithm is the file's, and the digest is of the body."""
    check(MESSAGE, message(FULL), key=SHARED)

    with pytest.raises(SignatureError) as caught:
        check(MESSAGE, made, key=SHARED)

    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "{type: rsa, signature: {from: header.x}}",
            "1:1: E102: webhooks.events.verify needs 'keys' or 'certificate', and just one of them",
        ),
        (
            (
                '{type: jwt, algorithms: [HS256, RS256], keys: ["{{ secrets.k }}"], '
                "token: {from: header.a}}"
            ),
            (
                "1:25: E114: webhooks.events.verify.algorithms: expected one or more, all HS… or "
                "all others"
            ),
        ),
    ],
    ids=["no key", "two sorts"],
)
def test_wrong_public_verification_is_told(text, told):
    """No key, and algorithms that a public key could be taken for a secret by, are refused."""
    assert decode_verifier(text)[1] == [f"specs/acme.yaml:{told}"]
