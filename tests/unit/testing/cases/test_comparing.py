"""Values compared: what is the same is taken, what differs is named."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.testing.cases.comparing import (
    DIFFERENCES_MAX,
    differences,
    fits_text,
    is_same,
    some,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(value=JSON)
def test_a_value_does_not_differ_from_itself(value):
    """Neither as a whole nor in part."""
    other = copy.deepcopy(value)

    assert list(differences(value, other, exact=True)) == []
    assert list(differences(value, other, exact=False)) == []


@given(one=JSON, other=JSON)
def test_what_differs_is_told(one, other):
    """Compared as a whole, two values differ exactly where they are not the same."""
    assert (list(differences(one, other, exact=True)) == []) == is_same(one, other)


@given(
    expected=st.dictionaries(st.text(max_size=3), JSON, max_size=3),
    more=st.dictionaries(st.text(max_size=3), JSON, max_size=3),
)
def test_more_fields_than_expected_are_no_difference(expected, more):
    """Unless the whole is compared, and then each of them is told."""
    got = {**more, **expected}

    assert list(differences(expected, got, exact=False)) == []
    assert len(list(differences(expected, got, exact=True))) == len(got) - len(expected)


@pytest.mark.parametrize(
    ("expected", "got", "same"),
    [(True, 1, False), (0, False, False), (1, 1.0, True), ("1", 1, False), (None, 0, False)],
)
def test_types_of_json_are_kept_apart(expected, got, same):
    """True is not 1, text is no number, and 1.0 is 1."""
    assert is_same(expected, got) is same
    assert is_same([expected], [got]) is same
    assert is_same({"a": expected}, {"a": got}) is same


def test_a_difference_is_told_by_its_place():
    """Objects by their fields, lists by their items where they have as many."""
    expected = {"a": {"b": [1, {"c": "x"}]}, "d": [1], "e": None}
    got = {"a": {"b": [1, {"c": "y"}]}, "d": [1, 2]}

    assert list(differences(expected, got, exact=True)) == [
        "a.b[1].c expected 'x', got 'y'",
        "d expected [1], got [1, 2]",
        "e expected null, got nothing",
    ]


def test_only_the_first_differences_are_told():
    """Whoever has many mends the first and looks again."""
    expected = {str(number): number for number in range(DIFFERENCES_MAX + 5)}

    lines = list(some(differences(expected, {}, exact=False), "output"))

    assert lines[0] == "output: 0 expected 0, got nothing"
    assert len(lines) == DIFFERENCES_MAX + 1
    assert lines[-1] == "output: and 5 more differences"


@pytest.mark.parametrize(
    ("expected", "got", "fits"),
    [
        ("abc", "abc", True),
        ("abc", "abcd", False),
        ("ab...", "abcd", True),
        ("ab...", "xabcd", False),
        ("...cd", "abcd", True),
        ("...cd", "abcde", False),
        ("...bc...", "abcd", True),
        ("...bd...", "abcd", False),
        ("...", "abcd", True),
        ("", "abcd", False),
        ("", "", True),
    ],
)
def test_three_dots_stand_for_anything(expected, got, fits):
    """At the beginning, at the end or at both; nowhere else."""
    assert fits_text(expected, got) is fits
