"""Making views and dropping them: only our own, and only where something is different.

``meta`` keeps what each view that we made was made of, under ``view.NAME``. So a view that is as it
should be costs a look-up, and what somebody else made is never touched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from sqlalchemy import Connection, Dialect, delete, func, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateView

from integrationd import __version__
from integrationd.ports.views import EntityShape, ViewsLaid
from integrationd.store.readers import Readers
from integrationd.store.tables import meta
from integrationd.store.viewnames import NamedView, name_views
from integrationd.store.viewselects import select_view
from integrationd.store.writer import Writer

_KEPT: Final = "view."
_LOCK: Final = 0x696E7476
"""On PostgreSQL, of those who make views: "intv"."""
_LOCK_MAX: Final = "2s"
"""To wait on PostgreSQL for somebody who reads a view; the next load tries again."""


@dataclass(slots=True)
class _Work:
    """What is to be done, worked out beside the writer."""

    drop: list[str] = field(default_factory=list)
    make: dict[str, tuple[str, str]] = field(default_factory=dict)
    """What it is made of and its statement, by name."""
    remarks: list[str] = field(default_factory=list)


async def lay(readers: Readers, writer: Writer, shapes: Sequence[EntityShape]) -> ViewsLaid:
    """Lay views; see :meth:`integrationd.ports.views.ViewStore.lay_views`."""
    work = await readers.read(partial(_look, shapes=shapes))
    if not work.drop and not work.make:
        return ViewsLaid(remarks=tuple(work.remarks))
    return await writer.run(partial(_do, work=work))


def drop_all(conn: Connection) -> None:
    """Drop every view that we made: tables are about to change under them."""
    there = set(inspect(conn).get_view_names())
    for name in _read_kept(conn):
        if name in there:
            _drop(conn, name)
        _forget(conn, name)


def _look(conn: Connection, *, shapes: Sequence[EntityShape]) -> _Work:
    kept, inspector = _read_kept(conn), inspect(conn)
    views, remarks = name_views(shapes)
    there, tables = set(inspector.get_view_names()), set(inspector.get_table_names())
    wanted = {view.name: _describe(view, conn.dialect) for view in views}
    work = _Work(remarks=remarks)
    work.drop += [name for name, made_of in kept.items() if wanted.get(name) != made_of]
    for view in views:
        name, made_of = view.name, wanted[view.name]
        if name in tables or (name in there and name not in kept):
            remarks.append(
                f"no view {name} for entity {view.entity!r}: something else has that name; "
                "rename it to have the view"
            )
        elif name not in there or kept[name] != made_of:
            statement = CreateView(select_view(view, conn.dialect), name)
            work.make[name] = (made_of, str(statement.compile(dialect=conn.dialect)))
    return work


def _describe(view: NamedView, dialect: Dialect) -> str:
    """Return what is equal for equal views of one version of this program."""
    columns = None if view.columns is None else list(view.columns.items())
    facts = json.dumps([dialect.name, view.entity, columns])
    return f"{__version__} {hashlib.blake2b(facts.encode(), digest_size=12).hexdigest()}"


def _do(conn: Connection, *, work: _Work) -> ViewsLaid:
    if conn.dialect.name == "postgresql":
        conn.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_MAX}'"))
        conn.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    there = set(inspect(conn).get_view_names())
    made, dropped, remarks = list[str](), list[str](), list(work.remarks)
    for name in sorted({*work.drop, *work.make}):
        new = work.make.get(name)
        try:
            with conn.begin_nested():
                if name in there:
                    _drop(conn, name)
                _forget(conn, name)
                if new is not None:
                    _make(conn, name, *new)
        except DBAPIError as error:
            if not _is_its_own(error):
                raise
            said = str(error.orig).partition("\n")[0]
            remarks.append(f"view {name} stays as it is: {said}")
        else:
            (dropped if new is None else made).append(name)
    return ViewsLaid(made=tuple(made), dropped=tuple(dropped), remarks=tuple(remarks))


def _is_its_own(error: DBAPIError) -> bool:
    """Whether a statement failed by what it asks, not by the state that the database is in.

    Source:
        SQLite, "Result and Error Codes" (SQLITE_ERROR); PostgreSQL, appendix "Error Codes":
        dependent objects, access rules, an object that is in use.
    """
    if isinstance(code := getattr(error.orig, "sqlite_errorcode", None), int):
        return code & 0xFF == _SQLITE_ERROR
    return (getattr(error.orig, "sqlstate", None) or "")[:2] in ("2B", "42", "55")


_SQLITE_ERROR: Final = 1


def _make(conn: Connection, name: str, made_of: str, statement: str) -> None:
    conn.exec_driver_sql(statement)
    conn.execute(insert(meta).values(name=f"{_KEPT}{name}", value=made_of))


def _drop(conn: Connection, name: str) -> None:
    conn.exec_driver_sql(f"DROP VIEW {conn.dialect.identifier_preparer.quote_identifier(name)}")


def _forget(conn: Connection, name: str) -> None:
    conn.execute(delete(meta).where(meta.c.name == f"{_KEPT}{name}"))


def _read_kept(conn: Connection) -> Mapping[str, str]:
    """Return what each of our views was made of, by name."""
    rows = conn.execute(select(meta.c.name, meta.c.value).where(meta.c.name.startswith(_KEPT)))
    return {row.name.removeprefix(_KEPT): row.value for row in rows}
