"""Requests held against what a case expects, and what is told where they do not fit."""

import pytest

from integrationd.config.decode import Site, decode
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.spec.exchanges import AskedRequest, Exchange
from integrationd.testing.cases.script import Script, find_misfits, name_of
from integrationd.wire.encoding import encode
from integrationd.wire.messages import FormBody, JsonBody, Request, TextBody
from tests.support.casebook import one, run


def read(text, hint):
    """Read a part of a case."""
    problems = Problems()
    value = decode(parse_yaml(text.encode(), file="x", problems=problems), hint, Site(problems, ""))
    assert problems.found == []
    return value


def asked(method="GET", url="https://a.test/api/books", query=(), headers=None, body=None):
    """Encode a request as it would be sent."""
    return encode(Request(method=method, url=url, query=query, headers=headers or {}, body=body))


BOOKS = asked(query=(("page", "2"), ("tag", "a"), ("tag", "b")), headers={"x-key": "k"})


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("GET /api/books", []),
        ("POST /api/books", ["method is GET, expected POST"]),
        ("GET /api/book", ["path is /api/books, expected /api/book"]),
        ("GET https://a.test/api/books", []),
        (
            "GET https://b.test/api/books",
            ["address is https://a.test/api/books, expected https://b.test/api/books"],
        ),
        ("GET /api/books?page=2&tag=a&tag=b", []),
        ("GET /api/books?page=2", ["query tag is 'a' and 'b', expected nothing"]),
        ("GET /api/books?page=2&...", []),
        ("GET /api/books?page=3&...", ["query page is '2', expected '3'"]),
        ("GET /api/books?tag=a&...", ["query tag is 'a' and 'b', expected 'a'"]),
        ("{query: {page: 2, tag: [a, b]}}", []),
        ("{query: {page: null}}", ["query page is '2', expected not there"]),
        ("{query: {size: 10}}", ["query size is not there, expected '10'"]),
        ("{query: {page: 2}, exact: true}", ["query tag is 'a' and 'b', expected nothing"]),
        ("{headers: {X-Key: k, authorization: null}}", []),
        ("{headers: {X-Key: l}}", ["header X-Key is 'k', expected 'l'"]),
        ("{headers: {x-key: null}}", ["header x-key is 'k', expected not there"]),
        ("{}", []),
    ],
    ids=str,
)
def test_a_request_is_compared_by_what_is_given(wanted, told):
    """A line or an object; what is not said is not looked at."""
    text = wanted if wanted.startswith("{") else f'"{wanted}"'

    assert list(find_misfits(read(text, AskedRequest), BOOKS)) == told


@pytest.mark.parametrize(
    ("body", "wanted", "told"),
    [
        (JsonBody({"a": [1, 2]}), "{json: {a: [1, 2]}}", []),
        (
            JsonBody({"a": 1, "b": 2}),
            "{json: {a: 2}}",
            ["body a expected 2, got 1", "body b expected nothing, got 2"],
        ),
        (TextBody("<a/>", "text/xml"), "{json: {a: 2}}", ["body is '<a/>', expected {\"a\": 2}"]),
        (TextBody("<a/>", "text/xml"), "{text: <a/>}", []),
        (TextBody("<a/>", "text/xml"), "{text: <b/>}", ["body is '<a/>', expected '<b/>'"]),
        (FormBody((("a", "1"), ("b", "2"), ("b", "3"))), "{form: {a: 1, b: [2, 3]}}", []),
        (
            FormBody((("a", "1"), ("c", ""))),
            "{form: {a: 2, b: x}}",
            [
                "form a is '1', expected '2'",
                "form b is not there, expected 'x'",
                "form c is '', expected not there",
            ],
        ),
        (JsonBody(None), "{json: null}", []),
        (JsonBody({"a": 1}), "{json: null}", ['body expected null, got {"a": 1}']),
        (None, "{json: null}", ["body is '', expected null"]),
        (JsonBody(None), "{}", []),
        (None, "{form: {}}", []),
        (FormBody((("a", "1"),)), "{form: {}}", ["form a is '1', expected not there"]),
        (None, "{text: ''}", []),
        (TextBody("a", "text/plain"), "{text: ''}", ["body is 'a', expected ''"]),
    ],
    ids=[
        *("json", "other json", "no json", "text", "other text", "form", "other form"),
        *("null", "not null", "no body for null", "nothing said"),
        *("no fields", "a field too many", "no body", "a body too many"),
    ],
)
def test_a_body_is_compared_as_a_whole(body, wanted, told):
    """As JSON, as a form or as it is sent."""
    request = asked(method="POST", body=body)

    assert list(find_misfits(read(wanted, AskedRequest), request)) == told


