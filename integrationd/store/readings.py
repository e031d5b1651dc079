"""Runs and the progress of readings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)

from integrationd.errors import StoreError
from integrationd.model.json import Json
from integrationd.model.runs import COUNT_NAMES, Counts, Debt, Mode, RunStatus
from integrationd.ports.store import Lease, ReadingState, RunEnd, RunStart, StreamKey
from integrationd.store import aside, leases, slots
from integrationd.store.prepared import Prepared
from integrationd.store.tables import counters, readings, runs, seen, streams
from integrationd.store.values import from_ms_or_none, from_text, to_ms, to_text

Partition: TypeAlias = tuple[str, StreamKey, str]
"""A tenant's stream, and which part of it."""

DIED = "the process ended during the run"
_BESIDE = (Mode.REVERT, Mode.REPLAY, Mode.INPUT)
"""What a run does that says nothing of how well its stream is read."""


class RunNo(NamedTuple):
    """How a run is called inside the database."""

    no: int
    began_seq: int


_GET_RUN = Prepared(
    select(runs.c.no, runs.c.began_seq).where(
        runs.c.tenant == bindparam("tenant"), runs.c.id == bindparam("id")
    ),
    "tenant",
    "id",
)
_ADD_COUNTS = Prepared(
    update(runs)
    .where(runs.c.no == bindparam("run_no"))
    .values({name: runs.c[name] + bindparam(f"more_{name}") for name in COUNT_NAMES}),
    *(f"more_{name}" for name in COUNT_NAMES),
    "run_no",
)
_STATE = (
    *("cursor", "page_token", "walking", "high_water", "sure", "mode"),
    *("fingerprint", "identity", "shape", "window", "round", "owes"),
)
_PLACE = ("tenant", "integration", "stream", "partition")
_KEEP = Prepared(
    update(readings)
    .where(*(readings.c[name] == bindparam(f"{name}_is") for name in _PLACE))
    .values(
        {
            **{name: bindparam(f"new_{name}") for name in _STATE},
            # An empty cursor never overwrites one, unless the reading itself is another now.
            "cursor": case(
                (
                    and_(
                        bindparam("cursor_empty"),
                        readings.c.fingerprint == bindparam("fingerprint_now"),
                    ),
                    readings.c.cursor,
                ),
                else_=bindparam("new_cursor"),
            ),
        }
    ),
    "cursor_empty",
    "fingerprint_now",
    *(f"new_{name}" for name in _STATE),
    *(f"{name}_is" for name in _PLACE),
)


def load_state(conn: Connection, place: Partition) -> ReadingState:
    """Return the partition's progress; an empty one where there is none."""
    row = conn.execute(select(readings).where(_is(place))).one_or_none()
    return ReadingState() if row is None else _state_of(row)


def load_partitions(conn: Connection, tenant: str, key: StreamKey) -> dict[str, ReadingState]:
    """Return the progress of each partition by its name."""
    rows = conn.execute(select(readings).where(*_of_stream(tenant, key)))
    return {row.partition: _state_of(row) for row in rows}


def _state_of(row: Row[Any]) -> ReadingState:
    return ReadingState(
        cursor=from_text(row.cursor),
        page_token=from_text(row.page_token),
        walking=row.walking,
        high_water=from_text(row.high_water),
        sure=from_text(row.sure),
        mode=None if row.mode is None else Mode(row.mode),
        fingerprint=row.fingerprint,
        identity=row.identity,
        shape=row.shape,
        window=from_text(row.window),
        round=row.round,
        owes=Debt(row.owes),
    )


def keep_state(conn: Connection, place: Partition, state: ReadingState) -> None:
    """Store the partition's progress; an empty cursor leaves a stored one of this reading alone."""
    tenant, key, partition = place
    facts = {
        "cursor": None if _is_empty(state.cursor) else to_text(state.cursor),
        "page_token": to_text(state.page_token),
        "walking": state.walking,
        "high_water": to_text(state.high_water),
        "sure": to_text(state.sure),
        "mode": state.mode and state.mode.value,
        "fingerprint": state.fingerprint,
        "identity": state.identity,
        "shape": state.shape,
        "window": to_text(state.window),
        "round": state.round,
        "owes": state.owes.value,
    }
    at = (tenant, key.integration, key.stream, partition)
    written = _KEEP.run(
        conn, facts["cursor"] is None, state.fingerprint, *(facts[name] for name in _STATE), *at
    )
    if not written.rowcount:
        row: dict[str, Any] = {**facts, **dict(zip(_PLACE, at, strict=True))}
        conn.execute(insert(readings).values(row))


