"""Opening one database and closing it again, in the right order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from integrationd.errors import IntegrationError, SettingsError, StoreError
from integrationd.model.secret import Secret
from integrationd.store import schema
from integrationd.store.database import Database
from integrationd.store.readers import READERS, Readers
from integrationd.store.sqlite import Sqlite
from integrationd.store.writer import Health, InlineWriter, NoWriter, ThreadWriter, Writer

_SQLITE = "sqlite:///"
_POSTGRES = ("postgresql://", "postgres://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which database, and how."""

    database: Database
    read_only: bool
    inline: bool
    queue_max: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A database in use."""

    writer: Writer
    readers: Readers


def find_database(
    where: str | Path | None, password: Secret | None = None, *, by_given_time: bool = False
) -> Database:
    """Return the database that a path, a ``sqlite:///FILE`` or a PostgreSQL URL names.

    Args:
        where: None is a database in memory.
        password: For PostgreSQL, where libpq does not find one by itself.
        by_given_time: Claims go by the callers' time and not by the database's own clock.

    Raises:
        StoreError: It is of an unknown kind.
        SettingsError: The library for it is not installed.
    """
    if where is None or isinstance(where, Path):
        return Sqlite(where)
    if where.startswith(_POSTGRES):
        return _find_postgres(where, password, by_given_time=by_given_time)
    if where.startswith(_SQLITE):
        return Sqlite(Path(where.removeprefix(_SQLITE)))
    if "://" in where:
        scheme = where.partition("://")[0]
        expected = f"expected a path, {_SQLITE}FILE or postgresql://USER@HOST/NAME"
        raise StoreError(f"a database of kind {scheme!r} is not known; {expected}")
    return Sqlite(Path(where))


def _find_postgres(url: str, password: Secret | None, *, by_given_time: bool) -> Database:
    # Only who uses it pays for it: its dialect alone takes a tenth of a second to load.
    try:
        from integrationd.store.postgres import Postgres  # noqa: PLC0415
    except ImportError as missing:
        advice = "install it with: pip install 'integrationd[postgres]'"
        message = f"database: PostgreSQL needs psycopg, which cannot be loaded ({missing})"
        raise SettingsError(f"{message}; {advice}") from missing
    return Postgres(url=url, password=password, by_given_time=by_given_time)


@asynccontextmanager
async def open_database(plan: Plan) -> AsyncIterator[Opened]:
    """Open, make the tables of an empty database, and in the end finish what waits and close.

    Raises:
        StoreError: It is missing, damaged, of another version, or cannot be written.
    """
    health = Health(plan.database)
    engine = _open(plan, health) if plan.inline else await asyncio.to_thread(_open, plan, health)
    beside = engine
    if plan.database.reads_beside and not plan.read_only:
        beside = plan.database.open_reading(READERS)
    readers = Readers(beside, health, inline=plan.inline)
    writer = _open_writer(plan, engine, health)
    try:
        yield Opened(writer, readers)
    finally:
        # The writer last: only it can put SQLite's write-ahead log back into the file.
        readers.close()
        if beside is not engine:
            beside.dispose()
        await writer.stop()
        engine.dispose()


def _open(plan: Plan, health: Health) -> Engine:
    """Open the one engine that must work: the writer's, or the readers' of a read-only store."""
    database = plan.database
    engine = database.open_reading(READERS) if plan.read_only else database.open_writing()
    try:
        with engine.connect() as conn:
            if plan.read_only:
                schema.check(conn, database)
            else:
                schema.prepare(conn, database)
    except SQLAlchemyError as error:
        engine.dispose()
        raise health.explain(error) from error
    except IntegrationError:
        engine.dispose()
        raise
    return engine


def _open_writer(plan: Plan, engine: Engine, health: Health) -> Writer:
    if plan.read_only:
        return NoWriter(health)
    if plan.inline:
        return InlineWriter(engine, health)
    return ThreadWriter(engine, health, queue_max=plan.queue_max)
