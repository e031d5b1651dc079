"""Reading beside the writer: whole pages, bounded memory, nobody pinned."""

import asyncio
import itertools

import pytest
from sqlalchemy import event

from integrationd.errors import StoreError
from integrationd.ports.quarantine import QuarantineQuery
from integrationd.ports.store import StreamKey
from integrationd.store import readers

PAGE = 20
PATRONS = QuarantineQuery(integration="koha", stream="patrons")
ITEMS = StreamKey("koha", "items")


async def write_pages(desk, count):
    """Write pages whose records lie all over the order of external ids."""
    lease = await desk.begin("run_w")
    for page in range(count):
        names = [f"{row:02}-{page:03}" for row in range(PAGE)]
        await desk.commit("run_w", lease, *(desk.put(name) for name in names))
    await desk.finish("run_w", lease)


async def test_reader_only_ever_sees_whole_pages(disk, monkeypatch):
    """A listing of many pieces is one state, however much is written meanwhile."""
    monkeypatch.setattr(readers, "CHUNK_ROWS", 7)
    writing = asyncio.create_task(write_pages(disk, 40))
    seen = set()

    while not writing.done():
        seen.add(len(await disk.records()))

    await writing
    assert len(seen) > 3
    assert {count % PAGE for count in seen} == {0}
    assert len(await disk.records()) == 40 * PAGE


async def test_listing_survives_writes_between_its_pieces(disk, monkeypatch):
    """Records changed, removed and added during a listing neither break nor repeat it."""
    monkeypatch.setattr(readers, "CHUNK_ROWS", 2)
    names = [f"r{number}" for number in range(8)]
    await disk.sync("run_1", *(disk.put(name, n=1) for name in names))
    found = []

    async for record in disk.records_iterator():
        found.append((record.external_id, record.data))
        if len(found) == 3:
            await disk.sync(
                "run_2", disk.put("r6", n=2), disk.put("r9"), removals=[disk.gone("r7")]
            )

    assert found == [(name, {"n": 1}) for name in names]


async def test_every_listing_is_the_same_in_pieces(disk, monkeypatch):
    """No listing loses, repeats or reorders a row where one piece ends and the next begins."""
    for number in range(7):
        name = f"{number}"
        await disk.sync(f"run_{name}", disk.put(name), aside=[disk.bad(f"q{name}")])
        await disk.sync(f"run_i{name}", disk.put(name), entity="item", key=ITEMS)
        await disk.store.accept_event(disk.event(name, number=number))
    key = disk.key

    async def list_all():
        store = disk.store
        return [
            await disk.records(),
            await disk.records(entity="item"),
            await disk.records(entity="patron", stream="patrons", deleted=False),
            await disk.records(stream="items", limit=5),
            [row async for row in store.runs(None)],
            [row async for row in store.runs("default", key=key)],
            [row async for row in store.runs(None, key=key, limit=5)],
            [row async for row in store.quarantine("default", PATRONS)],
            [row async for row in store.quarantine(None)],
            [row async for row in store.events("default", integration="shop")],
            [row async for row in store.events(None, limit=6)],
        ]

    at_once = await list_all()
    monkeypatch.setattr(readers, "CHUNK_ROWS", 2)

    assert [len(listing) for listing in at_once] == [14, 7, 7, 5, 14, 7, 5, 7, 7, 7, 6]
    assert await list_all() == at_once


