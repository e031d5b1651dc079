"""Two daemons over one store: each slot has one run, and what one leaves behind the other takes."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from looptime import new_event_loop

from integrationd.signals import RunFinished
from integrationd.spec.slots import due_after, latest_due
from integrationd.transform.zones import Zone
from tests.support.fakes import START, LoopClock
from tests.support.nodes import SPEC, Log, SetClock, running, sleep_until, start
from tests.support.worlds import bundle_of, stage

pytestmark = pytest.mark.looptime(start=0)

TWICE = '{at: ["02:00", "14:00"]}'
HOURLY = "1h"
ONE, TWO = "one:boot", "two:boot"


def endings(on):
    """Return how the runs ended, oldest first."""
    return [signal.status for signal in on.ear.of(RunFinished)]


@pytest.mark.parametrize("takes_s", [0, 5, 1800])
async def test_each_time_of_day_runs_once(takes_s):
    """Whether the reading is over before the other asks, or long after."""
    log = Log(takes_s=takes_s)
    async with stage(log) as on, running(on, TWICE, holder=ONE), running(on, TWICE, holder=TWO):
        await sleep_until("03 12:00")

    assert log.days() == ["01 02:00", "01 14:00", "02 02:00", "02 14:00", "03 02:00"]
    assert endings(on) == ["done"] * 5


@pytest.mark.parametrize("takes_s", [0, 5, 1800])
@pytest.mark.parametrize("later_s", [0, 1, 600, 3300, 3599])
async def test_each_interval_has_one_run_however_far_apart_they_started(takes_s, later_s):
    """They fall in with each other: never two runs within an interval, and none is left out."""
    async with stage(log := Log(takes_s=takes_s)) as on, running(on, HOURLY, holder=ONE):
        await asyncio.sleep(later_s)
        async with running(on, HOURLY, holder=TWO):
            await sleep_until("01 06:30")

    gaps_s = [(b - a).total_seconds() for a, b in pairwise(log.times)]
    assert min(gaps_s) >= 0.9 * 3600
    assert max(gaps_s) <= 3600 + 60
    assert len(log.times) in (6, 7)


async def test_second_daemon_knows_when_the_first_one_will_read():
    """After it found the slot taken it waits for the same time."""
    async with stage(Log()) as on, running(on, HOURLY, holder=ONE) as one:
        await sleep_until("01 00:30")
        async with running(on, HOURLY, holder=TWO) as two:
            two.timer.set(
                "shop/orders",
                first=START + timedelta(minutes=40),
                following=lambda moment: moment + timedelta(hours=1),
                callback=two.agenda._due,
            )
            await sleep_until("01 00:50")
            times = [node.agenda.next_runs() for node in (one, two)]

    assert times[0] == times[1]


async def test_clocks_that_differ_by_seconds_read_once():
    """One of the two is five seconds ahead."""
    clock = SetClock(offset=timedelta(seconds=5))
    log, ahead = Log(), {"holder": TWO, "clock": clock}
    async with stage(log) as on, running(on, TWICE, holder=ONE), running(on, TWICE, **ahead):
        await sleep_until("02 12:00")

    assert log.days() == ["01 01:59", "01 13:59", "02 01:59"]


async def test_schedule_of_a_second_has_one_run_each():
    """Also where it is shorter than anything that the daemons could agree on beforehand."""
    async with stage(log := Log()) as on, running(on, "1s", holder=ONE):
        await asyncio.sleep(0.4)
        async with running(on, "1s", holder=TWO):
            await asyncio.sleep(60)

    gaps_s = [(b - a).total_seconds() for a, b in pairwise(log.times)]
    assert 0.9 <= min(gaps_s) <= max(gaps_s) <= 1.1
    assert 59 <= len(log.times) <= 62


async def test_what_a_killed_daemon_was_reading_the_other_one_takes_over():
    """Its claim runs out; the other looks again a minute after it found it held."""
    async with stage(log := Log(takes_s=600)) as on, running(on, TWICE, holder=TWO) as two:
        one = await start(on, TWICE, holder=ONE)
        await asyncio.sleep(2 * 3600 + 330)
        reader, other = (one, two) if one.conductor.running else (two, one)
        await reader.kill()
        await sleep_until("01 12:00")
        await other.stop()

    assert log.days()[0] == "01 02:00"
    assert log.days()[1] in {"01 02:05", "01 02:06", "01 02:07"}
    assert len(log.times) == 2
    assert endings(on)[-1] == "done"


async def test_what_a_stopped_daemon_was_reading_the_other_one_takes_over():
    """It gave its claim back and left the run as stopped."""
    async with stage(log := Log(takes_s=600)) as on, running(on, TWICE, holder=TWO) as two:
        one = await start(on, TWICE, holder=ONE)
        await asyncio.sleep(2 * 3600 + 330)
        reader, other = (one, two) if one.conductor.running else (two, one)
        await reader.stop()
        await sleep_until("01 12:00")
        await other.stop()

    assert len(log.times) == 2
    assert endings(on) == ["stopped", "done"]


async def test_one_daemon_alone_goes_on():
    """The other one going down changes nothing."""
    async with stage(log := Log()) as on, running(on, HOURLY, holder=ONE):
        async with running(on, HOURLY, holder=TWO):
            await sleep_until("01 03:30")
        await sleep_until("01 06:30")

    assert len(log.times) == 7


INTERVALS = {"45m": timedelta(minutes=45), "{every: 3h, jitter: 1h}": timedelta(hours=3)}
CALENDARS = ['{at: "02:00"}', TWICE, '{cron: "10 */2 * * *", jitter: 30m}']
MOVES = st.lists(
    st.tuples(
        st.sampled_from(["wait", "one", "two", "kill one", "kill two", "failing", "slow"]),
        st.integers(1, 60 * 8),
    ),
    max_size=8,
)
"""What happens, and how many minutes pass afterwards."""


@given(schedule=st.sampled_from([*CALENDARS, *INTERVALS]), moves=MOVES)
@example(schedule=CALENDARS[2], moves=[("wait", 10), ("one", 22)])
@example(schedule=CALENDARS[2], moves=[("wait", 15), ("one", 22)])
@settings(max_examples=20)
@pytest.mark.looptime(enabled=False)
def test_no_slot_is_read_twice_in_any_history(schedule, moves):
    """Daemons come and go, are killed and find the provider failing: a slot has one run at most.

    Only a run that broke off is followed by another one for the same slot. Of the slots that a
    time without a daemon has passed by there is one run at most, as it takes the last of them.
    """
    loop = new_event_loop(start=0)
    try:
        loop.run_until_complete(play(schedule, moves))
    finally:
        loop.close()


async def play(schedule, moves):
    """Go through a history and hold it against the rules."""
    history = History(schedule)
    async with stage(log := Log()) as on:
        up = {}
        for move, minutes in moves:
            what, _, name = move.rpartition(" ")
            if name in ("one", "two"):
                node = up.pop(name, None)
                if node is not None:
                    await (node.kill() if what else node.stop())
                elif not what:
                    up[name] = await start(on, schedule, holder=f"{name}:boot{len(log.times)}")
            log.status = 400 if move == "failing" else 200
            log.takes_s = 2000 if move == "slow" else 1
            began = LoopClock().now()
            await asyncio.sleep(minutes * 60)
            if up:
                history.up.append((began, LoopClock().now()))
        for node in up.values():
            await node.stop()
        history.rows = [row async for row in on.store.runs(None)][::-1]
    history.check()


@dataclass
class History:
    """What was scheduled, when a daemon ran, and the runs that there were."""

    schedule: str
    up: list = field(default_factory=list)
    rows: list = field(default_factory=list)

    def check(self):
        """Hold the runs against the slots."""
        before = [None, *self.rows]
        fresh = [row for last, row in zip(before, self.rows, strict=False) if not broke_off(last)]
        if self.schedule in INTERVALS:
            every = INTERVALS[self.schedule]
            jitter = timedelta(hours=1) if "jitter" in self.schedule else timedelta(0)
            for first, second in pairwise(fresh):
                assert second.started_at - first.started_at >= 0.9 * every - jitter
            return
        bundle = bundle_of(shop=SPEC % self.schedule)
        written = bundle.integrations["shop"].streams["orders"].schedule
        slots = written.calendar(Zone("UTC"), "shop/orders")
        read = [latest_due(slots, row.started_at) for row in fresh]
        assert len(set(read)) == len(read)
        for began, ended in self.up:
            due = due_after(slots, began)
            while due is not None and due + timedelta(minutes=2) < ended:
                assert latest_due(slots, due) in read or self.is_busy(due), due
                due = due_after(slots, due)

    def is_busy(self, moment):
        """Tell whether a reading was under way, or its claim was not free yet."""
        late = timedelta(minutes=3)
        ends = [(row.started_at, row.ended_at or row.started_at) for row in self.rows]
        return any(first <= moment <= last + late for first, last in ends)


def broke_off(row):
    """Tell whether a run left something that another one is to go on with."""
    if row is None:
        return False
    return row.status in {"running", "stopped"} or row.error == "the process ended during the run"
