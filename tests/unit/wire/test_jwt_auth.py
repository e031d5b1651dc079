"""Tokens that we sign: what they say, that another library verifies them, where they go."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from integrationd.config.decode import INVALID
from integrationd.errors import RefusedError, SecretError
from integrationd.model.secret import Secret
from integrationd.wire.messages import JsonBody
from integrationd.wire.showing import STAND_IN, show_request, stand_ins
from tests.support.auth import decode_auth
from tests.support.signers import (
    ED25519,
    GET,
    NONCE,
    P256,
    P384,
    RSA,
    RSA_PEM,
    attempt,
    header,
    pem,
    public_pem,
    sign,
    signer,
)

SHARED = '{type: jwt, algorithm: HS256, key: "{{ secrets.key }}"}'
KEY = "k" * 64


def with_(more: str, text: str = SHARED) -> str:
    """Add fields."""
    return text.replace('}}"}', f'}}}}", {more}}}')


def read(token: str) -> tuple[dict, dict]:
    """Return header and claims of a token, unverified."""
    parts = [base64.urlsafe_b64decode(part + "==") for part in token.split(".")[:2]]
    return json.loads(parts[0]), json.loads(parts[1])


def claims(text: str, request=GET, **secrets: str) -> dict:
    """Return what a token says."""
    signed = sign(text, request, **{"key": KEY, **secrets})
    return read(header(signed).removeprefix("Bearer "))[1]


@pytest.mark.parametrize(
    ("algorithm", "private", "public"),
    [
        *((name, RSA_PEM, public_pem(RSA)) for name in ("RS256", "RS384", "RS512", "PS256")),
        ("ES256", pem(P256), public_pem(P256)),
        ("ES384", pem(P384), public_pem(P384)),
        ("EdDSA", pem(ED25519), public_pem(ED25519)),
        *((name, KEY, None) for name in ("HS256", "HS384", "HS512")),
    ],
)
def test_another_library_verifies_it(algorithm, private, public):
    """Every algorithm, with the public key or the shared one."""
    signed = sign(SHARED.replace("HS256", algorithm), key=private)

    made = JWS()
    made.deserialize(header(signed).removeprefix("Bearer "))
    made.allowed_algs = [algorithm]
    shared = base64.urlsafe_b64encode(KEY.encode()).rstrip(b"=").decode()
    made.verify(JWK(kty="oct", k=shared) if public is None else JWK.from_pem(public))
    assert read(made.serialize(compact=True))[0] == {"alg": algorithm, "typ": "JWT"}


def test_it_says_when_it_was_made_and_when_it_ends():
    """Five minutes by default; the time is the engine's."""
    assert claims(SHARED) == {"iat": 1795248000, "exp": 1795248300}
    assert claims(with_("lifetime: 1m")) == {"iat": 1795248000, "exp": 1795248060}


def test_claims_are_templates_that_keep_their_types():
    """Lists and numbers stay what they are, and an empty claim is left out."""
    text = with_(
        'claims: {iat: null, iss: "{{ config.id }}", aud: [a, "{{ config.bucket }}"], '
        'nbf: "{{ timestamp - 60 }}", jti: "{{ nonce }}", at: "{{ now }}", '
        'ms: "{{ timestamp_ms }}", sub: "{{ secrets.user }}"}'
    )

    assert claims(text, user="u1") == {
        "exp": 1795248300,
        "iss": "ann",
        "aud": ["a", "b"],
        "nbf": 1795247940,
        "jti": NONCE,
        "at": "2026-11-21T08:00:00Z",
        "ms": 1795248000250,
        "sub": "u1",
    }


def test_claims_may_name_the_request():
    """Coinbase wants method, host and path in the token."""
    text = with_(
        'claims: {uri: "{{ method }} {{ host }}{{ path }}?{{ query }}", body: "{{ body }}"}'
    )
    request = GET.with_query("a b", "ä")

    made = claims(text, request)

    assert made["uri"] == "GET api.test/orders?a%20b=%C3%A4"
    assert made["body"] == ""


