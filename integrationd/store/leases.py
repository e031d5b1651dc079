"""Claims as transactions: one holder at a time, and a fence that only ever grows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, func, insert, select, update
from sqlalchemy.sql import ColumnElement

from integrationd.errors import LeaseLostError
from integrationd.ports.store import Lease
from integrationd.store.prepared import Prepared
from integrationd.store.tables import claims
from integrationd.store.values import to_ms

_FREE = ""

_HOLDER = Prepared(
    select(claims.c.holder, claims.c.fence).where(
        claims.c.tenant == bindparam("tenant"),
        claims.c.kind == bindparam("kind"),
        claims.c.key == bindparam("key"),
    ),
    "tenant",
    "kind",
    "key",
)


def check(conn: Connection, tenant: str, lease: Lease) -> None:
    """Raise LeaseLostError unless the lease is the one that stands.

    One that has run out but that nobody took is still good: its fence says that nobody wrote since.
    """
    row = _HOLDER.run(conn, tenant, lease.kind, lease.key).one_or_none()
    if row is None or (row.holder, row.fence) != (lease.holder, lease.fence):
        raise _lost(lease)


def claim(conn: Connection, tenant: str, wanted: Lease, now: datetime) -> Lease | None:
    """Take the claim under the next fence, or return None while somebody holds it.

    Args:
        conn: In the writer's transaction.
        tenant: Whose.
        wanted: As it shall be; its fence is not looked at.
        now: For whether the present one has run out.
    """
    here = _is(tenant, wanted)
    row = conn.execute(select(claims).where(here)).one_or_none()
    if row is not None and row.holder != _FREE and row.expires_at > to_ms(now):
        return None
    taken = {"holder": wanted.holder, "expires_at": to_ms(wanted.expires_at)}
    if row is None:
        key = {"tenant": tenant, "kind": wanted.kind, "key": wanted.key}
        conn.execute(insert(claims).values(**key, **taken, fence=1))
        return _with(wanted, 1, wanted.expires_at)
    conn.execute(update(claims).where(here).values(**taken, fence=row.fence + 1))
    return _with(wanted, row.fence + 1, wanted.expires_at)


def renew(conn: Connection, tenant: str, lease: Lease, until: datetime) -> Lease:
    """Move the claim's end, or raise LeaseLostError."""
    change = update(claims).where(_is_held(tenant, lease)).values(expires_at=to_ms(until))
    if conn.execute(change).rowcount == 0:
        raise _lost(lease)
    return _with(lease, lease.fence, until)


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


def _with(lease: Lease, fence: int, until: datetime) -> Lease:
    return replace(lease, fence=fence, expires_at=until)


def _lost(lease: Lease) -> LeaseLostError:
    return LeaseLostError(
        f"the {lease.kind} claim on {lease.key} with fence {lease.fence} "
        f"is no longer held by {lease.holder}; nothing was written"
    )
