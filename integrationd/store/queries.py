"""What people ask, as pieces of a walk: each gives so many rows after a place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    func,
    literal,
    select,
    tuple_,
)

from integrationd.model.events import StoredEvent
from integrationd.model.json import Json
from integrationd.model.records import StoredRecord
from integrationd.model.runs import COUNT_NAMES, Counts
from integrationd.ports.quarantine import QuarantineQuery, QuarantineRow
from integrationd.ports.store import RecordQuery, RunRow, StreamKey, StreamRow
from integrationd.store.readers import Fetch
from integrationd.store.tables import events, quarantine, readings, records, runs, streams
from integrationd.store.values import from_ms, from_ms_or_none, from_text, to_uuid_text

AnyRow: TypeAlias = Row[Any]
Place: TypeAlias = tuple[str, str, str]
"""Tenant, integration, and a stream or an entity."""
NAMED_MAX = 500
"""Values in one list; SQLite allows many more, and no plan gains from them."""
Names: TypeAlias = Sequence[tuple[ColumnElement[str], str | None]]
"""Columns and what they shall be; None is anything."""


def fetch_records(tenant: str, query: RecordQuery) -> Fetch[StoredRecord]:
    """Give records by external id; where the integration has several entities, by entity first."""
    # The order of the unique index, so that nothing is sorted and a chunk costs what it gives.
    order: list[ColumnElement[str]] = [records.c.entity, records.c.external_id]
    line = and_(
        *(streams.c[name] == records.c[name] for name in ("tenant", "integration", "stream"))
    )
    stale = records.c.seq <= func.coalesce(streams.c.stale_seq, 0)
    wanted = select(records, stale.label("stale")).select_from(records.outerjoin(streams, line))
    wanted = wanted.where(records.c.tenant == tenant, records.c.integration == query.integration)
    if query.entity is not None:
        wanted = wanted.where(records.c.entity == query.entity)
        order = order[1:]
    if query.stream is not None:
        wanted = wanted.where(records.c.stream == query.stream)
    if not query.deleted:
        wanted = wanted.where(records.c.deleted.is_(None))
    wanted = wanted.order_by(*order)

    def fetch(
        conn: Connection, after: tuple[str, ...] | None, size: int
    ) -> Sequence[tuple[tuple[str, ...], StoredRecord]]:
        here = wanted if after is None else wanted.where(tuple_(*order) > after)
        rows = conn.execute(here.limit(size)).all()
        places = [(row.entity, row.external_id)[-len(order) :] for row in rows]
        return [(place, _to_record(row)) for place, row in zip(places, rows, strict=True)]

    return fetch


def in_chunks(external_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut a list into pieces that one statement can name."""
    for start in range(0, len(external_ids), NAMED_MAX):
        yield external_ids[start : start + NAMED_MAX]


def find_records(
    conn: Connection, *, place: Place, external_ids: Sequence[str]
) -> dict[str, StoredRecord]:
    """Return those of (tenant, integration, entity) that are stored; whether stale is not asked."""
    tenant, integration, entity = place
    wanted = select(records, literal(value=False).label("stale")).where(
        records.c.tenant == tenant,
        records.c.integration == integration,
        records.c.entity == entity,
        records.c.external_id.in_(external_ids),
    )
    return {row.external_id: _to_record(row) for row in conn.execute(wanted)}


def fetch_runs(tenant: str | None, key: StreamKey | str | None) -> Fetch[RunRow]:
    """Give runs, newest first."""
    wanted = select(runs).order_by(runs.c.no.desc())
    if tenant is not None and isinstance(key, StreamKey):
        wanted = wanted.where(
            runs.c.tenant == tenant,
            runs.c.integration == key.integration,
            runs.c.stream == key.stream,
        )
    else:
        wanted = _in_order(wanted, _name_stream(runs, tenant, key))

    def fetch(conn: Connection, after: int | None, size: int) -> Sequence[tuple[int, RunRow]]:
        here = wanted if after is None else wanted.where(runs.c.no < after)
        return [(row.no, to_run(row)) for row in conn.execute(here.limit(size))]

    return fetch


