"""Consent as values: the address that is opened, what comes back, what a device shows."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import SecretError
from integrationd.model.secret import Secret
from integrationd.wire.auth.authenticator import ConsentAuthenticator
from integrationd.wire.consent import (
    RedirectAddress,
    challenge_of,
    origin_of,
)
from integrationd.wire.encoding import encode
from tests.support.auth import CLIENT, VARIABLES, decode_auth, made

BROWSER = (
    "type: oauth2, grant: authorization_code, authorize: {url: https://server.example.com/authorize"
    ', query: {}}, token_url: "{{ config.url }}/token", client_id: "{{ config.client }}"'
)
DEVICE = (
    "type: oauth2, grant: device_code, device: {url: https://server.example.com/device}, "
    'token_url: "{{ config.url }}/token", client_id: "{{ config.client }}"'
)
REDIRECT = "http://127.0.0.1:4711/callback"
VERIFIER = Secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")


def opened(text, more=""):
    """Return the address that a person opens, as its parts."""
    url = urlsplit(made(text, more).authorize_address(VARIABLES, REDIRECT, "xyz", VERIFIER))
    pairs = parse_qsl(url.query)
    assert len(pairs) == len(dict(pairs))
    return f"{url.scheme}://{url.netloc}{url.path}", dict(pairs)


def form(request):
    """Return what a request sends, as its own fields."""
    return dict(parse_qsl(encode(request).body.decode()))


def test_address_is_that_of_the_rfcs():
    """RFC 6749 section 4.1.1 with the challenge of RFC 7636 appendix B."""
    assert opened(BROWSER, "scopes: [a, b]") == (
        "https://server.example.com/authorize",
        {
            "response_type": "code",
            "client_id": "s6BhdRkqt3",
            "scope": "a b",
            "redirect_uri": REDIRECT,
            "state": "xyz",
            "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
            "code_challenge_method": "S256",
        },
    )


def test_address_has_what_the_file_adds():
    """One of the usual names is replaced, null leaves it out, and its own query stays."""
    query = "query: {access_type: offline, client_id: null, app: a b}"
    text = BROWSER.replace("authorize, query: {}", f'"authorize?x=1&y=%2F", {query}')
    text = text.replace('com/"authorize', "com/authorize").replace(
        "url: https://server", 'url: "https://server'
    )

    _, fields = opened(text, 'scopes: [a, b], scope_separator: ","')

    assert fields == {
        "x": "1",
        "y": "/",
        "response_type": "code",
        "scope": "a,b",
        "access_type": "offline",
        "app": "a b",
        "redirect_uri": REDIRECT,
        "state": "xyz",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
    }


def test_challenge_can_be_left_out():
    """Some providers refuse what they do not know."""
    _, fields = opened(BROWSER.replace("query: {}", "pkce: false"))

    assert sorted(fields) == ["client_id", "redirect_uri", "response_type", "state"]


def test_no_secret_is_in_the_address():
    """Neither the verifier nor the client's secret: the address is shown."""
    auth = made(BROWSER, 'client_secret: "{{ secrets.client_secret }}"')

    address = auth.authorize_address(VARIABLES, REDIRECT, "xyz", VERIFIER)

    assert VERIFIER.reveal() not in address
    assert "gX1fBat3bV" not in address


def test_client_without_an_id_is_told():
    """It would be an address that no provider answers."""
    text = BROWSER.replace("{{ config.client }}", "{{ config.none }}")

    with pytest.raises(SecretError) as caught:
        made(text).terms({**VARIABLES, "config": {**VARIABLES["config"], "none": None}})

    assert str(caught.value) == "auth.client_id is empty, expected a secret; is its value set?"


@given(verifier=st.text("abcXYZ019-._~", min_size=43, max_size=128))
def test_challenge_needs_no_encoding(verifier):
    """43 characters that stand in a URL as they are, RFC 7636 section 4.2."""
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", challenge_of(Secret(verifier)))


def test_code_is_handed_in_with_its_proof():
    """RFC 7636 section 4.5; a public client names itself in the form."""
    handed = {"code": Secret("c1"), "redirect_uri": REDIRECT, "code_verifier": VERIFIER}

    request = made(BROWSER, "scopes: [a], form: {x: one}").first_request(VARIABLES, handed)

    assert encode(request).url == "https://server.example.com/token"
    assert form(request) == {
        "grant_type": "authorization_code",
        "code": "c1",
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER.reveal(),
        "client_id": "s6BhdRkqt3",
        "x": "one",
    }
    assert "c1" not in repr(request)
    assert VERIFIER.reveal() not in repr(request)


def test_device_code_is_handed_in():
    """RFC 8628 section 3.4."""
    request = made(DEVICE).first_request(VARIABLES, {"device_code": Secret("d1")})

    assert form(request) == {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": "d1",
        "client_id": "s6BhdRkqt3",
    }


