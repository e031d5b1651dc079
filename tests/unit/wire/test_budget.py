"""A budget never gives more than its rate."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.units import Rate
from integrationd.wire.budget import LOG_MAX, Budget

STEPS_S = st.lists(st.sampled_from([0.0, 0.001, 0.1, 1.0, 7.5, 60.0]), max_size=80)


def slots_of(budget, steps_s, *, start_s=1000.0):
    """Reserve once after each step and return the absolute times that were given."""
    now_s, slots = start_s, []
    for step_s in steps_s:
        now_s += step_s
        slots.append(now_s + budget.reserve(now_s))
    return slots


@given(count=st.integers(1, 12), per_s=st.integers(1, 90), steps_s=STEPS_S)
def test_no_span_holds_more_than_the_rate(count, per_s, steps_s):
    """Of any ``count`` + 1 slots in a row, the last is a whole span after the first."""
    slots = slots_of(Budget(Rate(count, timedelta(seconds=per_s))), steps_s)

    pairs = zip(slots, slots[count:], strict=False)
    assert all(later - earlier >= per_s - 1e-6 for earlier, later in pairs)


@given(count=st.integers(1, 12), steps_s=STEPS_S)
def test_slots_never_go_back(count, steps_s):
    """Whoever asks later goes later."""
    slots = slots_of(Budget(Rate(count, timedelta(seconds=10))), steps_s)

    assert slots == sorted(slots)


@given(count=st.integers(1, 500))
def test_unused_budget_lets_a_whole_burst_go(count):
    """The first ``count`` requests wait for nothing, the next one for a whole span."""
    budget = Budget(Rate(count, timedelta(seconds=60)))

    waits_s = [budget.reserve(5.0) for _ in range(count + 1)]

    assert waits_s == [0.0] * count + [60.0]


def test_slot_is_free_again_when_its_span_is_over():
    """A slot that was used a span ago no longer counts."""
    budget = Budget(Rate(2, timedelta(seconds=10)))
    given_s = [budget.reserve(0.0), budget.reserve(4.0), budget.reserve(9.0), budget.reserve(14.0)]

    assert given_s == [0.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize(("count", "wait_s"), [(1, 60.0), (2, 50.0)])
def test_clock_that_goes_back_gives_no_second_helping(count, wait_s):
    """A slot is never earlier than one that was given before."""
    budget = Budget(Rate(count, timedelta(seconds=10)))
    budget.reserve(100.0)

    assert budget.reserve(50.0) == wait_s


def test_pause_holds_all_that_ask_later():
    """After a Retry-After nobody goes before its end, and the rate holds from there."""
    budget = Budget(Rate(1, timedelta(seconds=10)))
    budget.pause(30.0)
    budget.pause(20.0)

    assert [budget.reserve(0.0), budget.reserve(0.0)] == [30.0, 40.0]


@pytest.mark.parametrize("count", [LOG_MAX + 1, 2500, 999_999_999])
def test_large_rate_is_kept_with_bounded_memory(count):
    """More than a thousand in a span are kept as fewer in a shorter span, never as more."""
    budget = Budget(Rate(count, timedelta(days=1)))
    slots = [budget.reserve(0.0) for _ in range(4 * LOG_MAX)]

    assert len(budget._log) <= LOG_MAX
    assert len(budget._log) / budget._per_s <= count / 86400
    assert slots == sorted(slots)
    assert slots[LOG_MAX] > 0


@given(count=st.integers(1001, 5000))
def test_large_rate_is_never_exceeded(count):
    """Also where the rate was cut into parts, no span holds more than it says."""
    budget = Budget(Rate(count, timedelta(seconds=60)))
    slots = [budget.reserve(0.0) for _ in range(count + 1)]

    assert slots[count] >= 60 - 1e-6
