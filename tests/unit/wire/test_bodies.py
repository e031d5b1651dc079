"""The kinds of body: what a file says, what a request holds, and what goes on the wire."""

import re
from email import message_from_bytes
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrationd.config.decode import Site, decode
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.errors import RefusedError
from integrationd.wire import encoding, showing
from integrationd.wire.call import BaseCall, CallShape, build_request
from integrationd.wire.messages import JsonBody, MultipartBody, Request, TextBody
from integrationd.wire.places import Place

BASE = BaseCall(base_url="https://api.test/v1")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def decode_shape(text):
    """Decode the YAML of a request; return it with what was told."""
    problems = Problems()
    node = parse_yaml(text.encode(), file="specs/acme.yaml", problems=problems)
    shape = decode(node, CallShape, Site(problems, "streams.orders"))
    return shape, [str(problem) for problem in problems.found]


def body_of(text, **roots):
    """Build the body of a request that is known to be right."""
    shape, told = decode_shape(text)
    assert told == []
    variables = {"config": {}, "secrets": {}, **roots}
    return build_request(shape, base=BASE, variables=variables).body


def sent(body, **headers):
    """Encode a request with a body; return its content type and bytes."""
    made = encoding.encode(
        Request(method="POST", url="https://api.test/", headers=headers, body=body)
    )
    return made.headers["content-type"], made.body


def test_nulls_of_json_are_left_out_where_encode_says_so():
    """At any depth, and not in lists, where each item has its place."""
    text = """
        post: /x
        json: {a: null, b: {c: "{{ config.c }}", d: 1}, l: [null, {e: null}]}
        encode: {nulls: omit}
    """

    assert body_of(text, config={"c": None}) == JsonBody({"b": {"d": 1}, "l": [None, {}]})


@given(
    st.lists(st.tuples(TEXTS.filter(lambda text: text.isprintable() and '"' not in text), TEXTS))
)
def test_parts_read_back(pairs):
    """Whatever the texts are, a reader of RFC 7578 finds each of them whole."""
    kind, body = sent(MultipartBody(tuple(pairs)))
    boundary = kind.removeprefix("multipart/form-data; boundary=").encode()
    pieces = body.removesuffix(b"--" + boundary + b"--\r\n").split(b"--" + boundary + b"\r\n")

    assert pieces[0] == b""
    assert [piece.removesuffix(b"\r\n").decode().split("\r\n\r\n", 1) for piece in pieces[1:]] == [
        [f'content-disposition: form-data; name="{name}"', text] for name, text in pairs
    ]


def test_parts_are_read_by_another_reader():
    """The standard library's reader of messages finds the parts too."""
    made = body_of("{post: /x, multipart: {name: A, tags: [x, z], note: null}}")
    kind, body = sent(made, **{"content-type": "multipart/form-data"})
    found = message_from_bytes(b"content-type: " + kind.encode() + b"\r\n\r\n" + body)

    assert made == MultipartBody((("name", "A"), ("tags", "x"), ("tags", "z")))
    assert [
        (part.get_param("name", header="content-disposition"), part.get_payload())
        for part in found.get_payload()
    ] == [("name", "A"), ("tags", "x"), ("tags", "z")]


def test_name_of_a_part_cannot_end_its_line():
    """Quotes and line ends in a name are written as browsers do."""
    _, body = sent(MultipartBody((('a"\r\nx: y', "1"),)))

    assert b'name="a%22%0D%0Ax: y"\r\n\r\n1\r\n' in body


def test_boundary_is_never_in_a_part():
    """Even a part that holds the boundary of the other parts."""
    first, _ = sent(MultipartBody((("a", "1"),)))
    boundary = first.rpartition("=")[2]
    again, body = sent(MultipartBody((("a", boundary),)))

    assert again.rpartition("=")[2] != boundary
    assert body.count(again.rpartition("=")[2].encode()) == 2


CONTROL = "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"
"""What XML 1.0 section 2.2 leaves out of its characters."""


@given(st.text().filter(lambda value: not re.search(CONTROL, value)))
@example("a\r\nb\tc")
@example("]]><!--&amp;")
def test_value_in_xml_stays_a_value(value):
    """Whatever a value holds, it is one text and one attribute, to the last line end."""
    text = '{post: /x, xml: "<a b=\\"{{ config.v }}\\"><c>{{ config.v }}</c></a>"}'
    found = ET.fromstring(body_of(text, config={"v": value}).text.encode())

    assert [child.tag for child in found] == ["c"]
    assert (found[0].text or "", found.get("b")) == (value, value)


@pytest.mark.parametrize("value", ["a\x00", "\x0b", "\ud800", "\uffff"])
def test_value_that_xml_forbids_is_refused(value):
    """XML has no way to write a control character, not even escaped."""
    with pytest.raises(RefusedError) as caught:
        body_of('{post: /x, xml: "<a>{{ config.v }}</a>"}', config={"v": value})

    assert str(caught.value) == (
        "a value in the XML body holds a control character, which XML forbids"
    )


def test_content_type_of_xml_can_be_said():
    """SOAP 1.1 wants ``text/xml``."""
    body = body_of("{post: /x, xml: <a/>}")

    assert body == TextBody("<a/>", "application/xml; charset=utf-8")
    assert sent(body, **{"content-type": "text/xml"}) == ("text/xml", b"<a/>")
    assert sent(body) == ("application/xml; charset=utf-8", b"<a/>")


GRAPHQL = """
    post: /graphql
    graphql:
      query: "query ($after: String, $n: Int) { orders(after: $after, first: $n) { id } }"
      variables: {n: "{{ config.n }}", since: "{{ cursor }}"}
      operation: orders
"""


