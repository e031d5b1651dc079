"""Calls and probes in the history of runs: over when they are noted."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from integrationd.model.runs import COUNT_NAMES, RunStatus
from integrationd.ports.calls import PROBE
from integrationd.ports.store import RunRow
from integrationd.store.tables import counters, runs, streams
from integrationd.store.values import to_ms


def note_call(conn: Connection, run: RunRow) -> None:
    """Note one; see :meth:`integrationd.ports.calls.CallStore.note_call`."""
    last = select(counters.c.value).where(counters.c.tenant == run.tenant, counters.c.name == "seq")
    seq = conn.execute(last).scalar_one_or_none() or 0
    ended_at = to_ms(run.ended_at or run.started_at)
    row = {
        "tenant": run.tenant,
        "id": run.id,
        "integration": run.integration,
        "stream": run.stream,
        "trigger": run.trigger,
        "mode": run.mode,
        "status": run.status,
        "resumed": run.resumed,
        "began_seq": seq,
        "ended_seq": seq,
        "started_at": to_ms(run.started_at),
        "ended_at": ended_at,
        "error": run.error,
        "kind": run.kind,
        **{name: getattr(run.counts, name) for name in COUNT_NAMES},
    }
    added = conn.execute(insert(runs).values(row)).inserted_primary_key
    assert added is not None
    if run.stream == PROBE:
        _stand_by(conn, run, added.no, ended_at)


def _stand_by(conn: Connection, run: RunRow, no: int, ended_at: int) -> None:
    """Make a probe what stands for its integration."""
    place = {"tenant": run.tenant, "integration": run.integration, "stream": run.stream}
    known = update(streams).where(*(streams.c[name] == value for name, value in place.items()))
    if not conn.execute(known.values(last_run=no)).rowcount:
        conn.execute(insert(streams).values(**place, living=0, errors=0, last_run=no))
    if run.status == RunStatus.DONE:
        conn.execute(known.values(errors=0, last_done_at=ended_at))
    elif run.status == RunStatus.FAILED:
        conn.execute(known.values(errors=streams.c.errors + 1))
