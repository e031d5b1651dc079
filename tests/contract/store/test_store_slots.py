"""Slots of schedules: each is taken once, by whichever process comes first."""

from datetime import timedelta

import pytest

from integrationd.errors import LeaseLostError
from integrationd.model.runs import Mode, RunStatus, Trigger
from integrationd.ports.slots import Opening, Slot
from integrationd.ports.store import RunStart, StreamKey

from .conftest import KEY, NOW, TENANT

HOUR = timedelta(hours=1)
OTHER = StreamKey("koha", "items")


def calendar(at, *, goes_on=""):
    """Return a slot that nothing but itself or a later one has taken."""
    return Slot(at=at, since=at, until=NOW + timedelta(days=2), goes_on=goes_on)


async def opened(desk, schedule, had, *, tenant=TENANT, keys=(KEY,)):
    """Open the same calendar for streams; returns the last slot of each."""
    opening = Opening(schedule=schedule, had=had)
    return await desk.store.open_calendars(tenant, dict.fromkeys(keys, opening))


async def begin(desk, run, slot, *, lease=None, tenant=TENANT, key=KEY, holder="n1:a"):
    """Begin a run of a slot; returns what the store says and the claim."""
    lease = lease or await desk.claim(tenant=tenant, key=key, holder=holder)
    start = RunStart(
        id=run, key=key, trigger=Trigger.SCHEDULE, mode=Mode.FULL, started_at=NOW, slot=slot
    )
    return await desk.store.begin_run(tenant, start, lease), lease


async def perform(desk, run, slot, *, status=RunStatus.DONE, **parts):
    """Begin a run of a slot, end it where it began, and give the claim back."""
    taken, lease = await begin(desk, run, slot, **parts)
    if taken is None:
        where = {name: parts[name] for name in ("tenant", "key") if name in parts}
        await desk.finish(run, lease, status=status, **where)
    await desk.store.release(parts.get("tenant", TENANT), lease)
    return taken


async def started(desk):
    """Return the ids of the runs that began, oldest first."""
    return [run.id async for run in desk.store.runs(TENANT)][::-1]


async def test_slot_is_taken_once(desk):
    """Who comes second is told which slot stands, and nothing is noted of it."""
    assert await perform(desk, "run_1", calendar(NOW), holder="n1:a") is None
    assert await perform(desk, "run_2", calendar(NOW), holder="n2:b") == NOW

    assert await started(desk) == ["run_1"]


async def test_later_slot_is_another_one(desk):
    """The next time is taken anew, by anybody."""
    assert await perform(desk, "run_1", calendar(NOW - HOUR), holder="n1:a") is None
    assert await perform(desk, "run_2", calendar(NOW), holder="n2:b") is None

    assert await started(desk) == ["run_1", "run_2"]


async def test_earlier_slot_counts_as_taken(desk):
    """A process that was held up does not do again what has been passed by."""
    await perform(desk, "run_1", calendar(NOW))

    assert await perform(desk, "run_2", calendar(NOW - HOUR)) == NOW


async def test_slot_of_a_clock_that_was_wrong_keeps_nobody_waiting(desk):
    """One beyond what can be is replaced, also by an earlier one."""
    await perform(desk, "run_1", calendar(NOW + timedelta(days=3000)))

    assert await perform(desk, "run_2", calendar(NOW)) is None
    assert await perform(desk, "run_3", calendar(NOW)) == NOW


@pytest.mark.parametrize(
    ("ahead", "taken"), [(-1, False), (0, True), (1, True), (2, True), (3, False)]
)
async def test_bounds_of_what_counts_as_taken_are_included(desk, ahead, taken):
    """From since to until."""
    await perform(desk, "run_1", calendar(NOW + ahead * HOUR))
    slot = Slot(at=NOW + HOUR, since=NOW, until=NOW + 2 * HOUR)

    assert (await perform(desk, "run_2", slot) is not None) is taken


async def test_run_that_a_person_asked_for_takes_no_slot(desk):
    """It neither needs one nor uses one up."""
    assert await perform(desk, "run_1", None) is None
    assert await perform(desk, "run_2", calendar(NOW)) is None
    assert await perform(desk, "run_3", None) is None


async def test_streams_have_slots_of_their_own(desk):
    """Neither another stream nor another tenant's is touched."""
    await perform(desk, "run_1", calendar(NOW))

    assert await perform(desk, "run_2", calendar(NOW), key=OTHER) is None
    assert await perform(desk, "run_1", calendar(NOW), tenant="north") is None


