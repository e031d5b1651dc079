"""The hot path: one page of records, all or nothing, with few statements for many rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, null, select, update

from integrationd.model.ids import Ids
from integrationd.model.records import DeleteReason, Relay, Removal, Upsert
from integrationd.model.runs import Counts
from integrationd.ports.store import PageCommit, StreamKey
from integrationd.store import aside, database, leases, readings, relays
from integrationd.store.feed import Change, begin_change, take_seqs
from integrationd.store.prepared import Prepared, PreparedMany, Row, insert_many
from integrationd.store.tables import changes, records, seen, streams
from integrationd.store.values import pack_numbers, to_ms

OWN_COUNTS = ("added", "changed", "unchanged", "deleted", "filtered")
"""Counts that :func:`write` knows; the engine's word for them is never taken."""
ADDED, CHANGED, DELETED = "added", "changed", "deleted"

_PLACE = (
    records.c.tenant == bindparam("tenant"),
    records.c.integration == bindparam("integration"),
    records.c.entity == bindparam("entity"),
)
_FOUND = (records.c.external_id, records.c.no, records.c.digest, records.c.deleted)
_FIND_MANY = Prepared(
    lambda db: db.look_up(_FOUND, _PLACE, records.c.external_id),
    *("tenant", "integration", "entity", "texts"),
)
_FIND_ONE = Prepared(
    select(*_FOUND).where(*_PLACE, records.c.external_id == bindparam("external_id")),
    "tenant",
    "integration",
    "entity",
    "external_id",
)