def get_run(conn: Connection, tenant: str, run_id: str) -> RunNo:
    """Return the run's number; raises StoreError for a run that never began."""
    row = _GET_RUN.run(conn, tenant, run_id).one_or_none()
    if row is None:
        raise StoreError(
            f"run {run_id} is not known; a run must begin before it can store anything"
        )
    return RunNo(row.no, row.began_seq)


def last_whole(conn: Connection, tenant: str, key: StreamKey) -> datetime | None:
    """Return when the last run began that read everything, from its first page to its last."""
    wanted = select(runs.c.started_at).where(
        runs.c.tenant == tenant,
        runs.c.integration == key.integration,
        runs.c.stream == key.stream,
        runs.c.mode == Mode.FULL,
        runs.c.status == RunStatus.DONE,
        runs.c.resumed.is_(False),
    )
    found = conn.execute(wanted.order_by(runs.c.no.desc()).limit(1)).scalar_one_or_none()
    return from_ms_or_none(found)


def begin_run(conn: Connection, tenant: str, start: RunStart, lease: Lease) -> datetime | None:
    """Note the run; what still counts as running has died, as only one may run at a time."""
    leases.check(conn, tenant, lease)
    key = start.key
    taken = None if start.slot is None else slots.take(conn, tenant, key, start.slot)
    if taken is not None:
        return taken
    died = end_dead(conn, (tenant, key), to_ms(start.started_at))
    if start.state is not None:
        keep_state(conn, (tenant, key, ""), start.state)
    no = note_run(conn, tenant, start)
    known = update(streams).where(_is_stream(tenant, key)).values(errors=streams.c.errors + died)
    if start.mode is not Mode.INPUT:
        known = known.values(last_run=no)
    if not conn.execute(known).rowcount:
        first = {"tenant": tenant, "integration": key.integration, "stream": key.stream}
        conn.execute(insert(streams).values(**first, living=0, errors=0, last_run=no))
    return None


def count_errors(conn: Connection, tenant: str, key: StreamKey, more: int) -> None:
    """Count readings of the stream that failed."""
    if more:
        stream = update(streams).where(_is_stream(tenant, key))
        conn.execute(stream.values(errors=streams.c.errors + more))


def note_run(conn: Connection, tenant: str, start: RunStart, *, reverts: str | None = None) -> int:
    """Put the run into the history; return its number.

    Args:
        conn: In the writer's transaction.
        tenant: Whose.
        start: What is known of it.
        reverts: The id of the run that it undoes.
    """
    key = start.key
    row = {
        "tenant": tenant,
        "id": start.id,
        "integration": key.integration,
        "stream": key.stream,
        "trigger": start.trigger.value,
        "mode": start.mode.value,
        "status": RunStatus.RUNNING.value,
        "resumed": start.resumed,
        "began_seq": conn.execute(_last_seq(tenant)).scalar_one_or_none() or 0,
        "started_at": to_ms(start.started_at),
        "error": "",
        "kind": "",
        "reverts": reverts,
        "cursor_before": _read_cursor(conn, (tenant, key, "")),
        "input": to_text(start.input),
        **dict.fromkeys(COUNT_NAMES, 0),
    }
    added = conn.execute(insert(runs).values(row)).inserted_primary_key
    assert added is not None
    no: int = added.no
    return no


def finish_run(conn: Connection, tenant: str, end: RunEnd) -> None:
    """Settle the run, its counts and the reading's state."""
    leases.check(conn, tenant, end.lease)
    run, at = get_run(conn, tenant, end.run_id), to_ms(end.ended_at)
    add_counts(conn, run.no, end.counts)
    _forget(conn, tenant, run.no)
    if end.state is not None:
        keep_state(conn, (tenant, end.key, end.partition), end.state)
    settled = {"status": end.status.value, "ended_at": at, "error": end.error, "kind": end.kind}
    settle(conn, (tenant, end.key), run.no, settled)
    if end.state is None:
        return
    stream = update(streams).where(_is_stream(tenant, end.key))
    if end.round:
        gone = and_(readings.c.partition != "", readings.c.round != end.round)
        conn.execute(delete(readings).where(*_of_stream(tenant, end.key), gone))
    if end.complete:
        aside.let_go(conn, (tenant, end.key), end.run_id)
        conn.execute(stream.values(held=end.counts.held))
    if end.rewritten:
        conn.execute(stream.values(stale_seq=0))
    if end.status is RunStatus.DONE:
        conn.execute(stream.values(errors=0, last_done_at=at))
    elif end.status is RunStatus.FAILED:
        conn.execute(stream.values(errors=streams.c.errors + 1))


