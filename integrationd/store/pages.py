"""The hot path: one page of records, all or nothing, with few statements for many rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, null, select, update

from integrationd.model.records import DeleteReason, Upsert
from integrationd.model.runs import Counts
from integrationd.ports.store import PageCommit
from integrationd.store import aside, database, leases, readings
from integrationd.store.prepared import Prepared, Row
from integrationd.store.tables import changes, counters, records, seen, streams
from integrationd.store.values import pack_numbers, to_ms

ADDED, CHANGED, DELETED = "added", "changed", "deleted"

_PLACE = (
    records.c.tenant == bindparam("tenant"),
    records.c.integration == bindparam("integration"),
    records.c.entity == bindparam("entity"),
)
_FOUND = (records.c.external_id, records.c.no, records.c.digest, records.c.deleted)
_FIND_MANY = Prepared(
    lambda db: select(*_FOUND).where(*_PLACE, records.c.external_id.in_(db.text_list())),
    "tenant",
    "integration",
    "entity",
    "texts",
)
_FIND_ONE = Prepared(
    select(*_FOUND).where(*_PLACE, records.c.external_id == bindparam("external_id")),
    "tenant",
    "integration",
    "entity",
    "external_id",
)

_RECORD = (
    *("no", "tenant", "integration", "entity", "external_id", "id", "stream"),
    *("seq", "changed_at", "digest", "data"),
)
_ADD = Prepared(insert(records).values({name: bindparam(name) for name in _RECORD}), *_RECORD)
_NOTE_ADDED = Prepared(
    insert(changes).values(
        {name: bindparam(name) for name in ("tenant", "seq", "record_no", "op", "run", "at")}
    ),
    "tenant",
    "seq",
    "record_no",
    "op",
    "run",
    "at",
)
_NOTE_BEFORE = Prepared(
    insert(changes).from_select(
        ["tenant", "seq", "record_no", "op", "run", "at", "before"],
        select(
            records.c.tenant,
            bindparam("new_seq"),
            records.c.no,
            bindparam("op"),
            bindparam("run"),
            bindparam("at"),
            records.c.data,
        ).where(records.c.no == bindparam("record_no")),
    ),
    "new_seq",
    "op",
    "run",
    "at",
    "record_no",
)
_CHANGE = Prepared(
    update(records)
    .where(records.c.no == bindparam("record_no"))
    .values(
        seq=bindparam("new_seq"),
        changed_at=bindparam("at"),
        digest=bindparam("new_digest"),
        data=bindparam("new_data"),
    ),
    "new_seq",
    "at",
    "new_digest",
    "new_data",
    "record_no",
)
_REVIVE = Prepared(
    update(records)
    .where(records.c.no == bindparam("record_no"))
    .values(stream=bindparam("new_stream"), deleted=null()),
    "new_stream",
    "record_no",
)
_BURY = Prepared(
    update(records)
    .where(records.c.no == bindparam("record_no"))
    .values(
        seq=bindparam("new_seq"),
        changed_at=bindparam("at"),
        deleted=bindparam("reason"),
        digest=null(),
        data=null(),
    ),
    "new_seq",
    "at",
    "reason",
    "record_no",
)
_FEWER_LIVING = Prepared(
    update(streams)
    .where(
        streams.c.tenant == bindparam("tenant_is"),
        streams.c.integration == bindparam("integration_is"),
        streams.c.stream
        == select(records.c.stream).where(records.c.no == bindparam("record_no")).scalar_subquery(),
    )
    .values(living=streams.c.living - 1),
    "tenant_is",
    "integration_is",
    "record_no",
)
_MORE_LIVING = Prepared(
    update(streams)
    .where(
        streams.c.tenant == bindparam("tenant_is"),
        streams.c.integration == bindparam("integration_is"),
        streams.c.stream == bindparam("stream_is"),
    )
    .values(living=streams.c.living + bindparam("more")),
    "more",
    "tenant_is",
    "integration_is",
    "stream_is",
)
_LAST_SEQ = Prepared(
    select(counters.c.value).where(
        counters.c.tenant == bindparam("tenant"), counters.c.name == "seq"
    ),
    "tenant",
)
_SET_SEQ = Prepared(
    update(counters)
    .where(counters.c.tenant == bindparam("tenant_is"), counters.c.name == "seq")
    .values(value=bindparam("new_value")),
    "new_value",
    "tenant_is",
)
_NEXT_PART = Prepared(
    select(func.coalesce(func.max(seen.c.part) + 1, 0)).where(
        seen.c.tenant == bindparam("tenant"), seen.c.run == bindparam("run")
    ),
    "tenant",
    "run",
)
_SEEN = ("tenant", "run", "part", "nos")
_KEEP_SEEN = Prepared(insert(seen).values({name: bindparam(name) for name in _SEEN}), *_SEEN)


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes records, and when."""

    conn: Connection
    tenant: str
    integration: str
    run: int
    at: int