def fetch_quarantine(tenant: str | None, query: QuarantineQuery) -> Fetch[QuarantineRow]:
    """Give what waits in quarantine, in the order in which it came."""
    names = [
        (quarantine.c.tenant, tenant),
        (quarantine.c.integration, query.integration),
        (quarantine.c.stream, query.stream),
    ]
    wanted = _in_order(select(quarantine).order_by(quarantine.c.no), names)
    if query.ids:
        wanted = wanted.where(quarantine.c.no.in_(query.ids))

    def fetch(
        conn: Connection, after: int | None, size: int
    ) -> Sequence[tuple[int, QuarantineRow]]:
        here = wanted if after is None else wanted.where(quarantine.c.no > after)
        return [(row.no, _to_quarantined(row)) for row in conn.execute(here.limit(size))]

    return fetch


def fetch_events(tenant: str | None, integration: str | None) -> Fetch[StoredEvent]:
    """Give events, newest first; bodies and headers stay where they are."""
    columns = [column for column in events.c if column.name not in ("headers", "body")]
    names = [(events.c.tenant, tenant), (events.c.integration, integration)]
    wanted = _in_order(select(*columns).order_by(events.c.no.desc()), names)

    def fetch(conn: Connection, after: int | None, size: int) -> Sequence[tuple[int, StoredEvent]]:
        here = wanted if after is None else wanted.where(events.c.no < after)
        return [(row.no, _to_event(row)) for row in conn.execute(here.limit(size))]

    return fetch


def read_event_counts(conn: Connection, tenant: str | None) -> Mapping[str, int]:
    """Return how many events each ``INTEGRATION/ENDPOINT`` has."""
    place = (events.c.integration, events.c.endpoint)
    counted = _of_tenant(select(*place, func.count()), events.c.tenant, tenant).group_by(*place)
    rows = conn.execute(counted.order_by(*place))
    return {f"{integration}/{endpoint}": count for integration, endpoint, count in rows}


def read_streams(conn: Connection, tenant: str | None) -> list[StreamRow]:
    """Return what is known of every stream that was ever read, in the order of names."""
    place = (streams.c.tenant, streams.c.integration, streams.c.stream)
    rows = conn.execute(_of_tenant(select(streams), streams.c.tenant, tenant).order_by(*place))
    waiting = _count_quarantine(conn, tenant)
    progress = _read_progress(conn, tenant)
    found = []
    for row in rows.all():
        name = (row.tenant, row.integration, row.stream)
        first = progress.get(name, _NO_PROGRESS)
        found.append(
            StreamRow(
                tenant=row.tenant,
                key=StreamKey(row.integration, row.stream),
                records=row.living,
                quarantined=sum(waiting.get(name, {}).values()),
                refused_by=frozenset(waiting.get(name, ())),
                cursor=first.cursor,
                walking=first.walking,
                last_run=_find_run(conn, row.last_run),
                last_done_at=from_ms_or_none(row.last_done_at),
                errors=row.errors,
                held=row.held,
                stale=_count_stale(conn, name, row.stale_seq) if row.stale_seq else 0,
                identity=first.identity,
                shape=first.shape,
            )
        )
    return found


def _count_stale(conn: Connection, stream: Place, stale_seq: int) -> int:
    tenant, integration, name = stream
    wanted = select(func.count()).where(
        records.c.tenant == tenant,
        records.c.integration == integration,
        records.c.stream == name,
        records.c.deleted.is_(None),
        records.c.seq <= stale_seq,
    )
    count: int = conn.execute(wanted).scalar_one()
    return count


