"""Undoing a run: what it wrote over is in the history, so each record gets its old state back.

First the run's stretch of the feed is read, beside the writer, for where it changed each record
first; that fits into eight bytes for each. Then the records are put back, piece by piece. Whether
one may be is decided in the transaction that does it: only where the record's last change is still
the run's own. What an undoing wrote is known by its run, so another one after a crash goes on.
"""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, NamedTuple, TypeAlias

from sqlalchemy import Connection, Row, Select, and_, func, select

from integrationd.errors import HistoryError
from integrationd.model.records import DeleteReason, digest_of
from integrationd.model.runs import Counts
from integrationd.ports.store import Lease, RunStart, StreamKey
from integrationd.ports.undo import Conflict, Since, UndoBy, UndoEnd, Undone
from integrationd.store import feed, leases, pages, readings
from integrationd.store.marks import Marks
from integrationd.store.readers import Readers
from integrationd.store.tables import changes, records, runs
from integrationd.store.values import from_ms, to_ms
from integrationd.store.writer import Writer

SCAN_ROWS: Final = 5000
PIECE_ROWS: Final = 500
"""Records in one transaction, so that others wait some milliseconds only."""

AnyRow: TypeAlias = Row[Any]


class Stretch(NamedTuple):
    """A run as the feed knows it: its changes lie after ``began`` and not after ``ended``."""

    no: int
    key: StreamKey
    began: int
    ended: int


@dataclass(slots=True)
class _Plan:
    """What is to be undone."""

    run: Stretch
    own: set[int]
    """Numbers of the run and of those that undid an undoing of it: a record's last change by one
    of them left what the run had left."""
    undone: set[int]
    """Numbers of runs that undid the run, or did so again."""
    firsts: array[int] = field(default_factory=lambda: array("q"))
    """Where in the feed the run changed each record first."""
    mixed: dict[int, int] = field(default_factory=dict)
    """Records that another run changed while this one was under way, and where in the feed."""


@dataclass(slots=True)
class _Piece:
    """Some of the records, judged."""

    bury: list[int] = field(default_factory=list)
    rewrites: list[pages.Rewrite] = field(default_factory=list)
    revived: dict[str, list[int]] = field(default_factory=dict)
    """Numbers by stream; their data is among ``rewrites``."""
    same: int = 0
    already: int = 0
    left: list[tuple[AnyRow, int]] = field(default_factory=list)
    """Conflicts: the record, and where in the feed the change lies that makes it one."""


def begin(conn: Connection, tenant: str, *, start: RunStart, reverts: str, lease: Lease) -> None:
    """Note the run; see :meth:`integrationd.ports.undo.UndoStore.begin_undo`."""
    leases.check(conn, tenant, lease)
    readings.end_dead(conn, (tenant, start.key), to_ms(start.started_at))
    readings.note_run(conn, tenant, start, reverts=reverts)
    readings.drop_walks(conn, tenant, start.key)


def finish(conn: Connection, tenant: str, *, end: UndoEnd) -> None:
    """Settle the run; see :meth:`integrationd.ports.undo.UndoStore.finish_undo`."""
    leases.check(conn, tenant, end.lease)
    row = conn.execute(_runs(tenant, end.run_id)).one()
    key = StreamKey(row.integration, row.stream)
    settled = {"status": end.status.value, "ended_at": to_ms(end.ended_at)}
    readings.settle(conn, (tenant, key), row.no, {**settled, "error": end.error, "kind": end.kind})


async def run(
    readers: Readers, writer: Writer, place: tuple[str, str], by: UndoBy | None
) -> AsyncIterator[Undone]:
    """Undo the run of (tenant, run id); see :meth:`integrationd.ports.undo.UndoStore.undo`."""
    tenant, run_id = place
    plan = await readers.read(partial(_begin_plan, tenant=tenant, run_id=run_id))
    await _scan_all(readers, tenant, plan)
    for start in range(0, len(plan.firsts), PIECE_ROWS):
        seqs = plan.firsts[start : start + PIECE_ROWS].tolist()
        if by is None:
            yield await readers.read(partial(_look, tenant=tenant, plan=plan, seqs=seqs))
        else:
            yield await writer.run(partial(_undo, tenant=tenant, plan=plan, seqs=seqs, by=by))


def find_stretch(conn: Connection, tenant: str, run_id: str) -> Stretch | None:
    """Return where a run's changes lie, or None for one that is not known."""
    row = conn.execute(_runs(tenant, run_id)).one_or_none()
    if row is None:
        return None
    ended = feed.last_seq(conn, tenant) if row.ended_seq is None else row.ended_seq
    return Stretch(row.no, StreamKey(row.integration, row.stream), row.began_seq, ended)


def is_pruned(conn: Connection, tenant: str, stretch: Stretch) -> bool:
    """Whether changes that lie in the stretch may be gone: the oldest go first."""
    if stretch.ended == stretch.began:
        return False
    oldest = select(func.min(changes.c.seq)).where(changes.c.tenant == tenant)
    kept_from = conn.execute(oldest).scalar_one()
    return kept_from is None or kept_from > stretch.began + 1


def who_changed(conn: Connection, tenant: str, seqs: Iterable[int]) -> dict[int, Since]:
    """Return who made those changes, by their places in the feed."""
    wanted = (
        select(changes.c.seq, changes.c.at, runs.c.id)
        .select_from(changes.outerjoin(runs, runs.c.no == changes.c.run))
        .where(changes.c.tenant == tenant, changes.c.seq.in_(list(seqs)))
    )
    return {row.seq: Since(run=row.id, at=from_ms(row.at)) for row in conn.execute(wanted)}


