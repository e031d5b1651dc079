"""One thread that writes: what waits together is committed together, and answered after that."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from integrationd.errors import StoreBrokenError, StoreBusyError, StoreError
from integrationd.store import sqlite

T = TypeVar("T")

Work: TypeAlias = Callable[[Connection], T]
"""A whole transaction as a plain function: it neither waits for anything else nor commits."""

BATCH_MAX = 128
"""Transactions in one commit. More gains nothing, and the first one waits for the last one."""


class Health:
    """Whether the database may still be used, and what it is called in messages."""

    def __init__(self, where: str) -> None:
        """Start well."""
        self.where = where
        self._broken = ""

    def check(self) -> None:
        """Raise StoreError for ever after a failure that leaves the disk's state unknown.

        A failed fsync is never tried again: the kernel has forgotten the pages by then.
        """
        if self._broken:
            raise StoreBrokenError(self._broken)

    def explain(self, error: SQLAlchemyError) -> StoreError:
        """Return what the error means, and remember it when nothing may go on."""
        found = sqlite.explain(self.where, error)
        if isinstance(error, DBAPIError) and sqlite.is_fatal(error):
            self.give_up(found)
            return StoreBrokenError(str(found))
        return found

    def give_up(self, reason: StoreError) -> None:
        """Refuse everything from now on; the first reason stays."""
        self._broken = self._broken or str(reason)


@dataclass(slots=True)
class Outcome:
    """What became of one transaction."""

    value: Any = None
    error: Exception | None = None


def commit_together(conn: Connection, works: Sequence[Work[Any]], health: Health) -> list[Outcome]:
    """Run transactions one after another under one commit; a failing one fails alone.

    Returns:
        An outcome for each, in order. When the commit fails, or SQLite has rolled all of it
        back, all of them failed.
    """
    try:
        health.check()
        with conn.begin():
            if len(works) == 1:
                return [Outcome(value=works[0](conn))]
            return [_run_apart(conn, work, health) for work in works]
    except SQLAlchemyError as error:
        failure: Exception = health.explain(error)
        _clean_up(conn, health)
    except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for it
        failure = error
    return [Outcome(error=failure) for _ in works]


def _clean_up(conn: Connection, health: Health) -> None:
    """Leave no transaction behind; where even that fails, nothing may go on."""
    try:
        sqlite.roll_back(conn)
    except sqlite.Error as error:
        health.give_up(sqlite.explain(health.where, error))


def _run_apart(conn: Connection, work: Work[Any], health: Health) -> Outcome:
    """Run one of several transactions so that its failure undoes nothing of the others."""
    conn.exec_driver_sql("SAVEPOINT apart")
    try:
        outcome = Outcome(value=work(conn))
    except Exception as error:
        if not sqlite.is_in_transaction(conn):
            raise  # nothing is left that the others could commit
        conn.exec_driver_sql("ROLLBACK TO apart")
        known = health.explain(error) if isinstance(error, SQLAlchemyError) else error
        health.check()
        outcome = Outcome(error=known)
    conn.exec_driver_sql("RELEASE apart")
    return outcome


class Writer(Protocol):
    """Runs transactions, one at a time."""

    async def run(self, work: Work[T], *, patient: bool = True) -> T:
        """Run and commit one transaction; when this returns it is on the disk.

        Args:
            work: Runs on the writer's thread. If it raises, nothing of it is kept.
            patient: Wait for room in the queue; else refuse at once.

        Raises:
            StoreBusyError: The queue is full and the caller is not patient.
            StoreError: The database refused, or is closed.
        """
        ...

    async def stop(self) -> None:
        """Finish what waits and give the connection back; later calls are refused."""
        ...


class InlineWriter:
    """Runs each transaction where it is asked for: no threads, so virtual time stays exact."""

    def __init__(self, engine: Engine, health: Health) -> None:
        """Take a connection for good."""
        self._conn = engine.connect()
        self._health = health

    async def run(self, work: Work[T], *, patient: bool = True) -> T:  # noqa: ARG002 - no queue
        """See :class:`Writer`."""
        if self._conn.closed:
            raise _closed(self._health)
        [outcome] = commit_together(self._conn, [work], self._health)
        if outcome.error is not None:
            raise outcome.error
        value: T = outcome.value
        return value

    async def stop(self) -> None:
        """See :class:`Writer`."""
        self._conn.close()


@dataclass(slots=True, eq=False)
class _Entry:
    work: Work[Any]
    future: asyncio.Future[Any]


class ThreadWriter:
    """Runs transactions on a thread of its own, with group commit.

    The caller only waits for a future: one that is cancelled hurts neither the others nor the
    writer. A transaction that has not begun when its caller goes is dropped.
    """

    def __init__(self, engine: Engine, health: Health, *, queue_max: int) -> None:
        """Start the thread; the running loop is the one that is told of outcomes."""
        self._conn = engine.connect()
        self._health = health
        self._queue_max = queue_max
        self._room = asyncio.Semaphore(queue_max)
        self._waiting: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._stopped = False
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Work[T], *, patient: bool = True) -> T:
        """See :class:`Writer`."""
        self._health.check()
        if not patient and self._room.locked():
            message = f"{self._health.where}: {self._queue_max} writes wait already"
            raise StoreBusyError(message)
        await self._room.acquire()
        if self._stopped:
            self._room.release()
            raise _closed(self._health)
        future: asyncio.Future[T] = self._loop.create_future()
        self._waiting.put(_Entry(work, future))
        return await future

    async def stop(self) -> None:
        """See :class:`Writer`."""
        if not self._stopped:
            self._stopped = True
            self._waiting.put(None)
        await asyncio.to_thread(self._thread.join)
        self._conn.close()

    def _work(self) -> None:
        going = True
        while going:
            taken = self._take()
            going = taken[-1] is not None
            entries = [entry for entry in taken if entry is not None]
            alive = [entry for entry in entries if not entry.future.cancelled()]
            outcomes: list[Outcome] = []
            if alive:
                works = [entry.work for entry in alive]
                outcomes = commit_together(self._conn, works, self._health)
            # The loop may be gone when a program ends in a hurry; then nobody waits either.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(
                    self._settle, len(entries), list(zip(alive, outcomes, strict=True))
                )

    def _take(self) -> list[_Entry | None]:
        """Wait for one transaction, then take what else waits; ends with None at the stop."""
        taken = [self._waiting.get()]
        with contextlib.suppress(queue.Empty):
            while taken[-1] is not None and len(taken) < BATCH_MAX:
                taken.append(self._waiting.get_nowait())
        return taken

    def _settle(self, room: int, settled: list[tuple[_Entry, Outcome]]) -> None:
        """Tell the callers, on their loop."""
        for _ in range(room):
            self._room.release()
        for entry, outcome in settled:
            if entry.future.done():
                continue  # its caller has gone
            if outcome.error is not None:
                entry.future.set_exception(outcome.error)
            else:
                entry.future.set_result(outcome.value)


class NoWriter:
    """Stands where a store was opened for reading only."""

    def __init__(self, health: Health) -> None:
        """Keep the name for the message."""
        self._health = health

    async def run(self, work: Work[T], *, patient: bool = True) -> T:  # noqa: ARG002 - refuses all
        """Refuse."""
        raise StoreError(f"{self._health.where}: opened for reading only, nothing can be written")

    async def stop(self) -> None:
        """Nothing was opened."""


def _closed(health: Health) -> StoreError:
    return StoreError(f"{health.where}: the store is closed")
