"""Undoing a run: what comes back, what is left alone, and what is refused."""

from datetime import timedelta

import pytest

from integrationd.errors import HistoryError, LeaseLostError
from integrationd.model.records import DeleteReason
from integrationd.model.runs import Mode, RunStatus, Trigger
from integrationd.ports.store import ReadingState, RunStart, StreamKey
from integrationd.ports.undo import Conflict, Since, UndoBy, UndoEnd, Undone
from integrationd.ports.upkeep import Retention


async def begin_undo(desk, run, reverts, *, key=None, lease=None):
    """Note a run that undoes another; returns its claim."""
    key = key or desk.key
    lease = lease or await desk.claim(key=key)
    start = RunStart(id=run, key=key, trigger=Trigger.MANUAL, mode=Mode.REVERT, started_at=desk.now)
    await desk.store.begin_undo(desk.tenant, start, reverts, lease)
    return lease


async def pieces(desk, reverts, by=None):
    """Return what became of each piece."""
    return [piece async for piece in desk.store.undo(desk.tenant, reverts, by=by)]


async def revert(desk, run, reverts, *, key=None):
    """Undo a run from beginning to end; returns what became of its only piece."""
    lease = await begin_undo(desk, run, reverts, key=key)
    found = await pieces(desk, reverts, UndoBy(run_id=run, lease=lease, at=desk.now))
    end = UndoEnd(run_id=run, lease=lease, status=RunStatus.DONE, ended_at=desk.now)
    await desk.store.finish_undo(desk.tenant, end)
    await desk.store.release(desk.tenant, lease)
    assert len(found) <= 1
    return found[0] if found else Undone()


async def first(desk):
    """Store three records in run_0."""
    await desk.sync("run_0", desk.put("a", n=1), desk.put("b", n=1), desk.put("c", n=1))


async def second(desk):
    """Change a, delete b, add d in run_1, and leave c as it is."""
    await desk.sync(
        "run_1",
        *(desk.put("a", n=2), desk.put("c", n=1), desk.put("d", n=1)),
        removals=[desk.gone("b")],
    )


AFTER_FIRST = {"a": {"n": 1}, "b": {"n": 1}, "c": {"n": 1}}
AFTER_SECOND = {"a": {"n": 2}, "c": {"n": 1}, "d": {"n": 1}}


async def test_every_kind_of_change_is_undone(desk):
    """What was added is a tombstone, what was changed has its old data, what was deleted lives."""
    await first(desk)
    await second(desk)

    undone = await revert(desk, "run_2", "run_1")

    assert undone == Undone(gone=1, restored=1, revived=1)
    assert await desk.alive() == AFTER_FIRST
    [dead] = [one for one in await desk.records() if one.deleted]
    assert (dead.external_id, dead.deleted, dead.data) == ("d", DeleteReason.REVERTED, None)
    [stream] = await desk.store.streams(None)
    assert stream.records == 3


async def test_history_grows_and_the_feed_sees_it(desk):
    """Nothing is taken out of the history: what is undone is changes of its own, of the new run."""
    await first(desk)
    await second(desk)
    before = await desk.history()

    await revert(desk, "run_2", "run_1")

    after = await desk.history()
    assert after[: len(before)] == before
    assert after[len(before) :] == [
        (7, "deleted", '{"n": 1}'),
        (8, "changed", '{"n": 2}'),
        (9, "added", None),
    ]
    seqs = {one.external_id: one.seq for one in await desk.records()}
    assert seqs == {"a": 8, "b": 9, "c": 3, "d": 7}


async def test_reading_again_after_a_revert_finds_the_difference(desk):
    """The old data counts as stored: the same page is not unchanged but written again."""
    await first(desk)
    await second(desk)
    await revert(desk, "run_2", "run_1")

    counts = await desk.sync("run_3", desk.put("a", n=2), desk.put("b", n=1), desk.put("d", n=1))

    assert (counts.added, counts.changed, counts.unchanged) == (1, 1, 1)