def _runs(tenant: str, run_id: str) -> Select[Any]:
    return select(runs).where(runs.c.tenant == tenant, runs.c.id == run_id)


def _begin_plan(conn: Connection, *, tenant: str, run_id: str) -> _Plan:
    stretch = find_stretch(conn, tenant, run_id)
    if stretch is None:
        raise HistoryError(f"run {run_id} is not known any more; it cannot be undone")
    if is_pruned(conn, tenant, stretch):
        raise HistoryError.pruned(run_id)
    own, undone = {stretch.no}, set[int]()
    side, other, ids = undone, own, [run_id]
    while ids:
        flips = and_(runs.c.tenant == tenant, runs.c.reverts.in_(ids))
        found = conn.execute(select(runs.c.no, runs.c.id).where(flips)).all()
        side.update(row.no for row in found)
        side, other, ids = other, side, [row.id for row in found]
    return _Plan(stretch, own, undone)


async def _scan_all(readers: Readers, tenant: str, plan: _Plan) -> None:
    marks, after = Marks(), plan.run.began
    while rows := await readers.read(
        partial(_scan, tenant=tenant, after=after, until=plan.run.ended)
    ):
        after = rows[-1][0]
        for seq, record_no, run_no in rows:
            if marks.has(record_no):
                if run_no not in plan.own and run_no not in plan.undone:
                    plan.mixed[record_no] = seq
            elif run_no == plan.run.no:
                marks.add(record_no)
                plan.firsts.append(seq)


def _scan(
    conn: Connection, *, tenant: str, after: int, until: int
) -> Sequence[tuple[int, int, int]]:
    here = and_(changes.c.tenant == tenant, changes.c.seq > after, changes.c.seq <= until)
    some = select(changes.c.seq, changes.c.record_no, changes.c.run).where(here)
    rows = conn.execute(some.order_by(changes.c.seq).limit(SCAN_ROWS))
    return [(seq, record_no, run_no) for seq, record_no, run_no in rows]


def _look(conn: Connection, *, tenant: str, plan: _Plan, seqs: Sequence[int]) -> Undone:
    return _tell(conn, tenant, _judge(conn, tenant, plan, seqs))


def _undo(conn: Connection, *, tenant: str, plan: _Plan, seqs: Sequence[int], by: UndoBy) -> Undone:
    leases.check(conn, tenant, by.lease)
    run_no = readings.get_run(conn, tenant, by.run_id).no
    change = feed.begin_change(conn, tenant, plan.run.key.integration, run_no, to_ms(by.at))
    piece = _judge(conn, tenant, plan, seqs)
    pages.bury(change, [(no, DeleteReason.REVERTED.value) for no in piece.bury])
    pages.overwrite(change, piece.rewrites)
    for stream, nos in piece.revived.items():
        pages.revive(change, stream, nos)
    undone = _tell(conn, tenant, piece)
    readings.add_counts(
        conn,
        run_no,
        Counts(
            added=undone.revived,
            changed=undone.restored,
            unchanged=undone.same + undone.already + len(undone.conflicts),
            deleted=undone.gone,
        ),
    )
    return undone


def _judge(conn: Connection, tenant: str, plan: _Plan, seqs: Sequence[int]) -> _Piece:
    """Decide for each record, as it stands in this transaction."""
    last = changes.alias("last")
    wanted: Select[Any] = (
        select(
            *(changes.c.op, changes.c.before, records.c.no, records.c.seq, records.c.data),
            *(records.c.entity, records.c.external_id, records.c.stream, last.c.run),
        )
        .select_from(
            changes.join(records, records.c.no == changes.c.record_no).join(
                last, and_(last.c.tenant == tenant, last.c.seq == records.c.seq)
            )
        )
        .where(changes.c.tenant == tenant, changes.c.seq.in_(seqs))
        .order_by(changes.c.seq)
    )
    piece, found = _Piece(), conn.execute(wanted).all()
    if len(found) < len(seqs):
        raise HistoryError("the history was pruned meanwhile; what is left cannot be undone")
    for row in found:
        if row.run in plan.undone:
            piece.already += 1
        elif row.run not in plan.own:
            piece.left.append((row, row.seq))
        elif row.no in plan.mixed:
            piece.left.append((row, plan.mixed[row.no]))
        else:
            _put_back(piece, row)
    return piece


def _put_back(piece: _Piece, row: AnyRow) -> None:
    """Decide what brings a record back: its data before the run's first change, or none."""
    old: str | None = row.before
    if old == row.data:
        piece.same += 1
    elif old is None:
        piece.bury.append(row.no)
    elif row.data is None:
        piece.revived.setdefault(row.stream, []).append(row.no)
        piece.rewrites.append(_rewrite(pages.ADDED, row.no, old))
    else:
        piece.rewrites.append(_rewrite(pages.CHANGED, row.no, old))


def _rewrite(op: str, no: int, data: str) -> pages.Rewrite:
    return pages.Rewrite(op, no, digest_of(data.encode()), data)


def _tell(conn: Connection, tenant: str, piece: _Piece) -> Undone:
    revived = sum(map(len, piece.revived.values()))
    who: Mapping[int, Since] = (
        who_changed(conn, tenant, {seq for _, seq in piece.left}) if piece.left else {}
    )
    return Undone(
        gone=len(piece.bury),
        restored=len(piece.rewrites) - revived,
        revived=revived,
        same=piece.same,
        already=piece.already,
        conflicts=tuple(
            Conflict(entity=row.entity, external_id=row.external_id, since=who[seq])
            for row, seq in piece.left
        ),
    )