def _count_quarantine(conn: Connection, tenant: str | None) -> dict[Place, dict[str, int]]:
    """Return for each stream how many wait, by the shape of the spec that refused them."""
    place = (
        *(quarantine.c[name] for name in ("tenant", "integration", "stream")),
        quarantine.c.shape,
    )
    counted = _of_tenant(select(*place, func.count()), quarantine.c.tenant, tenant)
    found: dict[Place, dict[str, int]] = {}
    for *stream, shape, count in conn.execute(counted.group_by(*place)):
        found.setdefault((stream[0], stream[1], stream[2]), {})[shape] = count
    return found


class _Progress(NamedTuple):
    """The first partition's state, and whether any partition is in the middle of a walk."""

    cursor: Json = None
    walking: bool = False
    identity: str = ""
    shape: str = ""


_NO_PROGRESS = _Progress()


def _read_progress(conn: Connection, tenant: str | None) -> dict[Place, _Progress]:
    whole = select(readings).where(readings.c.partition == "")
    return {
        (row.tenant, row.integration, row.stream): _Progress(
            from_text(row.cursor), row.walking, row.identity, row.shape
        )
        for row in conn.execute(_of_tenant(whole, readings.c.tenant, tenant))
    }


def _find_run(conn: Connection, no: int) -> RunRow | None:
    row = conn.execute(select(runs).where(runs.c.no == no)).one_or_none()
    return None if row is None else to_run(row)


def _of_tenant(wanted: Select[Any], column: ColumnElement[str], tenant: str | None) -> Select[Any]:
    return wanted if tenant is None else wanted.where(column == tenant)


def _name_stream(table: Table, tenant: str | None, key: StreamKey | str | None) -> Names:
    if not isinstance(key, StreamKey):
        return [(table.c.tenant, tenant), (table.c.integration, key)]
    stream = [(table.c.integration, key.integration), (table.c.stream, key.stream)]
    return [(table.c.tenant, tenant), *stream]


def _in_order(wanted: Select[Any], names: Names) -> Select[Any]:
    """Keep the rows of those names that are given, walking the table in its own order.

    The names are compared in a way that no index serves: by an index on them every chunk would
    sort everything, and a long list would cost its square.
    """
    for column, name in names:
        if name is not None:
            wanted = wanted.where(column.concat("") == name)
    return wanted


def _to_record(row: AnyRow) -> StoredRecord:
    return StoredRecord(
        external_id=row.external_id,
        id=to_uuid_text(row.id),
        entity=row.entity,
        data=from_text(row.data),
        deleted=row.deleted,
        seq=row.seq,
        changed_at=from_ms(row.changed_at),
        stale=bool(row.stale) and row.deleted is None,
    )


def to_run(row: AnyRow) -> RunRow:
    """Build a run of its row."""
    return RunRow(
        id=row.id,
        tenant=row.tenant,
        integration=row.integration,
        stream=row.stream,
        trigger=row.trigger,
        mode=row.mode,
        status=row.status,
        resumed=row.resumed,
        started_at=from_ms(row.started_at),
        ended_at=from_ms_or_none(row.ended_at),
        counts=Counts(**{name: getattr(row, name) for name in COUNT_NAMES}),
        error=row.error,
        kind=row.kind,
    )


def _to_quarantined(row: AnyRow) -> QuarantineRow:
    return QuarantineRow(
        id=row.no,
        tenant=row.tenant,
        shape=row.shape,
        fingerprint=row.fingerprint,
        integration=row.integration,
        stream=row.stream,
        source=from_text(row.source),
        code=row.code,
        field=row.field,
        reason=row.reason,
        run_id=row.run_id,
        first_at=from_ms(row.first_at),
        last_at=from_ms(row.last_at),
        each=from_text(row.each),
    )


def _to_event(row: AnyRow) -> StoredEvent:
    return StoredEvent(
        id=row.id,
        integration=row.integration,
        endpoint=row.endpoint,
        event=row.event,
        dedup=row.dedup,
        status=row.status,
        received_at=from_ms(row.received_at),
        duplicates=row.duplicates,
    )