async def test_revert_of_a_revert_brings_the_run_back(desk):
    """A revert is a run, so undoing it leaves what the first run had left."""
    await first(desk)
    await second(desk)
    await revert(desk, "run_2", "run_1")

    undone = await revert(desk, "run_3", "run_2")

    assert undone == Undone(gone=1, restored=1, revived=1)
    assert await desk.alive() == AFTER_SECOND


async def test_run_whose_revert_was_undone_can_be_reverted_again(desk):
    """What the second revert left is what the run had left, so it is no conflict."""
    await first(desk)
    await second(desk)
    await revert(desk, "run_2", "run_1")
    await revert(desk, "run_3", "run_2")

    undone = await revert(desk, "run_4", "run_1")

    assert undone == Undone(gone=1, restored=1, revived=1)
    assert await desk.alive() == AFTER_FIRST
    assert await revert(desk, "run_5", "run_1") == Undone(already=3)
    assert await revert(desk, "run_6", "run_4") == Undone(gone=1, restored=1, revived=1)
    assert await desk.alive() == AFTER_SECOND


async def test_run_of_an_older_version_is_undone_without_its_end(desk):
    """Where the feed's place at a run's end was not noted, the feed is read to its end."""
    await first(desk)
    await second(desk)
    await desk.run_sql("UPDATE runs SET ended_seq = NULL")
    await revert(desk, "run_2", "run_1")
    await revert(desk, "run_3", "run_2")
    await desk.sync("run_4", desk.put("a", n=7))

    undone = await revert(desk, "run_5", "run_1")

    since = Since(run="run_4", at=desk.now)
    conflict = Conflict(entity=desk.entity, external_id="a", since=since)
    assert undone == Undone(gone=1, revived=1, conflicts=(conflict,))


async def test_records_changed_since_are_left_alone_and_named(desk):
    """A later change, by whatever run, is a conflict with that run and its time."""
    await first(desk)
    await second(desk)
    later = desk.now + timedelta(hours=1)
    await desk.sync("run_2", desk.put("a", n=3), removals=[desk.gone("d")], at=later)

    undone = await revert(desk, "run_3", "run_1")

    since = Since(run="run_2", at=later)
    assert undone == Undone(
        revived=1,
        conflicts=(
            Conflict(entity=desk.entity, external_id="a", since=since),
            Conflict(entity=desk.entity, external_id="d", since=since),
        ),
    )
    assert await desk.alive() == {"a": {"n": 3}, "b": {"n": 1}, "c": {"n": 1}}


async def test_record_that_another_run_changed_in_between_is_a_conflict(desk):
    """Where the run wrote a record before and after another did, its last word is not enough."""
    other = StreamKey("koha", "staff")
    await first(desk)
    lease = await desk.begin("run_1")
    await desk.commit("run_1", lease, desk.put("a", n=2))
    await desk.sync("run_x", desk.put("a", n=3), key=other)
    await desk.commit("run_1", lease, desk.put("a", n=4))
    await desk.finish("run_1", lease)
    await desk.store.release(desk.tenant, lease)

    undone = await revert(desk, "run_2", "run_1")

    since = Since(run="run_x", at=desk.now)
    conflict = Conflict(entity=desk.entity, external_id="a", since=since)
    assert undone == Undone(conflicts=(conflict,))
    assert (await desk.alive())["a"] == {"n": 4}


async def test_record_that_the_run_wrote_often_goes_back_before_the_first(desk):
    """Added and changed is gone, changed twice is as before, there and back needs nothing."""
    await first(desk)
    lease = await desk.begin("run_1")
    upserts = [desk.put("a", n=2), desk.put("b", n=2), desk.put("d", n=1), desk.put("e", n=1)]
    await desk.commit("run_1", lease, *upserts)
    again = [desk.put("a", n=3), desk.put("b", n=1), desk.put("d", n=2)]
    await desk.commit("run_1", lease, *again, removals=[desk.gone("e")])
    await desk.finish("run_1", lease)
    await desk.store.release(desk.tenant, lease)

    undone = await revert(desk, "run_2", "run_1")

    assert undone == Undone(gone=1, restored=1, same=2)
    assert await desk.alive() == AFTER_FIRST


