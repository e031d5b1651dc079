"""Opening one database and closing it again, in the right order."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from integrationd.errors import StoreError
from integrationd.store import schema, sqlite
from integrationd.store.readers import READERS, Readers
from integrationd.store.writer import Health, InlineWriter, NoWriter, ThreadWriter, Writer

_URL = "sqlite:///"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which database, and how."""

    path: Path | None
    """None is a database in memory."""
    read_only: bool
    inline: bool
    queue_max: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A database in use."""

    writer: Writer
    readers: Readers


def parse_place(where: str | Path | None) -> Path | None:
    """Return the file that a path or a ``sqlite:///FILE`` URL names; None stays None."""
    if where is None or isinstance(where, Path):
        return where
    if where.startswith(_URL):
        return Path(where.removeprefix(_URL))
    if "://" in where:
        scheme = where.partition("://")[0]
        message = f"a database of kind {scheme!r} is not known; expected a path or {_URL}FILE"
        raise StoreError(message)
    return Path(where)


@asynccontextmanager
async def open_database(plan: Plan) -> AsyncIterator[Opened]:
    """Open, make the tables of an empty database, and in the end finish what waits and close.

    Raises:
        StoreError: It is missing, damaged, of another version, or cannot be written.
    """
    health = Health("the database in memory" if plan.path is None else str(plan.path))
    engine = _open(plan, health) if plan.inline else await asyncio.to_thread(_open, plan, health)
    beside = engine
    if plan.path is not None and not plan.read_only:
        beside = sqlite.open_reading(plan.path, READERS)
    readers = Readers(beside, health, inline=plan.inline)
    writer = _open_writer(plan, engine, health)
    try:
        yield Opened(writer, readers)
    finally:
        # The writer last: only it can put the write-ahead log back into the file and remove it.
        readers.close()
        if beside is not engine:
            beside.dispose()
        await writer.stop()
        engine.dispose()


def _open(plan: Plan, health: Health) -> Engine:
    """Open the one engine that must work: the writer's, or the readers' of a read-only store."""
    if sqlite3.sqlite_version_info < sqlite.VERSION_MIN:
        wanted = ".".join(map(str, sqlite.VERSION_MIN))
        found = sqlite3.sqlite_version
        raise StoreError(f"SQLite {found} is too old, {wanted} or newer is needed; update Python")
    engine = _make_engine(plan)
    try:
        with engine.connect() as conn:
            if plan.read_only:
                schema.check(conn, health.where)
            else:
                schema.prepare(conn, health.where)
    except SQLAlchemyError as error:
        engine.dispose()
        raise health.explain(error) from error
    except StoreError:
        engine.dispose()
        raise
    return engine


def _make_engine(plan: Plan) -> Engine:
    path = plan.path
    if path is None:
        return sqlite.open_writing(None)
    if plan.read_only:
        if not path.exists():
            advice = "start the daemon or run: integrationd sync"
            raise StoreError(f"no database at {path}; {advice}")
        return sqlite.open_reading(path, READERS)
    if not path.parent.is_dir():
        message = f"{path}: the directory {path.parent} does not exist; create it or name another"
        raise StoreError(message)
    try:
        # Made here, as SQLite would let everybody read what is in it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        message = f"{path}: the file cannot be opened for writing ({error.strerror})"
        raise StoreError(f"{message}; check its owner and the disk") from error
    return sqlite.open_writing(path)


def _open_writer(plan: Plan, engine: Engine, health: Health) -> Writer:
    if plan.read_only:
        return NoWriter(health)
    if plan.inline:
        return InlineWriter(engine, health)
    return ThreadWriter(engine, health, queue_max=plan.queue_max)
