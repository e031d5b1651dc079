"""PostgreSQL through psycopg: opening, limits of time, lists in a statement, errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Select,
    Table,
    TableValuedAlias,
    Text,
    bindparam,
    column,
    create_engine,
    func,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from integrationd.errors import StoreError
from integrationd.model.secret import Secret
from integrationd.store import database
from integrationd.store.database import Columns, Type
from integrationd.store.pgtext import BinaryTextDumper, TextDumper, TextLoader

VERSION_MIN = 13
"""Older ones are not maintained any more."""

STATEMENT_MAX_S = 60
LOCK_MAX_S = 20
"""To wait for a lock: longer than anybody may hold one while doing nothing."""
IDLE_MAX_S = 10
"""To do nothing within a transaction: the server ends a process's session that was stopped there,
and its locks are free."""

_LIMITS = {
    "statement_timeout": STATEMENT_MAX_S,
    "lock_timeout": LOCK_MAX_S,
    "idle_in_transaction_session_timeout": IDLE_MAX_S,
}
_DEFAULTS: dict[str, Any] = {
    "application_name": "integrationd",
    "connect_timeout": 10,
    # A server that vanished without a word is noticed after a minute at most.
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""What libpq is told where the URL says nothing else."""

_TABLES_LOCK = 0x696E7464
"""Of those who make or change tables: "intd"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A database on a server, which several daemons may use."""

    url: str = field(repr=False)
    """As libpq takes it."""
    password: Secret | None = None
    """Where libpq does not find one by itself."""
    by_given_time: bool = False
    """Claims go by the callers' time and not by the server's clock."""

    @property
    def where(self) -> str:
        """Return the URL without options and password."""
        parts = urlsplit(self.url)
        user, at, place = parts.netloc.rpartition("@")
        return f"postgresql://{user.partition(':')[0]}{at}{place}{parts.path}"

    @property
    def reads_beside(self) -> bool:
        """Tell that every reader has a connection of its own."""
        return True

    @property
    def has_other_writers(self) -> bool:
        """Tell that other daemons may be there."""
        return True

    def open_writing(self) -> Engine:
        """Open the engine of this process's one writer."""
        level = psycopg.IsolationLevel.READ_COMMITTED
        return self._engine(1, level, {"target_session_attrs": "read-write"})

    def open_reading(self, size: int) -> Engine:
        """Open an engine of ``size`` connections that cannot write."""
        return self._engine(size, psycopg.IsolationLevel.REPEATABLE_READ, {})

    def _engine(self, size: int, level: psycopg.IsolationLevel, options: dict[str, Any]) -> Engine:
        reads = level is psycopg.IsolationLevel.REPEATABLE_READ
        try:
            given = conninfo_to_dict(self.url)
        except psycopg.Error as error:
            raise StoreError(f"{self.where}: this URL cannot be read: {_line(error)}") from None
        wanted = _DEFAULTS | options | given | {"client_encoding": "UTF8"}
        if self.password is not None:
            wanted["password"] = self.password.reveal()

        def connect() -> psycopg.Connection[Any]:
            conn = psycopg.connect(**wanted, autocommit=True)
            try:
                self._greet(conn)
                conn.isolation_level, conn.read_only = level, reads
                conn.autocommit = False
            except BaseException:
                conn.close()
                raise
            return conn

        return create_engine(
            "postgresql+psycopg://",
            creator=connect,
            paramstyle="format",
            poolclass=QueuePool,
            pool_size=size,
            max_overflow=0,
            # The writer's is held for good; what it loses on the way it does again by itself.
            pool_pre_ping=reads,
            execution_options=database.options(self),
        )

    def _greet(self, conn: psycopg.Connection[Any]) -> None:
        """Refuse a server that cannot be used, and tell it this session's limits."""
        version = conn.info.server_version // 10_000
        if version < VERSION_MIN:
            wanted = f"{VERSION_MIN} or newer is needed"
            raise StoreError(f"{self.where}: PostgreSQL {version} is too old, {wanted}")
        encoding = conn.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            advice = "make another one with: createdb --encoding=UTF8 --template=template0"
            raise StoreError(f"{self.where}: the database is in {encoding}, not UTF8; {advice}")
        conn.adapters.register_dumper(str, BinaryTextDumper)
        conn.adapters.register_dumper(str, TextDumper)
        conn.adapters.register_loader("text", TextLoader)
        for name, seconds in _LIMITS.items():
            conn.execute("select set_config(%s, %s, false)", (name, f"{seconds}s"))
        # A server that acknowledges before it has written would break our own word.
        conn.execute(
            "select set_config(name, 'on', false) from pg_settings"
            " where name = 'synchronous_commit' and setting = 'off'"
        )

    def explain(self, error: Exception) -> StoreError:
        """Say for a person what a driver's error means."""
        orig = error.orig if isinstance(error, DBAPIError) else error
        said = _line(orig)
        if self.password is not None:
            said = said.replace(self.password.reveal(), "***")
        state: str = getattr(orig, "sqlstate", None) or ""
        if isinstance(orig, psycopg.OperationalError) and not state:
            said = said.removeprefix("connection failed: ").removeprefix("connection is bad: ")
            return StoreError(f"{self.where}: no connection: {said}")
        meaning = _MEANINGS.get(state) or _MEANINGS.get(state[:2])
        name = state or type(orig).__name__
        return StoreError(f"{self.where}: {f'{meaning}: {said}' if meaning else said} ({name})")

    def is_fatal(self, error: DBAPIError) -> bool:  # noqa: ARG002 - whatever it is
        """Tell that a server is never given up: what is wrong with it is put right there."""
        return False

    def is_passing(self, error: DBAPIError) -> bool:
        """Whether another process was in the way: a deadlock, or the same row added twice."""
        return getattr(error.orig, "sqlstate", None) in _PASSING

    def clean_up(self, conn: Connection) -> None:
        """Do nothing: a refused COMMIT leaves no transaction."""

    def keep_others_out(self, conn: Connection) -> None:
        """Let no other daemon make or change tables until this transaction ends."""
        conn.execute(select(func.pg_advisory_xact_lock(_TABLES_LOCK)))

    def free_pages(self, conn: Connection, pages_max: int) -> int:  # noqa: ARG002 - never
        """Do nothing: autovacuum does it."""
        return 0

    def count_others(self, conn: Connection) -> int:
        """Count this program's other sessions in the same database, by the name that it gives."""
        count: int = conn.execute(_COUNT_OTHERS).scalar_one()
        return count

    def read_clock(self, conn: Connection, given: datetime) -> datetime:
        """Return the server's time: the machines' clocks need not agree."""
        if self.by_given_time:
            return given
        now: datetime = conn.execute(select(func.clock_timestamp())).scalar_one()
        return now

    def take_numbers(self, conn: Connection, count: int) -> Sequence[int]:
        """Take the sequence's next numbers; others may lie in between."""
        return list(conn.execute(_TAKE_NUMBERS, {"count": count}).scalars())

    def insert(self, table: Table) -> Any:  # noqa: ANN401 - each dialect has a class of its own
        """Return PostgreSQL's INSERT."""
        return insert(table)

    def look_up(
        self, columns: Columns, same: Sequence[ColumnElement[bool]], key: ColumnElement[str]
    ) -> Select[Any]:
        """Return a query that looks each text of an array up by itself.

        By ``IN`` or ``ANY`` a table that was never analyzed is read by all that its rows have in
        common, for every text anew: a page of a first load takes seconds then.
        """
        each = _each({"texts": Text()}).c.texts
        found = select(*columns).where(*same, key == each).limit(_ONE).lateral("found")
        return select(*found.c).select_from(each.table.join(found, true()))

    def bind_texts(self, texts: Sequence[str]) -> object:
        """Return what :meth:`look_up` takes."""
        return list(texts)

    def is_listable(self, text: str) -> bool:  # noqa: ARG002 - all are
        """Tell that an array carries every text."""
        return True

    def many(self, types: Mapping[str, Type]) -> Mapping[str, ColumnElement[Any]]:
        """Return the columns of arrays side by side: all rows go in one statement."""
        return dict(_each(types).c.items())

    def insert_many(self, table: Table, row: Mapping[str, ColumnElement[Any]]) -> Any:  # noqa: ANN401
        """Return an INSERT of all rows at once."""
        return insert(table).from_select(list(row), select(*row.values()))

    def run_many(self, conn: Connection, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run it once, with an array for each place; in binary form, at a fifth of the cost."""
        conn.exec_driver_sql(sql.replace("%s", "%b"), tuple(map(list, zip(*rows, strict=True))))


def _each(types: Mapping[str, Type]) -> TableValuedAlias:
    """Return arrays side by side as a table; each is a bind of its column's name."""
    arrays = [bindparam(name, type_=ARRAY(kind)) for name, kind in types.items()]
    columns = [column(name, kind) for name, kind in types.items()]
    return func.unnest(*arrays).table_valued(*columns, name="each_row").render_derived()


_ONE: ColumnElement[int] = literal_column("1")
"""Written out: by a bind the planner could not know how few rows there will be."""

_COUNT_OTHERS = text(
    "select count(*) from pg_stat_activity where datname = current_database() "
    "and pid <> pg_backend_pid() and application_name = current_setting('application_name')"
)
_TAKE_NUMBERS = text("select nextval('records_no_seq') from generate_series(1, :count)")

_PASSING = frozenset({"40001", "40P01", "23505"})
# By class or whole code of PostgreSQL's appendix "Error Codes".
_MEANINGS = {
    "08": "the connection was lost",
    "53100": "the server's disk is full; nothing was stored; free some space, it then goes on",
    "53": "the server has too little of something",
    "55P03": "another process holds what this needs for too long",
    "57014": "this took too long",
    "57": "the server ended the connection",
    "42501": "the role may not do this; grant it what it needs, or make it the schema's owner",
    "25006": "this cannot be written; the server is a standby, or it is opened for reading",
}


def _line(error: object) -> str:
    """Return what was said, without the advice for programmers that follows it."""
    return " ".join(str(error).split("\nLINE ")[0].split())
