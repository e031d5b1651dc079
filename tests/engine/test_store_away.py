"""The store goes away under a daemon: what is booked stays, and what is owed is read later."""

import asyncio

import pytest

from integrationd.errors import StoreError
from integrationd.model.switches import Switch
from integrationd.signals import RunFinished
from tests.support.fakes import START
from tests.support.nodes import SPEC, Log, running, sleep_until
from tests.support.worlds import bundle_of, stage

pytestmark = pytest.mark.looptime(start=0)

NIGHTLY = '{at: "02:00"}'
SCHEDULES = pytest.mark.parametrize("schedule", [NIGHTLY, "2h"])


async def be_away(node, since, until):
    """Take the store away from a node for a time."""
    await sleep_until(since)
    node.store.dead = True
    await sleep_until(until)
    node.store.dead = False


async def test_booking_without_the_store_changes_nothing():
    """Neither the timer nor what is switched off is another one afterwards."""
    async with stage(Log()) as on, running(on, NIGHTLY) as node:
        before = node.agenda.next_runs(), node.conductor.switches
        await on.store.throw_switch("default", "shop", Switch.PAUSED, on=True, at=START)
        node.store.dead = True
        other = bundle_of(shop=SPEC % "1h")
        with pytest.raises(StoreError):
            await node.agenda.book(anew=True)
        with pytest.raises(StoreError):
            async with node.agenda.booking(other):
                pass
        after = node.agenda.next_runs(), node.conductor.switches

    assert after == before


async def test_other_bundle_is_booked_when_it_is_taken_up():
    """What was looked up for it is on the timer with the call, and not before."""
    async with stage(Log()) as on, running(on, NIGHTLY) as node:
        times = [node.agenda.next_runs()]
        other = bundle_of(shop=SPEC % "1h")
        async with node.agenda.booking(other) as book:
            times.append(node.agenda.next_runs())
            node.conductor.swap(other)
            book()
        times.append(node.agenda.next_runs())

    assert times[0] == times[1] != times[2]


async def test_switch_that_could_not_be_booked_is_booked_later():
    """What is switched counts with the timer together, so that whoever compares them sees it."""
    async with stage(Log()) as on, running(on, NIGHTLY) as node:
        await on.store.throw_switch("default", "shop", Switch.PAUSED, on=True, at=START)
        calls = []
        node.store.store = Forgetful(on.store, calls)
        with pytest.raises(StoreError):
            await node.agenda.book()
        noticed = await on.store.switches() != node.conductor.switches
        node.store.store = on.store
        await node.agenda.book()
        booked = node.agenda.next_runs()

    assert calls == ["switches", "streams"]
    assert noticed
    assert booked == {}


class Forgetful:
    """A store that goes away after it has told the switches."""

    def __init__(self, store, calls):
        self.store = store
        self.calls = calls

    def __getattr__(self, name):
        """Answer the first call."""
        self.calls.append(name)
        if name != "switches":
            raise StoreError("gone")
        return getattr(self.store, name)


@SCHEDULES
async def test_slot_that_comes_while_the_store_is_away_is_read_when_it_is_back(schedule):
    """It is owed: within a minute of the store's return, and once."""
    async with stage(log := Log()) as on, running(on, schedule) as node:
        await be_away(node, "01 01:50", "01 02:20")
        await sleep_until("01 03:30")

    read = [time for time in log.days() if time > "01 01:50"]
    assert len(read) == 1
    assert "01 02:20" <= read[0] <= "01 02:21"


@SCHEDULES
async def test_run_that_lost_the_store_is_gone_on_with(schedule):
    """It fails, and the next one comes with the store and not with the next slot."""
    async with stage(log := Log(takes_s=600)) as on, running(on, schedule) as node:
        await sleep_until("01 01:30")
        before = len(log.times)
        await be_away(node, "01 02:05", "01 02:20")
        await sleep_until("01 03:30")
        rows = [(row.status, row.error) async for row in on.store.runs(None)][::-1]

    told = [(signal.status, signal.error) for signal in on.ear.of(RunFinished)]
    assert len(log.times) == before + 2
    assert "01 02:20" <= log.days()[before + 1] <= "01 02:21"
    assert told[before:] == [("failed", "killed"), ("done", "")]
    assert [status for status, _ in rows[before:]] == ["failed", "done"]


async def test_short_interval_waits_for_its_next_slot():
    """Nothing has to be asked for that comes within a minute by itself."""
    async with stage(log := Log()) as on, running(on, "30s") as node:
        await be_away(node, "01 00:10", "01 00:20")
        await asyncio.sleep(300)

    gaps_s = {(b - a).total_seconds() for a, b in zip(log.times, log.times[1:], strict=False)}
    assert gaps_s == {30, 630}
