"""What an answer means."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.wire.judge import Outcome, Verdict, judge, parse_retry_after
from integrationd.wire.messages import Answer, Request

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
REQUEST = Request(method="GET", url="https://api.test/v1/orders", query=(("key", "s3cr3t"),))


def outcome(status, **headers):
    """Judge an answer."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    made = Answer(status=status, headers=names, body=b"boo", url="https://api.test/v1/orders")
    return judge(made, REQUEST, NOW)


@pytest.mark.parametrize("status", [200, 201, 204, 206, 299])
def test_success_is_accepted(status):
    """Every status of the second class is an answer to work with."""
    assert outcome(status) == Outcome(
        verdict=Verdict.ACCEPTED, message=f"GET /v1/orders answered {status}", status=status
    )


@pytest.mark.parametrize(
    ("status", "verdict"), [(401, Verdict.REAUTHENTICATE), (403, Verdict.REFUSED)]
)
def test_credentials_are_refused_as_such(status, verdict):
    """A fresh token may help who is not known, and nothing who is and may not."""
    assert outcome(status) == Outcome(
        verdict=verdict, kind="auth", message=f"GET /v1/orders answered {status}", status=status
    )


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504])
def test_passing_failures_are_tried_again(status):
    """Time-outs and failures of a server may pass."""
    assert outcome(status) == Outcome(
        verdict=Verdict.RETRY,
        kind="temporary",
        message=f"GET /v1/orders answered {status}",
        status=status,
    )


def test_too_many_requests_wait_as_long_as_asked():
    """429 is about the rate, and its Retry-After is kept."""
    assert outcome(429, retry_after="17") == Outcome(
        verdict=Verdict.RETRY,
        kind="rate",
        message="GET /v1/orders answered 429",
        wait_s=17.0,
        status=429,
        undone=True,
    )


@pytest.mark.parametrize(
    ("status", "headers", "undone"),
    [
        (429, {}, True),
        (503, {"retry_after": "5"}, True),
        (503, {}, False),
        (503, {"retry_after": "soon"}, False),
        (500, {"retry_after": "5"}, False),
        (502, {}, False),
        (504, {}, False),
        (408, {}, False),
    ],
)
def test_only_who_says_not_now_has_surely_done_nothing(status, headers, undone):
    """Any other failure may have come after the work: a balancer's, or one halfway."""
    assert outcome(status, **headers).undone is undone


@given(st.integers(100, 999).filter(lambda status: not 200 <= status < 300 and status != 401))
def test_unknown_status_is_refused(status):
    """Only what is known to pass is tried again; nothing outside 2xx is accepted."""
    verdict = outcome(status).verdict

    known = status in {408, 425, 429, 500, 502, 503, 504}
    assert verdict is (Verdict.RETRY if known else Verdict.REFUSED)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_names_the_host_alone(status):
    """Where it leads is told without the path and query, which may hold a token."""
    made = outcome(status, location="https://login.test:8443/sso?token=s3cr3t")

    assert made == Outcome(
        verdict=Verdict.REFUSED,
        kind="permanent",
        message=f"redirects are not followed: GET /v1/orders answered {status} to login.test",
        status=status,
    )


@pytest.mark.parametrize(
    ("location", "end"),
    [
        ("/elsewhere", " to api.test"),
        ("", ""),
        ("https://a\x1b/", ""),
        ("https://[", ""),
    ],
)
def test_odd_redirects_are_told_too(location, end):
    """A relative, missing or unreadable Location is no reason to fail, nor to print it."""
    start = "redirects are not followed: GET /v1/orders answered 302"

    assert outcome(302, location=location).message == start + end


def test_not_modified_is_no_redirect():
    """304 was not asked for; it is refused by its number."""
    assert outcome(304).message == "GET /v1/orders answered 304"


def test_answer_of_the_bare_host_has_a_path():
    """A URL without a path is told as the root."""
    made = Answer(status=404, headers={}, body=b"", url="https://api.test")

    assert judge(made, REQUEST, NOW).message == "GET / answered 404"


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("1.5", 1.5),
        ("999999999", 86_400.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 13:00:30 +0100", 30.0),
        ("Sun, 01 Mar 2026 12:00:30 -0000", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun, 01 Mar 2126 12:00:00 GMT", 86_400.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
        ("Infinity", None),
        ("nan", None),
        ("١٢", None),
        ("9" * 5000, None),
        ("Sun, 99 Mar 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_read_or_ignored(text, wait_s):
    """Seconds and dates are understood, capped at a day; anything else counts as absent."""
    assert parse_retry_after(text, NOW) == wait_s


@given(st.text(max_size=60))
def test_any_retry_after_gives_a_bounded_wait(text):
    """No header makes us wait longer than a day, or fail."""
    wait_s = parse_retry_after(text, NOW)

    assert wait_s is None or 0 <= wait_s <= 86_400
