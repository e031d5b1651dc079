"""The writer: group commit, strangers' failures, full disks and broken ones."""

import asyncio
import contextlib
import resource
import sqlite3
import threading

import pytest
from sqlalchemy import event

from integrationd.errors import StoreBusyError, StoreError
from integrationd.model.runs import Counts
from integrationd.store import SqlStore
from integrationd.store.tables import counters


def count_commits(disk):
    """Return a list that grows with each commit."""
    commits = []
    engine = disk.store._parts.writer._conn.engine
    event.listen(engine, "commit", lambda conn: commits.append(1))
    return commits


def add(name, value):
    """Return a transaction that adds a row, or fails where it stands already."""

    def work(conn):
        conn.execute(counters.insert().values(tenant="t", name=name, value=value))
        return value

    return work


def fail(conn):
    """Write something and then fail."""
    conn.execute(counters.insert().values(tenant="t", name="half", value=1))
    raise LookupError("on purpose")


@contextlib.contextmanager
def held_up(disk):
    """Keep the writer busy, so that everything else has to wait for one commit."""
    go = threading.Event()
    first = asyncio.ensure_future(disk.store._parts.writer.run(lambda conn: go.wait(10)))
    try:
        yield first
    finally:
        go.set()


async def run_all(disk, *works):
    """Give all transactions to the writer while it is busy; return what became of each."""
    writer = disk.store._parts.writer
    with held_up(disk):
        await asyncio.sleep(0.05)
        waiting = [asyncio.ensure_future(writer.run(work)) for work in works]
        await asyncio.sleep(0.05)
    return await asyncio.gather(*waiting, return_exceptions=True)


async def test_what_waits_together_is_committed_together(disk):
    """A hundred events that wait cost one commit, and each is answered by itself."""
    commits = count_commits(disk)

    with held_up(disk):
        await asyncio.sleep(0.05)
        events = [disk.event(f"d{number}", number=number) for number in range(100)]
        waiting = [asyncio.ensure_future(disk.store.accept_event(one)) for one in events]
        await asyncio.sleep(0.05)
    accepted = await asyncio.gather(*waiting)

    assert [one.id for one in accepted] == [f"evt_{number}" for number in range(100)]
    assert len(commits) == 2
    assert (await disk.store.event_counts(None)) == {"shop/orders": 100}


async def test_failing_transaction_fails_alone(disk):
    """Its own writes are undone, the others of the same commit stand, each gets its own answer."""
    outcomes = await run_all(disk, add("a", 1), fail, add("a", 2), add("b", 3))

    assert outcomes[0] == 1
    assert isinstance(outcomes[1], LookupError)
    assert isinstance(outcomes[2], StoreError)
    assert outcomes[3] == 3
    assert await disk.rows(counters) == [("t", "a", 1), ("t", "b", 3)]


async def test_failing_commit_fails_everybody(disk, path):
    """When the commit itself fails, nobody is told that it worked, and the writer goes on."""
    await disk.run_sql(
        "CREATE TABLE parent (no INTEGER PRIMARY KEY)",
        "CREATE TABLE child (no REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
    )
    driver = disk.store._parts.writer._conn.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=ON")

    def orphan(conn):
        conn.exec_driver_sql("INSERT INTO child VALUES (1)")

    outcomes = await run_all(disk, add("a", 1), orphan, add("b", 2))

    message = f"{path}: FOREIGN KEY constraint failed (SQLITE_CONSTRAINT_FOREIGNKEY)"
    assert [str(outcome) for outcome in outcomes] == [message] * 3
    assert await disk.rows(counters) == []
    assert not driver.in_transaction
    assert await run_all(disk, add("a", 1)) == [1]


async def test_cancelled_caller_hurts_nobody(disk):
    """Of many callers half go away; the others' transactions are stored and answered."""
    writer = disk.store._parts.writer
    with held_up(disk) as first:
        await asyncio.sleep(0.05)
        works = [add(str(number), number) for number in range(20)]
        waiting = [asyncio.ensure_future(writer.run(work)) for work in works]
        await asyncio.sleep(0.05)
        for one in [first, *waiting[::2]]:
            one.cancel()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)

    assert outcomes[1::2] == list(range(1, 20, 2))
    assert {type(one) for one in outcomes[::2]} == {asyncio.CancelledError}
    assert sorted(row[2] for row in await disk.rows(counters)) == list(range(1, 20, 2))
    assert writer._room._value == 1000


