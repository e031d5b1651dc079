"""Runs and the progress of readings."""

from datetime import timedelta

import pytest

from integrationd.errors import LeaseLostError
from integrationd.model.runs import Counts, Mode, RunStatus
from integrationd.ports.store import ReadingState, RunRow, StreamKey, StreamRow
from integrationd.store import tables

WALKING = ReadingState(
    cursor="2026-01-01",
    page_token={"page": 3, "after": None},
    walking=True,
    high_water=123456789012345678901234,
    mode=Mode.INCREMENTAL,
    fingerprint="f1",
)


async def test_partition_that_was_never_read_has_an_empty_state(desk):
    """Nothing is known of what was never read."""
    assert await desk.store.load_state(desk.tenant, desk.key, "") == ReadingState()


async def test_state_comes_back_as_the_page_left_it(desk):
    """Cursor, token, mark, mode and fingerprint are kept with the page, digit by digit."""
    lease = await desk.begin("run_1")

    await desk.commit("run_1", lease, desk.put("a"), state=WALKING)

    assert await desk.store.load_state(desk.tenant, desk.key, "") == WALKING


async def test_partitions_have_their_own_states(desk):
    """One partition's progress does not touch another's."""
    lease = await desk.begin("run_1")
    other = ReadingState(cursor=0, fingerprint="f1")

    await desk.commit("run_1", lease, state=WALKING, partition="course=1")
    await desk.commit("run_1", lease, state=other, partition="course=2")

    assert await desk.store.load_state(desk.tenant, desk.key, "course=1") == WALKING
    assert await desk.store.load_state(desk.tenant, desk.key, "course=2") == other
    assert await desk.store.load_state(desk.tenant, desk.key, "") == ReadingState()


@pytest.mark.parametrize("empty", [None, "", [], {}])
async def test_empty_cursor_never_overwrites_one(desk, empty):
    """Neither a page nor the end of a run can lose the cursor of the same reading."""
    lease = await desk.begin("run_1")
    lost = ReadingState(cursor=empty, page_token=1, fingerprint="f1")
    await desk.commit("run_1", lease, state=WALKING)

    await desk.commit("run_1", lease, state=lost)
    after_page = await desk.store.load_state(desk.tenant, desk.key, "")
    await desk.finish("run_1", lease, state=lost)
    after_run = await desk.store.load_state(desk.tenant, desk.key, "")

    assert after_page == ReadingState(cursor="2026-01-01", page_token=1, fingerprint="f1")
    assert after_run == after_page


async def test_another_fingerprint_begins_without_the_old_cursor(desk):
    """A reading that is another now does not keep the old one's cursor."""
    lease = await desk.begin("run_1")
    await desk.commit("run_1", lease, state=WALKING)

    await desk.commit("run_1", lease, state=ReadingState(fingerprint="f2"))

    state = await desk.store.load_state(desk.tenant, desk.key, "")
    assert state == ReadingState(fingerprint="f2")


@pytest.mark.parametrize("cursor", [0, False, "0", [0]])
async def test_false_looking_cursor_is_a_cursor(desk, cursor):
    """Zero is progress, not emptiness."""
    lease = await desk.begin("run_1")
    await desk.commit("run_1", lease, state=WALKING)

    await desk.finish("run_1", lease, state=ReadingState(cursor=cursor, fingerprint="f1"))

    state = await desk.store.load_state(desk.tenant, desk.key, "")
    assert state == ReadingState(cursor=cursor, fingerprint="f1")


async def test_run_adds_up_what_its_pages_and_its_end_counted(desk):
    """A run's line has the sum of its pages and of what came with its end."""
    lease = await desk.begin("run_1")
    await desk.commit("run_1", lease, desk.put("a"), counts=Counts(read=1, requests=2, waited_ms=7))
    await desk.commit("run_1", lease, desk.put("a"), desk.put("b"))
    ended = desk.now + timedelta(seconds=9)

    await desk.finish(
        "run_1",
        lease,
        status=RunStatus.FAILED,
        ended_at=ended,
        counts=Counts(requests=1, retries=4),
        error="GET /patrons answered 500",
        kind="temporary",
    )

    assert [row async for row in desk.store.runs(None)] == [
        RunRow(
            id="run_1",
            tenant="default",
            integration="koha",
            stream="patrons",
            trigger="manual",
            mode="full",
            status="failed",
            resumed=False,
            started_at=desk.now,
            ended_at=ended,
            counts=Counts(
                read=3, added=2, unchanged=1, pages=2, requests=3, retries=4, waited_ms=7
            ),
            error="GET /patrons answered 500",
            kind="temporary",
        )
    ]


async def test_page_counts_are_the_stores_where_it_knows_better(desk):
    """What the store itself counts is never taken from the caller, so nothing counts twice."""
    lease = await desk.begin("run_1")

    counts = await desk.commit("run_1", lease, counts=Counts(read=4, pages=1, added=9, retries=2))

    assert counts == Counts(read=4, pages=1, retries=2)