def test_device_code_is_asked_for():
    """RFC 8628 section 3.1; the client proves itself as it does for a token."""
    text = DEVICE.replace("/device}", "/device, form: {audience: a}}")
    auth = made(text, 'scopes: [a, b], client_secret: "{{ secrets.client_secret }}"')

    request = auth.device_request(VARIABLES)

    assert encode(request).url == "https://server.example.com/device"
    assert encode(request).headers["authorization"] == "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"
    assert form(request) == {"scope": "a b", "audience": "a"}


def test_token_is_renewed_as_it_was_asked_for():
    """At the same address with the same fields, and without scopes, which would be another wish."""
    auth = made(BROWSER, "scopes: [a], form: {x: one}, headers: {x-app: z}")

    request = auth.token_request(VARIABLES, Secret("r1"))

    assert encode(request).url == "https://server.example.com/token"
    assert request.headers == {"x-app": "z"}
    assert form(request) == {
        "grant_type": "refresh_token",
        "refresh_token": "r1",
        "client_id": "s6BhdRkqt3",
        "x": "one",
    }


def test_token_is_renewed_elsewhere_with_other_fields():
    """What stands under `refresh` takes the place of the usual; nothing there is nothing."""
    more = (
        "form: {x: one}, headers: {x-app: z}, refresh: {url: https://other.test/refresh, "
        "form: {scope: all, grant_type: refresh}, headers: {}}"
    )

    request = made(BROWSER, more).token_request(VARIABLES, Secret("r1"))

    assert encode(request).url == "https://other.test/refresh"
    assert request.headers == {}
    assert form(request) == {
        "grant_type": "refresh",
        "refresh_token": "r1",
        "client_id": "s6BhdRkqt3",
        "scope": "all",
    }
    first = made(BROWSER, more).first_request(VARIABLES, {"code": "c"})
    assert form(first)["x"] == "one"
    assert first.headers == {"x-app": "z"}


def test_addresses_that_are_called_are_named():
    """Their hosts may be called; the one that a person opens is none of them."""
    text = DEVICE + ", refresh: {url: https://other.test/refresh}"

    assert sorted(made(text).token_addresses) == [
        "auth.device.url",
        "auth.refresh.url",
        "auth.token_url",
    ]
    assert list(made(BROWSER).token_addresses) == ["auth.token_url"]


def test_grants_by_consent_say_so():
    """Those without ask no person and have no terms."""
    assert isinstance(made(CLIENT), ConsentAuthenticator)
    assert [made(text).is_by_consent for text in (CLIENT, BROWSER, DEVICE)] == [False, True, True]
    assert made(CLIENT).terms(VARIABLES) is None
    assert made(BROWSER, "scopes: [a, b]").terms(VARIABLES).scopes == ("a", "b")
    assert made(BROWSER).may_rotate


def test_consent_is_bound_to_client_and_host():
    """Another path, secret or scope is the same consent; another client or host is another one."""
    one = origin_of(Secret("c"), "https://a.test/token")

    assert origin_of(Secret("c"), "https://A.test/oauth/token?x=1") == one
    others = {
        origin_of(Secret("d"), "https://a.test/token"),
        origin_of(Secret("c"), "https://b.test/token"),
        origin_of(Secret("c"), "https://a.test:8443/token"),
        origin_of(Secret("c"), "http://a.test/token"),
    }
    assert len(others | {one}) == 5
    assert one.startswith("consent:")


@pytest.mark.parametrize(
    ("redirect", "port", "becomes"),
    [
        ("http://127.0.0.1/callback", 4711, "http://127.0.0.1:4711/callback"),
        ("http://localhost", 4711, "http://localhost:4711/"),
        ("http://[::1]/x/y", 4711, "http://[::1]:4711/x/y"),
        ("http://localhost:8976/callback", 4711, "http://localhost:8976/callback"),
        ("https://example.org/callback", 4711, "https://example.org/callback"),
        ("http://127.0.0.1/callback", None, "http://127.0.0.1/callback"),
    ],
)
def test_redirect_has_a_port(redirect, port, becomes):
    """A free one, unless its own is fixed or it is another machine's."""
    assert RedirectAddress(redirect).at(port) == becomes


@pytest.mark.parametrize(
    "redirect",
    [
        "http://example.org/callback",
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1/callback#x",
        "http://127.0.0.1/callback?x=1",
        "http://u:p@127.0.0.1/callback",
        "https:///callback",
        "ftp://127.0.0.1/callback",
        "/callback",
        "http://[::1/callback",
        "http://127.0.0.1.example.org/",
    ],
)
def test_redirect_that_a_code_could_leak_to_is_refused(redirect):
    """Without TLS only this machine is sent one."""
    text = BROWSER.replace("query: {}", f'redirect: "{redirect}"')

    _, told = decode_auth("{" + text + "}")

    (message,) = told
    assert "E111: http.auth.authorize.redirect is " in message
    assert ", expected an address on this machine such as" in message
