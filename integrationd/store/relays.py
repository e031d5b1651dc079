"""What parent records give to child streams: kept beside the parents, for as long as those live."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, and_, select
from sqlalchemy.sql import ClauseElement, ColumnElement

from integrationd.model.records import Relay
from integrationd.ports.partitions import Relayed
from integrationd.store.database import Database
from integrationd.store.feed import Change, take_seqs
from integrationd.store.prepared import PreparedMany
from integrationd.store.readers import Fetch
from integrationd.store.tables import records, relays
from integrationd.store.values import from_text

_LIST_MAX: Final = 500
_KEY = ("tenant", "integration", "child", "record_no")
_FACTS = ("seq", "source", "data")


def _build_put(db: Database, row: Mapping[str, ColumnElement[Any]]) -> ClauseElement:
    put = db.insert_many(relays, row).inline()
    facts = {name: put.excluded[name] for name in _FACTS}
    again: ClauseElement = put.on_conflict_do_update(index_elements=_KEY, set_=facts)
    return again


_PUT = PreparedMany(_build_put, {name: relays.c[name].type for name in (*_KEY, *_FACTS)})


def keep(
    change: Change, given: Sequence[Relay], nos: Mapping[str, int], *, back: Collection[int] = ()
) -> None:
    """Keep what a page's parent records give; what is there already in the same form stays.

    Args:
        change: Whose.
        given: One for each record and child.
        nos: The numbers of the records by their external ids.
        back: Those that live again: what they give counts as new.
    """
    known = _read(change, given, nos.values())
    fresh = [
        (relay, nos[relay.external_id])
        for relay in given
        if nos[relay.external_id] in back
        or known.get((relay.child, nos[relay.external_id])) != (relay.source, relay.data.decode())
    ]
    if not fresh:
        return
    seq = take_seqs(change, 1)
    place = (change.tenant, change.integration)
    _PUT.run(
        change.conn,
        [(*place, relay.child, no, seq, relay.source, relay.data.decode()) for relay, no in fresh],
    )


def _read(
    change: Change, given: Sequence[Relay], nos: Iterable[int]
) -> dict[tuple[str, int], tuple[bytes, str]]:
    wanted = select(relays.c.child, relays.c.record_no, relays.c.source, relays.c.data).where(
        relays.c.tenant == change.tenant,
        relays.c.integration == change.integration,
        relays.c.child.in_(sorted({relay.child for relay in given})),
    )
    found: dict[tuple[str, int], tuple[bytes, str]] = {}
    numbers = list(nos)
    for start in range(0, len(numbers), _LIST_MAX):
        some = relays.c.record_no.in_(numbers[start : start + _LIST_MAX])
        for child, no, source, data in change.conn.execute(wanted.where(some)):
            found[child, no] = (bytes(source), data)
    return found


def fetch(tenant: str, integration: str, child: str, after: int) -> Fetch[Relayed]:
    """Give what living parents give to a child, in the order in which they first came."""
    lives = and_(records.c.no == relays.c.record_no, records.c.deleted.is_(None))
    wanted = (
        select(relays.c.record_no, relays.c.seq, relays.c.data)
        .join(records, lives)
        .where(
            relays.c.tenant == tenant,
            relays.c.integration == integration,
            relays.c.child == child,
            relays.c.seq > after,
        )
        .order_by(relays.c.record_no)
    )

    def fetch(conn: Connection, after: int | None, size: int) -> Sequence[tuple[int, Relayed]]:
        here = wanted if after is None else wanted.where(relays.c.record_no > after)
        rows = conn.execute(here.limit(size))
        return [(row.record_no, Relayed(from_text(row.data), row.seq)) for row in rows]

    return fetch