@dataclass(slots=True)
class _Compared:
    """A page's records beside what is stored."""

    new: list[tuple[Upsert, bytes]] = field(default_factory=list)
    changed: list[tuple[Upsert, int]] = field(default_factory=list)
    back: list[tuple[Upsert, int]] = field(default_factory=list)
    nos: list[int] = field(default_factory=list)
    """The numbers of the stored ones."""


def commit_page(conn: Connection, tenant: str, page: PageCommit) -> Counts:
    """Store the page; see :meth:`integrationd.ports.store.ReadingStore.commit_page`."""
    leases.check(conn, tenant, page.lease)
    run = readings.get_run(conn, tenant, page.run_id)
    change = Change(conn, tenant, page.key.integration, run.no, to_ms(page.at))
    compared = _compare(change, page)
    changed = [Rewrite(CHANGED, no, it.digest, it.data.decode()) for it, no in compared.changed]
    back = [Rewrite(ADDED, no, it.digest, it.data.decode()) for it, no in compared.back]
    overwrite(change, [*changed, *back])
    if compared.back:
        revive(change, page.key.stream, [no for _, no in compared.back])
    nos = [*compared.nos, *_write_new(change, page, compared.new)]
    if compared.new:
        count_living(change, page.key.stream, len(compared.new))
    gone = _remove(change, page)
    nos += _set_aside(change, page)
    if page.track_seen and nos:
        part = _NEXT_PART.run(conn, tenant, run.no).scalar_one()
        _KEEP_SEEN.run(conn, tenant, run.no, part, pack_numbers(nos))
    counts = replace(
        page.counts,
        pages=1,
        added=len(compared.new) + len(compared.back),
        changed=len(compared.changed),
        unchanged=len(compared.nos) - len(compared.changed) - len(compared.back),
        deleted=gone[DeleteReason.SOURCE],
        filtered=gone[DeleteReason.FILTERED],
        quarantined=len(page.aside),
    )
    readings.keep_state(conn, (tenant, page.key, page.partition), page.state)
    readings.add_counts(conn, run.no, counts)
    return counts


class Rewrite(NamedTuple):
    """A stored record that gets data; a tuple, as one is built for each."""

    op: str
    no: int
    digest: bytes
    data: str


def overwrite(change: Change, rewrites: Sequence[Rewrite]) -> None:
    """Write over records, the old data first put into the history."""
    first = take_seqs(change, len(rewrites))
    notes, rows = [], []
    for seq, (op, no, digest, data) in enumerate(rewrites, start=first):
        notes.append((seq, op, change.run, change.at, no))
        rows.append((seq, change.at, digest, data, no))
    _NOTE_BEFORE.run_many(change.conn, notes)
    _CHANGE.run_many(change.conn, rows)


def revive(change: Change, stream: str, nos: Sequence[int]) -> None:
    """Take tombstones that :func:`overwrite` gave data for living records of a stream."""
    _REVIVE.run_many(change.conn, [(stream, no) for no in nos])
    count_living(change, stream, len(nos))


def count_living(change: Change, stream: str, more: int) -> None:
    """Count living records of a stream that was read before."""
    _MORE_LIVING.run(change.conn, more, change.tenant, change.integration, stream)


def bury(change: Change, removed: Sequence[tuple[int, str]]) -> None:
    """Make tombstones of living records, given as number and reason; their data becomes history."""
    conn = change.conn
    first = take_seqs(change, len(removed))
    notes = [
        (seq, DELETED, change.run, change.at, no)
        for seq, (no, _) in enumerate(removed, start=first)
    ]
    _NOTE_BEFORE.run_many(conn, notes)
    _FEWER_LIVING.run_many(conn, [(change.tenant, change.integration, no) for no, _ in removed])
    graves = [(seq, change.at, reason, no) for seq, (no, reason) in enumerate(removed, start=first)]
    _BURY.run_many(conn, graves)


