"""Statements that are compiled once and then given to the driver as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, CursorResult, Dialect, Table
from sqlalchemy.sql import ClauseElement

from integrationd.store import database
from integrationd.store.database import Database, Type

Build: TypeAlias = Callable[[Database], ClauseElement]
"""Makes a statement where each kind of database needs one of its own."""
BuildMany: TypeAlias = Callable[[Database, Mapping[str, ColumnElement[Any]]], ClauseElement]
"""Makes one of what stands for the values of each row."""
Row: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Text:
    """The SQL in one dialect, and how a row of values becomes the driver's."""

    sql: str
    order: tuple[int, ...] | None
    """Where each place's value stands in the row and the constants after it; None: as given."""
    constants: Row

    def bind(self, values: Row) -> Row:
        if self.order is None:
            return values
        known = (*values, *self.constants)
        return tuple(known[at] for at in self.order)


class Prepared:
    """One statement with named binds, run with plain tuples.

    SQLAlchemy writes the SQL once for each dialect; running it then costs little more than the
    driver does. Through ``execute`` a row of a page costs two to three times as much.
    """

    def __init__(self, statement: ClauseElement | Build, *names: str) -> None:
        """Keep the statement and the order in which its binds are given."""
        self._statement = statement
        self._names = names
        self._texts: dict[str, _Text] = {}

    def run(self, conn: Connection, *values: object) -> CursorResult[Any]:
        """Run it once; the values in the order of the names."""
        text = self._texts.get(conn.dialect.name) or self._compile(conn)
        return conn.exec_driver_sql(text.sql, text.bind(values))

    def rows(self, conn: Connection, *values: object) -> list[Row]:
        """Run it once and return all rows as the driver's plain tuples, for many rows."""
        result = self.run(conn, *values)
        assert result.cursor is not None
        found: list[Row] = list(result.cursor.fetchall())
        result.close()
        return found

    def _compile(self, conn: Connection) -> _Text:
        statement = self._statement
        if not isinstance(statement, ClauseElement):
            statement = statement(database.of(conn))
        text = _compile(statement, conn.dialect, self._names)
        self._texts[conn.dialect.name] = text
        return text


class PreparedMany:
    """One statement for many rows: SQLite's driver repeats it, PostgreSQL is given arrays."""

    def __init__(self, build: BuildMany, types: Mapping[str, Type]) -> None:
        """Keep what makes the statement, and the values of a row in the order they are given."""
        self._build = build
        self._types = types
        self._texts: dict[str, _Text] = {}

    def run(self, conn: Connection, rows: Sequence[Row]) -> None:
        """Run it for every row; no rows are no call."""
        if not rows:
            return
        db, name = database.of(conn), conn.dialect.name
        text = self._texts.get(name)
        if text is None:
            statement = self._build(db, db.many(self._types))
            text = self._texts[name] = _compile(statement, conn.dialect, tuple(self._types))
        assert not text.constants, "a value that is the same for all rows is given with each"
        given = rows if text.order is None else [text.bind(row) for row in rows]
        db.run_many(conn, text.sql, given)


def insert_many(table: Table, *names: str) -> PreparedMany:
    """Return an INSERT of those columns for many rows."""
    types = {name: table.c[name].type for name in names}
    return PreparedMany(lambda db, row: db.insert_many(table, row), types)


def _compile(statement: ClauseElement, dialect: Dialect, names: Sequence[str]) -> _Text:
    """Write the SQL in a dialect; what is not named is a constant of the statement."""
    compiled: Any = statement.compile(dialect=dialect)
    places: list[str] = list(compiled.positiontup)
    fixed = [place for place in dict.fromkeys(places) if place not in names]
    known = [*names, *fixed]
    order = tuple(known.index(place) for place in places)
    return _Text(
        sql=str(compiled),
        order=None if order == tuple(range(len(names))) else order,
        constants=tuple(compiled.params[place] for place in fixed),
    )
