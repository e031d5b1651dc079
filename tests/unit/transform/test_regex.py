"""The engine that finds: the answers of Python's own, in bounded time."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationd.transform.regex import parse_finder
from tests.support.spending import cpu_s

ATOMS = st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]", "\\d", "\\w", "1", "\\b", "^", "$"])

TIMES = ["*", "+", "?", "{2}", "{1,2}", "{0,}", "*?", "+?", "??"]


def _holds_signs(pattern):
    """Tell whether a pattern never matches nothing; engines repeat nothing in different ways."""
    probes = ("", "a", " ", "aa", "a ", " a")
    return not any(found.group() == "" for probe in probes for found in re.finditer(pattern, probe))


def _wrap(inner):
    """Build patterns of smaller ones."""
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map("|".join).map("(?:{})".format),
        inner.map("({})".format),
        st.tuples(inner.filter(_holds_signs), st.sampled_from(TIMES))
        .map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
    )  # fmt: skip


PATTERNS = st.recursive(ATOMS, _wrap, max_leaves=6)


@settings(max_examples=200)
@given(PATTERNS, st.text(alphabet="abc1 ", max_size=10))
def test_it_finds_what_pythons_engine_finds(pattern, text):
    """The first match is at the same place, or nowhere in both."""
    expected = re.search(pattern, text)

    found = next(parse_finder(pattern).find_all(text), None)

    assert (found and found[:2]) == (expected and expected.span())


@pytest.mark.parametrize(
    ("pattern", "text", "marks"),
    [
        ("([a-z]+)-([0-9]+)", "x ab-12", (2, 7, 2, 4, 5, 7)),
        ("(a)|(b)", "b", (0, 1, -1, -1, 0, 1)),
        ("(?i)straße", "STRAßE", (0, 6)),
        ("a|ab", "ab", (0, 1)),
        ("a*?b", "aab", (0, 3)),
        ("[]x]+", "]x", (0, 2)),
        ("\\.", "a.b", (1, 2)),
        ("", "a", (0, 0)),
    ],
)
def test_groups_and_preferences(pattern, text, marks):
    """Each group has its place, and of several ways the first one written is taken."""
    assert next(parse_finder(pattern).find_all(text)) == marks


@pytest.mark.parametrize(
    ("pattern", "wrong"),
    [
        ("(", "has a '(' that is not closed"),
        ("a)", "has a ')' too many"),
        ("*a", "has '*' where nothing is to be repeated"),
        ("a**", "repeats what is repeated; put brackets round it"),
        ("(?=a)", "has a bracket with '?', of which only '(?:' is known here"),
        ("[[:alpha:]]", "has a '[' inside of '[…]'; write it '\\['"),
        ("[a&&b]", "reckons with sets inside of '[…]', which is not known here"),
        ("[z-a]", "has '[z-a]', which is not known here"),
        ("\\pL", "has '\\p', which is not known here"),
        ("(?:a{100}){100}", "is too large a pattern"),
        ("(?:" * 40 + "a" + ")" * 40, "is too deep a pattern"),
    ],
)
def test_what_is_not_known_is_refused(pattern, wrong):
    """When the file is read, and by name."""
    with pytest.raises(ValueError) as caught:
        parse_finder(pattern)

    assert str(caught.value) == wrong


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(a*)*b", "(?:a?){30}a{30}"])
def test_no_pattern_takes_long(pattern):
    """What other engines try for years is found, or given up, in a moment."""
    told = set()

    def find():
        try:
            next(parse_finder(pattern).find_all("a" * 5000 + "!"), None)
        except ValueError as wrong:
            told.add(str(wrong))

    assert cpu_s(find) < 1
    assert told <= {"needs more than 100,000 steps for this text"}
