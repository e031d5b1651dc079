"""Every store that the suite runs on, and short words for what the tests do with one."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import inspect, select

from integrationd.model.events import NewEvent
from integrationd.model.records import DeleteReason, Removal, SetAside, Upsert
from integrationd.model.runs import Counts, Mode, RunStatus, Trigger
from integrationd.ports.store import (
    PageCommit,
    ReadingState,
    RecordQuery,
    RunEnd,
    RunStart,
    StreamKey,
    Sweep,
)
from integrationd.store import SqlStore, tables
from integrationd.store.opening import find_database
from tests.support.postgres import schema_url

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
KEY = StreamKey("koha", "patrons")
ENTITY = "patron"
TENANT = "default"


class Desk:
    """A store with builders beside it; each test names only what it is about."""

    now, key, entity, tenant = NOW, KEY, ENTITY, TENANT

    def __init__(self, store: SqlStore, *, ids: int = 0) -> None:
        self.store = store
        self._ids = ids

    def put(self, external_id, **data):
        text = json.dumps(data, sort_keys=True).encode()
        return Upsert(external_id, text, hashlib.blake2b(text, digest_size=16).digest())

    def gone(self, external_id, reason=DeleteReason.SOURCE):
        return Removal(external_id, reason)

    def bad(self, fingerprint, reason="no name", **source):
        return SetAside(fingerprint, json.dumps(source).encode(), "E310", "name", reason)

    def event(self, dedup, *, number=1, tenant=TENANT, endpoint="orders", at=NOW):
        return NewEvent(
            tenant=tenant,
            integration="shop",
            endpoint=endpoint,
            id=f"evt_{number}",
            dedup=dedup,
            event="order.paid",
            received_at=at,
            headers={"content-type": "application/json"},
            body=b'{"id": 1}',
        )

    async def claim(self, *, tenant=TENANT, key=KEY, holder="n1:a", now=NOW, minutes=5):
        return await self.store.claim(
            tenant,
            "run",
            f"{key.integration}/{key.stream}",
            holder=holder,
            now=now,
            ttl=timedelta(minutes=minutes),
        )

    async def begin(self, run, *, tenant=TENANT, key=KEY, lease=None, at=NOW, mode=Mode.FULL):
        lease = lease or await self.claim(tenant=tenant, key=key)
        assert lease is not None
        start = RunStart(id=run, key=key, trigger=Trigger.MANUAL, mode=mode, started_at=at)
        await self.store.begin_run(tenant, start, lease)
        return lease

    async def commit(self, run, lease, *upserts, tenant=TENANT, **parts):
        ids = []
        for _ in upserts:
            self._ids += 1
            ids.append(self._ids.to_bytes(16, "big"))
        page = {
            "run_id": run,
            "key": KEY,
            "partition": "",
            "entity": ENTITY,
            "lease": lease,
            "upserts": upserts,
            "removals": (),
            "aside": (),
            "state": ReadingState(walking=True, mode=Mode.FULL, fingerprint="f1"),
            "at": NOW,
            "counts": Counts(read=len(upserts)),
            "ids": ids,
        }
        return await self.store.commit_page(tenant, PageCommit(**{**page, **parts}))

    async def finish(self, run, lease, *, tenant=TENANT, **parts):
        end = {
            "run_id": run,
            "key": KEY,
            "partition": "",
            "lease": lease,
            "status": RunStatus.DONE,
            "ended_at": NOW,
            "state": ReadingState(fingerprint="f1"),
            "counts": Counts(),
        }
        await self.store.finish_run(tenant, RunEnd(**{**end, **parts}))

    async def sync(self, run, *upserts, tenant=TENANT, key=KEY, **parts):
        """Do a whole run of one page and give its claim back; returns the page's counts."""
        lease = await self.begin(run, tenant=tenant, key=key)
        counts = await self.commit(run, lease, *upserts, tenant=tenant, key=key, **parts)
        await self.finish(run, lease, tenant=tenant, key=key)
        await self.store.release(tenant, lease)
        return counts

    async def sweep(self, run, lease, *, tenant=TENANT, **parts):
        sweep = {
            "run_id": run,
            "key": KEY,
            "entity": ENTITY,
            "lease": lease,
            "at": NOW,
            "fraction_max": 0.1,
            "rows_max": 50,
        }
        return await self.store.sweep(tenant, Sweep(**{**sweep, **parts}))

    async def records(self, *, tenant=TENANT, integration="koha", **query):
        asked = RecordQuery(integration=integration, **query)
        return [record async for record in self.store.records(tenant, asked)]

    def records_iterator(self):
        """Return the listing itself, to be read piece by piece."""
        return self.store.records(TENANT, RecordQuery(integration="koha"))

    async def alive(self, **query):
        """Return the data of the living by external id."""
        found = await self.records(**query)
        return {one.external_id: one.data for one in found if one.deleted is None}

    async def waiting(self, *, tenant=TENANT):
        return [row async for row in self.store.quarantine(tenant)]

    async def rows(self, table, *columns):
        """Return what stands in a table by its key, for what no port method shows."""
        wanted = select(*(table.c[name] for name in columns)) if columns else select(table)
        wanted = wanted.order_by(*table.primary_key)
        found = await self.store._parts.readers.read(lambda conn: conn.execute(wanted).all())
        return [tuple(row) for row in found]

    async def history(self):
        """Return (seq, op, old data) of every change."""
        return await self.rows(tables.changes, "seq", "op", "before")

    async def run_sql(self, *statements):
        """Run statements on the writer, to bring the database into a state of its own."""

        def work(conn):
            for statement in statements:
                conn.exec_driver_sql(statement)

        await self.store._parts.writer.run(work)

    async def columns(self, name):
        """Return the columns of a table or view, in order."""
        return await self._inspect(
            lambda there: [column["name"] for column in there.get_columns(name)]
        )

    async def views(self):
        """Return the names of all views."""
        return await self._inspect(lambda there: sorted(there.get_view_names()))

    async def _inspect(self, ask):
        return await self.store._parts.readers.read(lambda conn: ask(inspect(conn)))

    async def ask_sql(self, statement):
        """Return what a statement gives on a reader's side."""

        def query(conn):
            return [tuple(row) for row in conn.exec_driver_sql(statement)]

        return await self.store._parts.readers.read(query)


