"""What comes back of consent: from a browser, from a person who pastes, for another device."""

from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import PageShapeError, UsageError
from integrationd.model.secret import Secret
from integrationd.wire.consent import Denied, read_answer, read_device

REDIRECT = "http://127.0.0.1:4711/callback"
WANTED = (
    "expected the whole address to which the provider sends the browser in the end, with its "
    "'state' and 'code'"
)


def test_code_is_read():
    """From the whole address, or from what stands behind its question mark."""
    brought = Secret("a+b/c d")
    query = urlencode({"code": "a+b/c d", "state": "s", "iss": "https://x"}, quote_via=quote)

    for text in (f"{REDIRECT}?{query}", query, f"  {REDIRECT}?{query}#_=_\n"):
        came = read_answer(Secret(text))
        assert (came.state, came.brought) == ("s", brought)
        assert "a+b" not in repr(came)


def test_refusal_is_read():
    """RFC 6749 section 4.1.2.1; what would change a terminal is escaped."""
    query = urlencode({"error": "access_denied", "error_description": "no\x1b[31m", "state": "s"})

    came = read_answer(Secret(f"{REDIRECT}?{query}"))

    assert came.brought == Denied("access_denied", "no\\u001b[31m")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("c0de-canary", "that is no answer of a provider"),
        ("code=c0de-canary", "that is no answer of a provider"),
        ("error=c0de-canary", "that is no answer of a provider"),
        ("state=&code=c0de-canary", "that is no answer of a provider"),
        ("state=s", "that address has neither a code nor an error"),
        ("state=s&code=", "that address has neither a code nor an error"),
        ("state=s&code=c0de-canary&code=x", "that address says one thing twice"),
        ("state=s&state=s&code=c0de-canary", "that address says one thing twice"),
        (
            "&".join(f"a{number}=1" for number in range(200)),
            "that is no answer of a provider",
        ),
        ("state=s&code=" + "c" * 20_000, "that is no answer of a provider"),
    ],
    ids=[
        "word",
        "bare-code",
        "bare-error",
        "empty-state",
        "no-code",
        "empty-code",
        "two-codes",
        "two-states",
        "many",
        "long",
    ],
)
def test_what_is_no_answer_is_told_without_repeating_it(text, message):
    """A person may have pasted something else, or the code alone, whose state nobody knows."""
    with pytest.raises(UsageError) as caught:
        read_answer(Secret(text))

    assert str(caught.value) == f"{message}, {WANTED}"


@given(text=st.text(max_size=200))
def test_any_text_is_an_answer_or_refused(text):
    """Nothing that a browser or a person brings breaks it."""
    try:
        came = read_answer(Secret(text))
    except UsageError:
        return
    assert came.state


def test_device_reply_is_read():
    """RFC 8628 section 3.2, its example."""
    code = read_device(
        {
            "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
            "user_code": "WDJB-MJHT",
            "verification_uri": "https://example.com/device",
            "verification_uri_complete": "https://example.com/device?user_code=WDJB-MJHT",
            "expires_in": 1800,
            "interval": 7,
        }
    )

    assert (code.user_code, code.address) == ("WDJB-MJHT", "https://example.com/device")
    assert code.whole_address == "https://example.com/device?user_code=WDJB-MJHT"
    assert (code.lifetime_s, code.interval_s) == (1800, 7)
    assert "GmRhm" not in repr(code)


def test_device_reply_may_say_less():
    """Five seconds between questions, an hour at most, and Google's name for the address."""
    body = {"device_code": "d", "user_code": "u", "verification_url": "https://example.com/device"}

    code = read_device(body)

    assert (code.address, code.whole_address) == ("https://example.com/device", "")
    assert (code.lifetime_s, code.interval_s) == (3600, 5)
    assert read_device({**body, "expires_in": 10**9, "interval": 10**6}).lifetime_s == 3600
    assert read_device({**body, "interval": 10**6}).interval_s == 300


ADDRESS = "expected an address that begins with https:// or http://"
TYPED = "expected a code that can be typed"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"device_code": None}, "null at body.device_code, expected a code as text"),
        ({"user_code": "a\x1b[2J"}, f"text at body.user_code, {TYPED}"),
        ({"user_code": 1234}, f"a number at body.user_code, {TYPED}"),
        ({"verification_uri": "javascript:alert(1)"}, f"text at body.verification_uri, {ADDRESS}"),
        (
            {"verification_uri_complete": "https://a.test/\n"},
            f"text at body.verification_uri_complete, {ADDRESS}",
        ),
    ],
    ids=["no-device-code", "code-for-terminals", "number", "script", "two-lines"],
)
def test_device_reply_that_cannot_be_shown_is_refused(change, message):
    """It is printed on a terminal and opened in a browser."""
    body = {"device_code": "d", "user_code": "u", "verification_uri": "https://a.test", **change}

    with pytest.raises(PageShapeError) as caught:
        read_device(body)

    assert str(caught.value) == f"the device reply has {message}"
