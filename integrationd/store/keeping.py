"""Sealed secrets and the ring of keys, as transactions. What is sealed here is only bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    select,
    tuple_,
    update,
)

from integrationd.ports.vault import SEALS_MAX, KeyState, Resealed, RingKey, SealedSecret
from integrationd.store.prepared import Prepared
from integrationd.store.tables import keys, secrets
from integrationd.store.values import from_ms, to_ms

_PLACE = ("tenant", "integration", "name")
_FIND = Prepared(
    select(secrets).where(*(secrets.c[name] == bindparam(name) for name in _PLACE)), *_PLACE
)


def read_ring(conn: Connection, tenant: str | None) -> list[RingKey]:
    """Return the keys, oldest first."""
    query = select(keys).order_by(keys.c.created_at, keys.c.tenant, keys.c.id)
    if tenant is not None:
        query = query.where(keys.c.tenant == tenant)
    return [_to_key(row) for row in conn.execute(query)]


def add_key(conn: Connection, tenant: str, key: RingKey, instead_of: str | None) -> bool:
    """Make a key the active one, unless another one is by now."""
    if instead_of is not None:
        here = _is_active(tenant, instead_of)
        retired = conn.execute(update(keys).where(here).values(state=KeyState.RETIRED.value))
        if retired.rowcount == 0:
            return False
    active = select(keys.c.id).where(keys.c.tenant == tenant, keys.c.state == KeyState.ACTIVE)
    if conn.execute(active).first() is not None:
        return False
    conn.execute(insert(keys).values(_key_row(key)))
    return True


def rewrap(conn: Connection, was: Sequence[RingKey], becomes: Sequence[RingKey]) -> bool:
    """Exchange all wraps, unless the ring is another one by now."""
    if {_wrap(key) for key in read_ring(conn, None)} != {_wrap(key) for key in was}:
        return False
    for key in becomes:
        here = and_(keys.c.tenant == key.tenant, keys.c.id == key.id)
        conn.execute(update(keys).where(here).values(master=key.master, wrapped=key.wrapped))
    return True


def drop_keys(conn: Connection, tenant: str) -> int:
    """Remove retired keys that nothing needs."""
    used = exists().where(secrets.c.tenant == keys.c.tenant, secrets.c.key_id == keys.c.id)
    spent = (keys.c.tenant == tenant, keys.c.state == KeyState.RETIRED.value, ~used)
    return conn.execute(delete(keys).where(*spent)).rowcount


def put(conn: Connection, tenant: str, row: SealedSecret) -> bool:
    """Store a row and count it with its key, which has to be the active one."""
    # First, as it makes others who seal in this tenant wait until we have committed.
    if not _count_seals(conn, tenant, row.key_id, 1):
        return False
    values = {
        "key_id": row.key_id,
        "sealed": row.sealed,
        "updated_at": to_ms(row.updated_at),
    }
    place = {"tenant": tenant, "integration": row.integration, "name": row.name}
    here = _is_place(tenant, row.integration, row.name)
    if conn.execute(update(secrets).where(here).values(values)).rowcount == 0:
        conn.execute(insert(secrets).values(place | values))
    return True


def reseal(conn: Connection, tenant: str, changes: Sequence[Resealed]) -> int:
    """Exchange rows that nobody has changed since they were read."""
    key_ids = {change.becomes.key_id for change in changes}
    if not all(_count_seals(conn, tenant, key_id, len(changes)) for key_id in key_ids):
        return 0  # another rotation has begun, and takes them
    done = 0
    for change in changes:
        was, row = change.was, change.becomes
        here = and_(
            _is_place(tenant, was.integration, was.name),
            secrets.c.key_id == was.key_id,
            secrets.c.sealed == was.sealed,
        )
        values = {"key_id": row.key_id, "sealed": row.sealed}
        done += conn.execute(update(secrets).where(here).values(values)).rowcount
    return done


def find(
    conn: Connection, tenant: str, integration: str, names: Sequence[str]
) -> list[SealedSecret]:
    """Return the rows of some names; every call of a provider and every webhook asks for a few."""
    found = (_FIND.run(conn, tenant, integration, name).one_or_none() for name in names)
    return [_to_secret(row) for row in found if row is not None]


def read_sealed(
    conn: Connection, tenant: str, not_under: str, after: tuple[str, str], limit: int
) -> list[SealedSecret]:
    """Return rows that are sealed under other keys, in the order of their places."""
    place = tuple_(secrets.c.integration, secrets.c.name)
    query = (
        select(secrets)
        .where(secrets.c.tenant == tenant, secrets.c.key_id != not_under, place > after)
        .order_by(secrets.c.integration, secrets.c.name)
        .limit(limit)
    )
    return [_to_secret(row) for row in conn.execute(query)]


def read_list(conn: Connection, tenant: str | None) -> list[SealedSecret]:
    """Return all rows without their contents."""
    columns = [column for column in secrets.c if column.name != "sealed"]
    query = select(*columns).order_by(secrets.c.tenant, secrets.c.integration, secrets.c.name)
    if tenant is not None:
        query = query.where(secrets.c.tenant == tenant)
    return [_to_secret(row) for row in conn.execute(query)]


def remove(conn: Connection, tenant: str, integration: str, name: str) -> bool:
    """Remove a row."""
    gone = conn.execute(delete(secrets).where(_is_place(tenant, integration, name)))
    return gone.rowcount > 0


def _count_seals(conn: Connection, tenant: str, key_id: str, count: int) -> bool:
    here = and_(_is_active(tenant, key_id), keys.c.seals + count <= SEALS_MAX)
    counted = update(keys).where(here).values(seals=keys.c.seals + count)
    return conn.execute(counted).rowcount > 0


def _is_active(tenant: str, key_id: str) -> ColumnElement[bool]:
    mine = and_(keys.c.tenant == tenant, keys.c.id == key_id)
    return and_(mine, keys.c.state == KeyState.ACTIVE.value)


def _is_place(tenant: str, integration: str, name: str) -> ColumnElement[bool]:
    mine = and_(secrets.c.tenant == tenant, secrets.c.integration == integration)
    return and_(mine, secrets.c.name == name)


def _wrap(key: RingKey) -> tuple[str, str, bytes]:
    return key.tenant, key.id, key.wrapped


def _key_row(key: RingKey) -> dict[str, Any]:
    return {
        "tenant": key.tenant,
        "id": key.id,
        "master": key.master,
        "wrapped": key.wrapped,
        "state": key.state.value,
        "created_at": to_ms(key.created_at),
        "seals": key.seals,
    }


def _to_key(row: Row[Any]) -> RingKey:
    return RingKey(
        tenant=row.tenant,
        id=row.id,
        master=row.master,
        wrapped=row.wrapped,
        state=KeyState(row.state),
        created_at=from_ms(row.created_at),
        seals=row.seals,
    )


def _to_secret(row: Row[Any]) -> SealedSecret:
    return SealedSecret(
        tenant=row.tenant,
        integration=row.integration,
        name=row.name,
        key_id=row.key_id,
        sealed=getattr(row, "sealed", b""),
        updated_at=from_ms(row.updated_at),
    )