_ADD = insert_many(
    records,
    *("no", "tenant", "integration", "entity", "external_id", "id", "stream"),
    *("seq", "changed_at", "digest", "data"),
)
_NOTE_ADDED = insert_many(changes, "tenant", "seq", "record_no", "op", "run", "at")
_NOTE = {name: changes.c[name].type for name in ("seq", "op", "run", "at", "record_no")}
_NOTE_BEFORE = PreparedMany(
    lambda _, row: insert(changes).from_select(
        ["tenant", "seq", "record_no", "op", "run", "at", "before"],
        select(
            *(records.c.tenant, row["seq"], records.c.no, row["op"], row["run"], row["at"]),
            records.c.data,
        ).where(records.c.no == row["record_no"]),
    ),
    _NOTE,
)
_CHANGE = PreparedMany(
    lambda _, row: (
        update(records)
        .where(records.c.no == row["record_no"])
        .values(
            seq=row["new_seq"],
            changed_at=row["at"],
            digest=row["new_digest"],
            data=row["new_data"],
        )
    ),
    {
        "new_seq": records.c.seq.type,
        "at": records.c.changed_at.type,
        "new_digest": records.c.digest.type,
        "new_data": records.c.data.type,
        "record_no": records.c.no.type,
    },
)
_REVIVE = PreparedMany(
    lambda _, row: (
        update(records)
        .where(records.c.no == row["record_no"])
        .values(stream=row["new_stream"], deleted=null())
    ),
    {"new_stream": records.c.stream.type, "record_no": records.c.no.type},
)
_BURY = PreparedMany(
    lambda _, row: (
        update(records)
        .where(records.c.no == row["record_no"])
        .values(
            seq=row["new_seq"],
            changed_at=row["at"],
            deleted=row["reason"],
            digest=null(),
            data=null(),
        )
    ),
    {
        "new_seq": records.c.seq.type,
        "at": records.c.changed_at.type,
        "reason": records.c.deleted.type,
        "record_no": records.c.no.type,
    },
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
_NEXT_PART = Prepared(
    select(func.coalesce(func.max(seen.c.part) + 1, 0)).where(
        seen.c.tenant == bindparam("tenant"), seen.c.run == bindparam("run")
    ),
    "tenant",
    "run",
)
_SEEN = ("tenant", "run", "part", "nos")
_KEEP_SEEN = Prepared(insert(seen).values({name: bindparam(name) for name in _SEEN}), *_SEEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Records to be written together."""

    key: StreamKey
    entity: str
    upserts: Sequence[Upsert]
    removals: Sequence[Removal]
    ids: Ids
    relays: Sequence[Relay] = ()


class Written(NamedTuple):
    """What came of a batch."""

    nos: list[int]
    """The numbers of the upserted records."""
    counts: Counts


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
    change = begin_change(conn, tenant, page.key.integration, run.no, to_ms(page.at))
    batch = Batch(
        key=page.key,
        entity=page.entity,
        upserts=page.upserts,
        removals=page.removals,
        ids=page.ids,
        relays=page.relays,
    )
    nos, counts = write(change, batch)
    nos += _set_aside(change, page)
    if page.track_seen and nos:
        part = _NEXT_PART.run(conn, tenant, run.no).scalar_one()
        _KEEP_SEEN.run(conn, tenant, run.no, part, pack_numbers(nos))
    own = {name: getattr(counts, name) for name in OWN_COUNTS}
    own["unchanged"] += page.below
    counts = replace(page.counts, pages=1, quarantined=len(page.aside), **own)
    if page.state is not None:
        readings.keep_state(conn, (tenant, page.key, page.partition), page.state)
    readings.add_counts(conn, run.no, counts)
    return counts


def write(change: Change, batch: Batch) -> Written:
    """Add, change, bring back and bury records, each where it is not so already."""
    compared = _compare(change, batch)
    changed = [Rewrite(CHANGED, no, it.digest, it.data.decode()) for it, no in compared.changed]
    back = [Rewrite(ADDED, no, it.digest, it.data.decode()) for it, no in compared.back]
    overwrite(change, [*changed, *back])
    if compared.back:
        revive(change, batch.key.stream, [no for _, no in compared.back])
    nos = [*compared.nos, *_write_new(change, batch, compared.new)]
    if compared.new:
        count_living(change, batch.key.stream, len(compared.new))
    gone = _remove(change, batch)
    if batch.relays:
        parents = _find(change, batch.entity, {relay.external_id for relay in batch.relays})
        nos_of = {name: no for name, (no, *_) in parents.items()}
        relays.keep(change, batch.relays, nos_of, back={no for _, no in compared.back})
    counts = Counts(
        added=len(compared.new) + len(compared.back),
        changed=len(compared.changed),
        unchanged=len(compared.nos) - len(compared.changed) - len(compared.back),
        deleted=gone[DeleteReason.SOURCE],
        filtered=gone[DeleteReason.FILTERED],
    )
    return Written(nos, counts)


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
    _NOTE_BEFORE.run(change.conn, notes)
    _CHANGE.run(change.conn, rows)


def revive(change: Change, stream: str, nos: Sequence[int]) -> None:
    """Take tombstones that :func:`overwrite` gave data for living records of a stream."""
    _REVIVE.run(change.conn, [(stream, no) for no in nos])
    count_living(change, stream, len(nos))


def count_living(change: Change, stream: str, more: int) -> None:
    """Count living records of a stream that was read before."""
    _MORE_LIVING.run(change.conn, more, change.tenant, change.integration, stream)


def bury(change: Change, removed: Sequence[tuple[int, str]]) -> None:
    """Make tombstones of living records, given as number and reason; their data becomes history."""
    if not removed:
        return
    conn = change.conn
    for stream, count in _count_streams(conn, [no for no, _ in removed]):
        count_living(change, stream, -count)
    first = take_seqs(change, len(removed))
    notes = [
        (seq, DELETED, change.run, change.at, no)
        for seq, (no, _) in enumerate(removed, start=first)
    ]
    _NOTE_BEFORE.run(conn, notes)
    graves = [(seq, change.at, reason, no) for seq, (no, reason) in enumerate(removed, start=first)]
    _BURY.run(conn, graves)


def _count_streams(conn: Connection, nos: Sequence[int]) -> Iterable[Row]:
    """Tell how many of those records each stream has."""
    counts: Counter[str] = Counter()
    for start in range(0, len(nos), _LIST_MAX):
        some = records.c.no.in_(nos[start : start + _LIST_MAX])
        for stream, count in conn.execute(
            select(records.c.stream, func.count()).where(some).group_by(records.c.stream)
        ):
            counts[stream] += count
    return counts.items()


_LIST_MAX: Final = 10_000
"""Places in one statement; SQLite and PostgreSQL's protocol end at some 32,000."""


def _find(change: Change, entity: str, wanted: Iterable[str]) -> dict[str, Row]:
    """Return (number, digest, deleted) of those external ids that are stored."""
    place = (change.tenant, change.integration, entity)
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


def _compare(change: Change, batch: Batch) -> _Compared:
    stored = _find(change, batch.entity, (upsert.external_id for upsert in batch.upserts))
    compared = _Compared()
    nos = compared.nos
    for number, upsert in enumerate(batch.upserts):
        known = stored.get(upsert.external_id)
        if known is None:
            compared.new.append((upsert, batch.ids[number]))
            continue
        no, digest, deleted = known
        nos.append(no)
        if deleted is not None:
            compared.back.append((upsert, no))
        elif digest != upsert.digest:
            compared.changed.append((upsert, no))
    return compared


def _write_new(change: Change, batch: Batch, new: list[tuple[Upsert, bytes]]) -> Iterable[int]:
    """Add records; return their numbers."""
    if not new:
        return ()
    conn, tenant, run, at = change.conn, change.tenant, change.run, change.at
    integration, entity, stream = change.integration, batch.entity, batch.key.stream
    first_seq = take_seqs(change, len(new))
    nos = database.of(conn).take_numbers(conn, len(new))
    rows, notes = [], []
    for seq, (no, (upsert, fresh)) in enumerate(zip(nos, new, strict=True), start=first_seq):
        whose = (no, tenant, integration, entity, upsert.external_id, fresh, stream)
        rows.append((*whose, seq, at, upsert.digest, upsert.data.decode()))
        notes.append((tenant, seq, no, ADDED, run, at))
    _ADD.run(conn, rows)
    _NOTE_ADDED.run(conn, notes)
    return nos


def _remove(change: Change, batch: Batch) -> dict[DeleteReason, int]:
    """Bury those of the removals that live; return how many, by reason."""
    gone = dict.fromkeys(DeleteReason, 0)
    reasons = {removal.external_id: removal.reason for removal in batch.removals}
    if reasons:
        found = _find(change, batch.entity, reasons)
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
    found = _find(change, page.entity, {one.fingerprint for one in page.aside})
    return [no for no, _, _ in found.values()]
