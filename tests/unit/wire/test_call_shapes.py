"""What a spec says of a request, and the request that it makes."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.decode import INVALID, Site, decode
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.errors import RefusedError
from integrationd.model.secret import Secret
from integrationd.transform.template import Template
from integrationd.wire.call import BaseCall, CallShape, build_request, join_url
from integrationd.wire.encoding import encode_url
from integrationd.wire.messages import FormBody, JsonBody, Request
from integrationd.wire.parameters import Encode, Objects

BASE = BaseCall(base_url="https://api.test/v1")
VALUES = {"config": {}, "secrets": {}}


def decode_shape(text):
    """Decode the YAML of a request; return it with what was told."""
    problems = Problems()
    node = parse_yaml(text.encode(), file="specs/acme.yaml", problems=problems)
    shape = decode(node, CallShape, Site(problems, "streams.orders"))
    return shape, [str(problem) for problem in problems.found]


def build(text, *, base=BASE, **roots):
    """Build the request of a shape that is known to be right."""
    shape, told = decode_shape(text)
    assert told == []
    return build_request(shape, base=base, variables={**VALUES, **roots})


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_path_is_added_to_the_base(method):
    """Each method has its key, whose value is the path."""
    assert build(f"{method}: /orders") == Request(
        method=method.upper(), url="https://api.test/v1/orders"
    )


@pytest.mark.parametrize(
    ("base", "path", "url"),
    [
        ("https://a.test/v1", "/x", "https://a.test/v1/x"),
        ("https://a.test/v1/", "/x", "https://a.test/v1/x"),
        ("https://a.test/rest.php", "", "https://a.test/rest.php"),
        ("https://a.test/", "", "https://a.test/"),
        ("https://a.test", "x", "https://a.test/x"),
        ("https://a.test/v1", "?a=1", "https://a.test/v1?a=1"),
        ("https://a.test/v1?k=1", "/x", "https://a.test/v1/x?k=1"),
        ("https://a.test/v1?k=1", "/x?a=2", "https://a.test/v1/x?a=2&k=1"),
        ("https://a.test/v1#top", "/x", "https://a.test/v1/x"),
        ("https://a.test/v1", "https://b.test/y?z=1", "https://b.test/y?z=1"),
        (Secret("https://a.test/bot1"), "/x", Secret("https://a.test/bot1/x")),
        ("https://a.test", Secret("/bot1"), Secret("https://a.test/bot1")),
    ],
)
def test_urls_are_joined(base, path, url):
    """One slash between base and path, and the base's own query stays."""
    assert join_url(base, path) == url


def test_query_values_become_text():
    """True and false, canonical numbers, lists that repeat, objects as JSON; null is left out."""
    text = """
        get: /orders
        query: {a: true, b: 1.0, c: [1, x, null], d: {since: {">=": 5}}, e: null, f: "007"}
    """

    assert build(text).query == (
        ("a", "true"),
        ("b", "1"),
        ("c", "1"),
        ("c", "x"),
        ("d", '{"since":{">=":5}}'),
        ("f", "007"),
    )


def test_query_is_written_as_encode_says():
    """A call's own ``encode`` stands instead of that of ``http``."""
    base = BaseCall(base_url="https://a.test", encode=Encode(objects=Objects.BRACKETS))
    query = "query: {filter: {since: 1, ids: [2, 3]}, empty: [], none: {}}"

    assert build(f"{{get: /x, {query}}}", base=base).query == (
        ("filter[since]", "1"),
        ("filter[ids]", "2"),
        ("filter[ids]", "3"),
    )
    assert build(f"{{get: /x, {query}, encode: {{lists: commas}}}}", base=base).query == (
        ("filter", '{"since":1,"ids":[2,3]}'),
        ("none", "{}"),
    )


def test_own_object_replaces_all_parts_of_one():
    """``filter`` of a call takes the place of ``filter[a]`` and ``filter[b]`` of ``http``."""
    base = BaseCall(
        base_url="https://a.test",
        query=(("filter[a]", "1"), ("filter[b]", "2"), ("c", "3")),
        encode=Encode(objects=Objects.BRACKETS),
    )

    assert build("{get: /x, query: {filter: {z: 9}}}", base=base).query == (
        ("c", "3"),
        ("filter[z]", "9"),
    )


