"""Opening: first start, wrong versions, files that are no store, and reading only."""

import sqlite3
import stat

import pytest

from integrationd.errors import StoreError
from integrationd.ports.store import RecordQuery
from integrationd.store import SqlStore


async def refusal(where, **options):
    """Return what opening says."""
    with pytest.raises(StoreError) as caught:
        async with SqlStore(where, **options):
            pass
    return str(caught.value)


async def make(path, *statements):
    """Make a store and then change it from outside."""
    async with SqlStore(path):
        pass
    conn = sqlite3.connect(path)
    for statement in statements:
        conn.execute(statement)
    conn.commit()
    conn.close()


@pytest.mark.parametrize("inline", [False, True])
async def test_first_start_makes_the_tables_and_the_second_keeps_them(path, inline):
    """An empty place becomes a store; what is in it is there the next time, threads or not."""
    async with SqlStore(path, inline=inline) as store:
        await store.endpoint_path("t", "shop", "orders", fresh="p1")

    async with SqlStore(f"sqlite:///{path}", inline=inline) as store:
        assert await store.endpoint_path("t", "shop", "orders", fresh="p2") == "p1"


async def test_file_is_its_owners_only(path):
    """Nobody else may read what is stored."""
    async with SqlStore(path):
        files = [path.with_name(f"store.db{end}") for end in ("", "-wal", "-shm")]
        modes = [stat.S_IMODE(file.stat().st_mode) for file in files]

    assert modes == [0o600] * 3


async def test_commits_are_durable_and_pages_can_be_freed(disk):
    """The pragmas that the promises rest on are set on the writer."""
    asked = {}

    def ask(conn):
        for name in ("journal_mode", "synchronous", "auto_vacuum", "journal_size_limit"):
            asked[name] = conn.exec_driver_sql(f"PRAGMA {name}").scalar_one()

    await disk.store._parts.writer.run(ask)

    assert asked == {
        "journal_mode": "wal",
        "synchronous": 2,
        "auto_vacuum": 2,
        "journal_size_limit": 64 * 1024 * 1024,
    }


@pytest.mark.parametrize("read_only", [False, True])
async def test_other_schema_is_refused_with_the_command(path, read_only):
    """An older schema names the command; a newer one the cure."""
    await make(path, "UPDATE meta SET value = '0' WHERE name = 'schema'")
    older = await refusal(path, read_only=read_only)
    await make_newer(path)
    newer = await refusal(path, read_only=read_only)

    assert older == (
        f"{path}: the database has schema 0, this version needs 2; run: integrationd db upgrade"
    )
    assert newer == (
        f"{path}: the database has schema 3, this version needs 2;"
        " install the newer integrationd that made it"
    )


async def make_newer(path):
    """Say that a later version made it."""
    conn = sqlite3.connect(path)
    conn.execute("UPDATE meta SET value = '3' WHERE name = 'schema'")
    conn.commit()
    conn.close()


async def test_another_programs_database_is_left_alone(path):
    """A database with other tables is neither used nor changed."""
    conn = sqlite3.connect(path)
    conn.execute("CREATE TABLE theirs (a)")
    conn.commit()
    conn.close()

    assert await refusal(path) == (
        f"{path}: this database belongs to another program; name another one"
    )


async def test_file_that_is_no_database_is_refused(path):
    """Text is not overwritten."""
    path.write_text("not a database, but long enough to look at " * 20)

    said = await refusal(path)

    assert said == (
        f"{path}: this is not a database; restore it from a backup or move it away (SQLITE_NOTADB)"
    )
    assert path.read_text().startswith("not a database")


async def test_missing_directory_is_named(path):
    """The directory is not made, as a wrong name would make a second empty store."""
    inside = path.parent / "nowhere" / "store.db"

    assert await refusal(inside) == (
        f"{inside}: the directory {inside.parent} does not exist; create it or name another"
    )


async def test_directory_in_the_files_place_is_named(path):
    """What cannot be opened as a file is said."""
    path.mkdir()

    assert await refusal(path) == (
        f"{path}: the file cannot be opened for writing (Is a directory);"
        " check its owner and the disk"
    )


async def test_unknown_kind_of_database_is_named(path):
    """Only what this version knows is taken."""
    assert await refusal("mysql://host/db") == (
        "a database of kind 'mysql' is not known;"
        " expected a path, sqlite:///FILE or postgresql://USER@HOST/NAME"
    )


async def test_reading_a_missing_store_says_how_to_make_one(path):
    """A command that only reads makes nothing."""
    assert await refusal(path, read_only=True) == (
        f"no database at {path}; start the daemon or run: integrationd sync"
    )
    assert not path.exists()


async def test_reading_store_reads_beside_a_writing_one(disk, path):
    """A second process sees what is committed and cannot write."""
    await disk.sync("run_1", disk.put("a", n=1))
    await disk.store.endpoint_path("t", "shop", "orders", fresh="p1")

    async with SqlStore(path, read_only=True) as beside:
        found = [one async for one in beside.records("default", RecordQuery(integration="koha"))]
        known = await beside.endpoint_path("t", "shop", "orders", fresh="p2")
        with pytest.raises(StoreError) as caught:
            await beside.ping()

    assert [one.data for one in found] == [{"n": 1}]
    assert known == "p1"
    assert str(caught.value) == f"{path}: opened for reading only, nothing can be written"


async def test_closed_store_refuses_to_read(path):
    """After leaving there is nothing to read from."""
    async with SqlStore(path) as store:
        pass

    with pytest.raises(StoreError) as caught:
        await store.streams(None)

    assert str(caught.value) == f"{path}: the store is closed"