async def test_record_that_came_back_is_a_tombstone_again(desk):
    """Coming back after a deletion counts as added; the revert says its own reason."""
    await first(desk)
    await desk.sync("run_1", removals=[desk.gone("a")])
    await desk.sync("run_2", desk.put("a", n=5))

    undone = await revert(desk, "run_3", "run_2")

    assert undone == Undone(gone=1)
    [dead] = [one for one in await desk.records() if one.deleted]
    assert (dead.external_id, dead.deleted) == ("a", DeleteReason.REVERTED)


async def test_swept_records_live_again(desk):
    """What a complete reading buried is part of what it wrote."""
    await first(desk)
    lease = await desk.begin("run_1")
    await desk.commit("run_1", lease, desk.put("a", n=1), track_seen=True)
    await desk.sweep("run_1", lease)
    await desk.finish("run_1", lease)
    await desk.store.release(desk.tenant, lease)

    undone = await revert(desk, "run_2", "run_1")

    assert undone == Undone(revived=2)
    assert await desk.alive() == AFTER_FIRST


async def test_second_revert_of_a_run_has_nothing_to_do(desk):
    """What an earlier one did is told as done, not as a conflict."""
    await first(desk)
    await second(desk)
    await revert(desk, "run_2", "run_1")

    assert await revert(desk, "run_3", "run_1") == Undone(already=3)
    assert await desk.alive() == AFTER_FIRST


async def test_revert_that_broke_off_is_gone_on_with(desk):
    """Pieces that were committed stay; the next revert of the run does the others."""
    names = [f"{number:04}" for number in range(1200)]
    await desk.sync("run_0", *(desk.put(name) for name in names))
    lease = await begin_undo(desk, "run_1", "run_0")
    walk = desk.store.undo(
        desk.tenant, "run_0", by=UndoBy(run_id="run_1", lease=lease, at=desk.now)
    )
    assert await anext(walk) == Undone(gone=500)
    await walk.aclose()
    await desk.store.release(desk.tenant, lease)

    lease = await begin_undo(desk, "run_2", "run_0")
    found = await pieces(desk, "run_0", UndoBy(run_id="run_2", lease=lease, at=desk.now))

    assert found == [Undone(already=500), Undone(gone=500), Undone(gone=200)]
    assert await desk.alive() == {}
    assert [seq for seq, _, _ in await desk.history()] == list(range(1, 2401))
    rows = {row.id: row async for row in desk.store.runs(None)}
    assert (rows["run_1"].status, rows["run_1"].counts.deleted) == ("failed", 500)
    assert rows["run_2"].counts.deleted == 700


async def test_looking_writes_nothing(desk):
    """A dry run tells the same and changes nothing."""
    await first(desk)
    await second(desk)
    before = (await desk.history(), await desk.records())

    assert await pieces(desk, "run_1") == [Undone(gone=1, restored=1, revived=1)]
    assert (await desk.history(), await desk.records()) == before


async def test_revert_leaves_the_streams_own_progress(desk):
    """No reading happened: last run, last success, errors and cursor stay."""
    await desk.sync("run_0", desk.put("a"), state=ReadingState(cursor=7, fingerprint="f1"))
    [before] = await desk.store.streams(None)

    await revert(desk, "run_1", "run_0")

    [after] = await desk.store.streams(None)
    assert (after.last_run.id, after.last_done_at, after.cursor, after.errors) == (
        ("run_0", before.last_done_at, 7, 0)
    )


async def test_unfinished_walk_is_dropped(desk):
    """A walk would go on behind the pages that are undone, so it begins anew; the cursor stays."""
    lease = await desk.begin("run_0")
    walking = ReadingState(
        cursor=5, page_token="p3", walking=True, high_water=9, mode=Mode.FULL, fingerprint="f1"
    )
    await desk.commit("run_0", lease, desk.put("a"), state=walking)
    await desk.finish("run_0", lease, status=RunStatus.STOPPED, state=walking)
    await desk.store.release(desk.tenant, lease)

    await revert(desk, "run_1", "run_0")

    state = await desk.store.load_state(desk.tenant, desk.key, "")
    assert state == ReadingState(cursor=5, high_water=9, fingerprint="f1")