def test_parameter_is_sent_under_a_condition():
    """A template that gives null where the condition does not hold leaves its parameter out."""
    text = """{get: /x, query: {state: "{{ 'open' if config.only_open else none }}"}}"""

    assert build(text, config={"only_open": True}).query == (("state", "open"),)
    assert build(text, config={"only_open": False}).query == ()


def test_signs_are_left_as_they_are():
    """What ``safe`` names is not percent-encoded, in the query alone."""
    text = '{get: /x, query: {ids: "List(urn:li:1,urn:li:2)&"}, encode: {safe: "():,"}}'

    assert encode_url(build(text)) == "https://api.test/v1/x?ids=List(urn:li:1,urn:li:2)%26"


def test_number_without_bounds_is_refused():
    """NaN has no text; it can only come from a value."""
    with pytest.raises(RefusedError) as caught:
        build('{get: /x, query: {a: "{{ config.n }}"}}', config={"n": math.nan})

    assert str(caught.value) == "a number without bounds (NaN or infinity) cannot be sent"


def test_own_parameters_and_headers_win():
    """What a stream says replaces what ``http`` says, and a null takes it away."""
    base = BaseCall(
        base_url="https://api.test",
        headers={"x-a": "1", "x-b": "1"},
        query=(("format", "json"), ("limit", "10"), ("gone", "1")),
    )

    made = build(
        '{get: /x, query: {limit: 50, gone: null}, headers: {X-B: "2"}}',
        base=base,
    )

    assert made.query == (("format", "json"), ("limit", "50"))
    assert made.headers == {"x-a": "1", "x-b": "2"}


def test_parameters_that_use_the_cursor_wait_for_one():
    """Without a cursor they are left out, wherever they stand."""
    text = """
        post: /search
        query: {since: "{{ cursor }}", q: {at: {">=": "{{ cursor }}"}}, limit: 5}
        headers: {if-modified-since: "{{ cursor }}", x-a: b}
        json: {filter: {updated: {gte: "{{ cursor }}"}}, limit: 5}
    """

    first, later = build(text), build(text, cursor="2026-01-01")

    assert first.query == (("limit", "5"),)
    assert first.headers == {"x-a": "b"}
    assert first.body == JsonBody({"limit": 5})
    assert later.query == (
        ("since", "2026-01-01"),
        ("q", '{"at":{">=":"2026-01-01"}}'),
        ("limit", "5"),
    )
    assert later.headers == {"if-modified-since": "2026-01-01", "x-a": "b"}
    assert later.body == JsonBody({"filter": {"updated": {"gte": "2026-01-01"}}, "limit": 5})


def test_cursor_of_null_is_none():
    """A stored null is no cursor; zero is one."""
    text = '{get: /x, query: {since: "{{ cursor }}"}}'

    assert build(text, cursor=None).query == ()
    assert build(text, cursor=0).query == (("since", "0"),)


def test_form_is_built_as_the_query():
    """A form's values become text in the same way."""
    made = build('{post: /x, form: {a: [1, 2], since: "{{ cursor }}", b: true}}')

    assert made.body == FormBody((("a", "1"), ("a", "2"), ("b", "true")))


def test_json_keeps_types():
    """A template that is exactly one value keeps its type in a body."""
    made = build(
        '{post: /x, json: {n: "{{ config.n }}", t: "n={{ config.n }}", l: [null, 1]}}',
        config={"n": 5},
    )

    assert made.body == JsonBody({"n": 5, "t": "n=5", "l": [None, 1]})


def test_json_may_be_one_value():
    """A body that is one template or a list is sent as that value."""
    assert build('{post: /x, json: "{{ config.b }}"}', config={"b": {"a": 1}}).body == (
        JsonBody({"a": 1})
    )
    assert build("{post: /x, json: [1, 2]}").body == JsonBody([1, 2])
    assert build("{post: /x, json: {}}").body == JsonBody({})
    assert build('{post: /x, json: "{{ cursor }}"}').body is None


