"""OAuth2: grants with a password or a signed token, clients known by a key, other carriers."""

import base64
import json
from urllib.parse import parse_qsl

import pytest
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from integrationd.errors import PageShapeError, SecretError
from integrationd.model.secret import Secret
from integrationd.wire.encoding import encode
from integrationd.wire.grants import Token
from tests.support.auth import CLIENT, VARIABLES, decode_auth, made
from tests.support.signers import NONCE, RSA, RSA_PEM, attempt, public_pem

URL = "https://server.example.com/token"
KEYED = {
    "config": VARIABLES["config"],
    "secrets": {**VARIABLES["secrets"], "key": Secret(RSA_PEM), "password": Secret("p w")},
}
SERVICE = (
    f'type: oauth2, grant: jwt_bearer, token_url: "{URL}", assertion: '
    '{key: "{{ secrets.key }}", claims: {iss: robot@a.test, scope: read}, headers: {kid: k1}}'
)
PASSWORD = (
    f'type: oauth2, grant: password, token_url: "{URL}", username: ann, '
    'password: "{{ secrets.password }}"'
)
SIGNS = (
    f'type: oauth2, grant: client_credentials, token_url: "{URL}", client_id: me, '
    'client_auth: private_key_jwt, client_assertion: {key: "{{ secrets.key }}"}'
)


def fields(auth, moment=None):
    """Return the form of a token request."""
    request = auth.token_request(KEYED, None, moment or attempt())
    return dict(parse_qsl(encode(request).body.decode()))


def verify(token):
    """Return header and claims of a token whose signature another library has verified."""
    signed = JWS()
    signed.deserialize(token)
    signed.verify(JWK.from_pem(public_pem(RSA)))
    return json.loads(signed.objects["protected"]), json.loads(signed.payload)


def test_password_is_handed_in():
    """RFC 6749 section 4.3.2; a client that has no id says none."""
    assert fields(made(PASSWORD)) == {
        "grant_type": "password",
        "username": "ann",
        "password": "p w",
    }


def test_signed_token_is_handed_in():
    """RFC 7523 section 2.1: it names its issuer, whom it is for, and its end."""
    sent = fields(made(SERVICE))

    assert sent.pop("grant_type") == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert verify(sent.pop("assertion")) == (
        {"alg": "RS256", "typ": "JWT", "kid": "k1"},
        {
            "iss": "robot@a.test",
            "aud": URL,
            "iat": 1795248000,
            "exp": 1795248300,
            "jti": NONCE,
            "scope": "read",
        },
    )
    assert sent == {}


def test_client_proves_itself_by_its_key():
    """RFC 7523 section 2.2: issuer and subject are the client, and no secret is sent."""
    sent = fields(made(SIGNS))

    assert verify(sent.pop("client_assertion"))[1] == {
        "iss": "me",
        "sub": "me",
        "aud": URL,
        "iat": 1795248000,
        "exp": 1795248300,
        "jti": NONCE,
    }
    assert sent == {
        "grant_type": "client_credentials",
        "client_id": "me",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }


def test_claims_of_the_file_replace_the_usual_ones():
    """An empty one is left out."""
    text = SIGNS.replace("{key:", "{claims: {aud: https://a.test, jti: null}, lifetime: 1m, key:")

    claims = verify(fields(made(text))["client_assertion"])[1]

    assert claims == {
        "iss": "me",
        "sub": "me",
        "aud": "https://a.test",
        "iat": 1795248000,
        "exp": 1795248060,
    }


def test_shared_key_may_sign():
    """``client_secret_jwt`` of OpenID Connect: the secret is the key."""
    text = SIGNS.replace("{key:", "{algorithm: HS256, key:").replace("secrets.key", "secrets.id")
    variables = {"config": {}, "secrets": {"id": Secret("k" * 32)}}

    request = made(text).token_request(variables, None, attempt())
    signed = JWS()
    signed.deserialize(dict(request.body.pairs)["client_assertion"].reveal())
    signed.verify(JWK(kty="oct", k=base64.urlsafe_b64encode(b"k" * 32).rstrip(b"=").decode()))


@pytest.mark.parametrize("text", [SERVICE, SIGNS])
def test_request_is_known_again_without_being_signed(text):
    """By key and claims, whatever the time; the key itself is in none of it."""
    first = made(text).token_request(KEYED, None)
    other_key = {**KEYED, "secrets": {**KEYED["secrets"], "key": Secret("other")}}

    assert first == made(text).token_request(KEYED, None)
    assert first != made(text).token_request(other_key, None)
    assert b"eyJ" not in encode(first).body
    assert b"PRIVATE" not in encode(first).body


def test_key_that_is_none_is_told_with_its_field():
    """And nothing of it."""
    variables = {**KEYED, "secrets": {"key": Secret("canary")}}

    with pytest.raises(SecretError) as caught:
        made(SIGNS).token_request(variables, None, attempt())

    assert str(caught.value).startswith("auth.client_assertion.key ")
    assert "canary" not in str(caught.value)