def test_a_path_may_be_written_as_it_is_sent_or_as_it_reads():
    """A slash inside a name is not one between names, however it is written."""
    request = asked(url="https://a.test/queues/%2F/a%20b")

    assert list(find_misfits(read("GET /queues/%2F/a%20b", AskedRequest), request)) == []
    assert list(find_misfits(read("GET /queues///a b", AskedRequest), request)) == []


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        ("GET /api/books", "GET /api/books"),
        ('"GET /api/books?page=1&..."', "GET /api/books?page=1&..."),
        ('"GET /api/books?page=1"', "GET /api/books?page=1"),
        ("{query: {page: 1}}", "…?page=1&..."),
        ("{method: POST}", "POST …"),
        ("{url: https://a.test/x}", "https://a.test/x"),
        ("{headers: {a: b}}", "a request"),
    ],
)
def test_an_expected_request_is_shown_as_a_line(wanted, shown):
    """As an author would write it."""
    assert name_of(read(wanted, AskedRequest)) == shown


def exchanges(*texts):
    """Read exchanges."""
    return [read(f"{{{text}, response: 200}}", Exchange) for text in texts]


def test_equal_exchanges_are_used_in_their_order():
    """Each as often as it says, and then no more."""
    script = Script(exchanges("request: GET /api/books, times: 2", "request: GET /api/books"))

    used = [script.answer(BOOKS) for _ in range(4)]

    assert [None if one is None else one.times for one in used] == [2, 2, 1, None]
    assert script.faults == [
        ("request 4 was not expected: GET /api/books?page=2&tag=a&tag=b; every exchange is used up")
    ]


def test_in_any_order_the_first_that_fits_answers():
    """As partitions need it, which are read side by side."""
    script = Script(exchanges("request: GET /api/a", "request: GET /api/books"), in_order=False)

    assert script.answer(BOOKS) is script.exchanges[1]
    assert script.faults == []
    assert list(script.unused()) == ["exchange 1 was never asked for: GET /api/a"]


PAGE = "{body: {total: 2, data: [{id: 1, title: Tides}]}}"
FIRST = f'{{request: "GET /api/books?page=1", response: {PAGE}}}'


def test_a_request_that_nobody_expected_is_shown_with_the_nearest():
    """And with what of it differs; what came of it is not told as well."""
    second = f'{{request: "GET /api/books?page=7", response: {PAGE}}}'
    other = f"{{request: GET /api/authors, response: {PAGE}}}"

    assert one("records: 99", f"{FIRST}, {second}, {other}") == [
        (
            "request 2 was not expected: GET /api/books?page=2; nearest is exchange 2, GET "
            "/api/books?page=7: query page is '2', expected '7'"
        )
    ]


def test_a_request_before_its_turn_is_told():
    """With what should have come first."""
    salt = "{body: {total: 2, data: [{id: 2, title: Salt}]}}"
    second = f'{{request: "GET /api/books?page=2", response: {salt}}}'

    assert one("records: 1", f"{second}, {FIRST}") == [
        (
            "request 1 was not expected: GET /api/books?page=1 (exchange 2) came before its turn; "
            "next is exchange 1, GET /api/books?page=2; say 'order: any' where that does not matter"
        )
    ]
    assert one("records: 2", f"{second}, {FIRST}", order="any") == []


def test_a_request_that_never_came_is_told():
    """Once for each exchange, and how often it came where that was not often enough."""
    last = "{request: GET /api/books, response: {body: {total: 0, data: []}}"

    assert one("records: 0", f"{last}}}, {FIRST}") == [
        "exchange 2 was never asked for: GET /api/books?page=1"
    ]
    assert one("records: 0", f"{last}, times: 3}}") == [
        "exchange 1 was asked for 1 of 3 times: GET /api/books"
    ]


def test_runs_have_exchanges_of_their_own():
    """What one of them did not ask for does not answer the next, and the fault names the run."""
    empty = "{body: {total: 0, data: []}}"
    faults = run(
        "cases: library\n"
        "streams:\n"
        "  - name: a\n"
        "    stream: books\n"
        "    runs:\n"
        f"      - exchanges: [{{request: GET /api/books, response: {empty}, times: 2}}]\n"
        f"      - exchanges: [{{request: GET /api/authors, response: {empty}}}]\n"
    ).faults

    assert faults == [
        "run 1: exchange 1 was asked for 1 of 2 times: GET /api/books",
        (
            "run 2: request 1 was not expected: GET /api/books?page=1; nearest is exchange 1, GET "
            "/api/authors: path is /api/books, expected /api/authors"
        ),
    ]
