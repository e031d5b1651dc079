"""Logins: what the file says, what is read of an answer, and where it goes."""

import pytest

from integrationd.model.secret import Secret
from integrationd.wire.auth.authenticator import TokenAuthenticator
from integrationd.wire.auth.login import _cookies_in
from integrationd.wire.messages import Request
from tests.support.auth import made

CALL = Request(method="GET", url="https://api.test/orders")
STEPS = (
    'type: login, steps: [{post: /login, json: {p: "{{ secrets.p }}"}, read: {session: body.id}}]'
)


@pytest.mark.parametrize(
    ("line", "cookies"),
    [
        ("", {}),
        ("sid=a", {"sid": "a"}),
        ('sid="a b"; Path=/', {"sid": "a"}),
        ("sid=31d4d96e407aad42; Path=/; Secure; HttpOnly", {"sid": "31d4d96e407aad42"}),
        (
            "lang=en-US; Expires=Wed, 09 Jun 2021 10:18:14 GMT, sid=a==; Max-Age=5",
            {"lang": "en-US", "sid": "a=="},
        ),
        ("a=1,b=2", {"a": "1", "b": "2"}),
        ("sid=; Expires=Thu, 01-Jan-1970 00:00:00 GMT", {"sid": ""}),
    ],
)
def test_cookies_are_read_of_one_line_or_several(line, cookies):
    """RFC 6265 section 3.1, its examples among them; attributes are none, nor is a date's rest."""
    assert dict(_cookies_in(line)) == cookies


@pytest.mark.parametrize(
    ("more", "request_made"),
    [
        ("", CALL.with_header("authorization", Secret("Bearer s1"))),
        ("into: header.x-session", CALL.with_header("x-session", Secret("s1"))),
        ("into: cookie.sid", CALL.with_header("cookie", Secret("sid=s1"))),
        ('into: query.sid, prefix: "a-"', CALL.with_query("sid", Secret("a-s1"))),
    ],
)
def test_session_goes_to_its_place(more, request_made):
    """As a secret everywhere."""
    assert made(STEPS, more).apply(CALL, {"token": Secret("s1")}) == request_made


def test_login_is_known_again_by_what_it_is_made_of():
    """Another password is another login; a refresh token is none of its."""
    auth = made(STEPS)
    one = {"config": {}, "secrets": {"p": Secret("a")}}
    other = {"config": {}, "secrets": {"p": Secret("b")}}

    assert isinstance(auth, TokenAuthenticator)
    assert auth.identify(one, None) == auth.identify(one, Secret("r"))
    assert auth.identify(one, None) != auth.identify(other, None)