def test_fields_may_go_as_json_or_in_the_query():
    """As some providers want; the media type follows."""
    post = CLIENT + ", client_auth: post, send_as: "
    pairs = [
        ("grant_type", "client_credentials"),
        ("client_id", "s6BhdRkqt3"),
        ("client_secret", "gX1fBat3bV"),
    ]

    as_json = encode(made(post + "json").token_request(VARIABLES, None))
    in_query = encode(made(post + "query").token_request(VARIABLES, None))

    assert as_json.headers["content-type"] == "application/json"
    assert json.loads(as_json.body) == dict(pairs)
    assert (in_query.method, in_query.body) == ("POST", None)
    assert parse_qsl(in_query.url.partition("?")[2]) == pairs


def test_scopes_may_be_joined_by_commas():
    """74 of 981 providers that were looked at want something else than blanks."""
    assert fields(made(CLIENT, 'scopes: [a, b], scope_separator: ","'))["scope"] == "a,b"


@pytest.mark.parametrize(
    ("reply", "body", "ends"),
    [
        ("expires_in_ms: body.ttl", {"ttl": 3_600_000}, {"lifetime_s": 3600}),
        ("expires_in_ms: body.ttl", {"ttl": "5184000000"}, {"lifetime_s": 5_184_000}),
        ("expires_in_ms: body.ttl", {"expires_in": 5}, {}),
        ("expires_at: body.end", {"end": "2026-11-21T09:00:00Z"}, {"ends_at_s": 1795251600.0}),
        ("expires_at: body.end", {"end": "2026-11-21T10:00:00+01:00"}, {"ends_at_s": 1795251600.0}),
        ("expires_at: body.end", {"end": "2026-11-21 09:00:00"}, {"ends_at_s": 1795251600.0}),
        (
            "expires_at: body.end",
            {"end": "Sat, 21 Nov 2026 09:00:00 GMT"},
            {"ends_at_s": 1795251600.0},
        ),
        ("expires_at: body.end", {"end": 1795251600}, {"ends_at_s": 1795251600.0}),
        ("expires_at: body.end", {"end": "1795251600000"}, {"ends_at_s": 1795251600.0}),
        ("expires_at: body.end", {"end": "soon", "expires_in": 5}, {}),
        ("expires_at: body.end", {"end": True}, {}),
        ("expires_at: body.end", {"end": 10**20}, {}),
    ],
)
def test_end_may_be_told_in_other_ways(reply, body, ends):
    """Milliseconds, or a date; what cannot be read is no end."""
    assert read({"access_token": "a", **body}, f"reply: {{{reply}}}") == Token(
        access=Secret("a"), **ends
    )


def read(body, more, url=URL):
    """Read a reply of the token endpoint."""
    auth = made(CLIENT.replace("{{ config.url }}/token", url), more)
    reply = {"status": 200, "headers": {}, "body": body}
    return auth.read_token(reply, auth.token_request(VARIABLES, None), VARIABLES)


def test_reply_may_name_where_calls_go():
    """Without what a base URL has not: a query, or a slash at its end."""
    body = {"access_token": "a", "at": "https://eu1.a.test/x/?a=b#c"}

    assert read(body, "reply: {base_url: body.at}").base_url == "https://eu1.a.test/x"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("http://eu1.a.test", "'http://eu1.a.test'"),
        ("eu1.a.test", "'eu1.a.test'"),
        ("https://me@eu1.a.test", "'https://me@eu1.a.test'"),
        ("https://[", "'https://['"),
        (None, "null"),
    ],
)
def test_address_that_cannot_be_used_is_told(value, found):
    """Not without TLS where tokens are had with it: a token would be read on its way."""
    with pytest.raises(PageShapeError) as caught:
        read({"access_token": "a", "at": value}, "reply: {base_url: body.at}")

    assert str(caught.value) == (
        f"the token reply has {found} at body.at, expected an address that begins with https://"
    )


def test_address_without_tls_is_taken_from_an_endpoint_without_it():
    """On a loopback, for one."""
    body = {"access_token": "a", "at": "http://127.0.0.1:8000"}

    told = read(body, "reply: {base_url: body.at}", "http://127.0.0.1/t")

    assert told.base_url == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            SIGNS.replace(', client_assertion: {key: "{{ secrets.key }}"}', ""),
            (
                "1:1: E102: http.auth has no 'client_assertion', which client_auth private_key_jwt "
                "needs"
            ),
        ),
        (
            f'{SIGNS}, client_secret: "{{{{ secrets.id }}}}"',
            (
                "1:181: E114: http.auth has 'client_secret', which does not go with 'client_auth: "
                "private_key_jwt'"
            ),
        ),
        (
            SERVICE.partition(", assertion")[0],
            "1:1: E102: http.auth has no 'assertion', which grant jwt_bearer needs",
        ),
    ],
)
def test_parts_that_do_not_go_together_are_told(text, told):
    """A client says in one way who it is."""
    assert decode_auth("{" + text + "}")[1] == [f"specs/acme.yaml:{told}"]
