"""OAuth2: the token request, what comes back, and the token in a call."""

import base64
from urllib.parse import parse_qsl, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import RefusedError, SecretError
from integrationd.model.secret import Secret
from integrationd.wire.auth.authenticator import TokenAuthenticator
from integrationd.wire.encoding import encode
from integrationd.wire.messages import FormBody, Request
from tests.support.auth import CLIENT, REFRESH, VARIABLES, decode_auth, made


def sent(auth, refresh=None, **changes):
    """Build a token request and encode it as it goes out."""
    variables = {**VARIABLES, "secrets": {**VARIABLES["secrets"], **changes}}
    return encode(auth.token_request(variables, refresh))


def test_client_credentials_are_asked_for_as_in_the_rfc():
    """RFC 6749 section 4.4.2, its example: the header, the form, and no more."""
    request = sent(made(CLIENT))

    assert (request.method, request.url) == ("POST", "https://server.example.com/token")
    assert request.headers == {
        "authorization": "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW",
        "content-type": "application/x-www-form-urlencoded",
        "accept": "application/json",
    }
    assert request.body == b"grant_type=client_credentials"


def test_refresh_token_is_handed_in_as_in_the_rfc():
    """RFC 6749 section 6, its example."""
    request = sent(made(REFRESH), Secret("tGzv3JOkF0XG5Qx2TlKWIA"))

    assert request.headers["authorization"] == "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"
    assert request.body == b"grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA"


def test_client_may_stand_in_the_form():
    """RFC 6749 section 2.3.1, the alternative; many providers read nothing else."""
    request = sent(made(CLIENT, "client_auth: post"))

    assert "authorization" not in request.headers
    assert request.body == (
        b"grant_type=client_credentials&client_id=s6BhdRkqt3&client_secret=gX1fBat3bV"
    )


def test_public_client_names_itself_in_the_form():
    """Without a secret there is nothing to put in the header."""
    text = REFRESH.replace('client_secret: "{{ secrets.client_secret }}", ', "")

    request = sent(made(text), Secret("r"))

    assert "authorization" not in request.headers
    assert request.body == b"grant_type=refresh_token&refresh_token=r&client_id=s6BhdRkqt3"


@given(secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_any_client_secret_arrives(secret):
    """Id and secret are form-encoded before they are joined, so that a colon parts only them."""
    header = sent(made(CLIENT), client_secret=Secret(secret)).headers["authorization"]

    pair = base64.b64decode(header.removeprefix("Basic ")).decode()
    assert [unquote_plus(part) for part in pair.split(":")] == ["s6BhdRkqt3", secret]


def test_scopes_are_joined_by_blanks():
    """RFC 6749 section 3.3; a provider that wants commas gets one text with commas."""
    assert b"&scope=a+b%3Ac" in sent(made(CLIENT, 'scopes: [a, "b:c"]')).body
    assert b"&scope=a%2Cb" in sent(made(CLIENT, 'scopes: ["a,b"]')).body


def test_further_fields_and_headers_are_sent():
    """One of the usual names replaces what would be sent, and null leaves it out."""
    auth = made(
        CLIENT,
        "client_auth: post, form: {grant_type: account_credentials, account_id: a1, "
        'client_secret: null}, headers: {X-App-Key: "{{ secrets.client_secret }}"}',
    )

    request = auth.token_request(VARIABLES, None)

    assert parse_qsl(encode(request).body.decode()) == [
        ("grant_type", "account_credentials"),
        ("client_id", "s6BhdRkqt3"),
        ("account_id", "a1"),
    ]
    assert request.headers == {"x-app-key": Secret("gX1fBat3bV")}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", (b"grant_type=client_credentials&scopes=a&scopes=c", "")),
        ("send_as: query, ", (b"", "grant_type=client_credentials&scopes=a&scopes=c")),
        ("send_as: json, ", (b'{"grant_type":"client_credentials","scopes":["a","c"]}', "")),
    ],
    ids=["form", "query", "json"],
)
def test_list_sends_its_field_once_for_each_text(more, told):
    """What a template leaves empty is none of them, and a list of nothing is no field."""
    nothing = '"{{ none if config.client else omit }}"'
    request = sent(made(CLIENT, f"{more}form: {{scopes: [a, {nothing}, c], others: [{nothing}]}}"))

    body, query = told
    assert (request.body or b"") == body
    assert request.url == "https://server.example.com/token" + (f"?{query}" if query else "")


