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
from integrationd.store.database import Database

T = TypeVar("T")

Work: TypeAlias = Callable[[Connection], T]
"""A whole transaction as a plain function: it neither waits for anything else nor commits, and
keeps nothing to itself, as it may be run again."""

BATCH_MAX = 128
"""Transactions in one commit. More gains nothing, and the first one waits for the last one."""

TRIES = 3
"""How often a transaction is begun that others were in the way of."""


class Health:
    """Whether the database may still be used, and what its errors mean."""

    def __init__(self, database: Database) -> None:
        """Start well."""
        self.database = database
        self.where = database.where
        self._broken = ""

    def check(self) -> None:
        """Raise StoreError for ever after a failure that leaves the disk's state unknown.

        A failed fsync is never tried again: the kernel has forgotten the pages by then.
        """
        if self._broken:
            raise StoreBrokenError(self._broken)

    def explain(self, error: SQLAlchemyError) -> StoreError:
        """Return what the error means, and remember it when nothing may go on."""
        found = self.database.explain(error)
        if isinstance(error, DBAPIError) and self.database.is_fatal(error):
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


class _UndoneError(Exception):
    """Nothing of some transactions that share a commit was kept."""

    def __init__(self, error: Exception, at: int | None, *, again: bool) -> None:
        """Keep which one it was."""
        super().__init__()
        self.error = error
        self.at = at
        """The number of the one that failed; None: the failure is everybody's."""
        self.again = again
        """Whether the same may work when it is done again."""


def commit_together(conn: Connection, works: Sequence[Work[Any]], health: Health) -> list[Outcome]:
    """Run transactions one after another under one commit; a failing one fails alone.

    A transaction is done again after those beside it failed, after another process was in the way,
    and after the connection was lost before the commit.

    Returns:
        An outcome for each, in order. When nothing can begin, or the commit itself fails, all of
        them failed.
    """
    for left in reversed(range(TRIES)):
        try:
            return [Outcome(value=value) for value in _commit(conn, works, health)]
        except _UndoneError as undone:
            failed = undone
        if not (failed.again and left):
            break
    at = failed.at
    if at is None or failed.again or len(works) == 1:
        return [Outcome(error=failed.error) for _ in works]
    pieces = (works[:at], works[at : at + 1], works[at + 1 :])
    return [one for piece in pieces if piece for one in commit_together(conn, piece, health)]


def _commit(conn: Connection, works: Sequence[Work[Any]], health: Health) -> list[Any]:
    """Run transactions under one commit and return what they gave; one that fails undoes all."""
    done: list[Any] = []
    at: int | None = None
    try:
        health.check()
        with conn.begin():
            for at, work in enumerate(works):  # noqa: B007 - which one failed
                done.append(work(conn))
            at = None
    except SQLAlchemyError as error:
        found = health.explain(error)
        _clean_up(conn, health)
        again = at is not None and isinstance(error, DBAPIError) and _is_passing(error, health)
        raise _UndoneError(found, at, again=again) from error
    except Exception as error:
        # It belongs to whoever waits for it.
        raise _UndoneError(error, at, again=False) from error
    return done


def _is_passing(error: DBAPIError, health: Health) -> bool:
    return error.connection_invalidated or health.database.is_passing(error)


def _clean_up(conn: Connection, health: Health) -> None:
    """Leave no transaction behind; where even that fails, nothing may go on."""
    try:
        health.database.clean_up(conn)
    except StoreError as error:
        health.give_up(error)


class Writer(Protocol):
    """Runs transactions, one at a time."""

    async def run(self, work: Work[T], *, patient: bool = True) -> T:
        """Run and commit one transaction; when this returns it is on the disk.

        Args:
            work: Runs on the writer's thread. If it raises, nothing of it is kept.
            patient: Wait for room in the queue; else refuse at once. Where other processes write
                as well only the impatient share a commit: a commit of many readings would hold
                what the others wait for.

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
    patient: bool


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
        self._next: _Entry | None = None
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
        self._waiting.put(_Entry(work, future, patient=patient))
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
        """Wait for one transaction, then take what may go with it; ends with None at the stop."""
        taken = [self._next or self._waiting.get()]
        self._next = None
        with contextlib.suppress(queue.Empty):
            while taken[-1] is not None and len(taken) < BATCH_MAX:
                entry = self._waiting.get_nowait()
                if entry is not None and not self._may_share(taken[-1], entry):
                    self._next = entry
                    break
                taken.append(entry)
        return taken

    def _may_share(self, one: _Entry, other: _Entry) -> bool:
        return not (self._health.database.has_other_writers and (one.patient or other.patient))

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