async def test_caller_that_goes_during_the_commit_hurts_nobody(disk):
    """One that is cancelled while its transaction runs leaves the answers of its batch alone."""
    writer = disk.store._parts.writer
    go = threading.Event()
    with held_up(disk):
        await asyncio.sleep(0.05)
        works = [add("a", 1), lambda conn: go.wait(10), add("b", 2)]
        first, *others = [asyncio.ensure_future(writer.run(work)) for work in works]
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.05)
    first.cancel()
    go.set()

    async with asyncio.timeout(5):
        assert await asyncio.gather(*others) == [True, 2]
    assert await disk.rows(counters) == [("t", "a", 1), ("t", "b", 2)]


async def test_full_queue_refuses_events_and_lets_others_wait(path):
    """Beyond the bound an event is refused at once; a reading's transaction waits for room."""
    async with SqlStore(path, queue_max=2) as store:
        writer = store._parts.writer
        go = threading.Event()
        waiting = [asyncio.ensure_future(writer.run(lambda conn: go.wait(10)))]
        waiting += [asyncio.ensure_future(store.ping()) for _ in range(4)]
        await asyncio.sleep(0.05)

        with pytest.raises(StoreBusyError) as caught:
            await writer.run(add("a", 1), patient=False)
        go.set()
        await asyncio.gather(*waiting)

        assert str(caught.value) == f"{path}: 2 writes wait already"
        assert await writer.run(add("a", 1), patient=False) == 1


async def test_leaving_finishes_what_waits(path):
    """What was asked before the store closes is stored; what comes later is refused."""
    async with SqlStore(path) as store:
        writer = store._parts.writer
        waiting = [asyncio.ensure_future(writer.run(add(str(n), n))) for n in range(50)]
        await asyncio.sleep(0)
    stored = await asyncio.gather(*waiting)

    assert stored == list(range(50))
    with pytest.raises(StoreError) as caught:
        await store.ping()
    assert str(caught.value) == f"{path}: the store is closed"
    assert not path.with_name("store.db-wal").exists()


async def test_full_disk_refuses_and_then_goes_on(disk, path):
    """Without room nothing is stored and everybody is told; with room again all works."""
    [(pages,)] = await disk.ask_sql("PRAGMA page_count")
    await disk.run_sql(f"PRAGMA max_page_count={pages + 20}")
    answers = []
    for number in range(20):
        filling = [disk.put(f"{number}-{row}", fill="x" * 3000) for row in range(4)]
        answers += await asyncio.gather(
            disk.sync(f"run_{number}", *filling), return_exceptions=True
        )
        await disk.store.release_node("n1")

    stored = [one for one in answers if isinstance(one, Counts)]
    assert 0 < len(stored) < 20
    message = "the disk is full; nothing was stored; free some space, it then goes on"
    assert {str(one) for one in answers if one not in stored} == {
        f"{path}: {message} (SQLITE_FULL)"
    }
    assert len(await disk.records()) == 4 * len(stored)
    await disk.run_sql("PRAGMA max_page_count=100000")
    assert (await disk.sync("run_after", disk.put("after"))).added == 1


async def test_disk_that_does_not_write_breaks_the_store_for_good(disk, path):
    """After a failed write the disk's state is unknown: nothing goes on until a restart."""
    await disk.sync("run_1", disk.put("a"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, limits[1]))
    try:
        with pytest.raises(StoreError) as caught:
            await disk.sync("run_2", disk.put("b", fill="x" * 500_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert str(caught.value) == (
        f"{path}: the disk does not read or write; look at the system log, then restart"
        " (SQLITE_IOERR_WRITE)"
    )
    for again in (disk.store.ping, disk.records):
        with pytest.raises(StoreError) as repeated:
            await again()
        assert str(repeated.value) == str(caught.value)
    async with SqlStore(path) as reopened:
        fresh = type(disk)(reopened, ids=100)
        assert list(await fresh.alive()) == ["a"]
        await fresh.store.release_node("n1")
        assert (await fresh.sync("run_3", fresh.put("b"))).added == 1


async def test_locked_database_is_reported_and_then_goes_on(disk, path):
    """Another program's lock is an answer, not a wedge."""
    await disk.run_sql("PRAGMA busy_timeout=10")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError) as caught:
        await disk.store.ping()
    other.execute("ROLLBACK")
    other.close()

    assert str(caught.value) == (
        f"{path}: another program holds the database; close it and try again (SQLITE_BUSY)"
    )
    await disk.store.ping()