@pytest.fixture
def path(tmp_path):
    """Where the file of a store on disk lies."""
    return tmp_path / "store.db"


POSTGRES = pytest.param("postgres", marks=pytest.mark.needs("postgres"))


@contextmanager
def open_database(kind, path):
    """Provide a database of a kind, empty."""
    if kind == "memory":
        yield find_database(None)
    elif kind == "sqlite":
        yield find_database(path)
    else:
        with schema_url() as url:
            yield find_database(url, by_given_time=True)


@pytest.fixture(params=["memory", "sqlite", POSTGRES])
async def desk(request, path):
    """Run on each implementation."""
    with open_database(request.param, path) as database:
        async with SqlStore(database, inline=request.param == "memory") as store:
            yield Desk(store)


@pytest.fixture(params=["sqlite", POSTGRES])
async def threaded(request, path):
    """Run on those that have a writer's thread and read beside it."""
    with open_database(request.param, path) as database:
        async with SqlStore(database) as store:
            yield Desk(store)


@pytest.fixture
async def disk(path):
    """Run on a file with a writer's thread only."""
    async with SqlStore(path) as store:
        yield Desk(store)


@pytest.fixture
def place():
    """Provide the URL of an empty place on the PostgreSQL server."""
    with schema_url() as url:
        yield url


@pytest.fixture
def make_desk():
    """Provide what puts builders beside a store."""
    return Desk
