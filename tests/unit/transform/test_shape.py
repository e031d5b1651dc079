"""Shaping a page: keys, deletions, filters, cursors, and what is set aside."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrationd.config.nodes import Position
from integrationd.errors import MappingError
from integrationd.model.records import DeleteReason, Removal, SetAside, Upsert
from integrationd.transform.cursors import CursorType, Scale
from integrationd.transform.expression import Expression
from integrationd.transform.shape import CursorRule, Shaped, Shaper

PARTS = st.text(min_size=1, max_size=20).filter(
    lambda text: not any("\ud800" <= sign <= "\udfff" for sign in text)
)


def expression(text):
    """Compile an expression."""
    return Expression.parse(text, Position("x.yaml", 1, 1))


NUMBERS = Scale(type=CursorType.NUMBER)


def shaper(*key, cursor=None, **more):
    """Build a shaper of expressions."""
    rules = {name: expression(text) for name, text in more.items()}
    rule = None if cursor is None else CursorRule(field=expression(cursor), scale=NUMBERS)
    return Shaper(key=tuple(map(expression, key or ("id",))), cursor=rule, **rules)


def shape(made, records):
    """Shape one page."""
    shaped = Shaped()
    made.shape(records, {}, shaped)
    return shaped


def test_a_record_becomes_canonical_json():
    """The same content in another order is the same data with the same digest."""
    one = shape(shaper(), [{"id": 1, "b": 2, "a": [1.5, None]}]).upserts[0]
    other = shape(shaper(), [{"a": [1.5, None], "id": 1, "b": 2}]).upserts[0]

    assert one == other
    assert one == Upsert("1", b'{"a":[1.5,null],"b":2,"id":1}', one.digest)
    assert len(one.digest) == 16


def test_of_duplicate_keys_the_last_wins():
    """A page that holds a record twice stores its last version, and one row."""
    shaped = shape(shaper(), [{"id": 1, "v": 1}, {"id": 2}, {"id": 1, "v": 2}])

    assert [json.loads(item.data) for item in shaped.upserts] == [{"id": 1, "v": 2}, {"id": 2}]


def test_deleted_comes_before_where_and_needs_only_a_key():
    """A deleted record is a removal by the source, one that where refuses a filtered one."""
    made = shaper(deleted="gone", where="keep")

    shaped = shape(made, [{"id": 1, "gone": True}, {"id": 2}, {"id": 3, "keep": True}])

    assert shaped.removals == [
        Removal("1", DeleteReason.SOURCE),
        Removal("2", DeleteReason.FILTERED),
    ]
    assert [item.external_id for item in shaped.upserts] == ["3"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "key: found nothing, expected text, a whole number or true or false"),
        ("", "key: found nothing, expected text, a whole number or true or false"),
        (
            1.5,
            "key: found a number with a fraction, expected text, a whole number or true or false",
        ),
        ([1], "key: found a list, expected text, a whole number or true or false"),
        ({}, "key: found an object, expected text, a whole number or true or false"),
        (10**101, "key: found too long a number, expected text, a whole number or true or false"),
        ("x" * 2001, "key: found text of 2001 bytes, expected at most 2000"),
        ("\u20ac" * 667, "key: found text of 2001 bytes, expected at most 2000"),
        ("\U0001f600" * 501, "key: found text of 2004 bytes, expected at most 2000"),
        ("\0" * 1001, "key: found text of 2002 bytes, expected at most 2000"),
        ("\ud800", "key: found text with half a surrogate pair"),
    ],
)
def test_a_record_without_a_key_is_set_aside(value, reason):
    """What cannot be found again is not stored, and the reason says what was found."""
    shaped = shape(shaper(), [{"id": value}, {"id": 2}])

    assert [item.external_id for item in shaped.upserts] == ["2"]
    assert [(item.code, item.reason) for item in shaped.aside] == [("key", reason)]
    assert shaped.aside[0].fingerprint.startswith("#")


@pytest.mark.parametrize("key", ["x" * 2000, "\U0001f600" * 500, "\0" * 1000])
def test_the_longest_key(key):
    """Bytes count, not signs."""
    assert list(shape(shaper(), [{"id": key}]).kept) == [key]


def test_a_key_of_parts_is_bounded_as_a_whole():
    """Also where it grows as its parts are joined."""
    shaped = shape(
        shaper("a", "b"), [{"a": "/" * 700, "b": "y"}, {"a": "x" * 1000, "b": "y" * 999}]
    )

    assert [item.reason for item in shaped.aside] == [
        "key: found text of 2102 bytes, expected at most 2000"
    ]
    assert len(shaped.kept) == 1


def test_what_is_set_aside_keeps_its_source_and_its_key():
    """A record that fails after its key was read is known by it, so that it is kept once."""
    made = shaper(cursor="at")

    shaped = shape(made, [{"id": 7, "at": "soon"}])

    assert shaped.aside == [
        SetAside("7", b'{"at":"soon","id":7}', "cursor", "", "incremental.field: expected a number")
    ]


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=12))
def test_a_record_set_aside_never_hides_another(rows):
    """Every good record is kept, however many bad ones stand around it; each bad one is once."""
    records = [{"id": key} if good else {"id": [key]} for key, good in rows]

    shaped = shape(shaper(), records)

    assert {item.external_id for item in shaped.upserts} == {str(key) for key, good in rows if good}
    assert len(shaped.aside) == len({key for key, good in rows if not good})


@example(one=["a/b", "c"], other=["a%2Fb", "c"])
@given(one=st.lists(PARTS, min_size=2, max_size=2), other=st.lists(PARTS, min_size=2, max_size=2))
def test_joined_keys_are_equal_only_where_their_parts_are(one, other):
    """No two different pairs of parts give one external id, whatever signs are in them."""
    made = shaper("a", "b")

    ids = [made.external_id({"a": a, "b": b}, {}) for a, b in (one, other)]

    assert (ids[0] == ids[1]) == (one == other)


def test_parts_of_a_key_are_joined_readably():
    """A key of several parts reads as a path; a key of one part is the part itself."""
    assert shaper("a", "b", "c").external_id({"a": "x/y", "b": 5, "c": True}, {}) == "x%2Fy/5/true"
    assert shaper("a").external_id({"a": "x/y%"}, {}) == "x/y%"


@given(values=st.lists(st.integers() | st.none(), max_size=20), cut=st.integers(0, 20))
def test_the_high_water_mark_is_the_greatest_value_seen(values, cut):
    """Whether a page is shaped at once or in slices: greatest, least and order are those of all."""
    records = [{"id": index, "at": value} for index, value in enumerate(values)]
    made, shaped = shaper(cursor="at"), Shaped()
    made.shape(records[:cut], {}, shaped)
    made.shape(records[cut:], {}, shaped)

    seen = [value for value in values if value is not None]

    assert shaped.high_water == max(seen, default=None)
    assert shaped.low == min(seen, default=None)
    assert shaped.ascending == (seen == sorted(seen))


@given(values=st.lists(st.integers(0, 50) | st.text(max_size=2), max_size=20))
def test_the_high_water_mark_never_passes_an_unseen_row(values):
    """It is never greater than the greatest value that could be compared."""
    shaped = shape(shaper(cursor="at"), [{"id": n, "at": at} for n, at in enumerate(values)])

    known = [at for at in values if isinstance(at, int) or (at.isascii() and at.isdigit())]
    numbers = [NUMBERS.parse(at) for at in known]
    high = shaped.high_water
    assert (high is None) == (numbers == [])
    assert high is None or NUMBERS.parse(high) == max(numbers)


def test_an_unknown_fault_of_a_record_is_its_own():
    """A record that no JSON can hold is set aside with a source that a person can read."""
    shaped = shape(shaper(), [{"id": 1, "text": "\ud800"}])

    assert [(item.code, item.reason) for item in shaped.aside] == [
        ("json", "the record cannot be written as JSON")
    ]
    assert json.loads(shaped.aside[0].source) == "{'id': 1, 'text': '\\ud800'}"


def test_external_id_raises_what_quarantine_keeps():
    """The reason is a MappingError, for callers that look at one record alone."""
    with pytest.raises(MappingError) as caught:
        shaper().external_id({"id": None}, {})

    assert caught.value.code == "key"
