"""Cursor values: compared by what they mean, kept as they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.transform.cursors import CursorType, Scale

TIMES = st.datetimes(timezones=st.none() | st.timezones()).map(lambda moment: moment.isoformat())
NUMBERS = (
    st.integers()
    | st.integers(-(10**30), 10**30).map(str)
    | st.decimals(
        allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9
    ).map(str)
)
SAME_TYPE = st.one_of(
    st.tuples(st.just(CursorType.TIME), TIMES, TIMES, TIMES),
    st.tuples(st.just(CursorType.NUMBER), NUMBERS, NUMBERS, NUMBERS),
    st.tuples(st.just(CursorType.TEXT), st.text(), st.text(), st.text()),
)


@pytest.mark.parametrize(
    ("type_", "one", "other"),
    [
        (CursorType.TIME, "2026-01-01T10:00:00+02:00", "2026-01-01T09:00:00Z"),
        (CursorType.TIME, "2026-01-01", "2026-01-01T00:00:01"),
        (CursorType.NUMBER, "9", "10"),
        (CursorType.NUMBER, 9, "10"),
        (CursorType.NUMBER, "1503435956.000247", "1503435956.000248"),
        (CursorType.NUMBER, 10**24, str(10**24 + 1)),
        (CursorType.TEXT, "10", "9"),
    ],
)
def test_the_later_value_wins_as_it_is_written(type_, one, other):
    """Times compare as moments, numbers by size, text by its signs; none of them is rewritten."""
    assert Scale(type=type_).later(one, other) is other
    assert Scale(type=type_).later(other, one) is other


def test_of_equal_values_the_first_stays():
    """A tie does not rewrite what is stored."""
    first, second = "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00"

    assert Scale(type=CursorType.TIME).later(first, second) is first


@given(values=SAME_TYPE)
def test_nothing_never_wins(values):
    """No cursor at all never overwrites one."""
    type_, value, *_ = values

    assert Scale(type=type_).later(None, value) is value
    assert Scale(type=type_).later(value, None) is value


@given(values=SAME_TYPE)
def test_the_order_of_values_does_not_matter(values):
    """The latest of three means the same moment, in whatever order they come."""
    type_, a, b, c = values

    scale = Scale(type=type_)
    one = scale.later(scale.later(a, b), c)
    other = scale.later(c, scale.later(b, a))

    assert Scale(type=type_).parse(one) == Scale(type=type_).parse(other)


@pytest.mark.parametrize(
    ("type_", "value", "message"),
    [
        (CursorType.TIME, 1600000000, "expected a time such as 2026-01-31T12:00:00Z"),
        (CursorType.TIME, "yesterday", "expected a time such as 2026-01-31T12:00:00Z"),
        (CursorType.NUMBER, True, "expected a number"),
        (CursorType.NUMBER, "--5", "expected a number"),
        (CursorType.NUMBER, float("nan"), "expected a number"),
        (CursorType.TEXT, 5, "expected text"),
    ],
)
def test_another_type_is_refused(type_, value, message):
    """A value that does not compare with the others is told, not guessed."""
    with pytest.raises(ValueError) as caught:
        Scale(type=type_).parse(value)

    assert str(caught.value) == message


@given(value=st.none() | st.booleans() | st.floats() | st.text() | st.lists(st.integers()))
@pytest.mark.parametrize("type_", list(CursorType))
def test_any_value_is_parsed_or_refused(type_, value):
    """Nothing but a ValueError ever comes out."""
    try:
        Scale(type=type_).parse(value)
    except ValueError as refused:
        assert str(refused).startswith("expected ")  # noqa: PT017 - it may be taken
