"""Places: what parses, where a value lands in a request, what is read from a call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.decode import INVALID, Site
from integrationd.config.nodes import Position, Scalar
from integrationd.config.problems import Problems
from integrationd.errors import RefusedError
from integrationd.model.secret import Secret
from integrationd.wire import places
from integrationd.wire.messages import Call, FormBody, JsonBody, Request
from integrationd.wire.places import Place, Root, Roots

POSITION = Position("specs/acme.yaml", 3, 9)
GET = Request(method="GET", url="https://api.test/orders", query=(("limit", "2"), ("limit", "3")))


def put(place, value, request=GET):
    """Put a value at a place that is given as text."""
    return Place.parse(place).put(request, value)


@pytest.mark.parametrize(
    "text",
    [
        "query.page[number]",
        "header.x-key",
        "json.a.b",
        "form.x",
        "path.id",
        "hole.id",
        "cookie.sid",
        "url",
    ],
)
def test_place_prints_as_it_is_written(text):
    """Each root has its notation."""
    assert str(Place.parse(text)) == text


def test_header_is_lower_case():
    """Header names are compared in lower case, however they are written."""
    assert Place.parse("header.X-Api-Key") == Place(Root.HEADER, "x-api-key")


@pytest.mark.parametrize(
    "text",
    ["", "query", "query.", "body.x", "url.x", "json..a", "json.a.", "header.a b", "header.a:",
     "cookie.a=b", "path.a/b", "hole.a-b", "query.a b", "QUERY.a", "url."],
)  # fmt: skip
def test_other_text_is_no_place(text):
    """What is not a place is not guessed at."""
    assert Place.parse(text) is None


def decode(value, *notes):
    """Decode a scalar as a place and return it with the problems told."""
    problems = Problems()
    site = Site(problems, "http.auth.into").noted(*notes)
    place = Place.decode_node(Scalar(value, POSITION), site)
    return place, [str(found) for found in problems.found]


def test_bad_place_is_told():
    """The message shows the value and what a place looks like."""
    assert decode("body.x") == (
        INVALID,
        [
            (
                "specs/acme.yaml:3:9: E206: http.auth.into is 'body.x', expected a place such as "
                "query.page, header.x-key or json.filter.since"
            )
        ],
    )


def test_place_where_it_cannot_be_is_told():
    """A field may allow some roots only."""
    assert decode("url", Roots((Root.HEADER, Root.QUERY))) == (
        INVALID,
        [
            (
                "specs/acme.yaml:3:9: E206: http.auth.into is 'url', "
                "expected a place in one of header, query"
            )
        ],
    )


def test_number_is_no_place():
    """A value of another type is told by its type."""
    assert decode(5)[1] == [
        (
            "specs/acme.yaml:3:9: E103: http.auth.into is 5, expected a place such as "
            "query.page, header.x-key or json.filter.since"
        )
    ]


def test_allowed_place_is_read():
    """A place that fits is the value."""
    assert decode("query.key", Roots((Root.QUERY,))) == (Place(Root.QUERY, "key"), [])


def test_query_stands_once_at_its_old_place():
    """All old values of the name give way to the new one."""
    request = Request(method="GET", url="u", query=(("a", "1"), ("p", "1"), ("b", "2"), ("p", "3")))

    assert put("query.p", 9, request).query == (("a", "1"), ("p", "9"), ("b", "2"))


def test_query_repeats_a_list():
    """A list gives one parameter for each item."""
    assert put("query.limit", [1, None, True]).query == (("limit", "1"), ("limit", "true"))


def test_query_takes_an_object_as_json():
    """An object is sent as JSON text."""
    assert put("query.q", {"a": 1}).query[-1] == ("q", '{"a":1}')


def test_header_is_set_as_text():
    """A number in a header is text, and a list is joined by commas."""
    assert put("header.X-Page", 4).headers == {"x-page": "4"}
    assert put("header.accept", ["a", "b"]).headers == {"accept": "a, b"}


def test_secret_stays_secret_in_every_place():
    """What was secret before it was put somewhere is secret there."""
    secret = Secret("s3cr3t")

    assert put("header.x-key", secret).headers == {"x-key": secret}
    assert put("query.key", secret).query[-1] == ("key", secret)
    assert put("json.key", secret).body == JsonBody({"key": secret})
    assert put("form.key", secret).body == FormBody((("key", secret),))
    assert put("cookie.sid", secret).headers == {"cookie": Secret("sid=s3cr3t")}
    request = Request(method="GET", url="https://api.test/bot{key}/x")
    assert put("path.key", secret, request).url == Secret("https://api.test/bots3cr3t/x")


@pytest.mark.parametrize("sign", ["\r", "\n", "\0", "\x7f"])
def test_header_cannot_begin_another_one(sign):
    """A line break in a value is refused by the header's name, the value is not shown."""
    with pytest.raises(RefusedError) as caught:
        put("header.x-key", Secret(f"s3cr3t{sign}"))

    assert str(caught.value) == (
        "header 'x-key' holds a line break or another control character; "
        "is there a line end in its secret?"
    )


def test_tab_may_stand_in_a_header():
    """A tab is the one control character that a field value may hold."""
    assert put("header.x-note", "a\tb").headers == {"x-note": "a\tb"}


def test_json_makes_objects_on_the_way():
    """A dotted path creates what is missing and keeps the type of the value."""
    assert put("json.filter.since.n", 5).body == JsonBody({"filter": {"since": {"n": 5}}})


def test_json_leaves_the_rest_and_the_original_alone():
    """Neighbours stay, and the request that was given is not changed."""
    body = {"filter": {"open": True}, "limit": 10}
    request = Request(method="POST", url="u", body=JsonBody(body))

    changed = put("json.filter.since", "2026", request)

    assert changed.body == JsonBody({"filter": {"open": True, "since": "2026"}, "limit": 10})
    assert body == {"filter": {"open": True}, "limit": 10}


