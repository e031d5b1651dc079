"""Quarantine: each bad record once, until a good version of it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, and_, bindparam, delete, select
from sqlalchemy.sql import ClauseElement, ColumnElement

from integrationd.ports.store import PageCommit, StreamKey
from integrationd.store import database
from integrationd.store.database import Database
from integrationd.store.prepared import Prepared, PreparedMany
from integrationd.store.tables import quarantine
from integrationd.store.values import to_ms, to_text

Place: TypeAlias = tuple[str, StreamKey]
"""A tenant's stream."""

_STREAM = (
    quarantine.c.tenant == bindparam("tenant"),
    quarantine.c.integration == bindparam("integration"),
    quarantine.c.stream == bindparam("stream"),
)
_ANY = Prepared(select(quarantine.c.no).where(*_STREAM).limit(1), "tenant", "integration", "stream")
_CLEAR = Prepared(
    lambda db: delete(quarantine).where(
        quarantine.c.no.in_(db.look_up([quarantine.c.no], _STREAM, quarantine.c.fingerprint))
    ),
    "tenant",
    "integration",
    "stream",
    "texts",
)
_KEY = ("tenant", "integration", "stream", "fingerprint")
_FACTS = ("source", "code", "field", "reason", "each", "run_id", "shape", "last_at")
_ROW = (*_KEY, *_FACTS, "first_at")


def _build_put(db: Database, row: Mapping[str, ColumnElement[Any]]) -> ClauseElement:
    put = db.insert_many(quarantine, row).inline()
    facts = {name: put.excluded[name] for name in _FACTS}
    again: ClauseElement = put.on_conflict_do_update(index_elements=_KEY, set_=facts)
    return again


_PUT = PreparedMany(_build_put, {name: quarantine.c[name].type for name in _ROW})


def clear(conn: Connection, place: Place, external_ids: Sequence[str]) -> None:
    """Let go of records whose good version, or whose deletion, has come."""
    tenant, key = place
    if not external_ids or _ANY.run(conn, tenant, key.integration, key.stream).first() is None:
        return
    db = database.of(conn)
    listable = [text for text in external_ids if db.is_listable(text)]
    _CLEAR.run(conn, tenant, key.integration, key.stream, db.bind_texts(listable))
    for text in set(external_ids).difference(listable):
        conn.execute(delete(quarantine).where(_is(place, text)))


def let_go(conn: Connection, place: Place, run_id: str) -> None:
    """Forget what a complete reading no longer saw as bad."""
    tenant, key = place
    conn.execute(
        delete(quarantine).where(
            quarantine.c.tenant == tenant,
            quarantine.c.integration == key.integration,
            quarantine.c.stream == key.stream,
            quarantine.c.run_id != run_id,
        )
    )


def put(conn: Connection, tenant: str, page: PageCommit) -> None:
    """Keep what the page set aside; one that is there already keeps when it first came."""
    at = to_ms(page.at)
    where = (tenant, page.key.integration, page.key.stream)
    rows = {
        # The source is what the provider sent; where it is not UTF-8, some of it is lost.
        one.fingerprint: (
            one.source.decode(errors="replace"),
            *(one.code, one.field, one.reason, to_text(one.each)),
        )
        for one in page.aside
    }
    last = (page.run_id, page.shape, at, at)
    _PUT.run(conn, [(*where, name, *facts, *last) for name, facts in rows.items()])


def _is(place: Place, fingerprint: str) -> ColumnElement[bool]:
    tenant, key = place
    return and_(
        quarantine.c.tenant == tenant,
        quarantine.c.integration == key.integration,
        quarantine.c.stream == key.stream,
        quarantine.c.fingerprint == fingerprint,
    )
