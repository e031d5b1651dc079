"""Claims as transactions: one holder at a time, and a fence that only ever grows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, select, update
from sqlalchemy.sql import ColumnElement

from integrationd.errors import LeaseLostError
from integrationd.ports.store import Lease
from integrationd.store import database
from integrationd.store.prepared import Prepared
from integrationd.store.tables import claims
from integrationd.store.values import to_ms

_FREE = ""

_HOLDER = select(claims.c.holder, claims.c.fence).where(
    claims.c.tenant == bindparam("tenant"),
    claims.c.kind == bindparam("kind"),
    claims.c.key == bindparam("key"),
)
_LOOK = Prepared(_HOLDER, "tenant", "kind", "key")
_HOLD = Prepared(_HOLDER.with_for_update(), "tenant", "kind", "key")


def check(conn: Connection, tenant: str, lease: Lease) -> None:
    """Raise LeaseLostError unless the lease is the one that stands, which it then does to the end.

    One that has run out but that nobody took is still good: its fence says that nobody wrote since.
    Nobody can take it before this transaction has ended.
    """
    _compare(_HOLD.run(conn, tenant, lease.kind, lease.key).one_or_none(), lease)


def look(conn: Connection, tenant: str, lease: Lease) -> None:
    """Raise LeaseLostError unless the lease is the one that stands now; for readers."""
    _compare(_LOOK.run(conn, tenant, lease.kind, lease.key).one_or_none(), lease)


def _compare(row: Row[Any] | None, lease: Lease) -> None:
    if row is None or (row.holder, row.fence) != (lease.holder, lease.fence):
        raise _lost(lease)


def claim(
    conn: Connection, tenant: str, wanted: Lease, now: datetime, ttl: timedelta
) -> Lease | None:
    """Take the claim under the next fence, or return None while somebody holds it.

    Args:
        conn: In the writer's transaction.
        tenant: Whose.
        wanted: As it shall be; its fence and its end are not looked at.
        now: For whether the present one has run out, where the database has no clock of its own.
        ttl: For how long.
    """
    db, here = database.of(conn), _is(tenant, wanted)
    key = {"tenant": tenant, "kind": wanted.kind, "key": wanted.key}
    first = db.insert(claims).values(**key, holder=_FREE, fence=0, expires_at=0)
    conn.execute(first.on_conflict_do_nothing())
    # A row that is locked belongs to somebody who writes under it or takes it in this moment.
    row = conn.execute(select(claims).where(here).with_for_update(skip_locked=True)).one_or_none()
    now = db.read_clock(conn, now)
    if row is None or (row.holder != _FREE and row.expires_at > to_ms(now)):
        return None
    until, fence = now + ttl, row.fence + 1
    taken = {"holder": wanted.holder, "expires_at": to_ms(until), "fence": fence}
    conn.execute(update(claims).where(here).values(taken))
    return replace(wanted, fence=fence, expires_at=until)


def renew(conn: Connection, tenant: str, lease: Lease, now: datetime, ttl: timedelta) -> Lease:
    """Move the claim's end, or raise LeaseLostError."""
    until = database.of(conn).read_clock(conn, now) + ttl
    change = update(claims).where(_is_held(tenant, lease)).values(expires_at=to_ms(until))
    if conn.execute(change).rowcount == 0:
        raise _lost(lease)
    return replace(lease, expires_at=until)


def release(conn: Connection, tenant: str, lease: Lease) -> None:
    """Free the claim if it is still ours."""
    free = update(claims).where(_is_held(tenant, lease)).values(holder=_FREE, expires_at=0)
    conn.execute(free)


def release_node(conn: Connection, node: str) -> int:
    """Free every claim whose holder is ``NODE:anything``; return how many."""
    prefix = f"{node}:"
    # LIKE would take "A:" for "a:".
    held = func.substr(claims.c.holder, 1, len(prefix)) == prefix
    return conn.execute(update(claims).where(held).values(holder=_FREE, expires_at=0)).rowcount


def _is(tenant: str, lease: Lease) -> ColumnElement[bool]:
    mine = (claims.c.tenant == tenant, claims.c.kind == lease.kind, claims.c.key == lease.key)
    return and_(*mine)


def _is_held(tenant: str, lease: Lease) -> ColumnElement[bool]:
    ours = and_(claims.c.holder == lease.holder, claims.c.fence == lease.fence)
    return and_(_is(tenant, lease), ours)


def _lost(lease: Lease) -> LeaseLostError:
    return LeaseLostError(
        f"the {lease.kind} claim on {lease.key} with fence {lease.fence} "
        f"is no longer held by {lease.holder}; nothing was written"
    )
