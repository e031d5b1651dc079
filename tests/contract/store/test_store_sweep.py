"""Mark and sweep: what goes, what stays, and what is held for a person."""

from datetime import timedelta

import pytest

from integrationd.errors import LeaseLostError
from integrationd.ports.store import StreamKey, Swept

NAMES = [f"r{number:03}" for number in range(100)]


async def fill(desk, names=NAMES):
    """Store records in one run that is over."""
    await desk.sync("run_0", *(desk.put(name) for name in names))


async def see(desk, names, **parts):
    """Begin a run that sees these records; returns its claim."""
    lease = await desk.begin("run_1")
    upserts = [desk.put(name) for name in names]
    await desk.commit("run_1", lease, *upserts, track_seen=True, **parts)
    return lease


async def test_what_was_not_seen_is_buried(desk):
    """Unseen records become tombstones with reason swept, their data goes into the history."""
    await fill(desk, ["a", "b", "c"])
    lease = await see(desk, ["a", "c", "d"])

    swept = await desk.sweep("run_1", lease)

    assert swept == Swept(deleted=1, held=0, stored=4)
    assert list(await desk.alive()) == ["a", "c", "d"]
    [dead] = [one for one in await desk.records() if one.deleted]
    assert (dead.external_id, dead.deleted, dead.data) == ("b", "swept", None)
    assert (await desk.history())[-1] == (dead.seq, "deleted", "{}")
    [stream] = await desk.store.streams(None)
    assert stream.records == 3


async def test_seen_pages_add_up(desk):
    """A record is seen in whichever page of the run it came."""
    await fill(desk)
    lease = await see(desk, NAMES[:40])
    await desk.commit("run_1", lease, *(desk.put(name) for name in NAMES[40:]), track_seen=True)

    assert await desk.sweep("run_1", lease) == Swept(deleted=0, held=0, stored=100)


@pytest.mark.parametrize(
    ("missing", "guard", "expected"),
    [
        (10, {"rows_max": 5}, Swept(deleted=10, held=0, stored=100)),
        (11, {"rows_max": 5}, Swept(deleted=0, held=11, stored=100)),
        (50, {"rows_max": 50}, Swept(deleted=50, held=0, stored=100)),
        (51, {"rows_max": 50}, Swept(deleted=0, held=51, stored=100)),
        (51, {"rows_max": 50, "confirmed": True}, Swept(deleted=51, held=0, stored=100)),
        (100, {"rows_max": 50}, Swept(deleted=0, held=100, stored=100)),
    ],
)
async def test_guard_holds_many_deletions_for_a_person(desk, missing, guard, expected):
    """More than the fraction and more than the rows is held, whole; at the limit it is done."""
    await fill(desk)
    lease = await see(desk, NAMES[missing:])

    assert await desk.sweep("run_1", lease, **guard) == expected
    assert len(await desk.alive()) == 100 - expected.deleted


async def test_many_deletions_take_several_transactions(desk):
    """A confirmed sweep of more than one piece buries all of it, each once."""
    names = [f"{number:04}" for number in range(1200)]
    await fill(desk, names)
    lease = await see(desk, names[:1])

    swept = await desk.sweep("run_1", lease, confirmed=True)

    assert swept == Swept(deleted=1199, held=0, stored=1200)
    assert list(await desk.alive()) == ["0000"]
    assert [seq for seq, _, _ in await desk.history()] == list(range(1, 2400))
    [stream] = await desk.store.streams(None)
    assert stream.records == 1


async def test_second_sweep_finds_nothing(desk):
    """Tombstones are not buried again."""
    await fill(desk, ["a", "b"])
    lease = await see(desk, ["a"])
    await desk.sweep("run_1", lease)

    assert await desk.sweep("run_1", lease) == Swept(deleted=0, held=0, stored=1)


async def test_record_that_came_by_another_way_is_left_alone(desk):
    """What was added or changed since the run began, unseen by it, does not go."""
    await fill(desk, ["a", "b", "c"])
    lease = await see(desk, ["a"])
    await desk.commit("run_1", lease, desk.put("b", by="webhook"), desk.put("new"))

    swept = await desk.sweep("run_1", lease)

    assert swept == Swept(deleted=1, held=0, stored=4)
    assert list(await desk.alive()) == ["a", "b", "new"]


async def test_quarantined_record_counts_as_seen(desk):
    """A record that came but could not be mapped keeps its stored predecessor."""
    await fill(desk, ["a", "b", "c"])
    lease = await see(desk, ["a"], aside=[desk.bad("b"), desk.bad("unknown")])

    swept = await desk.sweep("run_1", lease)

    assert swept == Swept(deleted=1, held=0, stored=3)
    assert list(await desk.alive()) == ["a", "b"]


async def test_other_streams_records_stay(desk):
    """A sweep looks at its own stream, entity and integration only."""
    await fill(desk, ["a", "b"])
    await desk.sync("run_x", desk.put("x"), key=StreamKey("koha", "staff"))
    await desk.sync("run_y", desk.put("y"), key=StreamKey("sierra", "patrons"))
    await desk.sync("run_z", desk.put("z"), entity="card")
    lease = await see(desk, ["a"])

    await desk.sweep("run_1", lease)

    assert list(await desk.alive()) == ["z", "a", "x"]
    assert list(await desk.alive(integration="sierra")) == ["y"]


async def test_run_that_saw_nothing_may_bury_all_within_the_guard(desk):
    """An empty source is a complete reading too, when it is small enough or confirmed."""
    await fill(desk, ["a", "b"])
    lease = await see(desk, [])

    assert await desk.sweep("run_1", lease) == Swept(deleted=2, held=0, stored=2)


async def test_late_holder_sweeps_nothing(desk):
    """A sweep under a fence that was passed is refused."""
    await fill(desk, ["a", "b"])
    late = await see(desk, ["a"])
    await desk.store.release(desk.tenant, late)
    await desk.claim(holder="n2:b", now=desk.now + timedelta(hours=1))

    with pytest.raises(LeaseLostError):
        await desk.sweep("run_1", late)
    with pytest.raises(LeaseLostError):
        await desk.sweep("run_1", late, rows_max=0, fraction_max=0)

    assert list(await desk.alive()) == ["a", "b"]
