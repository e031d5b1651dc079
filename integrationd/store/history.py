"""What one run did: the run itself, and record by record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Row, Select, and_, select

from integrationd.ports.undo import ChangeRow, RunDetails
from integrationd.store import pages, queries, undo
from integrationd.store.readers import Fetch
from integrationd.store.tables import changes, records, runs
from integrationd.store.values import from_ms, from_text

LATER_ROWS: Final = 50_000
"""How much of the feed after a change is looked through for what the change left: no index leads
from a record to its changes, as every write would pay for it."""

AnyRow: TypeAlias = Row[Any]


def find_run(conn: Connection, *, run_id: str, tenant: str | None) -> RunDetails | None:
    """Return what is known of a run; see :meth:`integrationd.ports.undo.UndoStore.find_run`."""
    wanted = select(runs).where(runs.c.id == run_id)
    if tenant is not None:
        wanted = wanted.where(runs.c.tenant == tenant)
    row = conn.execute(wanted.limit(1)).one_or_none()
    if row is None:
        return None
    stretch = undo.find_stretch(conn, row.tenant, run_id)
    assert stretch is not None
    same = and_(runs.c.tenant == row.tenant, runs.c.reverts == run_id)
    return RunDetails(
        run=queries.to_run(row),
        cursor_before=from_text(row.cursor_before),
        cursor_after=from_text(row.cursor_after),
        reverts=row.reverts,
        reverted_by=tuple(
            conn.execute(select(runs.c.id).where(same).order_by(runs.c.no)).scalars()
        ),
        input=from_text(row.input),
        pruned=undo.is_pruned(conn, row.tenant, stretch),
    )


def fetch_changes(tenant: str, run_id: str) -> Fetch[ChangeRow]:
    """Give what a run changed, in order, with what each change left."""

    def fetch(conn: Connection, after: int | None, size: int) -> Sequence[tuple[int, ChangeRow]]:
        stretch = undo.find_stretch(conn, tenant, run_id)
        if stretch is None:
            return []
        start = stretch.began if after is None else after
        mine: Select[Any] = (
            select(
                *(changes.c.seq, changes.c.at, changes.c.op, changes.c.before),
                *(records.c.no, records.c.entity, records.c.external_id),
                *(records.c.seq.label("last_seq"), records.c.data),
            )
            .select_from(changes.join(records, records.c.no == changes.c.record_no))
            .where(
                changes.c.tenant == tenant,
                changes.c.seq > start,
                changes.c.seq <= stretch.ended,
                changes.c.run == stretch.no,
            )
        )
        rows = conn.execute(mine.order_by(changes.c.seq).limit(size)).all()
        return _describe(conn, tenant, rows)

    return fetch


def _describe(
    conn: Connection, tenant: str, rows: Sequence[AnyRow]
) -> Sequence[tuple[int, ChangeRow]]:
    later = [row for row in rows if row.last_seq != row.seq]
    left = _find_left(conn, tenant, later)
    who = undo.who_changed(conn, tenant, {row.last_seq for row in later}) if later else {}
    described = []
    for row in rows:
        latest = row.last_seq == row.seq
        known = row.op == pages.DELETED or latest or row.seq in left
        after = row.data if latest else left.get(row.seq)
        change = ChangeRow(
            seq=row.seq,
            at=from_ms(row.at),
            op=row.op,
            entity=row.entity,
            external_id=row.external_id,
            before=from_text(row.before),
            after=None if row.op == pages.DELETED else from_text(after),
            known=known,
            since=None if latest else who.get(row.last_seq),
        )
        described.append((row.seq, change))
    return described


def _find_left(conn: Connection, tenant: str, later: Sequence[AnyRow]) -> dict[int, str | None]:
    """Return what each change left, by its place: what the next one of the record wrote over."""
    if not later:
        return {}
    waiting = {row.no: row.seq for row in reversed(later)}
    first = later[0].seq
    following = (
        select(changes.c.seq, changes.c.record_no, changes.c.before)
        .where(
            changes.c.tenant == tenant,
            changes.c.seq > first,
            changes.c.seq <= first + LATER_ROWS,
            changes.c.record_no.in_(list(waiting)),
        )
        .order_by(changes.c.seq)
    )
    mine = {row.seq: row.no for row in later}
    found: dict[int, str | None] = {}
    for row in conn.execute(following):
        place = waiting.get(row.record_no)
        if place is not None and place < row.seq:
            found[waiting.pop(row.record_no)] = row.before
        if row.seq in mine:
            waiting[row.record_no] = row.seq
    return found
