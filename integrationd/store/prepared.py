"""Statements that are compiled once and then given to the driver as they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, CursorResult
from sqlalchemy.sql import ClauseElement

from integrationd.store import database
from integrationd.store.database import Database

Build: TypeAlias = Callable[[Database], ClauseElement]
"""Makes a statement where each kind of database needs one of its own."""
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

    def run_many(self, conn: Connection, rows: Sequence[Row]) -> None:
        """Run it for every row; no rows are no call."""
        if not rows:
            return
        text = self._texts.get(conn.dialect.name) or self._compile(conn)
        given = rows if text.order is None else [text.bind(row) for row in rows]
        conn.exec_driver_sql(text.sql, list(given))

    def _compile(self, conn: Connection) -> _Text:
        statement, dialect = self._statement, conn.dialect
        if not isinstance(statement, ClauseElement):
            statement = statement(database.of(conn))
        compiled: Any = statement.compile(dialect=dialect)
        places: list[str] = list(compiled.positiontup)
        fixed = [place for place in dict.fromkeys(places) if place not in self._names]
        known = [*self._names, *fixed]
        order = tuple(known.index(place) for place in places)
        text = _Text(
            sql=str(compiled),
            order=None if order == tuple(range(len(self._names))) else order,
            constants=tuple(compiled.params[place] for place in fixed),
        )
        self._texts[dialect.name] = text
        return text
