"""Large answers: decoded in pieces, to the same value and with the same words."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import PageShapeError
from integrationd.wire import decoding
from integrationd.wire.messages import Answer
from integrationd.wire.pieces import STEP_BYTES, decode_in_steps

LONG = "x" * (STEP_BYTES // 2)
LONGEST = "x" * (STEP_BYTES + 1)
RECORDS = [{"id": number, "text": LONG} for number in range(6)]


def answer(body):
    """Build an answer."""
    return Answer(status=200, headers={"a": "b"}, body=body, url="https://api.test/v1/orders")


def finish(steps):
    """Run to the end; returns how many pauses there were, and the value."""
    pauses = 0
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return pauses, done.value
        pauses += 1


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(RECORDS, id="list"),
        pytest.param({"data": RECORDS, "next": None}, id="envelope"),
        pytest.param({"a": {"b": {"c": {"d": {"e": RECORDS}}}}}, id="deep"),
        pytest.param({str(number): LONG for number in range(6)}, id="object"),
        pytest.param([LONGEST, 10**30, {"a": LONGEST}], id="long texts"),
        pytest.param(LONGEST, id="one text"),
    ],
)
@pytest.mark.parametrize("front", [b"", b"\n ", b"\xef\xbb\xbf"], ids=["bare", "blank", "mark"])
def test_large_answer_is_decoded_as_a_whole_would_be(value, front):
    """Wherever the pieces lie, nothing is lost and nothing changes its place."""
    whole = answer(front + json.dumps(value).encode())

    assert finish(decoding.decode_in_steps(whole))[1] == value


@given(st.recursive(st.integers() | st.text("ab"), st.lists))
def test_small_answer_is_decoded_without_a_pause(value):
    """Most pages take a millisecond or two."""
    small = answer(json.dumps(value).encode())

    assert finish(decoding.decode_in_steps(small)) == (0, value)


def test_large_answer_is_decoded_with_a_pause_for_each_step():
    """Three megabytes in small records: after each look over all of it, and after each megabyte."""
    records = [{"id": number, "text": "x" * 980} for number in range(3 * STEP_BYTES // 1000)]

    pauses, _ = finish(decode_in_steps(json.dumps({"data": records}).encode()))

    assert pauses == 2 + 3


@pytest.mark.parametrize("of_repeated", [b'"a":1', b'"a":[2]'])
def test_of_a_repeated_key_the_last_one_stands(of_repeated):
    """As in a small answer."""
    body = b'{"a":0,"long":"' + LONGEST.encode() + b'",' + of_repeated + b"}"

    assert finish(decode_in_steps(body))[1]["a"] == json.loads(body)["a"]


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(b"]", id="wrong bracket"),
        pytest.param(b"", id="cut off"),
        pytest.param(b',{"a":"\xff"}]}', id="not utf-8"),
        pytest.param(b",01]}", id="bad number"),
        pytest.param(b"," + b"[" * 100_000, id="deep"),
    ],
)
def test_fault_in_a_large_answer_is_told_as_in_a_small_one(end):
    """The place counts from the beginning of the answer."""
    front = b'{"data":[{"text":"' + LONGEST.encode() + b'"}'
    wrong = answer(front + end)
    with pytest.raises(PageShapeError) as whole:
        decoding.decode_bytes(wrong.body)

    with pytest.raises(PageShapeError) as caught:
        finish(decoding.decode_in_steps(wrong))

    assert str(caught.value) == f"the answer of /v1/orders is not JSON: {whole.value}"
