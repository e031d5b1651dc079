"""Quarantine: each bad record once, until a good version of it comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update
from sqlalchemy.sql import ColumnElement

from integrationd.ports.store import PageCommit, StreamKey
from integrationd.store import sqlite
from integrationd.store.prepared import Prepared
from integrationd.store.tables import quarantine
from integrationd.store.values import to_ms

Place: TypeAlias = tuple[str, StreamKey]
"""A tenant's stream."""

_STREAM = (
    quarantine.c.tenant == bindparam("tenant"),
    quarantine.c.integration == bindparam("integration"),
    quarantine.c.stream == bindparam("stream"),
)
_ANY = Prepared(select(quarantine.c.no).where(*_STREAM).limit(1), "tenant", "integration", "stream")
_CLEAR = delete(quarantine).where(*_STREAM, quarantine.c.fingerprint.in_(sqlite.text_list()))


def clear(conn: Connection, place: Place, external_ids: Sequence[str]) -> None:
    """Let go of records whose good version, or whose deletion, has come."""
    tenant, key = place
    if not external_ids or _ANY.run(conn, tenant, key.integration, key.stream).first() is None:
        return
    listable = [text for text in external_ids if sqlite.is_listable(text)]
    binds = {"tenant": tenant, "integration": key.integration, "stream": key.stream}
    conn.execute(_CLEAR, {**binds, "texts": sqlite.bind_texts(listable)})
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
    place = (tenant, page.key)
    at = to_ms(page.at)
    for one in page.aside:
        facts = {
            # The source is what the provider sent; where it is not UTF-8, some of it is lost.
            "source": one.source.decode(errors="replace"),
            "code": one.code,
            "field": one.field,
            "reason": one.reason,
            "run_id": page.run_id,
            "last_at": at,
        }
        again = update(quarantine).where(_is(place, one.fingerprint)).values(**facts)
        if not conn.execute(again).rowcount:
            key = {
                "tenant": tenant,
                "integration": page.key.integration,
                "stream": page.key.stream,
                "fingerprint": one.fingerprint,
                "first_at": at,
            }
            conn.execute(insert(quarantine).values(**key, **facts))


def _is(place: Place, fingerprint: str) -> ColumnElement[bool]:
    tenant, key = place
    return and_(
        quarantine.c.tenant == tenant,
        quarantine.c.integration == key.integration,
        quarantine.c.stream == key.stream,
        quarantine.c.fingerprint == fingerprint,
    )
