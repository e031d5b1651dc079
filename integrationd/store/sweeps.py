"""Mark and sweep: what a complete reading did not see becomes tombstones, within a guard.

Looking for them reads every record of the stream, so it is done beside the writer and piece by
piece; only what is to go is given to the writer, again in pieces. A process that dies in between
has buried some of what the guard allowed; the next complete reading buries the rest.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from sqlalchemy import ColumnElement, Connection, and_, select

from integrationd.model.records import DeleteReason
from integrationd.ports.store import Sweep, Swept
from integrationd.store import feed, leases, pages, readings
from integrationd.store.marks import Marks
from integrationd.store.readers import Readers
from integrationd.store.tables import records, seen, streams
from integrationd.store.values import to_ms, unpack_numbers
from integrationd.store.writer import Writer

SCAN_ROWS = 5000
BURY_ROWS = 500
"""Tombstones in one transaction, so that others wait some milliseconds only."""

_PARTS = 64


async def run(readers: Readers, writer: Writer, tenant: str, sweep: Sweep) -> Swept:
    """Sweep; see :meth:`integrationd.ports.store.ReadingStore.sweep`."""
    if sweep.entity is not None:
        return await _run_one(readers, writer, tenant, sweep)
    total = Swept(deleted=0, held=0, stored=0)
    for entity in await readers.read(partial(_read_entities, tenant=tenant, sweep=sweep)):
        one = await _run_one(readers, writer, tenant, replace(sweep, entity=entity))
        total = replace(one, deleted=total.deleted + one.deleted, held=total.held + one.held)
    return total


async def _run_one(readers: Readers, writer: Writer, tenant: str, sweep: Sweep) -> Swept:
    """Sweep the records of one entity."""
    began = await readers.read(partial(_begin, tenant=tenant, sweep=sweep))
    marks = Marks()
    after = -1
    while parts := await readers.read(partial(_read_seen, run=began, tenant=tenant, after=after)):
        after = parts[-1][0]
        for _, packed in parts:
            for number in unpack_numbers(packed):
                marks.add(number)
    missing: array[int] = array("q")
    last: str | None = None
    while some := await readers.read(
        partial(_scan, sweep=sweep, place=(tenant, began), after=last)
    ):
        last = some[-1][0]
        missing.extend(no for _, no in some if not marks.has(no))
    stored = await readers.read(partial(_count_living, tenant=tenant, sweep=sweep))
    guarded = len(missing) > sweep.rows_max and len(missing) > sweep.fraction_max * stored
    if guarded and not sweep.confirmed:
        return Swept(deleted=0, held=len(missing), stored=stored)
    deleted = 0
    for piece in _pieces(missing):
        deleted += await writer.run(partial(_bury, sweep=sweep, place=(tenant, began), nos=piece))
    return Swept(deleted=deleted, held=0, stored=stored)


def _read_entities(conn: Connection, *, tenant: str, sweep: Sweep) -> Sequence[str]:
    mine = and_(
        records.c.tenant == tenant,
        records.c.integration == sweep.key.integration,
        records.c.stream == sweep.key.stream,
        records.c.deleted.is_(None),
    )
    return list(conn.execute(select(records.c.entity).where(mine).distinct()).scalars())


def _begin(conn: Connection, *, tenant: str, sweep: Sweep) -> readings.RunNo:
    leases.look(conn, tenant, sweep.lease)
    return readings.get_run(conn, tenant, sweep.run_id)


def _read_seen(
    conn: Connection, *, run: readings.RunNo, tenant: str, after: int
) -> Sequence[tuple[int, bytes]]:
    mine = and_(seen.c.tenant == tenant, seen.c.run == run.no, seen.c.part > after)
    some = select(seen.c.part, seen.c.nos).where(mine).order_by(seen.c.part).limit(_PARTS)
    return [(part, packed) for part, packed in conn.execute(some)]


def _scan(
    conn: Connection, *, sweep: Sweep, place: tuple[str, readings.RunNo], after: str | None
) -> Sequence[tuple[str, int]]:
    """Return external id and number, in the order of the unique index: by number it would sort."""
    wanted = select(records.c.external_id, records.c.no).where(_may_go(sweep, place))
    if after is not None:
        wanted = wanted.where(records.c.external_id > after)
    rows = conn.execute(wanted.order_by(records.c.external_id).limit(SCAN_ROWS))
    return [(external_id, no) for external_id, no in rows]


def _count_living(conn: Connection, *, tenant: str, sweep: Sweep) -> int:
    living = select(streams.c.living).where(
        streams.c.tenant == tenant,
        streams.c.integration == sweep.key.integration,
        streams.c.stream == sweep.key.stream,
    )
    count: int = conn.execute(living).scalar_one()
    return count


def _bury(
    conn: Connection, *, sweep: Sweep, place: tuple[str, readings.RunNo], nos: Sequence[int]
) -> int:
    """Bury those that still may go: one that changed meanwhile came by another way."""
    tenant, began = place
    leases.check(conn, tenant, sweep.lease)
    change = feed.begin_change(conn, tenant, sweep.key.integration, began.no, to_ms(sweep.at))
    still = select(records.c.no).where(_may_go(sweep, place), records.c.no.in_(nos))
    doomed = list(conn.execute(still.order_by(records.c.no)).scalars())
    pages.bury(change, [(no, DeleteReason.SWEPT.value) for no in doomed])
    return len(doomed)


def _may_go(sweep: Sweep, place: tuple[str, readings.RunNo]) -> ColumnElement[bool]:
    """Say which: the stream's living records, unchanged since the run began."""
    tenant, began = place
    return and_(
        records.c.tenant == tenant,
        records.c.integration == sweep.key.integration,
        records.c.entity == sweep.entity,
        records.c.stream == sweep.key.stream,
        records.c.deleted.is_(None),
        records.c.seq <= began.began_seq,
    )


def _pieces(numbers: array[int]) -> Iterator[list[int]]:
    for start in range(0, len(numbers), BURY_ROWS):
        yield list(numbers[start : start + BURY_ROWS])
