"""Quarantine seen from outside of readings: dropped by a person, or mapped again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, delete, select, update

from integrationd.model.records import Removal, SetAside, Upsert
from integrationd.model.runs import Counts
from integrationd.ports.quarantine import Mapped, ReplayCommit, ReplayEnd
from integrationd.ports.store import Lease, RunStart
from integrationd.store import feed, leases, pages, readings
from integrationd.store.tables import quarantine, records
from integrationd.store.values import from_ms, to_ms

T = TypeVar("T")

DROP_ROWS = 500
"""Rows named in one statement; SQLite takes some ten thousand, others fewer."""


def drop(conn: Connection, ids: Sequence[int]) -> int:
    """Forget rows; return how many there were."""
    return sum(
        conn.execute(delete(quarantine).where(quarantine.c.no.in_(some))).rowcount
        for some in _pieces(ids)
    )


def begin(conn: Connection, tenant: str, start: RunStart, lease: Lease) -> None:
    """Note the run; see :meth:`integrationd.ports.quarantine.QuarantineStore.begin_replay`."""
    leases.check(conn, tenant, lease)
    died = readings.end_dead(conn, (tenant, start.key), to_ms(start.started_at))
    readings.count_errors(conn, tenant, start.key, died)
    readings.note_run(conn, tenant, start)


def finish(conn: Connection, tenant: str, end: ReplayEnd) -> None:
    """Settle the run; see :meth:`integrationd.ports.quarantine.QuarantineStore.finish_replay`."""
    leases.check(conn, tenant, end.lease)
    run = readings.get_run(conn, tenant, end.run_id)
    settled = {"status": end.status.value, "ended_at": to_ms(end.ended_at)}
    readings.settle(
        conn, (tenant, end.key), run.no, {**settled, "error": end.error, "kind": end.kind}
    )


def commit(conn: Connection, tenant: str, replay: ReplayCommit) -> Counts:
    """Store and let go; see :meth:`integrationd.ports.quarantine.QuarantineStore.commit_replay`."""
    leases.check(conn, tenant, replay.lease)
    run = readings.get_run(conn, tenant, replay.run_id)
    change = feed.begin_change(conn, tenant, replay.key.integration, run.no, to_ms(replay.at))
    waiting = _read_waiting(conn, [one.id for one in replay.mapped])
    here = [(at, one) for at, one in enumerate(replay.mapped) if waiting.get(one.id) == one.last_at]
    stored = _read_changed(conn, tenant, replay, [one for _, one in here])
    fresh = [
        (at, one)
        for at, one in here
        if isinstance(one.result, SetAside)
        or stored.get(one.result.external_id, one.last_at) <= one.last_at
    ]
    good = [(at, one.result) for at, one in fresh if isinstance(one.result, Upsert)]
    stored_now = {upsert.external_id for _, upsert in good}
    batch = pages.Batch(
        key=replay.key,
        entity=replay.entity,
        upserts=[upsert for _, upsert in good],
        removals=[one.result for _, one in fresh if isinstance(one.result, Removal)],
        ids=[replay.ids[at] for at, _ in good],
        relays=[relay for relay in replay.relays if relay.external_id in stored_now],
    )
    counts = pages.write(change, batch).counts
    bad = [one for _, one in fresh if isinstance(one.result, SetAside)]
    _judge_again(conn, bad, replay.shape)
    drop(conn, sorted({one.id for _, one in here} - {one.id for one in bad}))
    counts = replace(
        replay.counts.plus(counts),
        read=len(here),
        unchanged=counts.unchanged + len(here) - len(fresh),
        quarantined=len(bad),
    )
    readings.add_counts(conn, run.no, counts)
    return counts


def _read_waiting(conn: Connection, ids: Sequence[int]) -> dict[int, datetime]:
    """Return when the present version of each came, of those that still wait."""
    found: dict[int, datetime] = {}
    for some in _pieces(ids):
        wanted = select(quarantine.c.no, quarantine.c.last_at).where(quarantine.c.no.in_(some))
        found |= {no: from_ms(at) for no, at in conn.execute(wanted)}
    return found


def _read_changed(
    conn: Connection, tenant: str, replay: ReplayCommit, mapped: Sequence[Mapped]
) -> dict[str, datetime]:
    """Return when each stored record changed last."""
    names = [one.result.external_id for one in mapped if not isinstance(one.result, SetAside)]
    found: dict[str, datetime] = {}
    for some in _pieces(names):
        wanted = select(records.c.external_id, records.c.changed_at).where(
            records.c.tenant == tenant,
            records.c.integration == replay.key.integration,
            records.c.entity == replay.entity,
            records.c.external_id.in_(some),
        )
        found |= {name: from_ms(at) for name, at in conn.execute(wanted)}
    return found


def _judge_again(conn: Connection, mapped: Sequence[Mapped], shape: str) -> None:
    """Keep why records are bad now; when they came stays."""
    for one in mapped:
        assert isinstance(one.result, SetAside)
        facts = {
            "code": one.result.code,
            "field": one.result.field,
            "reason": one.result.reason,
            "shape": shape,
        }
        conn.execute(update(quarantine).where(quarantine.c.no == one.id).values(**facts))


def _pieces(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), DROP_ROWS):
        yield items[start : start + DROP_ROWS]