def take_seqs(change: Change, count: int) -> int:
    """Reserve that many places in the tenant's feed; return the first."""
    if not count:
        return 0
    last = last_seq(change.conn, change.tenant)
    if not _SET_SEQ.run(change.conn, last + count, change.tenant).rowcount:
        row = {"tenant": change.tenant, "name": "seq", "value": last + count}
        change.conn.execute(insert(counters).values(**row))
    return last + 1


def last_seq(conn: Connection, tenant: str) -> int:
    """Return the last place in the tenant's feed; 0 before the first change."""
    found: int | None = _LAST_SEQ.run(conn, tenant).scalar_one_or_none()
    return found or 0


def _find(change: Change, page: PageCommit, wanted: Iterable[str]) -> dict[str, Row]:
    """Return (number, digest, deleted) of those external ids that are stored."""
    place = (change.tenant, change.integration, page.entity)
    db = database.of(change.conn)
    listable: list[str] = []
    others: list[str] = []
    for external_id in wanted:
        (listable if db.is_listable(external_id) else others).append(external_id)
    rows: list[Row] = []
    if listable:
        rows += _FIND_MANY.rows(change.conn, *place, db.bind_texts(listable))
    for external_id in others:
        rows += _FIND_ONE.rows(change.conn, *place, external_id)
    return {external_id: (no, digest, deleted) for external_id, no, digest, deleted in rows}


def _compare(change: Change, page: PageCommit) -> _Compared:
    stored = _find(change, page, (upsert.external_id for upsert in page.upserts))
    compared = _Compared()
    nos = compared.nos
    for number, upsert in enumerate(page.upserts):
        known = stored.get(upsert.external_id)
        if known is None:
            compared.new.append((upsert, page.ids[number]))
            continue
        no, digest, deleted = known
        nos.append(no)
        if deleted is not None:
            compared.back.append((upsert, no))
        elif digest != upsert.digest:
            compared.changed.append((upsert, no))
    return compared


def _write_new(change: Change, page: PageCommit, new: list[tuple[Upsert, bytes]]) -> Iterable[int]:
    """Add records; return their numbers."""
    if not new:
        return ()
    conn, tenant, run, at = change.conn, change.tenant, change.run, change.at
    integration, entity, stream = change.integration, page.entity, page.key.stream
    first_seq = take_seqs(change, len(new))
    nos = database.of(conn).take_numbers(conn, len(new))
    rows, notes = [], []
    for seq, (no, (upsert, fresh)) in enumerate(zip(nos, new, strict=True), start=first_seq):
        whose = (no, tenant, integration, entity, upsert.external_id, fresh, stream)
        rows.append((*whose, seq, at, upsert.digest, upsert.data.decode()))
        notes.append((tenant, seq, no, ADDED, run, at))
    _ADD.run_many(conn, rows)
    _NOTE_ADDED.run_many(conn, notes)
    return nos


def _remove(change: Change, page: PageCommit) -> dict[DeleteReason, int]:
    """Bury those of the page's removals that live; return how many, by reason."""
    gone = dict.fromkeys(DeleteReason, 0)
    reasons = {removal.external_id: removal.reason for removal in page.removals}
    if reasons:
        found = _find(change, page, reasons)
        living = [(no, reasons[key]) for key, (no, _, deleted) in found.items() if deleted is None]
        bury(change, [(no, reason.value) for no, reason in living])
        for _, reason in living:
            gone[reason] += 1
    return gone


def _set_aside(change: Change, page: PageCommit) -> list[int]:
    """Put into quarantine and take out of it; return the numbers of stored predecessors."""
    good = [upsert.external_id for upsert in page.upserts]
    good += [removal.external_id for removal in page.removals]
    aside.clear(change.conn, (change.tenant, page.key), good)
    if not page.aside:
        return []
    aside.put(change.conn, change.tenant, page)
    found = _find(change, page, {one.fingerprint for one in page.aside})
    return [no for no, _, _ in found.values()]
