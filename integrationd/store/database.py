"""What each kind of database does in its own way; SQLite and PostgreSQL implement it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeAlias, cast

from sqlalchemy import ColumnElement, Connection, Engine, Select, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from integrationd.errors import StoreError

Columns: TypeAlias = Sequence[ColumnElement[Any]]
Type: TypeAlias = TypeEngine[Any]

_OPTION = "integrationd_database"


class Database(Protocol):
    """One database, not yet opened."""

    @property
    def where(self) -> str:
        """What it is called in messages; never with a password."""
        ...

    @property
    def reads_beside(self) -> bool:
        """Whether it can be read on other connections than the writer's."""
        ...

    @property
    def has_other_writers(self) -> bool:
        """Whether other processes write as well, so that no transaction may be held for long."""
        ...

    def open_writing(self) -> Engine:
        """Open the engine of this process's one writer, and make what can be made beforehand.

        Raises:
            StoreError: It cannot be opened.
        """
        ...

    def open_reading(self, size: int) -> Engine:
        """Open an engine of ``size`` connections that cannot write.

        Raises:
            StoreError: There is none.
        """
        ...

    def explain(self, error: Exception) -> StoreError:
        """Say for a person what a driver's error means."""
        ...

    def is_fatal(self, error: DBAPIError) -> bool:
        """Whether what is on the disk is unknown after this error, so that nothing may go on."""
        ...

    def is_passing(self, error: DBAPIError) -> bool:
        """Whether another process was in the way, so that the same works when done again."""
        ...

    def clean_up(self, conn: Connection) -> None:
        """End the transaction that a refused COMMIT may leave open.

        Raises:
            StoreError: That failed, and nothing may go on.
        """
        ...

    def keep_others_out(self, conn: Connection) -> None:
        """Let no other process make or change tables until this transaction ends."""
        ...

    def free_pages(self, conn: Connection, pages_max: int) -> int:
        """Give unused pages back to the disk, at most so many; return how many it were."""
        ...

    def count_others(self, conn: Connection) -> int:
        """Count the connections of other processes of this program."""
        ...

    def read_clock(self, conn: Connection, given: datetime) -> datetime:
        """Return the time that claims go by: of one clock for all processes that write."""
        ...

    def take_numbers(self, conn: Connection, count: int) -> Sequence[int]:
        """Take that many numbers for new records; nobody else gets them."""
        ...

    def insert(self, table: Table) -> Any:  # noqa: ANN401 - each dialect has a class of its own
        """Return an INSERT that knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
        ...

    def look_up(
        self, columns: Columns, same: Sequence[ColumnElement[bool]], key: ColumnElement[str]
    ) -> Select[Any]:
        """Return a query for the rows whose key is among the texts of the bind ``texts``.

        Args:
            columns: What is wanted of them.
            same: What all of them have in common.
            key: Unique among those that have this in common.
        """
        ...

    def bind_texts(self, texts: Sequence[str]) -> object:
        """Return what stands for ``texts`` in :meth:`look_up`."""
        ...

    def is_listable(self, text: str) -> bool:
        """Whether :meth:`bind_texts` can carry the text."""
        ...

    def many(self, types: Mapping[str, Type]) -> Mapping[str, ColumnElement[Any]]:
        """Return what stands in a statement for the values of each of many rows, by name."""
        ...

    def insert_many(self, table: Table, row: Mapping[str, ColumnElement[Any]]) -> Any:  # noqa: ANN401
        """Return an INSERT of many rows, as :meth:`many` gave them; else as :meth:`insert`."""
        ...

    def run_many(self, conn: Connection, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement for many rows, each with its values in the order of their places."""
        ...


def of(conn: Connection) -> Database:
    """Return the database that a connection belongs to."""
    return cast("Database", conn.get_execution_options()[_OPTION])


def options(database: Database) -> dict[str, Any]:
    """Return the execution options of an engine, by which :func:`of` finds its database."""
    return {_OPTION: database}