def test_no_credential_of_a_token_request_shows():
    """Header, secret and refresh token are secrets until they are on the wire."""
    request = made(REFRESH).token_request(VARIABLES, Secret("tGzv3JOkF0"))

    for plain in ("gX1fBat3bV", "czZCaGRSa3F0", "tGzv3JOkF0"):
        assert plain not in repr(request)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"client_secret": Secret("")},
            "auth.client_secret is empty, expected a secret; is its value set?",
        ),
    ],
)
def test_empty_client_secret_is_told(changes, message):
    """An empty secret is a mistake at home, not a refusal by the provider."""
    with pytest.raises(SecretError) as caught:
        sent(made(CLIENT), **changes)

    assert str(caught.value) == message


def test_empty_token_url_is_told():
    """A template may give nothing."""
    text = CLIENT.replace("{{ config.url }}/token", "{{ config.none }}")

    with pytest.raises(RefusedError) as caught:
        made(text).token_request({**VARIABLES, "config": {"none": None, "client": "c"}}, None)

    assert str(caught.value) == "auth.token_url is empty, expected an absolute URL"


def test_given_refresh_token_is_rendered():
    """Only the grant that hands one in has one."""
    assert made(REFRESH).given_refresh_token(VARIABLES) == Secret("tGzv3JOkF0")
    assert made(CLIENT).given_refresh_token(VARIABLES) is None


CALL = Request(method="GET", url="https://api.test/orders")


@pytest.mark.parametrize(
    ("more", "request_made"),
    [
        ("", CALL.with_header("authorization", Secret("Bearer t0ken"))),
        ('prefix: "token "', CALL.with_header("authorization", Secret("token t0ken"))),
        ("into: header.X-Access-Token", CALL.with_header("x-access-token", Secret("t0ken"))),
        ("into: query.access_token", CALL.with_query("access_token", Secret("t0ken"))),
        (
            "into: form.token",
            Request(
                method="GET",
                url="https://api.test/orders",
                body=FormBody((("token", Secret("t0ken")),)),
            ),
        ),
    ],
)
def test_token_goes_to_its_place(more, request_made):
    """RFC 6750 section 2.1 by default, and as a secret everywhere."""
    made_request = made(CLIENT, more).apply(CALL, {**VARIABLES, "token": Secret("t0ken")})

    assert made_request == request_made
    assert "t0ken" not in repr(made_request)


def test_token_with_a_line_end_is_told():
    """A token must not begin another header."""
    with pytest.raises(RefusedError) as caught:
        made(CLIENT).apply(CALL, {**VARIABLES, "token": Secret("a\r\nb")})

    assert str(caught.value).startswith("header 'authorization' holds a line break")


def test_kind_is_known_as_one_that_asks_first():
    """The engine tells them apart by what they offer; a bearer token is not asked for."""
    assert isinstance(made(CLIENT), TokenAuthenticator)
    assert not isinstance(made('type: bearer, token: "{{ secrets.x }}"'), TokenAuthenticator)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            CLIENT.replace(', client_secret: "{{ secrets.client_secret }}"', ""),
            "1:1: E102: http.auth has no 'client_secret', which grant client_credentials needs",
        ),
        (
            REFRESH.replace(', refresh_token: "{{ secrets.refresh_token }}"', ""),
            "1:1: E102: http.auth has no 'refresh_token', which grant refresh_token needs",
        ),
        (
            f"rotates: false, {CLIENT}",
            "1:2: E114: http.auth has 'rotates', which goes with 'grant: refresh_token' alone",
        ),
    ],
)
def test_parts_that_do_not_go_together_are_told(text, told):
    """A grant has what it hands in, and nothing of the other one."""
    assert decode_auth("{" + text + "}")[1] == [f"specs/acme.yaml:{told}"]
