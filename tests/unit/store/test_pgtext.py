"""Texts for PostgreSQL: no NUL, nothing lost, and the same order."""

from hypothesis import example, given
from hypothesis import strategies as st

from integrationd.store.pgtext import stand_in, take_back

TEXTS = st.text(st.sampled_from("\0\1\2ab\uffff\U0001f600"))


@given(TEXTS | st.text())
@example("\0\1\2")
def test_what_stands_in_is_taken_back(text):
    """Whatever the text is, it comes back, and no NUL goes in."""
    assert take_back(stand_in(text)) == text
    assert "\0" not in stand_in(text)


@given(TEXTS, TEXTS)
def test_the_order_stays(one, other):
    """Two texts sort as their stand-ins do, so that a listing goes on where it ended."""
    assert (one < other) == (stand_in(one) < stand_in(other))
