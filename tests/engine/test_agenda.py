"""The streams on the timer over days and restarts: what is due begins, once."""

from datetime import timedelta

import pytest

from integrationd.engine.sync import RunWish
from integrationd.model.runs import RunStatus, Trigger
from integrationd.ports.store import StreamKey
from integrationd.signals import RunFinished, RunSkipped
from tests.support.fakes import START
from tests.support.nodes import SPEC, Log, SetClock, running, sleep_until, start
from tests.support.worlds import stage

pytestmark = pytest.mark.looptime(start=0)

NIGHTLY = '{at: "02:00"}'
TWICE = '{at: ["02:00", "14:00"]}'
HOURLY = "1h"


def endings(on):
    """Return how the runs ended, oldest first."""
    return [signal.status for signal in on.ear.of(RunFinished)]


async def test_calendar_runs_at_its_times():
    """A new stream waits for its first slot; nothing is missed before it was there."""
    async with stage(log := Log()) as on, running(on, TWICE):
        await sleep_until("03 12:00")

    assert log.days() == ["01 02:00", "01 14:00", "02 02:00", "02 14:00", "03 02:00"]


async def test_calendar_runs_by_the_zone_of_the_settings():
    """Two o'clock in Madrid is one o'clock of UTC in winter."""
    async with stage(log := Log()) as on, running(on, NIGHTLY, zone="Europe/Madrid"):
        await sleep_until("02 12:00")

    assert log.days() == ["01 01:00", "02 01:00"]


async def test_slots_missed_while_the_daemon_was_down_run_once():
    """Three nights without a daemon are one run when it is back, and then as usual."""
    async with stage(log := Log()) as on:
        async with running(on, NIGHTLY):
            await sleep_until("01 12:00")
        await sleep_until("04 12:00")
        async with running(on, NIGHTLY):
            await sleep_until("06 01:00")

    first, caught_up, *later = log.days()
    assert (first, caught_up, later) == ("01 02:00", "04 12:00", ["05 02:00"])


async def test_restart_after_a_slot_does_not_run_it_again():
    """Whatever ran is noted in the store."""
    async with stage(log := Log()) as on:
        for hour in range(3, 9):
            async with running(on, NIGHTLY):
                await sleep_until(f"01 {hour:02}:00")

    assert log.days() == ["01 02:00"]


async def test_failed_slot_is_not_caught_up():
    """It ran; the next slot tries again."""
    async with stage(log := Log(status=400)) as on:
        for hour in (3, 4, 5):
            async with running(on, NIGHTLY):
                await sleep_until(f"01 {hour:02}:00")

    assert log.days() == ["01 02:00"]


async def test_what_a_person_ran_since_the_slot_is_not_missed():
    """The daemon was down at two; somebody read the stream by hand in the morning."""
    async with stage(log := Log()) as on:
        async with running(on, NIGHTLY):
            await sleep_until("01 01:00")
        await sleep_until("01 07:00")
        by_hand = await start(on, "manual")
        await by_hand.conductor.sync("shop", "orders", RunWish(trigger=Trigger.MANUAL))
        await by_hand.stop()
        async with running(on, NIGHTLY):
            await sleep_until("02 12:00")

    assert log.days() == ["01 07:00", "02 02:00"]


async def test_run_that_was_stopped_goes_on_after_the_restart_and_only_once():
    """The daemon went down in the middle of the slot's run."""
    async with stage(log := Log(takes_s=600)) as on:
        async with running(on, NIGHTLY):
            await sleep_until("01 02:05")
        for hour in (3, 4, 5):
            async with running(on, NIGHTLY):
                await sleep_until(f"01 {hour:02}:00")

    assert log.days() == ["01 02:00", "01 02:05"]
    assert endings(on) == [RunStatus.STOPPED, RunStatus.DONE]


async def test_file_that_changes_its_times_does_not_run_those_that_were_none():
    """At eight the schedule becomes five o'clock: that was not due today."""
    async with stage(log := Log()) as on, running(on, NIGHTLY) as node:
        await sleep_until("01 08:00")
        await node.take_up(SPEC % '{at: "05:00"}')
        await sleep_until("02 12:00")

    assert log.days() == ["01 02:00", "02 05:00"]