def mark_stale(conn: Connection, tenant: str, key: StreamKey, *, stale: bool) -> None:
    """Draw the line between what is stale and what is written from now on, or wipe it out."""
    stream = update(streams).where(_is_stream(tenant, key))
    if stale:
        last = func.coalesce(_last_seq(tenant).scalar_subquery(), 0)
        conn.execute(stream.where(streams.c.stale_seq == 0).values(stale_seq=last))
    else:
        conn.execute(stream.values(stale_seq=0))


def settle(
    conn: Connection, place: tuple[str, StreamKey], run_no: int, facts: Mapping[str, object]
) -> None:
    """Note how a run ended, and where: in the feed and by its stream's cursor."""
    tenant, key = place
    ends = {
        "ended_seq": conn.execute(_last_seq(tenant)).scalar_one_or_none() or 0,
        "cursor_after": _read_cursor(conn, (tenant, key, "")),
    }
    conn.execute(update(runs).where(runs.c.no == run_no).values(**facts, **ends))


def drop_walks(conn: Connection, tenant: str, key: StreamKey) -> None:
    """Let no unfinished walk of the stream go on; cursors stay."""
    unfinished = update(readings).where(*_of_stream(tenant, key), readings.c.walking)
    nowhere = {"page_token": None, "sure": None, "mode": None, "window": None, "round": ""}
    conn.execute(unfinished.values(walking=False, **nowhere))


def add_counts(conn: Connection, run_no: int, counts: Counts) -> None:
    """Add to what the run has counted."""
    _ADD_COUNTS.run(conn, *(getattr(counts, name) for name in COUNT_NAMES), run_no)


def end_dead(conn: Connection, place: tuple[str, StreamKey], at: int) -> int:
    """Fail the stream's runs that nobody settled and forget what they saw; return how many.

    Of readings, that is: one that undid a run, or mapped again what waited, says nothing of how
    well the stream is read.
    """
    tenant, key = place
    dead = and_(
        runs.c.tenant == tenant,
        runs.c.integration == key.integration,
        runs.c.stream == key.stream,
        runs.c.status == RunStatus.RUNNING.value,
    )
    found = conn.execute(select(runs.c.no, runs.c.mode).where(dead)).all()
    failed = {"status": RunStatus.FAILED.value, "error": DIED, "ended_at": at}
    for no, _ in found:
        settle(conn, place, no, failed)
        _forget(conn, tenant, no)
    return sum(mode not in _BESIDE for _, mode in found)


def _read_cursor(conn: Connection, place: Partition) -> str | None:
    """Return the partition's cursor as it is stored, as JSON."""
    return conn.execute(select(readings.c.cursor).where(_is(place))).scalar_one_or_none()


def _forget(conn: Connection, tenant: str, run_no: int) -> None:
    """Drop what a run saw: a row per page, so even ten million records are few rows."""
    conn.execute(delete(seen).where(seen.c.tenant == tenant, seen.c.run == run_no))


def _last_seq(tenant: str) -> Select[tuple[int]]:
    return select(counters.c.value).where(counters.c.tenant == tenant, counters.c.name == "seq")


def _is_empty(cursor: Json) -> bool:
    return cursor is None or cursor in ("", [], {})


def _is(place: Partition) -> ColumnElement[bool]:
    tenant, key, partition = place
    return and_(*_of_stream(tenant, key), readings.c.partition == partition)


def _of_stream(tenant: str, key: StreamKey) -> tuple[ColumnElement[bool], ...]:
    return (
        readings.c.tenant == tenant,
        readings.c.integration == key.integration,
        readings.c.stream == key.stream,
    )


def _is_stream(tenant: str, key: StreamKey) -> ColumnElement[bool]:
    return and_(
        streams.c.tenant == tenant,
        streams.c.integration == key.integration,
        streams.c.stream == key.stream,
    )
