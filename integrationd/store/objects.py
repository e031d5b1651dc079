"""Objects that lists discover: a row for each, which is never removed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Row, and_, select, update

from integrationd.model.objects import Found
from integrationd.store import database
from integrationd.store.tables import objects
from integrationd.store.values import from_text, to_text


def read(conn: Connection, tenant: str, integration: str) -> list[Found]:
    """Return all of an integration, in the order in which they were found."""
    return [
        Found(
            of=row.list,
            key=row.key,
            stream=row.stream,
            data=from_text(row.data),
            listed=row.listed,
        )
        for row in _rows(conn, tenant, integration)
    ]


def keep(conn: Connection, tenant: str, integration: str, found: Sequence[Found]) -> None:
    """Note what was found; see :meth:`integrationd.ports.objects.ObjectStore.keep_objects`."""
    rows = {(row.list, row.key): row for row in _rows(conn, tenant, integration)}
    fresh = []
    for one in found:
        facts = {"data": to_text(one.data), "listed": one.listed}
        row = rows.get((one.of, one.key))
        if row is None:
            place = {"tenant": tenant, "integration": integration}
            name = {"list": one.of, "key": one.key, "stream": one.stream}
            fresh.append({**place, **name, **facts})
        elif (row.data, row.listed) != (facts["data"], facts["listed"]):
            conn.execute(update(objects).where(objects.c.no == row.no).values(**facts))
    for values in fresh:
        # Another process may have given away the name, or found the same, a moment ago.
        put = database.of(conn).insert(objects).values(**values).on_conflict_do_nothing()
        conn.execute(put)


def _rows(conn: Connection, tenant: str, integration: str) -> Sequence[Row[tuple[object, ...]]]:
    here = and_(objects.c.tenant == tenant, objects.c.integration == integration)
    return conn.execute(select(objects).where(here).order_by(objects.c.no)).all()