def test_json_does_not_replace_what_is_no_object():
    """A path through a list or a text is an error, not a silent overwrite."""
    request = Request(method="POST", url="u", body=JsonBody({"filter": [1]}))

    with pytest.raises(RefusedError) as caught:
        put("json.filter.since", 1, request)

    assert str(caught.value) == (
        "json.filter.since cannot be set: it leads through a list, not an object"
    )


@pytest.mark.parametrize(
    ("place", "body", "message"),
    [
        ("json.a", FormBody(()), "json.a cannot be set: the body of this request is a form"),
        ("form.a", JsonBody({}), "form.a cannot be set: the body of this request is JSON"),
    ],
)
def test_two_kinds_of_body_do_not_mix(place, body, message):
    """A value for another kind of body than the request has is refused."""
    with pytest.raises(RefusedError) as caught:
        put(place, 1, Request(method="POST", url="u", body=body))

    assert str(caught.value) == message


def test_form_repeats_a_list():
    """A form is as a query."""
    request = Request(method="POST", url="u", body=FormBody((("a", "1"), ("b", "2"))))

    assert put("form.a", [3, 4], request).body == FormBody((("a", "3"), ("a", "4"), ("b", "2")))


def test_cookie_joins_the_others():
    """Other cookies stay, an old value of the same name goes."""
    request = put("cookie.sid", 1).with_header("cookie", "sid=0; lang=en")

    assert put("cookie.sid", "abc", request).headers == {"cookie": "lang=en; sid=abc"}


@pytest.mark.parametrize("value", ["a;b", "a b", "a\n", 'a"', "a,b"])
def test_cookie_cannot_end_early(value):
    """A character that ends a cookie is refused."""
    with pytest.raises(RefusedError) as caught:
        put("cookie.sid", value)

    assert str(caught.value) == "cookie 'sid' holds a character that ends a cookie"


def test_path_fills_its_hole():
    """``{id}`` in the path is replaced by the value, percent-encoded."""
    request = Request(method="GET", url="https://api.test/orders/{id}/lines")

    assert put("path.id", "a/b ñ", request).url == "https://api.test/orders/a%2Fb%20%C3%B1/lines"


def test_path_without_a_hole_is_told():
    """A path that has no room for the value is an error."""
    with pytest.raises(RefusedError) as caught:
        put("path.id", 1)

    assert str(caught.value) == "path.id cannot be set: the path has no {id}"


@given(st.text())
def test_path_placestays_in_its_segment(value):
    """Whatever the value is, the URL keeps its number of segments, or the value is refused."""
    try:
        segment = places.encode_segment(value)
    except RefusedError:
        return
    assert segment
    assert segment.isascii()
    assert not set(segment) & set("/\\?#;@: ")
    assert segment not in (".", "..")


@pytest.mark.parametrize("value", [".", "..", "../admin", "a/../b", "a\\..\\b"])
def test_path_placecannot_climb(value):
    """A server that decodes ``%2F`` would follow the dots."""
    with pytest.raises(RefusedError) as caught:
        places.encode_segment(value)

    assert str(caught.value) == (
        "a value in the path is '.' or '..', which would lead to another path"
    )


def test_empty_path_placeis_refused():
    """``DELETE /orders/`` with no id might mean all of them."""
    with pytest.raises(RefusedError) as caught:
        places.encode_segment("")

    assert str(caught.value) == "a value in the path is empty, expected at least one character"


def test_url_replaces_the_whole():
    """A URL is used as received."""
    assert put("url", "https://other.test/?a=%20").url == "https://other.test/?a=%20"


def test_url_is_text():
    """A number is no URL."""
    with pytest.raises(RefusedError) as caught:
        put("url", 5)

    assert str(caught.value) == "url cannot be a number, expected text"


@pytest.mark.parametrize("place", ["query.a", "header.a", "json.a", "form.a", "cookie.a", "url"])
def test_null_leaves_the_request_alone(place):
    """Null means: do not send it."""
    assert put(place, None) is GET


CALL = Call(
    method="POST",
    url="https://hooks.test/x?sig=q1&sig=q2",
    path="/x",
    query=(("sig", "q1"), ("sig", "q2")),
    headers={"x-sig": "h", "cookie": "a=1; sig=c"},
    body=b"",
)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("query.sig", "q1"),
        ("header.X-Sig", "h"),
        ("cookie.sig", "c"),
        ("url", "https://hooks.test/x?sig=q1&sig=q2"),
        ("query.other", None),
        ("header.other", None),
        ("cookie.other", None),
        ("path.x", None),
        ("json.sig", None),
        ("form.sig", None),
    ],
)
def test_call_is_read_at_a_place(place, value):
    """The first of several is taken; what is not there is None."""
    assert Place.parse(place).take(CALL) == value


@pytest.mark.parametrize(
    ("place", "body", "value"),
    [
        ("form.sig", b"a=1&sig=f%20x&sig=g", "f x"),
        ("form.sig", b"\xff", None),
        ("form.sig", b"sig=1&" + b"a=1&" * 2000, None),
        ("json.a.sig", b'{"a": {"sig": "j"}}', "j"),
        ("json.a.sig", b'{"a": {"sig": 12}}', "12"),
        ("json.a.sig", b'{"a": [1]}', None),
        ("json.a.sig", b"{", None),
    ],
)
def test_body_is_read_at_a_place(place, body, value):
    """Forms and JSON are read where they can be; a broken or huge one holds nothing."""
    call = Call(method="POST", url="u", path="/", query=(), headers={}, body=body)

    assert Place.parse(place).take(call) == value
