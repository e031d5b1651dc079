"""How long is waited between tries."""

from hypothesis import given
from hypothesis import strategies as st

from integrationd.wire import backoff

ATTEMPTS = st.integers(1, 5000)
FRACTIONS = st.floats(0, 1, exclude_max=True)


@given(attempt=ATTEMPTS)
def test_bound_grows_and_is_capped(attempt):
    """Each failure doubles the bound until the cap, and it never shrinks."""
    now, following = backoff.bound(attempt), backoff.bound(attempt + 1)

    assert following == min(2 * now, backoff.CAP_S)


def test_bounds_are_the_stated_ones():
    """The first bounds are 1, 2, 4 seconds and so on, up to a minute."""
    assert [backoff.bound(n) for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]


@given(attempt=ATTEMPTS, fraction=FRACTIONS)
def test_wait_is_between_half_the_bound_and_the_bound(attempt, fraction):
    """Half of the wait is certain, the other half is chance."""
    bound = backoff.bound(attempt)

    assert bound / 2 <= backoff.delay(attempt, fraction) <= bound


def test_chance_spreads_the_whole_upper_half():
    """The least and the greatest chance give the ends of the range."""
    assert (backoff.delay(3, 0.0), backoff.delay(3, 0.5)) == (2.0, 3.0)


@given(attempt=ATTEMPTS, fraction=FRACTIONS, asked_s=st.floats(0, 3600))
def test_retry_after_is_never_undercut(attempt, fraction, asked_s):
    """A provider that asks to wait is not called earlier, and not all at the same moment."""
    wait_s = backoff.delay(attempt, fraction, asked_s)

    assert max(asked_s, backoff.delay(attempt, 0.0)) <= wait_s
    assert wait_s <= max(asked_s, backoff.CAP_S / 2) + backoff.CAP_S / 2


@given(asked_s=st.floats(86_400, allow_infinity=True, allow_nan=False))
def test_retry_after_is_capped_at_a_day(asked_s):
    """A provider cannot make us wait for longer than the quota of a day."""
    assert backoff.delay(1, 0.0, asked_s) == backoff.RETRY_AFTER_MAX_S


def test_negative_retry_after_is_as_none():
    """A time in the past asks for nothing."""
    assert backoff.delay(2, 0.0, -5.0) == backoff.delay(2, 0.0)


def test_own_base_and_cap_are_used():
    """The caller may be more patient."""
    assert backoff.delay(9, 0.0, base_s=10, cap_s=100) == 50
