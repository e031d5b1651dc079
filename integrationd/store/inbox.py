"""Inbound calls: stored once, counted when they come again."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.sql import ClauseElement

from integrationd.model.events import NewEvent
from integrationd.ports.store import Accepted
from integrationd.store import database
from integrationd.store.database import Database
from integrationd.store.prepared import Prepared
from integrationd.store.tables import endpoints, events
from integrationd.store.values import encode_json, to_ms

STORED = "stored"

_KEY = ("tenant", "integration", "endpoint", "dedup")
_SAME = tuple(events.c[name] == bindparam(f"{name}_is") for name in _KEY)
_NAMES = tuple(f"{name}_is" for name in _KEY)
_FIND = Prepared(select(events.c.id).where(*_SAME), *_NAMES)
_AGAIN = Prepared(update(events).where(*_SAME).values(duplicates=events.c.duplicates + 1), *_NAMES)
_EVENT = (*_KEY, "id", "event", "status", "received_at", "duplicates", "headers", "body")


def _build_add(db: Database) -> ClauseElement:
    row: dict[str, Any] = {name: bindparam(name) for name in _EVENT}
    add: ClauseElement = db.insert(events).values(row).inline().on_conflict_do_nothing()
    return add


_ADD = Prepared(_build_add, *_EVENT)


def accept(conn: Connection, event: NewEvent) -> Accepted:
    """Store the event, or count it as a duplicate of the one that came first.

    Added first and looked for later: what another process adds in between is no failure then.
    """
    key = (event.tenant, event.integration, event.endpoint, event.dedup)
    headers = encode_json(dict(event.headers)).decode()
    at = to_ms(event.received_at)
    row = (*key, event.id, event.event, STORED, at, 0, headers, event.body)
    if _ADD.run(conn, *row).rowcount:
        return Accepted(event.id, duplicate=False)
    _AGAIN.run(conn, *key)
    return Accepted(_FIND.run(conn, *key).scalar_one(), duplicate=True)


def find_path(conn: Connection, tenant: str, place: tuple[str, str]) -> str | None:
    """Return the path token of (integration, endpoint), or None before it has one."""
    integration, endpoint = place
    found: str | None = conn.execute(
        select(endpoints.c.path).where(
            endpoints.c.tenant == tenant,
            endpoints.c.integration == integration,
            endpoints.c.endpoint == endpoint,
        )
    ).scalar_one_or_none()
    return found


def keep_path(conn: Connection, tenant: str, place: tuple[str, str], fresh: str) -> str:
    """Return the path token of (integration, endpoint), which is ``fresh`` from now on if new."""
    integration, endpoint = place
    row = {"tenant": tenant, "integration": integration, "endpoint": endpoint, "path": fresh}
    conn.execute(database.of(conn).insert(endpoints).values(row).on_conflict_do_nothing())
    return find_path(conn, tenant, place) or fresh