async def test_other_streams_walk_goes_on(desk):
    """Only the run's own stream begins anew."""
    other = StreamKey("koha", "staff")
    await first(desk)
    lease = await desk.begin("run_x", key=other)
    await desk.commit("run_x", lease, desk.put("x"), key=other)

    await revert(desk, "run_1", "run_0")

    assert (await desk.store.load_state(desk.tenant, other, "")).walking


async def test_only_the_runs_own_records_are_touched(desk):
    """Other runs of the same time, streams and tenants stay as they are."""
    other = StreamKey("koha", "staff")
    await first(desk)
    lease = await desk.begin("run_1")
    await desk.commit("run_1", lease, desk.put("a", n=2))
    await desk.sync("run_x", desk.put("x", n=1), key=other)
    await desk.sync("run_t", desk.put("a", n=9), tenant="other")
    await desk.commit("run_1", lease, desk.put("b", n=2))
    await desk.finish("run_1", lease)
    await desk.store.release(desk.tenant, lease)

    assert await revert(desk, "run_2", "run_1") == Undone(restored=2)

    assert await desk.alive() == {**AFTER_FIRST, "x": {"n": 1}}
    assert await desk.alive(tenant="other") == {"a": {"n": 9}}


async def test_late_holder_undoes_nothing(desk):
    """Under a fence that was passed, nothing is begun, written or settled."""
    await first(desk)
    late = await begin_undo(desk, "run_1", "run_0")
    await desk.store.release(desk.tenant, late)
    await desk.claim(holder="n2:b", now=desk.now + timedelta(hours=1))

    with pytest.raises(LeaseLostError):
        await begin_undo(desk, "run_2", "run_0", lease=late)
    with pytest.raises(LeaseLostError):
        await pieces(desk, "run_0", UndoBy(run_id="run_1", lease=late, at=desk.now))
    end = UndoEnd(run_id="run_1", lease=late, status=RunStatus.DONE, ended_at=desk.now)
    with pytest.raises(LeaseLostError):
        await desk.store.finish_undo(desk.tenant, end)

    assert await desk.alive() == AFTER_FIRST


async def refusal(desk, reverts):
    """Return what looking says."""
    with pytest.raises(HistoryError) as caught:
        await pieces(desk, reverts)
    return str(caught.value)


async def test_pruned_history_refuses(desk):
    """A run whose changes may be gone is not undone by half; one that wrote nothing still is."""
    await first(desk)
    await second(desk)
    await desk.sync("run_2", desk.put("a", n=2))
    old = timedelta(days=1)
    keep = Retention(runs=timedelta(days=9), events=timedelta(days=9), history=old)
    await desk.store.prune(desk.now + timedelta(days=2), keep)

    assert await refusal(desk, "run_1") == (
        "run run_1 cannot be undone: what it wrote over is older than retention.history keeps "
        "and has been removed"
    )
    assert await pieces(desk, "run_2") == []
    assert [(await desk.store.find_run(run)).pruned for run in ("run_0", "run_2")] == [True, False]


async def test_history_that_was_pruned_in_the_middle_of_a_run_refuses(desk):
    """The first page's changes are gone, the second's are there: that is not enough."""
    lease = await desk.begin("run_0")
    await desk.commit("run_0", lease, desk.put("a"))
    await desk.commit("run_0", lease, desk.put("b"), at=desk.now + timedelta(days=2))
    await desk.finish("run_0", lease)
    day = timedelta(days=1)
    keep = Retention(runs=timedelta(days=9), events=timedelta(days=9), history=day)
    await desk.store.prune(desk.now + timedelta(days=2), keep)

    assert [op for _, op, _ in await desk.history()] == ["added"]
    assert (await refusal(desk, "run_0")).startswith("run run_0 cannot be undone: ")


async def test_run_that_is_not_known_is_refused(desk):
    """Of a run that was pruned itself, nothing tells what it wrote."""
    assert await refusal(desk, "run_9") == "run run_9 is not known any more; it cannot be undone"