async def test_no_listing_sorts(disk, monkeypatch):
    """Each piece is found by an index: a sort in each of them would cost the list's square."""
    monkeypatch.setattr(readers, "CHUNK_ROWS", 1)
    for number in range(2):
        name = f"{number}"
        await disk.sync(f"run_{name}", disk.put(name), aside=[disk.bad(f"q{name}")])
        await disk.store.accept_event(disk.event(name, number=number))
    asked = []

    def note(conn, cursor, statement, parameters, context, executemany):
        asked.append((statement, parameters))

    engine = disk.store._parts.readers.engine
    event.listen(engine, "before_cursor_execute", note)
    store = disk.store
    for tenant, key in itertools.product((None, "default"), (None, disk.key)):
        assert len([row async for row in store.runs(tenant, key=key)]) == 2
        assert len([row async for row in store.runs(tenant, key=key and disk.key.integration)]) == 2
        assert not [row async for row in store.runs(tenant, key="another")]
        assert len([row async for row in store.quarantine(tenant, key and PATRONS)]) == 2
        integration = key and "shop"
        assert len([row async for row in store.events(tenant, integration=integration)]) == 2
    for entity, stream in itertools.product((None, "patron"), (None, "patrons")):
        assert len(await disk.records(entity=entity, stream=stream)) == 2
    lease = await disk.begin("run_9")
    await disk.sweep("run_9", lease)
    event.remove(engine, "before_cursor_execute", note)

    with engine.connect() as conn:
        plans = {
            sql: [row[3] for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given)]
            for sql, given in asked
            if sql.startswith("SELECT")
        }
    assert len(plans) > 20
    assert [sql for sql, plan in plans.items() if "TEMP B-TREE" in str(plan)] == []


async def test_old_state_is_let_go_and_the_listing_goes_on(disk, monkeypatch):
    """A slow reader gives its state back after a while and goes on with a newer one."""
    monkeypatch.setattr(readers, "CHUNK_ROWS", 2)
    monkeypatch.setattr(readers, "SNAPSHOT_MAX_S", 0.05)
    await disk.sync("run_1", *(disk.put(f"r{number}") for number in range(4)))
    found = []

    async for record in disk.records_iterator():
        found.append(record.external_id)
        if len(found) == 1:
            await disk.sync("run_2", disk.put("r0a"), disk.put("r8"))
            await asyncio.sleep(0.1)
            assert disk.store._parts.readers.snapshots == set()

    assert found == ["r0", "r1", "r2", "r3", "r8"]


async def test_more_listings_than_connections_all_end(disk, monkeypatch):
    """Readers beyond the places wait for one; each gets everything."""
    monkeypatch.setattr(readers, "CHUNK_ROWS", 3)
    await disk.sync("run_1", *(disk.put(f"r{number}") for number in range(10)))

    found = await asyncio.gather(*(disk.records() for _ in range(readers.READERS * 5)))

    assert {len(listing) for listing in found} == {10}


async def test_abandoned_listing_holds_nothing(disk, monkeypatch):
    """A listing that is left in the middle gives its place back when it is closed."""
    monkeypatch.setattr(readers, "CHUNK_ROWS", 2)
    await disk.sync("run_1", *(disk.put(f"r{number}") for number in range(10)))

    for _ in range(readers.READERS * 2):
        listing = disk.records_iterator()
        assert (await anext(listing)).external_id == "r0"
        await listing.aclose()

    assert disk.store._parts.readers.snapshots == set()
    assert len(await disk.records()) == 10


async def test_cancelled_reader_gives_its_place_back(disk):
    """Callers that go away in the middle of a read leave every place free."""
    await disk.sync("run_1", disk.put("a"))

    for _ in range(20):
        asked = [asyncio.create_task(disk.records()) for _ in range(6)]
        await asyncio.sleep(0)
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)

    assert disk.store._parts.readers.slots._value == readers.READERS
    assert len(await disk.records()) == 1


async def test_log_stays_small_beside_a_reader(disk, path, monkeypatch):
    """The write-ahead log is reused while somebody reads slowly."""
    monkeypatch.setattr(readers, "CHUNK_ROWS", 1)
    monkeypatch.setattr(readers, "SNAPSHOT_MAX_S", 0.01)
    await disk.run_sql("PRAGMA wal_autocheckpoint=50")
    await disk.sync("run_1", *(disk.put(f"r{number}") for number in range(50)))

    listing = disk.records_iterator()
    async for _ in listing:
        await asyncio.sleep(0.02)
        break
    for number in range(60):
        await disk.sync(f"run_x{number}", disk.put("r0", n=number, fill="x" * 50_000))
    await listing.aclose()

    assert path.with_name("store.db-wal").stat().st_size < 2_000_000


async def test_reader_cannot_write(disk):
    """The connections for reading refuse to change anything."""
    with pytest.raises(StoreError) as caught:
        await disk.ask_sql("DELETE FROM records")

    assert "the file cannot be written" in str(caught.value)
