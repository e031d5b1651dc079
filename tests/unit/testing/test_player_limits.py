"""A played provider's limits: who comes too often, and where its answers say what is left."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from integrationd.config.units import parse_rate
from integrationd.errors import UsageError
from integrationd.testing.options import PlayOptions
from tests.support.players import ask, player_of, received, request_of, walk

AT = datetime(2026, 1, 2, tzinfo=UTC)
SHOP = """\
integration: shop
http:
  base_url: http://player.test/api
  paginate: none
  limits:
    rate: 3/min
    learn: {remaining: %s, reset: %s}
streams: {orders: {get: /orders, records: body.orders, key: id}}
"""
HEADERS = SHOP % ("headers.x-left", "{value: headers.x-reset, format: unix}")
BODY = SHOP % ("body.cost.left", "{value: body.cost.reset, format: ms}")
QUERY = """\
integration: books
http: {base_url: http://player.test/api, paginate: none}
streams:
  invoices:
    post: /query
    json: {query: "select * from Invoice startposition {start} maxresults {Size}"}
    paginate: {type: offset, into: hole.start, start: 1, size: {into: hole.Size, value: 4}}
    records: body.rows
    key: id
"""


def told(text, calls=1, **options):
    """Ask some times; returns the last answer."""
    player = player_of(text, PlayOptions(records=3, bad=0, **options))
    _, request = request_of(player, "orders")
    for _ in range(calls):
        answer = player.answer(received(request), 1.0, AT)
    return answer


@pytest.mark.parametrize(("calls", "left"), [(1, 2), (2, 1), (3, 0), (5, 0)])
def test_headers_say_what_is_left(calls, left):
    """And when it is full again, as the spec reads it."""
    answer = told(
        HEADERS.replace("headers.x-left", 'headers."x-left"').replace(
            "headers.x-reset", 'headers."x-reset"'
        ),
        calls,
    )

    assert answer.headers["x-left"] == str(left)
    assert int(answer.headers["x-reset"]) == int(AT.timestamp()) + 60


@pytest.mark.parametrize(("calls", "left"), [(1, 2), (3, 0)])
def test_body_says_what_is_left(calls, left):
    """Beside the records; nothing of them is lost."""
    body = json.loads(told(BODY, calls).body)

    assert body["cost"] == {"left": left, "reset": 60_000}
    assert len(body["orders"]) == 3


def test_refusal_says_it_too():
    """Who is held to the limit finds it in the answer that says no."""
    answer = told(BODY, 4, limits=True)

    assert (answer.status, answer.headers["retry-after"]) == (429, "60")
    assert json.loads(answer.body)["cost"]["left"] == 0
    assert json.loads(answer.body)["error"] == "too_many_requests"


def test_no_limits_lets_everybody_through():
    """Only what is left is told."""
    assert told(BODY, 9, limits=False).status == 200


def test_rate_of_the_command_holds_beside_those_of_the_spec():
    """`--rate` refuses more calls, whoever plays."""
    assert told(BODY, 2, rate=parse_rate("1/min")).status == 429


def test_what_cannot_be_told_is_said_at_the_start():
    """A status is not where a player can count."""
    with pytest.raises(UsageError) as caught:
        told(SHOP % ("status", "60s"))

    assert str(caught.value) == ("http.limits.learn reads elsewhere than in headers and the body")


def test_holes_of_a_query_are_read():
    """Start and size stand inside a text; every page is another one."""
    player = player_of(QUERY, PlayOptions(records=10, bad=0, page_size=3))

    pages = [[record["id"] for record in page] for page in walk(player, "invoices")]

    assert pages == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]


def test_another_text_around_the_holes_is_refused():
    """What the spec sends is held to."""
    player = player_of(QUERY, PlayOptions(records=10, bad=0))
    plan, request = request_of(player, "invoices")
    good = plan.paginator.apply(request, None)
    bad = player_of(QUERY.replace("Invoice", "Bill"), PlayOptions(records=10, bad=0))

    assert ask(player, good).status == 200
    assert (ask(bad, good).status, b"the body is missing" in ask(bad, good).body) == (400, True)
