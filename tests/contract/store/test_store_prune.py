"""Retention, and the small things that the daemon does for the store."""

from datetime import timedelta

import pytest

from integrationd.ports.upkeep import Retention
from integrationd.store import tables

DAY = timedelta(days=1)


async def grow(desk, days):
    """Do one run a day, with one changed record and one event each."""
    for number in range(days):
        at = desk.now + number * DAY
        lease = await desk.begin(f"run_{number}", at=at)
        await desk.commit(f"run_{number}", lease, desk.put("a", n=number), at=at)
        await desk.finish(f"run_{number}", lease)
        await desk.store.release(desk.tenant, lease)
        await desk.store.accept_event(desk.event(f"d{number}", number=number, at=at))


@pytest.mark.parametrize("batch", [1, 3, 1000])
async def test_what_is_older_goes_and_the_rest_stays(desk, batch):
    """Each table has its own age, whatever the size of a piece is."""
    await grow(desk, 10)
    retention = Retention(runs=2 * DAY, events=4 * DAY, history=6 * DAY, batch=batch)

    gone = await desk.store.prune(desk.now + 9 * DAY, retention)

    assert gone == {"runs": 7, "events": 5, "changes": 3, "quarantine": 0}
    assert [row.id async for row in desk.store.runs(None)] == ["run_9", "run_8", "run_7"]
    assert len([one async for one in desk.store.events(None)]) == 5
    assert [seq for seq, _, _ in await desk.history()] == list(range(4, 11))


async def test_second_prune_finds_nothing(desk):
    """Pruning twice removes nothing more."""
    await grow(desk, 3)
    retention = Retention(runs=DAY, events=DAY, history=DAY)
    await desk.store.prune(desk.now + 2 * DAY, retention)

    gone = await desk.store.prune(desk.now + 2 * DAY, retention)

    assert gone == {"runs": 0, "events": 0, "changes": 0, "quarantine": 0}


async def test_last_run_of_a_stream_and_a_running_one_stay(desk):
    """Status can always show the last run, and a run that goes on is never pruned."""
    await grow(desk, 2)
    lease = await desk.begin("run_long")
    zero = Retention(runs=timedelta(0), events=timedelta(0), history=timedelta(0))

    gone = await desk.store.prune(desk.now + 99 * DAY, zero)
    await desk.finish("run_long", lease)
    again = await desk.store.prune(desk.now + 99 * DAY, zero)

    assert (gone["runs"], again["runs"]) == (2, 0)
    [stream] = await desk.store.streams(None)
    assert (stream.last_run.id, stream.last_run.status) == ("run_long", "done")


async def test_records_and_their_places_outlive_their_history(desk):
    """With all history pruned the records stand, ids are known, and the feed goes on counting."""
    await grow(desk, 3)
    await desk.sync("run_x", removals=[desk.gone("a")])
    zero = Retention(runs=timedelta(0), events=timedelta(0), history=timedelta(0))
    before = await desk.records()

    await desk.store.prune(desk.now + 99 * DAY, zero)
    counts = await desk.sync("run_y", desk.put("a", n=5), desk.put("b"))

    [dead] = before
    found = await desk.records()
    assert counts.added == 2
    assert [(one.external_id, one.seq) for one in found] == [("a", 5), ("b", 6)]
    assert found[0].id == dead.id


async def test_freed_pages_go_back_to_the_disk(disk):
    """The file shrinks after a prune, without anybody's help."""
    for number in range(200):
        await disk.sync(f"run_{number}", disk.put("a", n=number, fill="x" * 20_000))
    zero = Retention(runs=timedelta(0), events=timedelta(0), history=timedelta(0))

    await disk.store.prune(disk.now + DAY, zero)

    assert await disk.ask_sql("PRAGMA freelist_count") == [(0,)]
    [(pages,)] = await disk.ask_sql("PRAGMA page_count")
    assert pages < 100


async def test_ping_commits_each_time(desk):
    """Every ping writes, so that it fails when writing does."""
    await desk.store.ping()
    await desk.store.ping()

    assert dict(await desk.rows(tables.meta))["pings"] == "2"


async def test_quarantine_goes_by_its_last_coming(desk):
    """What still comes stays, however long it has waited; the rest goes, wherever it stands."""
    for number, name in enumerate(("a", "b", "c")):
        at = desk.now + number * DAY
        await desk.sync(f"run_{number}", aside=[desk.bad(name)], at=at)
    await desk.sync("run_9", aside=[desk.bad("a")], at=desk.now + 9 * DAY)
    retention = Retention(
        runs=99 * DAY, events=99 * DAY, history=99 * DAY, quarantine=8 * DAY, batch=1
    )

    gone = await desk.store.prune(desk.now + 10 * DAY, retention)

    assert gone["quarantine"] == 1
    assert [row.fingerprint for row in await desk.waiting()] == ["a", "c"]
