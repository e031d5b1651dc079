"""Upgrading: a released schema becomes the present one, keeps its rows, and never by half."""

import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from integrationd.errors import StoreError
from integrationd.ports.store import RecordQuery
from integrationd.ports.views import EntityShape
from integrationd.store import SqlStore
from integrationd.store.migrations import STEPS
from integrationd.store.opening import find_database
from integrationd.store.tables import METADATA, SCHEMA_VERSION
from integrationd.store.upgrading import upgrade
from tests.support.postgres import schema_url

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SCHEMA1 = Path(__file__).with_name("schema1.sql").read_text(encoding="utf-8")
"""Written by the version of schema 1, with the rows of three runs, a webhook and a claim."""


@pytest.fixture
def old(path):
    """Give a database file of schema 1."""
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("PRAGMA auto_vacuum=INCREMENTAL")
        conn.execute("PRAGMA journal_mode=WAL").fetchall()
        conn.executescript(SCHEMA1)
    return path


@pytest.fixture
def old_on_server():
    """Give the URL of a place on PostgreSQL with the tables and rows of schema 1."""
    with schema_url() as url, sqlite_memory() as source:
        tables = sa.MetaData()
        tables.reflect(source)
        engine = find_database(url).open_writing()
        with engine.connect() as conn, conn.begin():
            for table in tables.sorted_tables:
                as_on_postgres(table)
                conn.execute(CreateTable(table))
                for index in table.indexes:
                    index.create(conn)
                rows = [dict(row) for row in source.execute(sa.select(table)).mappings()]
                if rows:
                    conn.execute(sa.insert(table), rows)
        engine.dispose()
        yield url


def sqlite_memory():
    """Open schema 1 in memory."""
    engine = sa.create_engine("sqlite://", poolclass=sa.pool.StaticPool)
    conn = engine.connect()
    conn.connection.driver_connection.executescript(SCHEMA1)
    return conn


def as_on_postgres(table):
    """Give reflected columns the types that this program has on PostgreSQL."""
    for column in table.columns:
        match column.type.as_generic():
            case sa.Text():
                column.type = sa.Text(collation="C")
            case sa.LargeBinary():
                column.type = sa.LargeBinary()
            case sa.Integer():
                column.type = sa.BigInteger()


def describe(conn):
    """Tell all that can be told of the tables; the order of columns aside."""
    there = sa.inspect(conn)
    return {name: describe_table(conn, there, name) for name in sorted(there.get_table_names())}


def describe_table(conn, there, name):
    """Tell all that can be told of one table."""
    told = {
        "columns": {
            column["name"]: (repr(column["type"]), column["nullable"], str(column["default"]))
            for column in there.get_columns(name)
        },
        "key": there.get_pk_constraint(name)["constrained_columns"],
        "unique": sorted(one["column_names"] for one in there.get_unique_constraints(name)),
        "checks": sorted(one["sqltext"] for one in there.get_check_constraints(name)),
        "indexes": sorted(describe_index(one) for one in there.get_indexes(name)),
    }
    if conn.dialect.name == "sqlite":
        sql = f"SELECT wr, strict FROM pragma_table_list WHERE name = '{name}'"
        told["rowid"] = conn.exec_driver_sql(sql).all()
    return told


def describe_index(index):
    """Tell an index's name, columns and conditions."""
    options = sorted((name, str(value)) for name, value in index.get("dialect_options", {}).items())
    return repr((index["name"], index["column_names"], index["unique"], options))


def described(database):
    """Open a database and describe it; returns its rows as well."""
    engine = database.open_writing()
    with engine.connect() as conn:
        told = describe(conn)
        rows = {name: rows_of(conn, name) for name in told}
    engine.dispose()
    return told, rows


def rows_of(conn, name):
    """Return a table's rows as sorted lists of (column, value)."""
    found = conn.exec_driver_sql(f'SELECT * FROM "{name}"').mappings()
    return sorted((sorted(row.items()) for row in found), key=repr)


def fresh(database):
    """Describe a database that this version makes."""
    engine = database.open_writing()
    with engine.connect() as conn, conn.begin():
        METADATA.create_all(conn)
        told = describe(conn)
    engine.dispose()
    return told


