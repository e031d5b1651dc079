"""JSON that holds what cannot be stored: read for the rest of it; nothing else is let through."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrationd.errors import PageShapeError
from integrationd.model.unstorable import Endless, find_unstorable, show, sift
from integrationd.wire import decoding
from integrationd.wire.decode.json import JsonDecoder
from integrationd.wire.decode.ndjson import NdjsonDecoder
from integrationd.wire.loosely import read_loosely
from integrationd.wire.messages import Answer

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
GOOD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
BAD = st.sampled_from(
    [
        '"\\ud800"',
        '"a\\udfffb"',
        "1e400",
        "-1E+999",
        "9" * 5000,
        f"{'1' * 4400}.5",
        '{"\\udbff": 1}',
    ]
)


@given(GOOD | TEXTS)
def test_sound_json_reads_the_same(value):
    """The slower reader gives what the usual one gives, to the last digit."""
    text = json.dumps(value).encode()

    assert read_loosely(text) == decoding.decode_bytes(text) == value
    assert find_unstorable(value) is None
    assert show(value) == value


@example(body=b"\x0b1")
@example(body=b"Infinity")
@given(
    st.binary(max_size=30)
    | st.text('[]{}",:0123456789eE+-. \\ud8nulltrfas', max_size=12).map(str.encode)
)
def test_it_lets_nothing_else_through(body):
    """Whatever only the slower reader takes holds something that cannot be stored."""
    try:
        loose = read_loosely(body)
    except PageShapeError:
        with pytest.raises(PageShapeError):
            decoding.decode_bytes(body)
        return
    try:
        usual = decoding.decode_bytes(body)
    except PageShapeError:
        assert find_unstorable(loose) is not None
    else:
        assert loose == usual


@given(st.lists(st.tuples(GOOD, st.none() | BAD), min_size=1, max_size=6), st.booleans())
def test_exactly_the_bad_records_are_sifted_out(rows, lines):
    """One record is bad where such a value was planted somewhere in it, and no other is."""
    texts = [
        f'{{"good": {json.dumps(good)}'
        + ("" if bad is None else f', "deep": [{{"bad": {bad}}}]')
        + "}"
        for good, bad in rows
    ]
    body = "\n".join(texts) if lines else f"[{','.join(texts)}]"
    decoder = NdjsonDecoder() if lines else JsonDecoder()

    found = sift(decoder.decode_loosely(Answer(status=200, headers={}, body=body.encode(), url="")))

    for (good, bad), record in zip(rows, found, strict=True):
        if bad is None:
            assert record == {"good": good}
        else:
            assert record.reason.startswith("deep[0].bad: ")
            assert json.loads(json.dumps(record.shown)).keys() == {"good", "deep"}


@pytest.mark.parametrize(
    ("text", "reason", "shown"),
    [
        ('{"a": "x\\ud800"}', "a: text with half a surrogate pair", {"a": "x\\ud800"}),
        ('{"a": {"\\udfff": 1}}', "a: a name with half a surrogate pair", {"a": {"\\udfff": 1}}),
        ('{"a": [1, 1e400]}', "a[1]: a number that is too large", {"a": [1, "1e400"]}),
        ('"\\ud800"', "text with half a surrogate pair", "\\ud800"),
        (
            f'{{"{"k" * 100}": -1e400}}',
            f"{'k' * 79}…: a number that is too large",
            {"k" * 100: "-1e400"},
        ),
    ],
)
def test_what_is_wrong_and_where(text, reason, shown):
    """A person sees the record with what was written, and where to look."""
    (found,) = sift([read_loosely(text.encode())])

    assert found.reason == f"{reason}, which cannot be stored"
    assert found.shown == shown


def test_deep_records_are_told_apart_as_well():
    """One that is nested deeper than can be followed is shown as that."""
    deep = f'{"[" * 700}"\\ud800"{"]" * 700}'

    (bad, sound) = sift(read_loosely(f"[{deep}, [1]]".encode()))

    assert (bad.shown, sound) == ("nested too deep to be shown", [1])


def test_a_pair_is_a_sign():
    """Two halves that belong together are one sign of Unicode."""
    assert read_loosely(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_an_endless_number_is_infinite_and_keeps_its_text():
    """It compares as it should, and is shown as it came."""
    number = read_loosely(b"[-1e400]")[0]

    assert isinstance(number, Endless)
    assert (number, number.text) == (float("-inf"), "-1e400")


def test_a_broken_line_still_fails_the_page():
    """An answer that was cut off must not pass for a short one."""
    body = b'{"a": "\\ud800"}\n{"a": '

    with pytest.raises(PageShapeError):
        NdjsonDecoder().decode_loosely(Answer(status=200, headers={}, body=body, url=""))
