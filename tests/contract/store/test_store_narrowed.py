"""Runs that a person narrowed: they store records and are in the history, and that is all."""

from datetime import timedelta

from integrationd.model.runs import Counts, Mode, RunStatus, Trigger
from integrationd.ports.store import ReadingState, RunEnd, RunStart
from tests.contract.store.conftest import NOW

WALKING = ReadingState(cursor=5, page_token="p", walking=True, mode=Mode.FULL, fingerprint="f1")


async def narrow(desk, run, lease, *, state=None):
    """Begin a narrowed run."""
    start = RunStart(
        id=run,
        key=desk.key,
        trigger=Trigger.MANUAL,
        mode=Mode.INPUT,
        started_at=NOW,
        state=state,
        input={"since": "2026-01-01", "id": 42},
    )
    await desk.store.begin_run(desk.tenant, start, lease)


async def end(desk, run, lease, status=RunStatus.DONE):
    """Settle it."""
    ended = RunEnd(
        run_id=run,
        key=desk.key,
        partition="",
        lease=lease,
        status=status,
        ended_at=NOW + timedelta(hours=1),
        state=None,
        counts=Counts(requests=1),
        error="" if status is RunStatus.DONE else "gone",
    )
    await desk.store.finish_run(desk.tenant, ended)


async def test_narrowed_run_stores_records_and_nothing_else(desk):
    """Progress, the last run, failures and the time of the last good one stay as they are."""
    lease = await desk.begin("run_1")
    await desk.commit("run_1", lease, desk.put("a"), state=WALKING)
    await desk.finish("run_1", lease, status=RunStatus.FAILED, error="x", state=WALKING)
    (before,) = await desk.store.streams(desk.tenant)

    await narrow(desk, "run_2", lease)
    await desk.commit("run_2", lease, desk.put("b"), state=None)
    await end(desk, "run_2", lease)
    await narrow(desk, "run_3", lease)
    await end(desk, "run_3", lease, RunStatus.FAILED)

    (after,) = await desk.store.streams(desk.tenant)
    assert await desk.store.load_state(desk.tenant, desk.key, "") == WALKING
    assert (after.last_run, after.errors, after.last_done_at) == (
        before.last_run,
        before.errors,
        before.last_done_at,
    )
    assert after.records == 2
    found = [await desk.store.find_run(run) for run in ("run_1", "run_2", "run_3")]
    assert [one.input for one in found] == [None, *[{"since": "2026-01-01", "id": 42}] * 2]
    assert [one.run.status for one in found] == ["failed", "done", "failed"]
    assert [one.run.counts.added for one in found] == [1, 1, 0]


async def test_narrowed_run_that_died_is_no_failure_of_the_stream(desk):
    """The next run ends it, and counts nothing for it."""
    lease = await desk.begin("run_1")
    await desk.finish("run_1", lease)
    await narrow(desk, "run_2", lease)
    await desk.begin("run_3", lease=lease)

    (row,) = await desk.store.streams(desk.tenant)
    assert ((await desk.store.find_run("run_2")).run.status, row.errors) == ("failed", 0)


async def test_narrowed_run_may_be_the_first_of_all(desk):
    """What it notes with its beginning is the stream's first state."""
    lease = await desk.claim()
    first = ReadingState(identity="{}", shape="-")
    await narrow(desk, "run_1", lease, state=first)
    await desk.commit("run_1", lease, desk.put("a"), state=None)
    await end(desk, "run_1", lease)

    assert await desk.store.load_state(desk.tenant, desk.key, "") == first
    assert await desk.store.last_whole(desk.tenant, desk.key) is None
