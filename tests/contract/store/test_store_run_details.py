"""One run, shown: what it wrote, record by record, and how its cursor moved."""

from datetime import timedelta

from integrationd.ports.store import ReadingState
from integrationd.ports.undo import ChangeRow, Since
from integrationd.store import history
from tests.contract.store.test_store_undo import revert


async def changes(desk, run, **options):
    """Return what a run changed."""
    return [change async for change in desk.store.changes_of(desk.tenant, run, **options)]


def told(rows):
    """Return what is told of each change, in short."""
    return [(row.external_id, row.op, row.before, row.after, row.known) for row in rows]


async def test_changes_are_told_with_old_and_new_data(desk):
    """Each change of the run in order, what it wrote over and what it left."""
    await desk.sync("run_0", desk.put("a", n=1), desk.put("b", n=1))
    await desk.sync("run_1", desk.put("a", n=2), desk.put("c", n=1), removals=[desk.gone("b")])

    rows = await changes(desk, "run_1")

    assert rows[0] == ChangeRow(
        seq=3,
        at=desk.now,
        op="changed",
        entity=desk.entity,
        external_id="a",
        before={"n": 1},
        after={"n": 2},
        known=True,
        since=None,
    )
    assert told(rows) == [
        ("a", "changed", {"n": 1}, {"n": 2}, True),
        ("c", "added", None, {"n": 1}, True),
        ("b", "deleted", {"n": 1}, None, True),
    ]


async def test_what_a_change_left_is_found_when_the_record_changed_since(desk):
    """The next change of the record, by the same run or a later one, wrote over it."""
    lease = await desk.begin("run_0")
    await desk.commit("run_0", lease, desk.put("a", n=1), desk.put("b", n=1))
    await desk.commit("run_0", lease, desk.put("a", n=2))
    await desk.finish("run_0", lease)
    await desk.store.release(desk.tenant, lease)
    later = desk.now + timedelta(hours=1)
    await desk.sync("run_1", desk.put("a", n=3), at=later)

    rows = await changes(desk, "run_0")

    assert told(rows) == [
        ("a", "added", None, {"n": 1}, True),
        ("b", "added", None, {"n": 1}, True),
        ("a", "changed", {"n": 1}, {"n": 2}, True),
    ]
    since = Since(run="run_1", at=later)
    assert [row.since for row in rows] == [since, None, since]


async def test_what_came_much_later_is_not_looked_through(desk):
    """Old data is always told; new data that would be far to find is told as not known."""
    await desk.sync("run_0", desk.put("a", n=1))
    await desk.run_sql(f"UPDATE counters SET value = value + {history.LATER_ROWS}")
    await desk.sync("run_1", desk.put("a", n=2))

    assert told(await changes(desk, "run_0")) == [("a", "added", None, None, False)]


async def test_limit_bounds_what_is_told(desk):
    """The first changes only; none of a run that is not known."""
    await desk.sync("run_0", *(desk.put(f"{number:04}") for number in range(600)))

    assert [row.seq for row in await changes(desk, "run_0", limit=2)] == [1, 2]
    assert len(await changes(desk, "run_0")) == 600
    assert await changes(desk, "run_9") == []


async def test_cursor_is_told_before_and_after(desk):
    """As it stood when the run began and when it ended; nothing where there was none."""
    await desk.sync("run_0", state=ReadingState(fingerprint="f1"))
    lease = await desk.begin("run_1")
    await desk.finish("run_1", lease, state=ReadingState(cursor="2026-01-02", fingerprint="f1"))
    await desk.store.release(desk.tenant, lease)
    await desk.sync("run_2")

    found = [await desk.store.find_run(run) for run in ("run_0", "run_1", "run_2")]

    assert [(one.cursor_before, one.cursor_after) for one in found] == [
        (None, None),
        (None, "2026-01-02"),
        ("2026-01-02", "2026-01-02"),
    ]


async def test_run_and_its_reverts_name_each_other(desk):
    """The undone run names every run that undid it, and each of them the run."""
    await desk.sync("run_0", desk.put("a", n=1))
    await revert(desk, "run_1", "run_0")
    await revert(desk, "run_2", "run_0")

    found = [await desk.store.find_run(run) for run in ("run_0", "run_1")]

    assert [(one.reverts, one.reverted_by) for one in found] == [
        (None, ("run_1", "run_2")),
        ("run_0", ()),
    ]
    assert [(one.run.id, one.run.mode) for one in found] == [
        ("run_0", "full"),
        ("run_1", "revert"),
    ]


async def test_run_is_found_in_its_own_tenant_only(desk):
    """With a tenant named, another one's run is not there; without, any is found."""
    await desk.sync("run_0", desk.put("a"), tenant="other")

    assert await desk.store.find_run("run_0", desk.tenant) is None
    assert (await desk.store.find_run("run_0", "other")).run.id == "run_0"
    assert (await desk.store.find_run("run_0")).run.tenant == "other"
    assert await changes(desk, "run_0") == []
    assert await desk.store.find_run("run_9") is None
