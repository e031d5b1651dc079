"""Which limits a request falls under, and what an answer says of the rest."""

from datetime import UTC, datetime, timedelta

import pytest

from integrationd.config.nodes import Position
from integrationd.config.units import Rate
from integrationd.transform.expression import Expression
from integrationd.wire.limits import Allowance, Learn, Meter, PathLimit
from integrationd.wire.messages import Request
from integrationd.wire.rules import Wait, WaitFormat

HERE = Position("a.yaml", 1, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("pattern", "method", "url", "fits"),
    [
        ("/search", "GET", "https://a.test/v1/search?q=x", True),
        ("/search", "POST", "https://a.test/v1/search", True),
        ("/search", "GET", "https://a.test/v1/search/all", False),
        ("/search", "GET", "https://a.test/v1/research", False),
        ("post /search", "POST", "https://a.test/v1/search", True),
        ("post /search", "GET", "https://a.test/v1/search", False),
        ("/items/*", "GET", "https://a.test/v1/items/5", True),
        ("/items/*", "GET", "https://a.test/v1/items/5/lines", False),
        ("/items/*/lines", "GET", "https://a.test/v1/items/5/lines", True),
        ("/items/**", "GET", "https://a.test/v1/items/5/lines", True),
        ("/a.b", "GET", "https://a.test/v1/a+b", False),
        ("/", "GET", "https://a.test/v1", True),
        ("/v1/search", "GET", "https://a.test/v1/search", False),
        ("/else", "GET", "https://b.test/else", True),
    ],
)
def test_pattern_fits_the_path_below_the_base(pattern, method, url, fits):
    """With its method where it names one; of a next-URL elsewhere the whole path."""
    meter = Meter("https://a.test/v1/", {pattern: PathLimit(cost=7)})

    assert meter.charge(Request(method=method, url=url)).cost == (7 if fits else 1)


def test_all_patterns_that_fit_hold():
    """Their rates together, and the greatest cost; what the call itself says of it wins."""
    second, minute = Rate(1, timedelta(seconds=1)), Rate(9, timedelta(minutes=1))
    paths = {
        "/**": PathLimit(rate=(second, minute), cost=2),
        "/search": PathLimit(rate=minute, cost=5),
        "/other": PathLimit(rate=second, cost=50),
    }
    meter = Meter("https://a.test", paths)
    request = Request(method="GET", url="https://a.test/search")

    lanes = (("/**", second), ("/**", minute), ("/search", minute))
    assert meter.charge(request) == (5, lanes)
    assert meter.charge(Request(method="GET", url=request.url, cost=3)) == (3, lanes)


def learn(reset, keep=0):
    """Build a rule for GitHub's header."""
    remaining = Expression('headers."x-ratelimit-remaining"', HERE)
    return Learn(remaining=remaining, reset=reset, keep=keep)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"x-ratelimit-remaining": "12", "reset": "30"}, Allowance(10, 30)),
        ({"x-ratelimit-remaining": "0", "reset": "9e9"}, None),
        ({"x-ratelimit-remaining": "0", "reset": "999999999"}, Allowance(-2, 86400)),
        ({"x-ratelimit-remaining": "soon", "reset": "30"}, None),
        ({"reset": "30"}, None),
        ({"x-ratelimit-remaining": "12"}, None),
    ],
)
def test_answer_says_what_is_left(headers, found):
    """Less what is kept for others; one that does not say both says nothing."""
    wait = Wait(value=Expression("headers.reset", HERE))
    reply = {"status": 200, "headers": headers, "body": None}

    assert learn(wait, keep=2).find(reply, NOW) == found


@pytest.mark.parametrize(
    ("format_", "written"),
    [
        (WaitFormat.UNIX, str(int(NOW.timestamp()) + 90)),
        (WaitFormat.DATE, "Thu, 01 Jan 2026 00:01:30 GMT"),
        (WaitFormat.MS, "90000"),
    ],
)
def test_reset_is_a_span_or_a_moment(format_, written):
    """SendGrid and GitHub give Unix time, Cloudinary a date."""
    wait = Wait(value=Expression("headers.reset", HERE), format=format_)
    headers = {"x-ratelimit-remaining": "1", "reset": written}

    assert learn(wait).find({"headers": headers}, NOW) == (1, 90)