def test_graphql_is_a_json_body():
    """Variables keep their type, one that waits for the cursor is left out, pages set others."""
    query = "query ($after: String, $n: Int) { orders(after: $after, first: $n) { id } }"
    body = body_of(GRAPHQL, config={"n": 5})
    request = Request(method="POST", url="https://api.test/graphql", body=body)
    paged = Place.parse("json.variables.after").put(request, "c1")

    assert body == JsonBody({"query": query, "variables": {"n": 5}, "operationName": "orders"})
    assert paged.body.value["variables"] == {"n": 5, "after": "c1"}


def test_raw_is_sent_as_it_is_written():
    """Nothing is escaped, and the type is the author's."""
    body = body_of(
        '{post: /x, raw: {text: "id;{{ config.v }}", content_type: text/csv}}', config={"v": "<é>"}
    )

    assert sent(body) == ("text/csv", "id;<é>".encode())


@pytest.mark.parametrize(
    "text",
    [
        '{post: /x, xml: "<a>{{ cursor }}</a>"}',
        '{post: /x, raw: {text: "{{ cursor }}", content_type: text/plain}}',
    ],
)
def test_text_that_uses_the_cursor_waits_for_it(text):
    """Without a cursor there is no such body."""
    assert body_of(text) is None
    assert body_of(text, cursor="c").text.endswith(("c", "c</a>"))


@pytest.mark.parametrize(
    ("place", "body", "message"),
    [
        (
            "json.a",
            TextBody("<a/>", "application/xml; charset=utf-8"),
            "json.a cannot be set: the body of this request is text (application/xml)",
        ),
        (
            "json.a",
            MultipartBody(()),
            "json.a cannot be set: the body of this request is multipart",
        ),
        (
            "form.a",
            TextBody("", "text/csv"),
            "form.a cannot be set: the body of this request is text (text/csv)",
        ),
    ],
)
def test_place_in_another_body_is_refused(place, body, message):
    """The message names the body that there is."""
    request = Request(method="POST", url="https://api.test/", body=body)

    with pytest.raises(RefusedError) as caught:
        Place.parse(place).put(request, 1)

    assert str(caught.value) == message


def test_form_place_is_a_part_of_a_multipart_body():
    """A multipart body is a form too."""
    request = Request(method="POST", url="https://api.test/", body=MultipartBody((("a", "1"),)))

    assert Place.parse("form.page").put(request, 2).body == MultipartBody(
        (("a", "1"), ("page", "2"))
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('multipart: {k: "a-{{ secrets.k }}"}', 'name="k"\r\n\r\na-***\r\n'),
        ('xml: "<k>{{ secrets.k }}</k>"', "<k>***</k>"),
        ('raw: {text: "k={{ secrets.k }}", content_type: text/plain}', "k=***"),
        ('graphql: {query: q, variables: {k: "{{ secrets.k }}"}}', '"variables":{"k":"***"}'),
        ('form: {a: {k: "{{ secrets.k }}"}}, encode: {objects: brackets}', "a%5Bk%5D=***"),
        ('form: {a: ["{{ secrets.k }}", x]}, encode: {lists: commas}', "a=***%2Cx"),
    ],
)
def test_body_is_shown_without_its_secrets(text, shown):
    """A dry run shows each kind of body, with a placeholder where a secret would be."""
    shape, told = decode_shape(f"{{post: /x, {text}}}")
    variables = {"config": {}, "secrets": showing.stand_ins(["k"])}
    request = build_request(shape, base=BASE, variables=variables)

    assert told == []
    assert shown in showing.show_request(request).body


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "{post: /x, xml: <a/>, raw: {text: a, content_type: a/b}}",
            ["1:23: E114: streams.orders has both 'xml' and 'raw', expected one of them"],
        ),
        (
            "{xml: <a/>}",
            [
                (
                    "1:2: E114: streams.orders has 'xml' but no request, expected one of get, "
                    "post, put, patch, delete"
                )
            ],
        ),
        (
            '{post: /x, raw: {text: "{{ nope }}", content_type: a/b}}',
            [
                (
                    "1:24: E204: template uses 'nope', variables here are: config, cursor, each, "
                    "now, object, secrets, steps, window"
                )
            ],
        ),
        (
            "{post: /x, raw: {text: a, content_type: plain}}",
            [
                (
                    "1:41: E111: streams.orders.raw.content_type is 'plain', expected a content "
                    "type such as text/plain"
                )
            ],
        ),
        (
            '{post: /x, graphql: {query: q, variables: {a: "{{ nope }}"}}}',
            [
                (
                    "1:47: E204: template uses 'nope', variables here are: config, cursor, each, "
                    "now, object, secrets, steps, window"
                )
            ],
        ),
        (
            "{post: /x, graphql: {query: q, variables: [1]}}",
            ["1:43: E103: streams.orders.graphql.variables is a list, expected an object"],
        ),
        (
            "{post: /x, graphql: {variables: {}}}",
            ["1:21: E102: streams.orders.graphql has no 'query', which is required"],
        ),
        (
            '{get: /x, encode: {safe: "&"}}',
            [
                (
                    "1:26: E111: streams.orders.encode.safe is '&', expected some of the signs "
                    "!$%'()*+,/:;=?@[]|"
                )
            ],
        ),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(text, told):
    """Each problem has its place, and is told once."""
    _, found = decode_shape(text)

    assert found == [f"specs/acme.yaml:{line}" for line in told]