async def test_run_that_died_is_taken_over_though_its_slot_is_taken(desk):
    """What is still marked running, while the claim is ours, has nobody; it goes on once."""
    _, lease = await begin(desk, "run_1", calendar(NOW), holder="n1:a")
    await desk.store.release(TENANT, lease)

    assert await perform(desk, "run_2", calendar(NOW), holder="n2:b") is None
    assert await perform(desk, "run_3", calendar(NOW), holder="n1:c") == NOW
    assert await started(desk) == ["run_1", "run_2"]


async def test_run_that_was_stopped_is_taken_over(desk):
    """A daemon that went down leaves it to the other one."""
    await perform(desk, "run_1", calendar(NOW), status=RunStatus.STOPPED)

    assert await perform(desk, "run_2", calendar(NOW)) is None


async def test_run_that_failed_is_not_taken_over(desk):
    """Its slot was used; the next one tries again."""
    await perform(desk, "run_1", calendar(NOW), status=RunStatus.FAILED)

    assert await perform(desk, "run_2", calendar(NOW)) == NOW


async def test_named_run_goes_on_while_it_is_the_last(desk):
    """A walk that broke off is taken up by the first of those who saw it, not by the second."""
    await perform(desk, "run_1", calendar(NOW), status=RunStatus.FAILED)

    slot = calendar(NOW, goes_on="run_1")

    assert await perform(desk, "run_2", slot, status=RunStatus.FAILED) is None
    assert await perform(desk, "run_3", slot) == NOW


async def test_named_run_that_was_done_after_all_is_not_gone_on_with(desk):
    """Whoever saw it running asks when it is over: there is nothing left to do."""
    await perform(desk, "run_1", calendar(NOW))

    assert await perform(desk, "run_2", calendar(NOW, goes_on="run_1")) == NOW


async def test_slot_is_taken_under_the_claim_alone(desk):
    """Who has lost the claim takes nothing."""
    lease = await desk.claim(holder="n1:a")
    await desk.store.release(TENANT, lease)
    await desk.claim(holder="n2:b")

    with pytest.raises(LeaseLostError):
        await begin(desk, "run_1", calendar(NOW), lease=lease)

    assert await started(desk) == []


async def test_calendar_begins_when_it_is_seen_first(desk):
    """What lies before is none that was missed, and opening it again changes nothing."""
    told = [await opened(desk, "0 2 * * * UTC", NOW + hours * HOUR) for hours in (0, 5)]

    assert told == [{KEY: NOW}, {KEY: NOW}]


async def test_last_slot_of_a_calendar_is_told(desk):
    """After a run it is that run's."""
    await opened(desk, "0 2 * * * UTC", NOW)
    await perform(desk, "run_1", calendar(NOW + HOUR))

    assert await opened(desk, "0 2 * * * UTC", NOW + 5 * HOUR) == {KEY: NOW + HOUR}


async def test_another_schedule_begins_anew(desk):
    """Its earlier times were nobody's; a stream that had an interval before has a slot already."""
    await perform(desk, "run_1", calendar(NOW - 2 * HOUR))
    first = await opened(desk, "0 2 * * * UTC", NOW)
    other = await opened(desk, "0 3 * * * UTC", NOW + HOUR)
    back = await opened(desk, "0 2 * * * UTC", NOW - HOUR)

    assert (first, other, back) == ({KEY: NOW}, {KEY: NOW + HOUR}, {KEY: NOW - HOUR})
    assert await perform(desk, "run_2", calendar(NOW)) is None


async def test_calendars_of_tenants_are_apart(desk):
    """The same name elsewhere is another stream; what was not asked for is not told."""
    await opened(desk, "a", NOW, keys=(KEY, OTHER))

    assert await opened(desk, "a", NOW + HOUR, tenant="north") == {KEY: NOW + HOUR}
    assert await opened(desk, "a", NOW + HOUR) == {KEY: NOW}


async def test_process_that_opens_a_calendar_later_does_not_forget_a_slot(desk):
    """Two daemons that load the same files note the same thing."""
    await opened(desk, "a", NOW)
    await perform(desk, "run_1", calendar(NOW + HOUR))
    await opened(desk, "a", NOW + 2 * HOUR)

    assert await perform(desk, "run_2", calendar(NOW + HOUR)) == NOW + HOUR
