"""Expressions read backwards: what was asked for is what the expression then finds."""

from __future__ import annotations

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.transform.inverse import (
    Mark,
    UnsolvableError,
    merge,
    outline,
    premise,
    solve,
    suits,
)

WORDS = st.sampled_from(["body", "data", "items", "x", "y", "has_more"])
VALUES = st.integers(1, 9) | st.text("abc", min_size=1, max_size=3) | st.just(True)


def _chains(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("{}.{}".format, inner, WORDS),
        st.builds("{}[{}]".format, inner, st.integers(-3, 3)),
        st.builds("({}) | {}".format, inner, WORDS),
        st.builds("({} || `[]`)".format, inner),
        st.builds("not_null({})".format, inner),
    )


PATHS = st.recursive(WORDS, _chains, max_leaves=5)
PLAIN = st.builds(".".join, st.lists(WORDS, min_size=1, max_size=3))
COMPARED = st.one_of(
    st.builds("!({})".format, PLAIN),
    st.builds("{} == `{}`".format, PLAIN, st.integers(0, 5)),
    st.builds("{} != 'a'".format, PLAIN),
    st.builds("`{}` >= {}".format, st.integers(0, 5), PLAIN),
    st.builds("{} < `{}`".format, PLAIN, st.integers(0, 5)),
)
CONDITIONS = COMPARED | st.builds("length({}) > `{}`".format, PLAIN, st.integers(0, 3))
COMPOUND = st.recursive(
    COMPARED,
    lambda inner: st.one_of(
        st.builds("({}) && ({})".format, inner, inner),
        st.builds("({}) || ({})".format, inner, inner),
        st.builds("!({})".format, inner),
    ),
    max_leaves=4,
)


def settle(tree):
    """Decide what a solution leaves open, in the plainest way."""
    if isinstance(tree, dict):
        return {key: settle(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [settle(value) for value in tree]
    plain = {Mark.TRUE: True, Mark.FALSE: False, Mark.FREE: None}
    return plain[tree] if isinstance(tree, Mark) else tree


@given(text=PATHS, value=VALUES)
def test_path_finds_the_value_it_was_solved_for(text, value):
    """Any path, index, pipe or alternative has an input on which it gives the value."""
    assert jmespath.search(text, settle(solve(text, value))) == value


@given(text=CONDITIONS, wanted=st.booleans())
def test_condition_is_as_wanted(text, wanted):
    """A negation or comparison can be made true and made false."""
    assert jmespath.search(text, settle(solve(text, wanted))) is wanted


@given(text=COMPOUND, wanted=st.booleans())
def test_compound_condition_is_as_wanted_or_refused(text, wanted):
    """Conditions that contradict each other are refused; what is solved is never wrong."""
    try:
        tree = solve(text, wanted)
    except UnsolvableError:
        return

    assert suits(jmespath.search(text, settle(tree)), Mark.TRUE) is wanted


@given(value=st.lists(st.integers(1, 5), max_size=4))
@pytest.mark.parametrize("text", ["body.data[]", "body[*]", "body.items[*].id", "body.a[].b.c"])
def test_projection_finds_the_list_it_was_solved_for(text, value):
    """A projection over a list is turned round item by item."""
    assert jmespath.search(text, settle(solve(text, value))) == value


def test_filter_makes_its_own_condition_true():
    """Items that a filter looks for are made to pass it."""
    tree = solve("roles[?shortname == 'student'].id", [7])

    assert tree == {"roles": [{"id": 7, "shortname": "student"}]}


def test_false_alternative_is_false_on_both_sides():
    """An alternative is empty only where both of its sides are."""
    assert solve("a || `[]`", []) == {"a": []}


@pytest.mark.parametrize(
    ("text", "wanted", "message"),
    [
        ("sum(a)", 3, "the function sum cannot be turned round"),
        ("a.*", 3, "value projection cannot be turned round"),
        ("`1`", 2, "a literal is not what is wanted"),
        ("[a, b]", [1], "a list of another length is wanted"),
        ("a[]", 3, "a projection gives a list"),
        ("!a", "text", "a condition is true or false"),
        ("a < 'b'", True, "only numbers are ordered"),
        ("a == `1` && a == `2`", True, "two values are wanted at the same place"),
    ],
)
def test_what_has_no_inverse_is_said(text, wanted, message):
    """What cannot be turned round is an error that says why, never a wrong input."""
    with pytest.raises(UnsolvableError) as caught:
        solve(text, wanted)

    assert str(caught.value) == message


def test_merge_lays_lists_item_by_item():
    """What two expressions want of one list stands side by side, whichever comes first."""
    one, other = [{"a": 1}], [Mark.FREE, {"b": 2}]

    assert merge(one, other) == [{"a": 1}, {"b": 2}]
    assert merge(other, one) == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    ("value", "mark", "expected"),
    [
        (0, Mark.TRUE, True),
        ("", Mark.TRUE, False),
        (None, Mark.FALSE, True),
        ([], Mark.FALSE, True),
        (False, Mark.FALSE, True),
        ("x", Mark.FALSE, False),
        (None, Mark.FREE, True),
    ],
)
def test_mark_counts_truth_as_jmespath_does(value, mark, expected):
    """Zero is true; null, false and the empty are not."""
    assert suits(value, mark) is expected


def test_true_and_one_are_two_values():
    """A place wanted true and wanted 1 is a contradiction, although Python calls them equal."""
    with pytest.raises(UnsolvableError):
        merge({"a": True}, {"a": 1})


def test_premise_is_what_stands_before_the_last_operand():
    """Of ``a && b && c`` the conditions a and b are wanted true, and nothing of c."""
    assert premise("a && !(b) && c[-1].id") == {"a": Mark.TRUE, "b": Mark.FALSE}
    assert premise("c[-1].id") is Mark.FREE


def test_outline_names_every_place_that_is_read():
    """What has no inverse still shows where it reads."""
    leaf = object()

    assert outline("join(' ', [first, last.name])", leaf) == {"first": leaf, "last": {"name": leaf}}
    assert outline("tags[].name", leaf) == {"tags": [{"name": leaf}]}
    assert outline("a.b | sum(@)", leaf) == {"a": {"b": leaf}}
