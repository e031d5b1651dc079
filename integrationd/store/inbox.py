"""Inbound calls: stored once, counted when they come again."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, insert, select, update

from integrationd.model.events import NewEvent
from integrationd.ports.store import Accepted
from integrationd.store.prepared import Prepared
from integrationd.store.tables import endpoints, events
from integrationd.store.values import encode_json, to_ms

STORED = "stored"

_KEY = ("tenant", "integration", "endpoint", "dedup")
_FIND = Prepared(
    select(events.c.no, events.c.id).where(*(events.c[name] == bindparam(name) for name in _KEY)),
    *_KEY,
)
_AGAIN = Prepared(
    update(events)
    .where(events.c.no == bindparam("event_no"))
    .values(duplicates=events.c.duplicates + 1),
    "event_no",
)
_EVENT = (*_KEY, "id", "event", "status", "received_at", "duplicates", "headers", "body")
_ADD = Prepared(insert(events).values({name: bindparam(name) for name in _EVENT}), *_EVENT)


def accept(conn: Connection, event: NewEvent) -> Accepted:
    """Store the event, or count it as a duplicate of the one that came first."""
    key = (event.tenant, event.integration, event.endpoint, event.dedup)
    known = _FIND.run(conn, *key).one_or_none()
    if known is not None:
        _AGAIN.run(conn, known.no)
        return Accepted(known.id, duplicate=True)
    headers = encode_json(dict(event.headers)).decode()
    at = to_ms(event.received_at)
    _ADD.run(conn, *key, event.id, event.event, STORED, at, 0, headers, event.body)
    return Accepted(event.id, duplicate=False)


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
    found = find_path(conn, tenant, place)
    if found is None:
        row = {"tenant": tenant, "integration": integration, "endpoint": endpoint, "path": fresh}
        conn.execute(insert(endpoints).values(row))
    return found or fresh
