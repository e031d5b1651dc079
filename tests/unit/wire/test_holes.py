"""Holes: a place or a token inside a text of the query or the body."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import RefusedError
from integrationd.model.secret import Secret, reveal
from integrationd.spec.build import build_bundle
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings
from integrationd.spec.source import SourceFile
from integrationd.wire.messages import FormBody, JsonBody, MultipartBody, Request, TextBody
from integrationd.wire.places import HOLES, Place

SQL = "select * from Invoice startposition {start} maxresults {size}"
TEXTS = st.text().filter(lambda text: "{start}" not in text)


def fill(value, *, name="start", **parts):
    """Fill a hole of a request."""
    request = Request(method="POST", url="https://api.test/query", **parts)
    return Place.parse(f"hole.{name}").put(request, value)


def test_hole_in_the_query_is_filled():
    """Only the mark is replaced, wherever it stands; other marks wait for their own values."""
    filled = fill(101, query=(("query", SQL), ("again", "{start}{start}"), ("{start}", "x")))

    assert filled.query == (
        ("query", "select * from Invoice startposition 101 maxresults {size}"),
        ("again", "101101"),
        ("{start}", "x"),
    )


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(
            JsonBody({"q": [SQL, 7, None], "{start}": True}),
            JsonBody({"q": [SQL.replace("{start}", "5"), 7, None], "{start}": True}),
            id="json",
        ),
        pytest.param(FormBody((("q", "{start}"),)), FormBody((("q", "5"),)), id="form"),
        pytest.param(
            MultipartBody((("q", "{start}"),)), MultipartBody((("q", "5"),)), id="multipart"
        ),
        pytest.param(
            TextBody("<a>{start}</a>", "text/xml"), TextBody("<a>5</a>", "text/xml"), id="text"
        ),
    ],
)
def test_hole_in_a_body_is_filled(body, expected):
    """Texts of every kind of body have it filled, and what is no text stays."""
    assert fill(5, body=body).body == expected


@given(before=TEXTS, after=TEXTS, value=st.integers(min_value=0))
def test_what_stands_around_a_hole_stays(before, after, value):
    """A filled text is what stood before, the value, and what stood after."""
    text = f"{before}{{start}}{after}"
    filled = fill(value, query=(("q", text),))

    assert filled.query == (("q", text.replace("{start}", str(value))),)


def test_what_is_made_of_a_secret_is_one():
    """A text with a secret in it, or a secret in the hole, stays masked."""
    for text, value in ((Secret("k {start}"), 5), ("k {start}", Secret("5"))):
        ((_, filled),) = fill(value, query=(("q", text),)).query
        assert isinstance(filled, Secret)
        assert reveal(filled) == "k 5"


def test_a_request_without_the_hole_is_refused():
    """A value that would be lost is not."""
    with pytest.raises(RefusedError) as refused:
        fill(5, query=(("q", "{size}"),), body=JsonBody({"a": "start"}))

    assert str(refused.value) == ("hole.start cannot be set: no text of query or body has {start}")


def test_no_value_leaves_the_request_as_it_is():
    """Null fills nothing."""
    assert fill(None, query=(("q", "{start}"),)).query == (("q", "{start}"),)


def test_a_cursor_needs_a_first_value_for_its_hole():
    """What the first request has no value for would be sent as it stands."""
    assert [str(root) for root in HOLES] == ["path", "hole"]
    text = (
        "integration: a\nhttp: {base_url: https://a.test}\nstreams:\n  all:\n"
        '    get: /q\n    query: {q: "after {token}"}\n    key: id\n'
        "    paginate: {type: cursor, next: body.next, into: hole.token}\n"
    )
    read = read_file(SourceFile("a.yaml", text.encode()))

    (problem,) = build_bundle([read], Settings()).errors
    assert str(problem) == (
        "a.yaml:8:47: E114: streams.all.paginate puts its token into hole.token, for which the "
        "first request has none; say with 'start' what stands there"
    )