async def test_file_that_changes_elsewhere_keeps_its_times():
    """An interval does not begin anew because a line was added above it."""
    async with stage(log := Log()) as on, running(on, HOURLY) as node:
        await sleep_until("01 00:30")
        await node.take_up("# later\n" + SPEC % HOURLY)
        await sleep_until("01 02:30")

    assert log.days() == ["01 00:00", "01 01:00", "01 02:00"]


async def test_stream_that_is_gone_is_taken_off():
    """After the file changed it is not due any more."""
    async with stage(log := Log()) as on, running(on, HOURLY) as node:
        await sleep_until("01 00:30")
        await node.take_up(SPEC % "manual")
        await sleep_until("01 05:00")
        keys = node.timer.keys()

    assert (log.days(), keys) == (["01 00:00"], frozenset())


async def test_laptop_that_slept_over_its_slot_runs_it_once_when_it_wakes():
    """The wall clock jumps ahead, as the loop's time does not pass in sleep."""
    log = Log(clock=(clock := SetClock()))
    async with stage(log) as on, running(on, NIGHTLY, clock=clock) as node:
        await sleep_until("01 01:00")
        clock.offset = timedelta(days=2, hours=9)
        await node.agenda.book(anew=True)
        await sleep_until("01 12:00")

    assert log.days() == ["03 10:00"]


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(hours=13), timedelta(days=1)])
async def test_clock_that_is_set_back_repeats_no_slot(back):
    """The hours that come twice have their slots once."""
    log = Log(clock=(clock := SetClock()))
    async with stage(log) as on, running(on, TWICE, clock=clock) as node:
        await sleep_until("02 02:30")
        clock.offset = -back
        await node.agenda.book(anew=True)
        await sleep_until("04 12:00")

    assert log.days()[:4] == ["01 02:00", "01 14:00", "02 02:00", "02 14:00"]
    assert len(set(log.days())) == len(log.days())


async def test_clock_that_was_far_ahead_does_not_silence_a_stream():
    """A machine that believed in 2038 and was put right reads at its next slot."""
    async with stage(log := Log(clock=(clock := SetClock()))) as on:
        clock.offset = timedelta(days=4000)
        async with running(on, NIGHTLY, clock=clock) as node:
            await sleep_until("01 12:00")
            clock.offset = timedelta(0)
            await node.agenda.book(anew=True)
            await sleep_until("03 12:00")

    assert log.days()[1:] == ["02 02:00", "03 02:00"]


async def test_interval_goes_on_over_a_restart():
    """What is left of it is waited for, whether a person or the schedule read last."""
    async with stage(log := Log()) as on:
        async with running(on, HOURLY):
            await sleep_until("01 01:20")
        async with running(on, HOURLY):
            await sleep_until("01 03:20")

    assert log.days() == ["01 00:00", "01 01:00", "01 02:00", "01 03:00"]


async def test_slot_that_finds_the_stream_busy_runs_afterwards():
    """A reading of thirteen hours covers the afternoon's slot, which then follows it, once."""
    async with stage(log := Log(takes_s=13 * 3600)) as on, running(on, TWICE):
        await sleep_until("01 14:30")
        log.takes_s = 60
        await sleep_until("02 12:00")

    assert log.days() == ["01 02:00", "01 15:01", "02 02:00"]
    assert on.ear.of(RunSkipped) == [RunSkipped(integration="shop", stream="orders")]


async def test_interval_that_finds_the_stream_busy_waits_for_the_next():
    """A source that is slower than its interval is not read without a pause."""
    async with stage(log := Log(takes_s=5400)) as on, running(on, HOURLY):
        await sleep_until("01 05:30")

    assert log.days() == ["01 00:00", "01 02:00", "01 04:00"]


async def test_next_times_are_known():
    """For ``status``; what has no schedule has none."""
    async with stage(Log()) as on, running(on, TWICE) as node:
        await sleep_until("01 03:00")
        times = node.agenda.next_runs()
        await node.take_up(SPEC % "manual")
        nothing = node.agenda.next_runs()

    assert times == {StreamKey("shop", "orders"): START + timedelta(hours=14)}
    assert nothing == {}
