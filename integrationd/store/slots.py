"""Slots of schedules as transactions: each is taken once, by whoever comes first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, insert, select, update

from integrationd.model.runs import RunStatus
from integrationd.ports.slots import Opening, Slot
from integrationd.ports.store import StreamKey
from integrationd.store.tables import runs, slots, streams
from integrationd.store.values import from_ms, to_ms

_BROKEN_OFF: Final = frozenset({RunStatus.RUNNING.value, RunStatus.STOPPED.value})
"""Of a stream whose claim we hold, what is marked as running has died."""


def take(conn: Connection, tenant: str, key: StreamKey, slot: Slot) -> datetime | None:
    """Take a slot under the stream's claim; return the one that was taken before, if it was."""
    here = _is(tenant, key)
    last = conn.execute(select(slots.c.slot).where(here)).scalar_one_or_none()
    if last is not None and to_ms(slot.since) <= last <= to_ms(slot.until):
        return None if _broke_off(conn, tenant, key, slot.goes_on) else from_ms(last)
    taken = to_ms(slot.at)
    if last is None:
        place = {"tenant": tenant, "integration": key.integration, "stream": key.stream}
        conn.execute(insert(slots).values(**place, schedule="", slot=taken))
    else:
        conn.execute(update(slots).where(here).values(slot=taken))
    return None


def open_calendars(
    conn: Connection, tenant: str, openings: Mapping[StreamKey, Opening]
) -> dict[StreamKey, datetime]:
    """Note which schedules run; see :meth:`integrationd.ports.slots.SlotStore.open_calendars`."""
    rows = conn.execute(select(slots).where(slots.c.tenant == tenant)).all()
    known = {StreamKey(row.integration, row.stream): row for row in rows}
    begun: dict[StreamKey, int] = {}
    fresh: list[dict[str, object]] = []
    for key, opening in openings.items():
        row = known.get(key)
        if row is not None and row.schedule == opening.schedule:
            begun[key] = row.slot
            continue
        begun[key] = to_ms(opening.had)
        noted = {"schedule": opening.schedule, "slot": begun[key]}
        if row is None:
            place = {"tenant": tenant, "integration": key.integration, "stream": key.stream}
            fresh.append({**place, **noted})
        else:
            conn.execute(update(slots).where(_is(tenant, key)).values(**noted))
    if fresh:
        conn.execute(insert(slots), fresh)
    return {key: from_ms(slot) for key, slot in begun.items()}


def _broke_off(conn: Connection, tenant: str, key: StreamKey, run_id: str) -> bool:
    """Whether somebody must go on with the last run: it died, was stopped, or is that one."""
    last = conn.execute(
        select(runs.c.status, runs.c.id)
        .join(streams, streams.c.last_run == runs.c.no)
        .where(
            streams.c.tenant == tenant,
            streams.c.integration == key.integration,
            streams.c.stream == key.stream,
        )
    ).one_or_none()
    if last is None or last.status == RunStatus.DONE.value:
        return False
    return last.status in _BROKEN_OFF or last.id == run_id


def _is(tenant: str, key: StreamKey) -> ColumnElement[bool]:
    return and_(
        slots.c.tenant == tenant,
        slots.c.integration == key.integration,
        slots.c.stream == key.stream,
    )
