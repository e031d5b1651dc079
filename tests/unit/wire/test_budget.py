"""A budget never gives more than its rate."""

import heapq
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.units import Rate
from integrationd.wire.budget import LOG_MAX, Budget, Window
from integrationd.wire.limits import Allowance, Charge

STEPS = (0.0, 0.001, 0.1, 1.0, 7.5, 60.0)
STEPS_S = st.lists(st.sampled_from(STEPS), max_size=80)
LANES = {"/search": Rate(2, timedelta(seconds=10)), "post /**": Rate(7, timedelta(seconds=30))}


def seconds(count):
    """Build a span."""
    return timedelta(seconds=count)


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
    """Of more than a thousand in a span, those that are near each other are kept as one."""
    window = Window(Rate(count, timedelta(days=1)))
    for second in range(0, 86400, 10):
        window.take(window.earliest(second, 1), 1)

    assert len(window._log) <= LOG_MAX + 1


@given(count=st.integers(1001, 3000), step_s=st.sampled_from([0.0, 0.001, 0.01, 0.05]))
def test_large_rate_is_never_exceeded(count, step_s):
    """Also where what is near each other is kept as one, no span holds more than it says."""
    slots = slots_of(Budget(Rate(count, timedelta(seconds=60))), [step_s] * (count + 50))

    pairs = zip(slots, slots[count:], strict=False)
    assert all(later - earlier >= 60 - 1e-6 for earlier, later in pairs)


RATES = st.lists(st.builds(Rate, st.integers(1, 12), st.integers(1, 90).map(seconds)), max_size=3)
CHARGES = st.builds(
    lambda cost, lanes: Charge(cost, tuple((name, LANES[name]) for name in lanes)),
    st.integers(1, 5),
    st.sets(st.sampled_from(sorted(LANES))),
)


@given(rates=RATES, asked=st.lists(st.tuples(st.sampled_from(STEPS), CHARGES), max_size=60))
def test_no_span_of_any_window_holds_more_than_its_rate(rates, asked):
    """Several windows, rates of paths, and requests that cost more: each rate holds for itself."""
    budget, went = Budget(*rates), []
    for now_s, charge in when_they_go(budget, asked):
        went.append((now_s, charge))

    assert len(went) == len(asked)
    for rate in rates:
        assert keeps(rate, [(at_s, charge.cost) for at_s, charge in went])
    for lane in LANES.items():
        assert keeps(lane[1], [(at_s, one.cost) for at_s, one in went if lane in one.lanes])


def when_they_go(budget, asked):
    """Let everybody ask and wait as told; yields when each goes."""
    waiting, at_s = [], 1000.0
    for number, (step_s, charge) in enumerate(asked):
        at_s += step_s
        heapq.heappush(waiting, (at_s, number, charge))
    while waiting:
        now_s, number, charge = heapq.heappop(waiting)
        turn = budget.turn(now_s, charge)
        if turn.taken:
            yield now_s + turn.wait_s, charge
        else:
            heapq.heappush(waiting, (now_s + turn.wait_s, number, charge))


def keeps(rate, went):
    """Tell whether no span holds more than a rate; what costs more than all of it counts as all."""
    per_s = rate.per.total_seconds()
    used = [(at_s, min(cost, rate.count)) for at_s, cost in went]
    spans = (
        sum(cost for at_s, cost in used if start_s <= at_s < start_s + per_s - 1e-6)
        for start_s, _ in used
    )
    return all(span <= rate.count for span in spans)


def test_path_that_waits_holds_nobody_else():
    """The second search of a minute takes nothing yet; others go at once."""
    budget, search = Budget(Rate(10, seconds(1))), Charge(1, (("/search", Rate(1, seconds(60))),))

    turns = [budget.turn(0.0, search), budget.turn(1.0, search), budget.turn(1.0, Charge())]

    assert [(turn.wait_s, turn.taken) for turn in turns] == [(0, True), (59, False), (0, True)]


def test_cost_is_taken_at_once():
    """What counts as five waits until five are free, and the next waits for it."""
    budget = Budget(Rate(6, seconds(10)))

    waits_s = [budget.reserve(0.0, cost) for cost in (1, 1, 5, 1, 1)]

    assert waits_s == [0, 0, 10, 10, 20]


def test_what_costs_more_than_a_rate_takes_all_of_it():
    """It would never go otherwise."""
    budget = Budget(Rate(2, seconds(10)))

    assert [budget.reserve(0.0, 7), budget.reserve(0.0, 7), budget.reserve(0.0)] == [0, 10, 20]


def test_no_more_is_asked_than_a_provider_has_left():
    """What was spent since the answer was asked for counts too; after the reset all is free."""
    budget = Budget()
    first, _ = budget.turn(0.0, Charge()), budget.turn(0.0, Charge())
    budget.learn(1.0, Allowance(3, 29.0), first.mark)

    assert [budget.reserve(1.0) for _ in range(4)] == [0, 0, 29, 29]
    assert budget.paused_s(1.0) == 0


def test_nothing_left_is_a_pause():
    """So that a run that would wait for long ends instead."""
    budget = Budget()
    turn = budget.turn(0.0, Charge())
    budget.learn(1.0, Allowance(0, 29.0), turn.mark)

    assert (budget.paused_s(1.0), budget.reserve(1.0)) == (29, 29)


@pytest.mark.parametrize(
    ("left", "reset_s", "wait_s"), [(9, 28.5, 29.0), (9, 40.0, 0.0), (0, 40.0, 40.0)]
)
def test_of_answers_about_one_span_the_lowest_counts(left, reset_s, wait_s):
    """They may come in any order; one about another span replaces them."""
    budget = Budget()
    turn = budget.turn(0.0, Charge())
    budget.learn(1.0, Allowance(0, 29.0), turn.mark)
    budget.learn(1.0, Allowance(left, reset_s), turn.mark)

    assert budget.reserve(1.0) == wait_s
