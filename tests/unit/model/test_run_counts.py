"""Counts add up number by number."""

from hypothesis import given
from hypothesis import strategies as st

from integrationd.model.runs import COUNT_NAMES, Counts, Mode, RunStatus, Trigger

NUMBERS = st.lists(st.integers(0, 10**9), min_size=len(COUNT_NAMES), max_size=len(COUNT_NAMES))
COUNTS = NUMBERS.map(lambda numbers: Counts(**dict(zip(COUNT_NAMES, numbers, strict=True))))


@given(first=COUNTS, second=COUNTS)
def test_every_number_is_added(first, second):
    """No number is left out, also one that is added to the class later."""
    total = first.plus(second)

    for name in COUNT_NAMES:
        assert getattr(total, name) == getattr(first, name) + getattr(second, name)


@given(counts=COUNTS)
def test_nothing_added_changes_nothing(counts):
    """Fresh counts are the zero of the sum."""
    assert counts.plus(Counts()) == Counts().plus(counts) == counts


def test_counts_are_those_that_people_see():
    """The names, in the order in which they are printed and stored."""
    assert COUNT_NAMES == (
        "read",
        "added",
        "changed",
        "unchanged",
        "deleted",
        "filtered",
        "quarantined",
        "held",
        "cleaned",
        "dropped",
        "pages",
        "requests",
        "retries",
        "waited_ms",
    )


def test_words_of_a_run_are_stored_as_they_are_printed():
    """An enumeration prints as its value: the store and the log share the words."""
    words = [*map(str, RunStatus), *map(str, Trigger), *map(str, Mode)]

    assert words == [
        *("running", "done", "failed", "stopped"),
        *("schedule", "manual", "webhook", "replay", "child"),
        *("full", "incremental", "input", "replay", "revert", "call", "probe"),
    ]
