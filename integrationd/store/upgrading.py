"""From the schema that a database has to the present one: a copy first, then one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text, update
from sqlalchemy.exc import SQLAlchemyError

from integrationd.errors import StoreError
from integrationd.store import schema, views
from integrationd.store.copying import copy_database
from integrationd.store.database import Database
from integrationd.store.migrations import STEPS, Step
from integrationd.store.sqlite import Sqlite
from integrationd.store.tables import SCHEMA_VERSION, meta


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """What was done."""

    where: str
    before: int
    after: int
    backup: Path | None
    """The copy from before; None where nothing was to be done, or on a server."""


def upgrade(database: Database, *, at: datetime, steps: Mapping[int, Step] = STEPS) -> Upgraded:
    """Bring a database to the present schema; nobody else may use it meanwhile.

    All steps are one transaction: a process that is killed leaves the database as it was.

    Args:
        database: Not opened.
        at: When; it names the copy.
        steps: What makes each schema of the one before.

    Raises:
        StoreError: There is none, it is not ours, of a newer version or of an unknown one, somebody
            uses it, or the disk or the server refused; nothing was changed.
    """
    if isinstance(database, Sqlite) and (database.path is None or not database.path.exists()):
        raise StoreError(f"no database at {database.where}; there is nothing to upgrade")
    engine = database.open_writing()
    try:
        with engine.connect() as conn:
            with conn.begin():
                before = _check(conn, database, steps)
            backup = None
            if before < SCHEMA_VERSION:
                backup = _back_up(database, before, at)
                with conn.begin():
                    _upgrade(conn, database, before, steps)
    except SQLAlchemyError as error:
        raise database.explain(error) from error
    finally:
        engine.dispose()
    return Upgraded(where=database.where, before=before, after=SCHEMA_VERSION, backup=backup)


def _check(conn: Connection, database: Database, steps: Mapping[int, Step]) -> int:
    """Return the version of a database that can be upgraded, or is as it should be."""
    before = schema.read_version(conn, database)
    if before > SCHEMA_VERSION:
        schema.refuse(database, before)
    if any(number not in steps for number in range(before + 1, SCHEMA_VERSION + 1)):
        raise StoreError(f"{database.where}: schema {before} was never released; restore a backup")
    if before < SCHEMA_VERSION and (others := database.count_others(conn)):
        raise StoreError(
            f"{database.where}: {others} connections of other daemons are open; stop them first"
        )
    return before


def _back_up(database: Database, version: int, at: datetime) -> Path | None:
    if not isinstance(database, Sqlite):
        return None
    assert database.path is not None
    name = f"{database.path.name}.schema{version}-{at:%Y%m%dT%H%M%SZ}"
    backup = database.path.with_name(name)
    copy_database(database.path, backup)
    return backup


def _upgrade(conn: Connection, database: Database, before: int, steps: Mapping[int, Step]) -> None:
    database.keep_others_out(conn)
    if schema.read_version(conn, database) != before:
        raise StoreError(f"{database.where}: another process has just upgraded it")
    if conn.dialect.name == "postgresql":
        conn.execute(text("SET LOCAL statement_timeout = 0"))
    # Views name columns; the next load of the files makes them anew.
    views.drop_all(conn)
    operations = Operations(MigrationContext.configure(conn))
    for number in range(before + 1, SCHEMA_VERSION + 1):
        steps[number](operations)
    conn.execute(update(meta).where(meta.c.name == "schema").values(value=str(SCHEMA_VERSION)))
