"""SQLite: opening, pragmas, lists in a statement, errors, freeing pages."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    Table,
    bindparam,
    create_engine,
    event,
    func,
    select,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool, StaticPool

from integrationd.errors import NothingStoredError, StoreError
from integrationd.store import database, values
from integrationd.store.database import Columns, Type
from integrationd.store.tables import records

VERSION_MIN = (3, 34)
"""Rocky 9's; nothing newer (RETURNING, STRICT) is used."""

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


@dataclass(frozen=True, slots=True)
class Sqlite:
    """A file, or a database in memory where the path is None."""

    path: Path | None

    @property
    def where(self) -> str:
        """Return the file's path."""
        return "the database in memory" if self.path is None else str(self.path)

    @property
    def reads_beside(self) -> bool:
        """Tell whether there is a file; a database in memory has one connection."""
        return self.path is not None

    @property
    def has_other_writers(self) -> bool:
        """Tell that there is one writing process, which holds the state directory's lock."""
        return False

    def open_writing(self) -> Engine:
        """Open the engine of the one writer, with a file that nobody else may read."""
        _check_version()
        if self.path is None:
            return self._engine(":memory:", _PRAGMAS, begin="IMMEDIATE", size=1)
        _make_file(self.path)
        return self._engine(str(self.path), _PRAGMAS, begin="IMMEDIATE", size=1)

    def open_reading(self, size: int) -> Engine:
        """Open an engine of ``size`` connections that cannot write."""
        _check_version()
        assert self.path is not None
        if not self.path.exists():
            advice = "start the daemon or run: integrationd sync"
            raise NothingStoredError(f"no database at {self.path}; {advice}")
        name = f"file:{quote(str(self.path))}?mode=ro"
        return self._engine(name, _PRAGMAS_READING, begin="DEFERRED", size=size)

    def _engine(
        self,
        name: str,
        pragmas: Sequence[str],
        *,
        begin: Literal["IMMEDIATE", "DEFERRED"],
        size: int,
    ) -> Engine:
        def connect() -> sqlite3.Connection:
            return _connect(name, pragmas, uri=begin == "DEFERRED")

        pool: dict[str, Any] = {"poolclass": QueuePool, "pool_size": size, "max_overflow": 0}
        if self.path is None:
            pool = {"poolclass": StaticPool}
        engine = create_engine(
            "sqlite://", creator=connect, execution_options=database.options(self), **pool
        )

        # A transaction that reads first and writes later fails at once when another has written in
        # between; so a writer says what it is when it begins.
        @event.listens_for(engine, "begin")
        def begin_ourselves(conn: Connection) -> None:
            conn.exec_driver_sql(f"BEGIN {begin}")

        return engine

    def explain(self, error: Exception) -> StoreError:
        """Say for a person what a driver's error means."""
        orig = error.orig if isinstance(error, DBAPIError) else error
        code: int = getattr(orig, "sqlite_errorcode", 0)
        name: str = getattr(orig, "sqlite_errorname", type(orig).__name__)
        meaning = _MEANINGS.get(code & 0xFF, str(orig))
        return StoreError(f"{self.where}: {meaning} ({name})")

    def is_fatal(self, error: DBAPIError) -> bool:
        """Whether what is on the disk is unknown after this error, so that nothing may go on."""
        code: int = getattr(error.orig, "sqlite_errorcode", 0)
        if code == _READONLY_DBMOVED or code & 0xFF in (_CORRUPT, _NOTADB):
            return True
        return code & 0xFF == _IOERR and code not in _IOERR_HARMLESS

    def is_passing(self, error: DBAPIError) -> bool:  # noqa: ARG002 - there is one writer
        """Tell that nobody else is ever in the way."""
        return False

    def clean_up(self, conn: Connection) -> None:
        """End the transaction that a refused COMMIT leaves open; SQLAlchemy counts it as over."""
        driver = conn.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        try:
            if driver.in_transaction:
                driver.rollback()
        except sqlite3.Error as error:
            raise self.explain(error) from error

    def keep_others_out(self, conn: Connection) -> None:
        """Do nothing: a transaction that writes is alone from its beginning."""

    def free_pages(self, conn: Connection, pages_max: int) -> int:
        """Give unused pages back to the disk, at most so many; return how many it were.

        Each call of the pragma frees one page, whatever number it is given: the driver takes one
        step.
        """
        free = conn.exec_driver_sql("PRAGMA freelist_count").scalar_one()
        count = min(int(free), pages_max)
        for _ in range(count):
            conn.exec_driver_sql("PRAGMA incremental_vacuum(1)")
        return count

    def count_others(self, conn: Connection) -> int:  # noqa: ARG002 - the lock says it
        """Tell that there are none: whoever writes holds the state directory's lock."""
        return 0

    def read_clock(self, conn: Connection, given: datetime) -> datetime:  # noqa: ARG002 - its own
        """Return what was given: all that write are on one machine."""
        return given

    def take_numbers(self, conn: Connection, count: int) -> Sequence[int]:
        """Take the next numbers; nobody else writes until they are used."""
        last: int = conn.execute(_LAST_NO).scalar_one()
        return range(last + 1, last + 1 + count)

    def insert(self, table: Table) -> Any:  # noqa: ANN401 - each dialect has a class of its own
        """Return SQLite's INSERT."""
        return insert(table)

    def look_up(
        self, columns: Columns, same: Sequence[ColumnElement[bool]], key: ColumnElement[str]
    ) -> Select[Any]:
        """Return a query whose texts are a JSON list."""
        each = func.json_each(bindparam("texts")).table_valued("value")
        return select(*columns).where(*same, key.in_(select(each.c.value)))

    def bind_texts(self, texts: Sequence[str]) -> object:
        """Return what :meth:`look_up` takes."""
        return values.encode_json(texts).decode()

    def is_listable(self, text: str) -> bool:
        """Whether :meth:`bind_texts` can carry the text: SQLite's JSON ends a text at a NUL."""
        return "\0" not in text

    def many(self, types: Mapping[str, Type]) -> Mapping[str, ColumnElement[Any]]:
        """Return plain binds: the driver repeats the statement for each row."""
        return {name: bindparam(name, type_=kind) for name, kind in types.items()}

    def insert_many(self, table: Table, row: Mapping[str, ColumnElement[Any]]) -> Any:  # noqa: ANN401
        """Return an INSERT of one row, which the driver repeats."""
        return insert(table).values(dict(row))

    def run_many(self, conn: Connection, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run it for every row."""
        conn.exec_driver_sql(sql, list(rows))


_LAST_NO = select(func.coalesce(func.max(records.c.no), 0))


def _check_version() -> None:
    if sqlite3.sqlite_version_info < VERSION_MIN:
        wanted = ".".join(map(str, VERSION_MIN))
        found = sqlite3.sqlite_version
        raise StoreError(f"SQLite {found} is too old, {wanted} or newer is needed; update Python")


def _make_file(path: Path) -> None:
    if not path.parent.is_dir():
        message = f"{path}: the directory {path.parent} does not exist; create it or name another"
        raise StoreError(message)
    try:
        # Made here, as SQLite would let everybody read what is in it.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        message = f"{path}: the file cannot be opened for writing ({error.strerror})"
        raise StoreError(f"{message}; check its owner and the disk") from error


def _connect(name: str, pragmas: Sequence[str], *, uri: bool) -> sqlite3.Connection:
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


_MEANINGS = {
    sqlite3.SQLITE_FULL: "the disk is full; nothing was stored; free some space, it then goes on",
    sqlite3.SQLITE_BUSY: "another program holds the database; close it and try again",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened; check the directory and its owner",
    sqlite3.SQLITE_READONLY: "the file cannot be written; check its owner and the disk",
    sqlite3.SQLITE_NOTADB: "this is not a database; restore it from a backup or move it away",
    sqlite3.SQLITE_CORRUPT: "the database is damaged; restore it from a backup",
    sqlite3.SQLITE_IOERR: "the disk does not read or write; look at the system log, then restart",
}