def test_text_made_of_a_secret_is_a_secret():
    """Secrets stay masked in every part of a request."""
    text = """
        get: /bot{{ secrets.t }}/x
        query: {k: "a{{ secrets.t }}"}
        headers: {x-k: "{{ secrets.t }}"}
    """
    made = build(text, secrets={"t": Secret("s3cr3t")})

    assert made.url == Secret("https://api.test/v1/bots3cr3t/x")
    assert made.query == (("k", Secret("as3cr3t")),)
    assert made.headers == {"x-k": Secret("s3cr3t")}


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_value_in_a_path_adds_no_segment(value):
    """Whatever a value holds, it stays in its segment, or the request is refused."""
    try:
        made = build('{get: "/orders/{{ config.id }}/lines"}', config={"id": value})
    except RefusedError:
        return
    start, _, rest = made.url.removeprefix("https://api.test/v1/orders/").partition("/")
    assert made.url.startswith("https://api.test/v1/orders/")
    assert rest == "lines"
    assert start.isascii()
    assert not set(start) & set("?#/\\")


def test_value_in_a_path_is_percent_encoded():
    """The literal text of the path stays as it is written."""
    made = build('{get: "/a b/{{ config.id }}?x=/"}', config={"id": "c d/é?"})

    assert made.url == "https://api.test/v1/a b/c%20d%2F%C3%A9%3F?x=/"


@pytest.mark.parametrize("value", ["", None])
def test_nothing_in_a_path_is_refused(value):
    """A path without its id would name the whole list."""
    with pytest.raises(RefusedError) as caught:
        build('{delete: "/orders/{{ config.id }}"}', config={"id": value})

    assert str(caught.value) == "a value in the path is empty, expected at least one character"


def test_header_cannot_be_broken_by_a_value():
    """A line break in a rendered header is refused by the header's name."""
    with pytest.raises(RefusedError) as caught:
        build('{get: /x, headers: {X-Name: "{{ config.n }}"}}', config={"n": "a\r\nx-admin: 1"})

    assert str(caught.value) == (
        "header 'X-Name' holds a line break or another control character; "
        "is there a line end in its secret?"
    )


def template(text):
    """Parse a template."""
    return Template.parse(text, None)


def test_base_is_rendered_once():
    """What all calls have in common is filled in and checked at once."""
    shape, _ = decode_shape('{get: /x, query: {format: json, key: "{{ secrets.k }}"}}')

    base = BaseCall.render(
        base_url=template("https://{{ config.host }}/v1"),
        headers={"X-Version": template("2")},
        query=shape.query,
        variables={"config": {"host": "a.test"}, "secrets": {"k": Secret("s")}},
    )

    assert base == BaseCall(
        base_url="https://a.test/v1",
        headers={"x-version": "2"},
        query=(("format", "json"), ("key", Secret("s"))),
    )


def test_empty_base_is_told():
    """A configuration value that is empty must not make a relative URL."""
    with pytest.raises(RefusedError) as caught:
        BaseCall.render(
            base_url=template("{{ config.url }}"),
            headers={},
            query={},
            variables={"config": {"url": ""}},
        )

    assert str(caught.value) == "http.base_url is empty, expected an absolute URL"


def test_shape_without_a_request_is_fine():
    """A stream that webhooks fill has no method."""
    shape, told = decode_shape("{}")

    assert told == []
    assert (shape.method, shape.path) == (None, None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "{get: /a, post: /b}",
            "1:11: E114: streams.orders has both 'get' and 'post', expected one of them",
        ),
        (
            "{post: /a, json: {}, form: {}}",
            "1:22: E114: streams.orders has both 'json' and 'form', expected one of them",
        ),
        (
            "{query: {a: 1}}",
            (
                "1:2: E114: streams.orders has 'query' but no request, "
                "expected one of get, post, put, patch, delete"
            ),
        ),
        (
            "{get: orders}",
            (
                "1:7: E111: streams.orders.get is 'orders', expected a path that begins with '/', "
                "or a whole URL"
            ),
        ),
        (
            "{get: ftp://a.test/x}",
            (
                "1:7: E111: streams.orders.get is 'ftp://a.test/x', expected a path that begins "
                "with '/', or a whole URL"
            ),
        ),
        (
            '{get: /x, headers: {Content-Length: "5"}}',
            (
                "1:21: E109: streams.orders.headers has the name 'Content-Length', expected "
                "a header name; host, length and connection headers are set by themselves"
            ),
        ),
    ],
)
def test_wrong_shape_is_told(text, told):
    """What contradicts itself is told with its place."""
    assert decode_shape(text) == (INVALID, [f"specs/acme.yaml:{told}"])
