"""Making the tables, and refusing a database that is not of this version."""

from __future__ import annotations

from typing import NoReturn

from sqlalchemy import Connection, insert, inspect, select

from integrationd import __version__
from integrationd.errors import NothingStoredError, StoreError
from integrationd.store.database import Database
from integrationd.store.tables import METADATA, SCHEMA_VERSION, meta


def prepare(conn: Connection, database: Database) -> None:
    """Make all tables of an empty database in one transaction; check the version of another."""
    with conn.begin():
        database.keep_others_out(conn)
        if not inspect(conn).get_table_names():
            METADATA.create_all(conn, checkfirst=False)
            facts = {"schema": str(SCHEMA_VERSION), "created_by": f"integrationd {__version__}"}
            rows = [{"name": name, "value": value} for name, value in facts.items()]
            conn.execute(insert(meta), rows)
            return
        _check(conn, database)


def check(conn: Connection, database: Database) -> None:
    """Raise StoreError unless the database is of this version; writes nothing."""
    with conn.begin():
        _check(conn, database)


def read_version(conn: Connection, database: Database) -> int:
    """Return the schema that the database has.

    Raises:
        StoreError: It is empty, or another program's.
    """
    where, tables = database.where, inspect(conn).get_table_names()
    if not tables:
        advice = "start the daemon or run: integrationd sync"
        raise NothingStoredError(f"{where}: nothing is stored; {advice}")
    found = None
    if meta.name in tables:
        version = select(meta.c.value).where(meta.c.name == "schema")
        found = conn.execute(version).scalar_one_or_none()
    if found is None or not found.isdigit():
        raise StoreError(f"{where}: this database belongs to another program; name another one")
    return int(found)


def refuse(database: Database, found: int) -> NoReturn:
    """Say what to do about a database of another version."""
    advice = "run: integrationd db upgrade"
    if found > SCHEMA_VERSION:
        advice = "install the newer integrationd that made it"
    has = f"{database.where}: the database has schema {found}"
    raise StoreError(f"{has}, this version needs {SCHEMA_VERSION}; {advice}")


def _check(conn: Connection, database: Database) -> None:
    found = read_version(conn, database)
    if found != SCHEMA_VERSION:
        refuse(database, found)
