"""Reading beside the writer: on connections of its own, in short transactions, piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from integrationd.errors import StoreError
from integrationd.store.writer import Health

T = TypeVar("T")

Query: TypeAlias = Callable[[Connection], T]
Fetch: TypeAlias = Callable[[Connection, Any, int], Sequence[tuple[Any, T]]]
"""Gives at most so many items after a place (None is the start), each with its own place."""

READERS = 4
"""Reads at the same time; each holds a connection with 2 MiB of cache."""

CHUNK_ROWS = 500
"""Rows in memory at once."""

SNAPSHOT_MAX_S = 5.0
"""A reader that holds a state for longer keeps the write-ahead log from being reused."""

_EVERYTHING = 2**31


class Readers:
    """Runs queries on a few threads; on the caller's own thread where ``inline``."""

    def __init__(self, engine: Engine, health: Health, *, inline: bool) -> None:
        """Take the engine; whoever made it closes it."""
        self.engine = engine
        self._health = health
        self.slots = asyncio.Semaphore(READERS)
        self.snapshots: set[_Snapshot] = set()
        self.inline = inline
        # A pool starts a thread only when it is given something to do.
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._closed = False

    async def read(self, query: Query[T]) -> T:
        """Run one query in a transaction of its own."""
        async with self.slots:
            return await self.call(lambda: self._read_apart(query))

    async def walk(self, fetch: Fetch[T], limit: int | None) -> AsyncIterator[T]:
        """Yield item by item, holding one chunk in memory.

        What is yielded within :data:`SNAPSHOT_MAX_S` is one state of the database; a longer walk
        goes on with a newer one.
        """
        after, left = None, _EVERYTHING if limit is None else limit
        async with _Snapshot(self) as snapshot:
            while left > 0:
                size = min(_EVERYTHING if self.inline else CHUNK_ROWS, left)
                found = await snapshot.read(_bind(fetch, after, size))
                for _, item in found:
                    yield item
                after = found[-1][0] if found else None
                left = left - size if len(found) == size else 0

    def close(self) -> None:
        """End what is still open."""
        for snapshot in list(self.snapshots):
            snapshot.release()
        self._closed = True
        self._threads.shutdown()

    def _read_apart(self, query: Query[T]) -> T:
        with self.engine.connect() as conn:
            return query(conn)

    async def call(self, work: Callable[[], T]) -> T:
        """Run on a thread; its errors are ours, and it has ended when this returns or raises."""
        self._health.check()
        if self._closed:
            raise StoreError(f"{self._health.where}: the store is closed")
        try:
            if self.inline:
                return work()
            return await _finish(asyncio.get_running_loop().run_in_executor(self._threads, work))
        except SQLAlchemyError as error:
            raise self._health.explain(error) from error


def _bind(fetch: Fetch[T], after: object, size: int) -> Query[Sequence[tuple[Any, T]]]:
    return lambda conn: fetch(conn, after, size)


async def _finish(future: asyncio.Future[T]) -> T:
    """Wait for a thread; when cancelled meanwhile, still until it has let go of its connection."""
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        while not future.done():
            try:
                await asyncio.wait([future])
            except asyncio.CancelledError:
                continue
        raise


class _Snapshot:
    """Queries that see one state, until it gets too old; an idle one then lets its place go."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._conn: Connection | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._busy = False
        self._late = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    async def read(self, query: Query[T]) -> T:
        readers = self._readers
        if readers.inline:
            # A database in memory has one connection: a state cannot be held beside the writer.
            return await readers.read(query)
        if self._timer is None:
            await readers.slots.acquire()
            readers.snapshots.add(self)
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(SNAPSHOT_MAX_S, self._expire)
        self._busy = True
        try:
            return await readers.call(lambda: self._query(query))
        finally:
            self._busy = False
            if self._late:
                self.release()

    def release(self) -> None:
        """Let go of connection and place; harmless when there is none."""
        if self._timer is None:
            return
        self._timer.cancel()
        self._timer, self._late = None, False
        if self._conn is not None:
            self._conn.close()
            self._conn = None
        self._readers.snapshots.discard(self)
        self._readers.slots.release()

    def _query(self, query: Query[T]) -> T:
        if self._conn is None:
            self._conn = self._readers.engine.connect()
        return query(self._conn)

    def _expire(self) -> None:
        if self._busy:
            self._late = True
        else:
            self.release()
