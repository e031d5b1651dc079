"""What only SQLite has: opening, pragmas, lists in a statement, errors, freeing pages."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Select, bindparam, create_engine, event, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool, StaticPool

from integrationd.errors import StoreError
from integrationd.store import values

VERSION_MIN = (3, 34)
"""Rocky 9's; nothing newer (RETURNING, STRICT) is used."""

Error = sqlite3.Error
"""What the driver raises where SQLAlchemy is not in between."""

BUSY_TIMEOUT_MS = 5000
WAL_MAX_BYTES = 64 * 1024 * 1024
CACHE_KIB = 8 * 1024

# Numbers of sqlite3.h; Python names only some of them.
_IOERR, _CORRUPT, _NOTADB = 10, 11, 26
_READONLY_DBMOVED = 1032
# A full disk and short memory come as I/O errors too, before anything was written.
_IOERR_HARMLESS = frozenset({3082, 4874, 6410})  # NOMEM, SHMSIZE, GETTEMPPATH

_PRAGMAS = (
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    # Must stand before the first page is written; later it says what is so already.
    "auto_vacuum=INCREMENTAL",
    "journal_mode=WAL",
    # NORMAL loses acknowledged commits when the power goes; group commit pays for FULL.
    "synchronous=FULL",
    f"journal_size_limit={WAL_MAX_BYTES}",
    # 16 MB: index pages that many commits touch are copied back once (measured: a tenth less CPU).
    "wal_autocheckpoint=4000",
    "temp_store=FILE",
    f"cache_size=-{CACHE_KIB}",
)
_PRAGMAS_READING = (
    f"busy_timeout={BUSY_TIMEOUT_MS}",
    "query_only=ON",
    "temp_store=FILE",
    "cache_size=-2048",
)


def open_writing(path: Path | None) -> Engine:
    """Open the engine of the one writer; None is a database in memory."""
    name = ":memory:" if path is None else str(path)
    return _engine(name, uri=False, pragmas=_PRAGMAS, begin="IMMEDIATE", size=1)


def open_reading(path: Path, size: int) -> Engine:
    """Open an engine of ``size`` connections that cannot write."""
    name = f"file:{quote(str(path))}?mode=ro"
    return _engine(name, uri=True, pragmas=_PRAGMAS_READING, begin="DEFERRED", size=size)


def _engine(
    name: str,
    *,
    uri: bool,
    pragmas: Sequence[str],
    begin: Literal["IMMEDIATE", "DEFERRED"],
    size: int,
) -> Engine:
    def connect() -> sqlite3.Connection:
        # isolation_level None: the driver never begins by itself; check_same_thread off: the
        # pool hands a connection from thread to thread, but never to two at once.
        conn = sqlite3.connect(name, uri=uri, isolation_level=None, check_same_thread=False)
        try:
            for pragma in pragmas:
                conn.execute(f"PRAGMA {pragma}").fetchall()
        except sqlite3.Error:
            conn.close()
            raise
        return conn

    pool: dict[str, Any] = {"poolclass": QueuePool, "pool_size": size, "max_overflow": 0}
    if name == ":memory:":
        pool = {"poolclass": StaticPool}
    engine = create_engine("sqlite://", creator=connect, **pool)

    # A transaction that reads first and writes later fails at once when another has written in
    # between; so a writer says what it is when it begins.
    @event.listens_for(engine, "begin")
    def begin_ourselves(conn: Connection) -> None:
        conn.exec_driver_sql(f"BEGIN {begin}")

    return engine


def text_list() -> Select[Any]:
    """Return a subquery of the texts in the bind ``texts``, a JSON list."""
    each = func.json_each(bindparam("texts")).table_valued("value")
    return select(each.c.value)


def bind_texts(texts: Sequence[str]) -> str:
    """Return what :func:`text_list` takes."""
    return values.encode_json(texts).decode()


def is_listable(text: str) -> bool:
    """Whether :func:`text_list` can carry the text: SQLite's JSON ends a text at a NUL."""
    return "\0" not in text


def free_pages(conn: Connection, pages_max: int) -> int:
    """Give unused pages back to the disk, at most so many; return how many it were.

    Each call of the pragma frees one page, whatever number it is given: the driver takes one step.
    """
    free = conn.exec_driver_sql("PRAGMA freelist_count").scalar_one()
    count = min(int(free), pages_max)
    for _ in range(count):
        conn.exec_driver_sql("PRAGMA incremental_vacuum(1)")
    return count


def is_in_transaction(conn: Connection) -> bool:
    """Whether the transaction still stands; some errors make SQLite roll all of it back."""
    driver = conn.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver.in_transaction


def roll_back(conn: Connection) -> None:
    """End the transaction that a refused COMMIT leaves open; SQLAlchemy counts it as over."""
    driver = conn.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    if driver.in_transaction:
        driver.rollback()


def is_fatal(error: DBAPIError) -> bool:
    """Whether what is on the disk is unknown after this error, so that nothing may go on."""
    code: int = getattr(error.orig, "sqlite_errorcode", 0)
    if code == _READONLY_DBMOVED or code & 0xFF in (_CORRUPT, _NOTADB):
        return True
    return code & 0xFF == _IOERR and code not in _IOERR_HARMLESS


_MEANINGS = {
    sqlite3.SQLITE_FULL: "the disk is full; nothing was stored; free some space, it then goes on",
    sqlite3.SQLITE_BUSY: "another program holds the database; close it and try again",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; check the directory and its owner",
    sqlite3.SQLITE_READONLY: "the file cannot be written; check its owner and the disk",
    sqlite3.SQLITE_NOTADB: "this is not a database; restore it from a backup or move it away",
    sqlite3.SQLITE_CORRUPT: "the database is damaged; restore it from a backup",
    sqlite3.SQLITE_IOERR: "the disk does not read or write; look at the system log, then restart",
}


def explain(where: str, error: Exception) -> StoreError:
    """Say for a person what a driver's error means."""
    orig = error.orig if isinstance(error, DBAPIError) else error
    code: int = getattr(orig, "sqlite_errorcode", 0)
    name: str = getattr(orig, "sqlite_errorname", type(orig).__name__)
    meaning = _MEANINGS.get(code & 0xFF, str(orig))
    return StoreError(f"{where}: {meaning} ({name})")