def keeps(before, after):
    """Tell whether every row of before is there, with at least its columns, but for the version."""
    before = {
        **before,
        "meta": [row for row in before["meta"] if "schema" not in dict(row).values()],
    }
    for name, rows in before.items():
        narrow = (
            [{key: row[key] for key in dict(rows[0])} for row in map(dict, after[name])]
            if rows
            else []
        )
        for row in rows:
            assert dict(row) in narrow, (name, row)
        extra = 1 if name == "meta" else 0
        assert len(after[name]) == len(rows) + extra, name


def test_upgraded_file_is_as_a_fresh_one_and_keeps_its_rows(old, tmp_path):
    """Columns, types, defaults, keys, constraints, indexes, and every row that was there."""
    before = described(find_database(old))[1]

    done = upgrade(find_database(old), at=NOW)

    told, rows = described(find_database(old))
    assert told == fresh(find_database(tmp_path / "fresh.db"))
    keeps(before, rows)
    assert (done.where, done.before, done.after) == (str(old), 1, SCHEMA_VERSION)


@pytest.mark.needs("postgres")
def test_upgraded_schema_on_postgres_is_as_a_fresh_one(old_on_server, place):
    """The same on a server, in one transaction, without a copy of ours."""
    before = described(find_database(old_on_server))[1]

    done = upgrade(find_database(old_on_server), at=NOW)

    told, rows = described(find_database(old_on_server))
    assert told == fresh(find_database(place))
    keeps(before, rows)
    assert (done.before, done.after, done.backup) == (1, SCHEMA_VERSION, None)


async def test_upgraded_file_is_used_at_once(old):
    """The store opens it, finds the records, goes on in the feed, and undoes an old run."""
    upgrade(find_database(old), at=NOW)

    async with SqlStore(old) as store:
        query = RecordQuery(integration="koha")
        found = [(one.external_id, one.deleted) async for one in store.records("default", query)]
        pieces = [piece async for piece in store.undo("default", "run_2", by=None)]
        [stream, other] = await store.streams(None)

    assert found == [("a", None), ("b", "source"), ("c\u2028", None)]
    assert [(piece.restored, piece.revived) for piece in pieces] == [(1, 1)]
    assert (stream.records, stream.cursor, other.tenant) == (2, "2026-01-02", "other")


def test_copy_from_before_is_whole_and_its_owners(old):
    """With what was only in the write-ahead log; named by schema and time; nobody else reads it."""
    with closing(sqlite3.connect(old)) as conn:
        conn.execute("UPDATE records SET metadata = 'late'")
        conn.commit()
        done = upgrade(find_database(old), at=NOW)

    assert done.backup == old.with_name("store.db.schema1-20260301T120000Z")
    assert stat.S_IMODE(done.backup.stat().st_mode) == 0o600
    with closing(sqlite3.connect(done.backup)) as conn:
        late = conn.execute("SELECT DISTINCT metadata FROM records").fetchall()
        version = conn.execute("SELECT value FROM meta WHERE name = 'schema'").fetchall()
    assert (late, version) == ([("late",)], [("1",)])
    assert sorted(file.name for file in old.parent.iterdir() if file != old) == [done.backup.name]


def test_second_upgrade_has_nothing_to_do(old):
    """No copy is made where nothing changes."""
    upgrade(find_database(old), at=NOW)
    done = upgrade(find_database(old), at=NOW)

    assert (done.before, done.after, done.backup) == (SCHEMA_VERSION, SCHEMA_VERSION, None)


def failing(operations):
    """Do everything, then fail."""
    STEPS[2](operations)
    operations.execute("SELECT * FROM nowhere")


def test_step_that_fails_changes_nothing(old):
    """What it had done before is undone with it, and the reason is told."""
    before = described(find_database(old))

    with pytest.raises(StoreError) as caught:
        upgrade(find_database(old), at=NOW, steps={**STEPS, SCHEMA_VERSION: failing})

    assert str(caught.value) == f"{old}: no such table: nowhere (SQLITE_ERROR)"
    assert described(find_database(old)) == before


@pytest.mark.needs("postgres")
def test_step_that_fails_on_postgres_changes_nothing(old_on_server):
    """A server undoes tables as well."""
    before = described(find_database(old_on_server))

    with pytest.raises(StoreError, match="nowhere"):
        upgrade(find_database(old_on_server), at=NOW, steps={**STEPS, SCHEMA_VERSION: failing})

    assert described(find_database(old_on_server)) == before


