"""Answers to JSON: every digit kept, everything that is not JSON told."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import PageShapeError
from integrationd.wire import decoding
from integrationd.wire.messages import Answer

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
)


def answer(body, *, status=200, **headers):
    """Build an answer."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers=names, body=body, url="https://api.test/v1/orders")


def decode_whole(found):
    """Decode an answer to the end."""
    steps = decoding.decode_in_steps(found)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


@given(VALUES)
def test_decoding_reads_back_what_json_writes(value):
    """Any value, integers of any size included, survives."""
    assert decode_whole(answer(json.dumps(value).encode())) == value


def test_long_id_keeps_its_digits():
    """An id of 24 digits is a whole number, not a float."""
    assert decoding.decode_bytes(b"[123456789012345678901234]") == [123456789012345678901234]


def test_byte_order_mark_is_ignored():
    """Some servers put a mark before their JSON."""
    assert decoding.decode_bytes(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_empty_answer_is_null(body):
    """204 and other empty bodies decode to nothing."""
    assert decode_whole(answer(body, status=204)) is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[NaN]", "invalid character (byte 1)"),
        (b"[1", "input data was truncated"),
        (b"[1] x", "trailing characters (byte 5)"),
        (b"1e999", "a number that is too large, which cannot be stored"),
        (b"1" * 5000, "a number that is too large, which cannot be stored"),
        (b'"\xff"', "not UTF-8: invalid start byte (byte 0)"),
        (b'"\xed\xa0\x80"', "not UTF-8: invalid continuation byte (byte 0)"),
        (b'{"a": "\\ud800"}', "text with half a surrogate pair, which cannot be stored"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"a":' * 100_000, "nested too deep"),
    ],
    ids=[
        "nan",
        "cut",
        "trailing",
        "huge-float",
        "huge-int",
        "bad-byte",
        "encoded-surrogate",
        "lone-surrogate",
        "deep-lists",
        "deep-objects",
    ],
)
def test_broken_json_is_told_without_its_content(body, reason):
    """What is wrong and where, never a piece of the body."""
    with pytest.raises(PageShapeError) as caught:
        decode_whole(answer(body, content_type="application/json"))

    assert str(caught.value) == f"the answer of /v1/orders is not JSON: {reason}"


def test_html_answer_has_a_hint():
    """A login page instead of an API is said as such."""
    page = answer(b"<!doctype html>", content_type="text/html; charset=utf-8")

    with pytest.raises(PageShapeError) as caught:
        decode_whole(page)

    assert str(caught.value) == (
        "the answer of /v1/orders is an HTML page, expected JSON; is base_url right?"
    )


def test_markup_without_its_type_has_a_hint():
    """XML that calls itself JSON is recognised by its first character."""
    with pytest.raises(PageShapeError) as caught:
        decode_whole(answer(b" <feed/>", content_type="application/json"))

    assert str(caught.value) == (
        "the answer of /v1/orders is not JSON: invalid character (byte 1); "
        "it looks like HTML or XML, is base_url right?"
    )


def test_reply_is_status_headers_and_body():
    """The root of expressions has exactly three fields."""
    reply = decoding.build_reply(
        answer(b'{"data": []}', status=201, x_total_count="7"), {"data": []}
    )

    assert reply == {"status": 201, "headers": {"x-total-count": "7"}, "body": {"data": []}}


@given(st.binary(max_size=40))
def test_any_bytes_decode_or_are_refused(body):
    """Nothing but a value or a page-shape error comes out, and a value can be written again."""
    try:
        value = decoding.decode_bytes(body)
    except PageShapeError:
        return
    assert json.loads(json.dumps(value)) == value