def test_header_may_name_the_key():
    """Apple and GitHub want ``kid``."""
    signed = sign(with_('headers: {kid: "{{ config.id }}", typ: null}'), key=KEY)

    assert read(header(signed).removeprefix("Bearer "))[0] == {"alg": "HS256", "kid": "ann"}


@pytest.mark.parametrize(
    ("more", "where", "start"),
    [
        ("into: header.x-token", "x-token", "eyJ"),
        ('into: header.authorization, prefix: "JWT "', "authorization", "JWT eyJ"),
        ('prefix: ""', "authorization", "eyJ"),
    ],
)
def test_it_goes_where_the_api_reads_it(more, where, start):
    """``Bearer`` stands before it in the usual place alone."""
    assert header(sign(with_(more), key=KEY), where).startswith(start)


def test_it_may_stand_in_the_body():
    """An assertion in JSON is one text."""
    signed = sign(with_("into: json.assertion"), key=KEY)

    assert isinstance(signed.body, JsonBody)
    assert isinstance(signed.body.value["assertion"], Secret)


def test_shared_key_may_be_base64():
    """Its bytes sign, not its letters."""
    text = with_("key_encoding: base64")

    assert header(sign(text, key="a2V5")) == header(sign(SHARED, key="key"))


@given(st.dictionaries(st.text(min_size=1), st.text(st.characters(exclude_categories=["Cs"]))))
def test_any_claim_arrives(values):
    """Whatever a value holds, it is JSON again on the other side."""
    made = signer(with_('claims: {sub: "{{ config.it }}"}'))
    variables = {"config": {"it": values}, "secrets": {"key": Secret(KEY)}}
    token = header(made.sign(GET, variables, attempt())).removeprefix("Bearer ")
    assert read(token)[1]["sub"] == values


@pytest.mark.parametrize(
    ("text", "secrets", "message"),
    [
        (SHARED, {"key": ""}, "auth.key is empty, expected a secret; is its value set?"),
        (
            SHARED.replace("HS256", "RS256"),
            {"key": "x"},
            "auth.key is no private key in PEM form, '-----BEGIN PRIVATE KEY-----'",
        ),
        (
            with_('claims: {sub: "{{ config.none }}"}'),
            {"key": KEY},
            (
                "auth.claims.sub cannot be made: 'config.none' has no value; supply it, or add "
                "| default(…)"
            ),
        ),
    ],
)
def test_what_cannot_be_signed_is_told(text, secrets, message):
    """A mistake at home, not a refusal by the provider."""
    with pytest.raises(SecretError) as caught:
        sign(text, **secrets)

    assert str(caught.value) == message


def test_line_break_before_it_is_told():
    """A prefix that ends the header's line would begin another one."""
    with pytest.raises(RefusedError) as caught:
        sign(with_('prefix: "a\\nb"'), key=KEY)

    assert str(caught.value).startswith("header 'authorization' holds a line break")


def test_preview_needs_no_key():
    """``call --dry-run`` has stand-ins for secrets, and shows where the token would be."""
    variables = {"config": {}, "secrets": stand_ins(["key"])}
    made = signer(SHARED.replace("HS256", "ES256")).sign(GET, variables, STAND_IN)

    assert show_request(made).headers["authorization"] == "Bearer ***"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            SHARED.replace("HS256", "none"),
            (
                "specs/acme.yaml:1:24: E103: http.auth.algorithm is 'none', expected one of HS256, "
                "HS384, HS512, RS256, RS384, RS512, PS256, ES256, ES384, EdDSA"
            ),
        ),
        (
            with_("key_encoding: base64").replace("HS256", "RS256"),
            (
                "specs/acme.yaml:1:57: E114: http.auth has 'key_encoding', which goes with HS256, "
                "HS384 and HS512"
            ),
        ),
        (
            with_('claims: {sub: "{{ cursor }}"}'),
            (
                "specs/acme.yaml:1:71: E204: template uses 'cursor', variables here are: body, "
                "config, host, method, nonce, now, parameters, path, query, secrets, timestamp, "
                "timestamp_ms, url"
            ),
        ),
    ],
)
def test_mistakes_are_told_when_the_file_is_checked(text, told):
    """Each with its place."""
    assert decode_auth(text) == (INVALID, [told])
