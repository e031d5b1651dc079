"""OAuth2: what a token endpoint answers, and what people are told of a refusal."""

import pytest

from integrationd.errors import PageShapeError
from integrationd.model.secret import Secret
from integrationd.wire.grants import Refusal, Token
from tests.support.auth import CLIENT, REFRESH, VARIABLES, made


def read(body, status=200, auth=None, headers=None):
    """Read a reply of the token endpoint."""
    auth = auth or made(CLIENT)
    reply = {"status": status, "headers": headers or {}, "body": body}
    return auth.read_token(reply, auth.token_request(VARIABLES, None), VARIABLES)


@pytest.mark.parametrize(
    ("body", "token"),
    [
        ({"access_token": "a"}, Token(access=Secret("a"))),
        (
            {"access_token": "a", "token_type": "bearer", "expires_in": 3600},
            Token(access=Secret("a"), lifetime_s=3600),
        ),
        (
            {"access_token": "a", "token_type": "Bearer ", "expires_in": "299.5"},
            Token(access=Secret("a"), lifetime_s=299.5),
        ),
        (
            {"access_token": "a", "expires_in": 5, "refresh_token": "tGzv3JOkF0XG5Qx2TlKWIA"},
            Token(access=Secret("a"), lifetime_s=5, refresh=Secret("tGzv3JOkF0XG5Qx2TlKWIA")),
        ),
        ({"access_token": "a", "refresh_token": ""}, Token(access=Secret("a"))),
        ({"access_token": "a", "error": None}, Token(access=Secret("a"))),
    ],
)
def test_token_is_read(body, token):
    """RFC 6749 section 5.1; numbers come as text from some."""
    assert read(body) == token


def test_token_is_read_from_where_the_spec_says():
    """Token, expiry and refresh token may stand anywhere in the reply."""
    auth = made(
        CLIENT,
        "reply: {access_token: body.data.token, expires_in: 'headers.\"x-ttl\"', "
        "refresh_token: body.data.next}",
    )

    found = read({"data": {"token": "a", "next": "r"}}, auth=auth, headers={"x-ttl": "60"})

    assert found == Token(access=Secret("a"), lifetime_s=60, refresh=Secret("r"))


@pytest.mark.parametrize(
    ("body", "more", "message"),
    [
        (
            {"token": "secret-canary"},
            "",
            (
                "the token reply has null at body.access_token, expected a token as text; say "
                "under http.auth.reply where it stands"
            ),
        ),
        (
            ["secret-canary"],
            "reply: {access_token: 'body[1]'}",
            (
                "the token reply has null at body[1], expected a token as text; say under "
                "http.auth.reply where it stands"
            ),
        ),
        (
            {"access_token": 17},
            "",
            (
                "the token reply has a number at body.access_token, expected a token as text; say "
                "under http.auth.reply where it stands"
            ),
        ),
        (
            {"access_token": "secret-canary", "token_type": "mac"},
            "",
            (
                "the token reply has a token of type 'mac', expected Bearer; set http.auth.prefix "
                "where it is to be sent all the same"
            ),
        ),
        (
            {"access_token": "secret-canary" * 2000},
            "",
            "the token reply has a token of more than 16384 characters, which is not used",
        ),
        (
            {"access_token": "a", "refresh_token": "secret-canary" * 2000},
            "",
            "the token reply has a token of more than 16384 characters, which is not used",
        ),
        (
            {"access_token": "secret-canary", "at": 1},
            "reply: {expires_in: 'length(body.at)'}",
            (
                "auth.reply.expires_in cannot be read: function length() got number, expected "
                "string or array or object"
            ),
        ),
    ],
)
def test_success_without_a_usable_token_is_told(body, more, message):
    """What to change is said, and nothing of the reply."""
    with pytest.raises(PageShapeError) as caught:
        read(body, auth=made(CLIENT, more))

    assert str(caught.value) == message


def test_other_token_type_is_taken_where_the_spec_has_a_prefix():
    """RFC 6749 section 7.1: who says how it is sent has understood the type."""
    auth = made(CLIENT, 'prefix: "OAuth "')

    assert read({"access_token": "a", "token_type": "example"}, auth=auth).access == Secret("a")


@pytest.mark.parametrize(
    ("status", "body", "refusal"),
    [
        (400, {"error": "invalid_request"}, Refusal(status=400, error="invalid_request")),
        (
            401,
            {"error": "invalid_client", "error_description": "Client\nunknown\x00"},
            Refusal(status=401, error="invalid_client", said="Client unknown\\u0000"),
        ),
        (200, {"ok": False, "error": "bad_code"}, Refusal(status=200, error="bad_code")),
        (
            400,
            {"error": {"type": "OAuthException", "code": 190, "message": "expired"}},
            Refusal(status=400, error="OAuthException", said="expired"),
        ),
        (400, {"message": "no such app"}, Refusal(status=400, said="no such app")),
        (
            400,
            {"error": "e", "error_description": "x" * 300},
            Refusal(status=400, error="e", said="x" * 200),
        ),
        (404, "<html>", Refusal(status=404)),
        (400, None, Refusal(status=400)),
    ],
)
def test_refusal_is_read(status, body, refusal):
    """RFC 6749 section 5.2, and what others make of it; the words are one bounded line."""
    assert read(body, status) == refusal


def test_refusal_repeats_no_secret_of_ours():
    """A provider that quotes what it was sent does not bring it into our log."""
    said = "client s6BhdRkqt3 sent gX1fBat3bV as Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"
    auth = made(CLIENT.replace("{{ config.client }}", "{{ secrets.id }}"))
    variables = {**VARIABLES, "secrets": {**VARIABLES["secrets"], "id": Secret("s6BhdRkqt3")}}
    reply = {"status": 400, "headers": {}, "body": {"error": "x", "error_description": said}}

    found = auth.read_token(reply, auth.token_request(variables, None), variables)

    assert found == Refusal(status=400, error="x", said="client *** sent *** as ***")


@pytest.mark.parametrize(
    ("text", "error", "hint"),
    [
        (
            REFRESH,
            "invalid_grant",
            (
                "a person has to give consent again; then store the new refresh token: "
                "integrationd secret set acme refresh_token"
            ),
        ),
        (
            CLIENT,
            "invalid_grant",
            (
                "check client_id and client_secret, and whether they go into the header or, with "
                "'client_auth: post', into the form"
            ),
        ),
        (CLIENT, "invalid_scope", "check http.auth.scopes"),
        (
            CLIENT,
            "unsupported_grant_type",
            "is the grant client_credentials switched on there?",
        ),
        (REFRESH, "unauthorized_client", "is this client allowed the grant refresh_token there?"),
        (
            CLIENT,
            "invalid_request",
            "see what else it wants, under http.auth.form and http.auth.headers",
        ),
    ],
)
def test_refusal_says_what_to_do(text, error, hint):
    """Each error code of RFC 6749 section 5.2 has its remedy."""
    assert made(text).hint(error, "acme") == hint