KILLED = """
import os, signal, sys
from datetime import datetime, timezone
from integrationd.store.migrations import STEPS
from integrationd.store.opening import find_database
from integrationd.store.upgrading import upgrade

def die(operations):
    STEPS[2](operations)
    os.kill(os.getpid(), signal.SIGKILL)

upgrade(find_database(sys.argv[1]), at=datetime.now(timezone.utc), steps={**STEPS, 2: die})
"""


def test_process_that_is_killed_leaves_the_database_as_it_was(old):
    """After SIGKILL behind the last statement the next upgrade begins from the beginning."""
    before = described(find_database(old))

    killed = subprocess.run([sys.executable, "-c", KILLED, str(old)], check=False)

    assert killed.returncode == -signal.SIGKILL
    assert described(find_database(old)) == before
    assert upgrade(find_database(old), at=NOW).before == 1


def test_copy_that_is_there_already_is_not_written_over(old):
    """Nor is anything changed without one."""
    there = old.with_name("store.db.schema1-20260301T120000Z")
    there.write_text("mine")
    before = described(find_database(old))

    with pytest.raises(StoreError) as caught:
        upgrade(find_database(old), at=NOW)

    assert str(caught.value) == f"{there}: the copy cannot be made (File exists)"
    assert there.read_text() == "mine"
    assert described(find_database(old)) == before


def refusal(path, *statements):
    """Return what an upgrade says after something was done to the file."""
    with closing(sqlite3.connect(path)) as conn:
        for statement in statements:
            conn.execute(statement)
        conn.commit()
    with pytest.raises(StoreError) as caught:
        upgrade(find_database(path), at=NOW)
    return str(caught.value)


def test_what_is_not_ours_to_upgrade_is_refused(old, tmp_path):
    """A newer schema, one that never was, another program's file, none, and an empty one."""
    newer = refusal(old, "UPDATE meta SET value = '99' WHERE name = 'schema'")
    never = refusal(old, "UPDATE meta SET value = '0' WHERE name = 'schema'")
    other = refusal(tmp_path / "other.db", "CREATE TABLE recipes (x)")
    empty = refusal(tmp_path / "empty.db")
    with pytest.raises(StoreError) as missing:
        upgrade(find_database(tmp_path / "none.db"), at=NOW)

    assert newer == (
        f"{old}: the database has schema 99, this version needs {SCHEMA_VERSION}; "
        "install the newer integrationd that made it"
    )
    assert never == f"{old}: schema 0 was never released; restore a backup"
    theirs = "this database belongs to another program; name another one"
    assert other == f"{tmp_path}/other.db: {theirs}"
    nothing = "nothing is stored; start the daemon or run: integrationd sync"
    assert empty == f"{tmp_path}/empty.db: {nothing}"
    assert str(missing.value) == f"no database at {tmp_path}/none.db; there is nothing to upgrade"
    assert not (tmp_path / "none.db").exists()


async def test_our_views_are_made_anew_after_an_upgrade(old):
    """They name columns of tables that change; what the administrator made stays."""
    upgrade(find_database(old), at=NOW)
    shape = EntityShape(entity="patron", fields={"name": None})
    async with SqlStore(old) as store:
        await store.lay_views([shape])
    with closing(sqlite3.connect(old)) as conn:
        conn.execute("CREATE VIEW mine AS SELECT name FROM patron")
        conn.execute("UPDATE meta SET value = '1' WHERE name = 'schema'")
        conn.commit()

    upgrade(find_database(old), at=NOW.replace(hour=13), steps={2: lambda _: None})

    with closing(sqlite3.connect(old)) as conn:
        views = conn.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall()
    async with SqlStore(old) as store:
        laid = await store.lay_views([shape])
    assert views == [("mine",)]
    assert laid.made == ("patron",)


@pytest.mark.needs("postgres")
async def test_other_daemons_are_stopped_first(old_on_server):
    """Who is connected under the same name would go on writing to the old tables."""
    engine = find_database(old_on_server).open_writing()
    with engine.connect(), pytest.raises(StoreError) as caught:
        upgrade(find_database(old_on_server), at=NOW)
    engine.dispose()

    assert str(caught.value).endswith(": 1 connections of other daemons are open; stop them first")