async def test_run_that_nobody_settled_has_died(desk):
    """The next run of the stream marks it failed, and what it saw is forgotten."""
    lease = await desk.begin("run_1")
    await desk.commit("run_1", lease, desk.put("a"), track_seen=True)
    await desk.store.release(desk.tenant, lease)
    later = desk.now + timedelta(hours=1)

    await desk.begin("run_2", at=later)

    second, first = [row async for row in desk.store.runs(desk.tenant)]
    assert (first.status, first.error) == ("failed", "the process ended during the run")
    assert first.ended_at == later
    assert (second.status, second.ended_at) == ("running", None)
    assert await desk.rows(tables.seen) == []
    [stream] = await desk.store.streams(None)
    assert stream.errors == 1


async def test_run_of_another_stream_goes_on(desk):
    """A run that begins says nothing of other streams' runs."""
    await desk.begin("run_1")

    await desk.begin("run_2", key=StreamKey("koha", "items"))

    assert [row.status async for row in desk.store.runs(None)] == ["running", "running"]


async def test_late_holder_neither_begins_nor_ends_a_run(desk):
    """Beginning and settling are refused under a fence that was passed."""
    late = await desk.begin("run_1")
    await desk.store.release(desk.tenant, late)
    fresh = await desk.claim(holder="n2:b")

    with pytest.raises(LeaseLostError):
        await desk.begin("run_2", lease=late)
    with pytest.raises(LeaseLostError):
        await desk.finish("run_1", late)

    await desk.begin("run_3", lease=fresh)
    assert [row.id async for row in desk.store.runs(None)] == ["run_3", "run_1"]


async def test_ended_run_forgets_what_it_saw(desk):
    """What was kept for the sweep goes with the run."""
    lease = await desk.begin("run_1")
    await desk.commit("run_1", lease, desk.put("a"), track_seen=True)
    await desk.commit("run_1", lease, desk.put("b"), track_seen=True)
    assert len(await desk.rows(tables.seen)) == 2

    await desk.finish("run_1", lease)

    assert await desk.rows(tables.seen) == []


async def test_runs_are_listed_newest_first_by_stream_and_limit(desk):
    """The last run comes first; a stream and a limit narrow the list."""
    items = StreamKey("koha", "items")
    for number in (1, 2):
        await desk.sync(f"run_p{number}")
        await desk.sync(f"run_i{number}", key=items)

    async def ask(**query):
        return [row.id async for row in desk.store.runs(desk.tenant, **query)]

    assert await ask() == ["run_i2", "run_p2", "run_i1", "run_p1"]
    assert await ask(limit=1) == ["run_i2"]
    assert await ask(key=desk.key) == ["run_p2", "run_p1"]
    assert await ask(key=desk.key, limit=1) == ["run_p2"]


async def test_stream_says_what_stands(desk):
    """One line per stream: living records, quarantine, progress, last run, failures since done."""
    lease = await desk.begin("run_1")
    await desk.commit("run_1", lease, desk.put("a"), desk.put("b"), aside=[desk.bad("c")])
    await desk.finish("run_1", lease, state=ReadingState(cursor=7, fingerprint="f1"))
    await desk.begin("run_2", lease=lease)
    await desk.finish("run_2", lease, status=RunStatus.FAILED)
    await desk.begin("run_3", lease=lease)
    await desk.finish("run_3", lease, status=RunStatus.STOPPED)
    [last] = [row async for row in desk.store.runs(None, limit=1)]

    assert await desk.store.streams(desk.tenant) == [
        StreamRow(
            tenant="default",
            key=desk.key,
            records=2,
            quarantined=1,
            cursor=7,
            walking=False,
            last_run=last,
            last_done_at=desk.now,
            errors=1,
            refused_by=frozenset({""}),
        )
    ]


async def test_done_run_clears_the_failures(desk):
    """Failures are counted since the last run that was done."""
    lease = await desk.begin("run_1")
    await desk.finish("run_1", lease, status=RunStatus.FAILED)
    await desk.begin("run_2", lease=lease)

    await desk.finish("run_2", lease)

    [stream] = await desk.store.streams(None)
    assert stream.errors == 0


async def test_progress_of_partitions_is_not_that_of_their_stream(desk):
    """The stream's own progress shows; that of its partitions is theirs."""
    lease = await desk.begin("run_1")
    await desk.commit("run_1", lease, state=ReadingState(cursor=1, walking=True, round="r"))
    await desk.commit("run_1", lease, partition="b", state=ReadingState(cursor=2, round="r"))

    [stream] = await desk.store.streams(None)

    assert (stream.cursor, stream.walking) == (1, True)


async def test_last_whole_reading_is_told(desk):
    """One that read everything in one go and ended well; of each stream its own."""
    later = desk.now + timedelta(hours=1)
    assert await desk.store.last_whole(desk.tenant, desk.key) is None
    for run, parts, end in (
        ("run_1", {}, {}),
        ("run_2", {"at": later, "mode": Mode.INCREMENTAL}, {}),
        ("run_3", {"at": later}, {"status": RunStatus.FAILED}),
    ):
        lease = await desk.begin(run, **parts)
        await desk.finish(run, lease, **end)
        await desk.store.release(desk.tenant, lease)

    assert await desk.store.last_whole(desk.tenant, desk.key) == desk.now
    assert await desk.store.last_whole(desk.tenant, StreamKey("shop", "others")) is None
    assert await desk.store.last_whole("elsewhere", desk.key) is None
