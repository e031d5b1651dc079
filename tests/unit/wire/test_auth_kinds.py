"""How a request says who asks."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.decode import INVALID
from integrationd.errors import RefusedError, SecretError
from integrationd.model.secret import Secret
from integrationd.wire.messages import JsonBody, Request
from tests.support.auth import decode_auth

REQUEST = Request(method="GET", url="https://api.test/orders", headers={"x-a": "1"})


def apply(text, **secrets):
    """Add credentials to a request."""
    made, told = decode_auth(text)
    assert told == []
    names = {name: Secret(value) for name, value in secrets.items()}
    return made.apply(REQUEST, {"config": {"user": "ann"}, "secrets": names})


BEARER = '{type: bearer, token: "{{ secrets.token }}"}'
BASIC = '{type: basic, username: "{{ config.user }}", password: "{{ secrets.password }}"}'
API_KEY = '{type: api_key, into: header.X-Api-Key, value: "{{ secrets.key }}"}'


def test_none_changes_nothing():
    """Nobody asks."""
    assert apply("none") is REQUEST


def test_bearer_is_a_secret_header():
    """The token stands in the usual header, and the rest of the request stays."""
    made = apply(BEARER, token="abc")

    assert made.headers == {"x-a": "1", "authorization": Secret("Bearer abc")}
    assert "abc" not in repr(made)


@given(password=st.text(st.characters(exclude_categories=["Cs"])))
def test_basic_is_user_and_password_in_base64(password):
    """Any password arrives, an empty one and one with colons included."""
    made = apply(BASIC, password=password)

    word, _, token = made.headers["authorization"].reveal().partition(" ")
    assert word == "Basic"
    assert base64.b64decode(token).decode() == f"ann:{password}"


def test_basic_is_secret_also_without_secrets():
    """A user name without a password is masked all the same."""
    made = apply('{type: basic, username: guest, password: ""}')

    assert made.headers["authorization"] == Secret("Basic Z3Vlc3Q6")


def test_word_may_stand_beside_a_key():
    """Some providers take the key as user name, and want any word as password."""
    made = apply('{type: basic, username: "{{ secrets.key }}", password: X}', key="k")

    assert made.headers["authorization"] == Secret("Basic azpY")


LITERAL = (
    'holds a secret as text or from config, expected a template such as "{{ secrets.NAME }}"; '
    "declare its name under secrets"
)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{type: bearer, token: abc}", "token"),
        ('{type: bearer, token: "a-{{ config.user }}"}', "token"),
        ('{type: bearer, token: "{{ config.user }}"}', "token"),
        ("{type: bearer, token: \"{{ 'abc' }}\"}", "token"),
        ("{type: bearer, token: 1.5}", "token"),
        ("{type: api_key, into: query.key, value: abc}", "value"),
        ("{type: basic, username: me, password: abc}", "password"),
        ('{type: basic, username: me, password: "{{ config.user }}"}', "password"),
    ],
)
def test_text_where_a_secret_is_due_is_refused(text, field):
    """A file says where a secret is and never what it is; its text is not repeated."""
    made, told = decode_auth(text)

    assert made is INVALID
    assert [line.partition("E401: ")[2] for line in told] == [f"http.auth.{field} {LITERAL}"]


def test_colon_in_a_user_name_is_refused():
    """The provider would take the part behind the colon for the password."""
    with pytest.raises(SecretError) as caught:
        apply('{type: basic, username: "a:b", password: ""}')

    assert str(caught.value) == "auth.username holds a colon, which would end it"


@pytest.mark.parametrize(
    ("into", "made"),
    [
        ("header.X-Api-Key", REQUEST.with_header("x-api-key", Secret("k3y"))),
        ("query.wstoken", REQUEST.with_query("wstoken", Secret("k3y"))),
        ("cookie.sid", REQUEST.with_header("cookie", Secret("sid=k3y"))),
    ],
)
def test_api_key_goes_to_its_place(into, made):
    """The place is the spec's choice; the key is a secret in each."""
    assert apply(API_KEY.replace("header.X-Api-Key", into), key="k3y") == made


def test_api_key_may_stand_in_a_body():
    """Some providers read their key from the JSON that is posted."""
    made = apply('{type: api_key, into: json.auth.key, value: "{{ secrets.key }}"}', key="k3y")

    assert made.body == JsonBody({"auth": {"key": Secret("k3y")}})


def test_api_key_has_its_prefix():
    """A word before the key belongs to the header."""
    text = API_KEY.replace("X-Api-Key,", 'authorization, prefix: "SSWS ",')

    assert apply(text, key="k3y").headers["authorization"] == Secret("SSWS k3y")


@pytest.mark.parametrize(
    ("text", "secrets", "message"),
    [
        (BEARER, {"token": ""}, "auth.token is empty, expected a secret; is its value set?"),
        (API_KEY, {"key": ""}, "auth.value is empty, expected a secret; is its value set?"),
        (
            '{type: basic, username: "{{ secrets.user }}", password: x}',
            {"user": ""},
            "auth.username is empty, expected a secret; is its value set?",
        ),
    ],
)
def test_empty_credentials_are_told(text, secrets, message):
    """An empty secret is a mistake at home, not a refusal by the provider."""
    with pytest.raises(SecretError) as caught:
        apply(text, **secrets)

    assert str(caught.value) == message


@pytest.mark.parametrize(("text", "name"), [(BEARER, "authorization"), (API_KEY, "x-api-key")])
def test_line_end_in_a_secret_is_told(text, name):
    """A secret file that ends with a line end is the usual cause; the secret is not shown."""
    with pytest.raises(RefusedError) as caught:
        apply(text, token="abc\n", key="abc\n")

    assert str(caught.value) == (
        f"header {name!r} holds a line break or another control character; "
        "is there a line end in its secret?"
    )


def test_missing_secret_is_told():
    """A value that nobody supplied degrades the integration instead of failing in the middle."""
    with pytest.raises(SecretError) as caught:
        apply(BEARER)

    assert str(caught.value).startswith("auth.token cannot be made: ")


def test_unknown_kind_is_told():
    """The nearest name helps."""
    assert decode_auth('{type: baerer, token: "x"}') == (
        INVALID,
        [
            (
                "specs/acme.yaml:1:8: E110: http.auth.type is 'baerer', which is not known; "
                "did you mean 'bearer'?"
            )
        ],
    )


def test_key_in_place_of_the_url_is_told():
    """A key cannot be the whole URL."""
    assert decode_auth('{type: api_key, into: url, value: "{{ secrets.x }}"}') == (
        INVALID,
        [
            (
                "specs/acme.yaml:1:23: E206: http.auth.into is 'url', expected a place in one of "
                "query, header, json, form, path, hole, cookie"
            )
        ],
    )
