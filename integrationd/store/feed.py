"""The feed of changes: each change of a record takes the tenant's next place in it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, update

from integrationd.store import database
from integrationd.store.prepared import Prepared
from integrationd.store.tables import counters

_SEQ = select(counters.c.value).where(
    counters.c.tenant == bindparam("tenant"), counters.c.name == "seq"
)
_LAST_SEQ = Prepared(_SEQ, "tenant")
_HOLD_SEQ = Prepared(_SEQ.with_for_update(), "tenant")
_SET_SEQ = Prepared(
    update(counters)
    .where(counters.c.tenant == bindparam("tenant_is"), counters.c.name == "seq")
    .values(value=bindparam("new_value")),
    "new_value",
    "tenant_is",
)


@dataclass(slots=True)
class Change:
    """Who changes records, and when; begun by :func:`begin_change`."""

    conn: Connection
    tenant: str
    integration: str
    run: int
    at: int
    last: int
    """The last place in the tenant's feed that is taken."""


def begin_change(conn: Connection, tenant: str, integration: str, run: int, at: int) -> Change:
    """Begin to change records of a tenant.

    Until this transaction ends nobody else can: what is compared here stays as it is, and the feed
    shows changes in the order of their places.
    """
    last: int | None = _HOLD_SEQ.run(conn, tenant).scalar_one_or_none()
    if last is None:
        first = database.of(conn).insert(counters).values(tenant=tenant, name="seq", value=0)
        conn.execute(first.on_conflict_do_nothing())
        last = _HOLD_SEQ.run(conn, tenant).scalar_one()
    return Change(conn, tenant, integration, run, at, last)


def take_seqs(change: Change, count: int) -> int:
    """Reserve that many places in the tenant's feed; return the first."""
    first = change.last + 1
    if count:
        change.last += count
        _SET_SEQ.run(change.conn, change.last, change.tenant)
    return first


def last_seq(conn: Connection, tenant: str) -> int:
    """Return the last place in the tenant's feed; 0 before the first change."""
    found: int | None = _LAST_SEQ.run(conn, tenant).scalar_one_or_none()
    return found or 0
