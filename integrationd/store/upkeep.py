"""Pruning, in short transactions: looked up beside the writer, removed piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    delete,
    false,
    select,
    true,
    update,
)

from integrationd.ports.upkeep import Retention
from integrationd.store import database
from integrationd.store.readers import Readers
from integrationd.store.tables import changes, counters, events, meta, quarantine, runs, streams
from integrationd.store.values import to_ms
from integrationd.store.writer import Writer

PAGES_MAX = 20_000
"""Given back to the disk in one round at most (80 MB), so that a round ends."""

_PAGES_AT_ONCE = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class _Aging:
    """Rows that were written in the order of their age, so that looking ends at a young one."""

    table: Table
    order: ColumnElement[int]
    at: ColumnElement[int]
    before: int
    only: ColumnElement[bool]
    spared: ColumnElement[bool]
    """Rows that stay however old they are."""
    sorted: bool = True
    """Rows that are written again are not in the order of their age: all are looked at."""


async def prune(
    readers: Readers, writer: Writer, now: datetime, retention: Retention
) -> dict[str, int]:
    """Prune; see :meth:`integrationd.ports.store.StoreUpkeep.prune`."""
    gone = {"runs": 0, "events": 0, "changes": 0, "quarantine": 0}
    for aging in _list_aging(await readers.read(_read_tenants), now, retention):
        gone[aging.table.name] += await _remove(readers, writer, aging, retention.batch)
    freed = 0
    while freed < PAGES_MAX:
        count = await writer.run(_free_pages)
        freed += count
        if count < _PAGES_AT_ONCE:
            break
    return gone


def _free_pages(conn: Connection) -> int:
    return database.of(conn).free_pages(conn, _PAGES_AT_ONCE)


def ping(conn: Connection) -> None:
    """Write one small row."""
    first = database.of(conn).insert(meta).values(name="pings", value="0")
    conn.execute(first.on_conflict_do_nothing())
    here = meta.c.name == "pings"
    last = conn.execute(select(meta.c.value).where(here).with_for_update()).scalar_one()
    conn.execute(update(meta).where(here).values(value=str(int(last) + 1)))


def _list_aging(tenants: Sequence[str], now: datetime, retention: Retention) -> Iterator[_Aging]:
    # What ``status`` shows, also of a stream that is read once a year, or that is read right now.
    shown = runs.c.no.in_(select(streams.c.last_run))
    yield _Aging(
        table=runs,
        order=runs.c.no,
        at=runs.c.started_at,
        before=to_ms(now - retention.runs),
        only=true(),
        spared=shown,
    )
    yield _Aging(
        table=events,
        order=events.c.no,
        at=events.c.received_at,
        before=to_ms(now - retention.events),
        only=true(),
        spared=false(),
    )
    if retention.quarantine is not None:
        yield _Aging(
            table=quarantine,
            order=quarantine.c.no,
            at=quarantine.c.last_at,
            before=to_ms(now - retention.quarantine),
            only=true(),
            spared=false(),
            sorted=False,
        )
    for tenant in tenants:
        yield _Aging(
            table=changes,
            order=changes.c.seq,
            at=changes.c.at,
            before=to_ms(now - retention.history),
            only=changes.c.tenant == tenant,
            spared=false(),
        )


async def _remove(readers: Readers, writer: Writer, aging: _Aging, batch: int) -> int:
    """Remove what is too old, a batch in each transaction; return how many rows it were."""
    removed, after = 0, 0
    while rows := await readers.read(partial(_look, aging=aging, after=after, batch=batch)):
        after = rows[-1][0]
        old = [(place, spared) for place, at, spared in rows if at < aging.before]
        doomed = [place for place, spared in old if not spared]
        if doomed:
            removed += await writer.run(partial(_delete, aging=aging, places=doomed))
        if aging.sorted and len(old) < len(rows):
            break
    return removed


def _look(
    conn: Connection, *, aging: _Aging, after: int, batch: int
) -> Sequence[tuple[int, int, bool]]:
    some = select(aging.order, aging.at, aging.spared.label("spared"))
    some = some.where(aging.only, aging.order > after).order_by(aging.order).limit(batch)
    return [(place, at, bool(spared)) for place, at, spared in conn.execute(some)]


def _delete(conn: Connection, *, aging: _Aging, places: Sequence[int]) -> int:
    doomed = delete(aging.table).where(aging.only, aging.order.in_(places))
    return conn.execute(doomed).rowcount


def _read_tenants(conn: Connection) -> Sequence[str]:
    return list(conn.execute(select(counters.c.tenant).distinct()).scalars())
