"""The store over one SQL database: every port method as one transaction or one walk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from integrationd.model.events import NewEvent, StoredEvent
from integrationd.model.objects import Found
from integrationd.model.records import StoredRecord
from integrationd.model.runs import Counts
from integrationd.model.switches import Switch, Switches
from integrationd.ports.partitions import Relayed
from integrationd.ports.quarantine import (
    QuarantineQuery,
    QuarantineRow,
    ReplayCommit,
    ReplayEnd,
)
from integrationd.ports.slots import Opening
from integrationd.ports.store import (
    Accepted,
    Lease,
    PageCommit,
    ReadingState,
    RecordQuery,
    RunEnd,
    RunRow,
    RunStart,
    StreamKey,
    StreamRow,
    Sweep,
    Swept,
)
from integrationd.ports.undo import ChangeRow, RunDetails, UndoBy, UndoEnd, Undone
from integrationd.ports.upkeep import Retention
from integrationd.ports.views import EntityShape, ViewsLaid
from integrationd.store import (
    calls,
    history,
    inbox,
    leases,
    objects,
    opening,
    pages,
    queries,
    readings,
    relays,
    replays,
    slots,
    sweeps,
    switches,
    undo,
    upkeep,
    views,
)
from integrationd.store.database import Database
from integrationd.store.sealed import SealedRows

QUEUE_MAX = 1000
"""Transactions that may wait; at 5,000 events a second that is a fifth of a second."""


class SqlStore:
    """One database, as :class:`integrationd.ports.store.Store`; an async context manager.

    Writes go through one writer that commits together what waits together; reads go beside it on
    connections of their own. Entering opens the database and makes the tables of an empty one;
    leaving finishes what waits. The methods' contracts are written at the port.
    """

    def __init__(
        self,
        where: Database | str | Path | None,
        *,
        read_only: bool = False,
        inline: bool = False,
        queue_max: int = QUEUE_MAX,
    ) -> None:
        """Open nothing yet.

        Args:
            where: A database, or what :func:`integrationd.store.opening.find_database` takes; None
                is a database in memory, always inline.
            read_only: Never create or change anything; the methods that write are refused.
            inline: Run everything on the caller's thread, for tests in virtual time.
            queue_max: Transactions that may wait; an event beyond that is refused at once.
        """
        if where is None or isinstance(where, str | Path):
            where, inline = opening.find_database(where), inline or where is None
        self._plan = opening.Plan(
            database=where,
            read_only=read_only,
            inline=inline,
            queue_max=queue_max,
        )
        self._stack = AsyncExitStack()
        self._opened: opening.Opened | None = None

    @classmethod
    def in_memory(cls) -> Self:
        """Build the twin for tests: the same statements in memory, without threads."""
        return cls(None)

    async def __aenter__(self) -> Self:
        self._opened = await self._stack.enter_async_context(opening.open_database(self._plan))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    @property
    def _parts(self) -> opening.Opened:
        assert self._opened is not None
        return self._opened

    async def load_state(self, tenant: str, key: StreamKey, partition: str) -> ReadingState:
        """Return the partition's progress; an empty one where it was never read."""
        place = (tenant, key, partition)
        return await self._parts.readers.read(partial(readings.load_state, place=place))

    async def load_partitions(self, tenant: str, key: StreamKey) -> Mapping[str, ReadingState]:
        """Return the progress of every partition that was ever read."""
        work = partial(readings.load_partitions, tenant=tenant, key=key)
        return await self._parts.readers.read(work)

    def relays(
        self, tenant: str, integration: str, child: str, *, after: int = 0
    ) -> AsyncIterator[Relayed]:
        """Yield what living parent records give to a child."""
        return self._parts.readers.walk(relays.fetch(tenant, integration, child, after), None)

    async def last_whole(self, tenant: str, key: StreamKey) -> datetime | None:
        """Return when the last run began that read everything in one go; None where none did."""
        work = partial(readings.last_whole, tenant=tenant, key=key)
        return await self._parts.readers.read(work)

    async def begin_run(self, tenant: str, start: RunStart, lease: Lease) -> datetime | None:
        """Note that a run began and take its slot; else return the one that was taken before."""
        work = partial(readings.begin_run, tenant=tenant, start=start, lease=lease)
        return await self._parts.writer.run(work)

    async def open_calendars(
        self, tenant: str, openings: Mapping[StreamKey, Opening]
    ) -> Mapping[StreamKey, datetime]:
        """Note which schedules run, and return the last slot of each of these streams."""
        work = partial(slots.open_calendars, tenant=tenant, openings=openings)
        return await self._parts.writer.run(work)

    async def throw_switch(
        self, tenant: str, integration: str, switch: Switch, *, on: bool, at: datetime
    ) -> bool:
        """Switch an integration off in a way, or no longer; whether that changed anything."""
        since = at if on else None
        work = partial(switches.throw, place=(tenant, integration), switch=switch, since=since)
        return await self._parts.writer.run(work)

    async def switches(self) -> Switches:
        """Return all that is off, of every tenant."""
        return await self._parts.readers.read(switches.read)

    async def objects(self, tenant: str, integration: str) -> Sequence[Found]:
        """Return what lists of an integration were seen to hold."""
        query = partial(objects.read, tenant=tenant, integration=integration)
        return await self._parts.readers.read(query)

    async def keep_objects(self, tenant: str, integration: str, found: Sequence[Found]) -> None:
        """Note what was found, new or changed."""
        work = partial(objects.keep, tenant=tenant, integration=integration, found=found)
        await self._parts.writer.run(work)

    async def commit_page(self, tenant: str, page: PageCommit) -> Counts:
        """Store one page, all or nothing, and return its counts."""
        return await self._parts.writer.run(partial(pages.commit_page, tenant=tenant, page=page))

    async def sweep(self, tenant: str, sweep: Sweep) -> Swept:
        """Make tombstones of the stream's records that the run did not see."""
        return await sweeps.run(self._parts.readers, self._parts.writer, tenant, sweep)

    async def finish_run(self, tenant: str, end: RunEnd) -> None:
        """Settle a run, the reading's state and its counts; what it saw is forgotten."""
        await self._parts.writer.run(partial(readings.finish_run, tenant=tenant, end=end))

    async def mark_stale(self, tenant: str, key: StreamKey, *, stale: bool) -> None:
        """Count the stream's records as stale until each is written anew, or no longer."""
        work = partial(readings.mark_stale, tenant=tenant, key=key, stale=stale)
        await self._parts.writer.run(work)

    async def note_call(self, run: RunRow) -> None:
        """Put a call or a probe that is over into the history."""
        await self._parts.writer.run(partial(calls.note_call, run=run))

    async def claim(
        self, tenant: str, kind: str, key: str, *, holder: str, now: datetime, ttl: timedelta
    ) -> Lease | None:
        """Take a free or run-out claim with a new fence, or None while it is held."""
        wanted = Lease(kind=kind, key=key, holder=holder, fence=0, expires_at=now + ttl)
        work = partial(leases.claim, tenant=tenant, wanted=wanted, now=now, ttl=ttl)
        return await self._parts.writer.run(work)

    async def renew(self, tenant: str, lease: Lease, *, now: datetime, ttl: timedelta) -> Lease:
        """Extend a claim; raises LeaseLostError when it is no longer ours."""
        work = partial(leases.renew, tenant=tenant, lease=lease, now=now, ttl=ttl)
        return await self._parts.writer.run(work)

    async def release(self, tenant: str, lease: Lease) -> None:
        """Give a claim back; harmless when it is no longer ours."""
        await self._parts.writer.run(partial(leases.release, tenant=tenant, lease=lease))

    async def release_node(self, node: str) -> int:
        """Free the claims of every dead process of a node; holders are ``NODE:BOOT``."""
        return await self._parts.writer.run(partial(leases.release_node, node=node))

    async def accept_event(self, event: NewEvent) -> Accepted:
        """Store one event durably or recognise a duplicate; then it may be answered."""
        return await self._parts.writer.run(partial(inbox.accept, event=event), patient=False)

    async def endpoint_path(
        self, tenant: str, integration: str, endpoint: str, *, fresh: str
    ) -> str:
        """Return the endpoint's path token, kept for ever; ``fresh`` becomes it the first time."""
        place = (integration, endpoint)
        look = partial(inbox.find_path, tenant=tenant, place=place)
        found = await self._parts.readers.read(look)
        if found is not None:
            return found
        work = partial(inbox.keep_path, tenant=tenant, place=place, fresh=fresh)
        return await self._parts.writer.run(work)

    def events(
        self, tenant: str | None, *, integration: str | None = None, limit: int | None = None
    ) -> AsyncIterator[StoredEvent]:
        """Yield events, newest first."""
        return self._parts.readers.walk(queries.fetch_events(tenant, integration), limit)

    def records(self, tenant: str, query: RecordQuery) -> AsyncIterator[StoredRecord]:
        """Yield records in the order of their external ids, in bounded memory."""
        return self._parts.readers.walk(queries.fetch_records(tenant, query), query.limit)

    async def find_records(
        self, tenant: str, *, integration: str, entity: str, external_ids: Sequence[str]
    ) -> Mapping[str, StoredRecord]:
        """Return those of some records that are stored, tombstones too, by external id."""
        found: dict[str, StoredRecord] = {}
        for some in queries.in_chunks(external_ids):
            place = (tenant, integration, entity)
            look = partial(queries.find_records, place=place, external_ids=some)
            found |= await self._parts.readers.read(look)
        return found

    def runs(
        self, tenant: str | None, *, key: StreamKey | str | None = None, limit: int | None = None
    ) -> AsyncIterator[RunRow]:
        """Yield runs, newest first: of all, of a stream, or of the integration of that name."""
        return self._parts.readers.walk(queries.fetch_runs(tenant, key), limit)

    def quarantine(
        self, tenant: str | None, query: QuarantineQuery | None = None
    ) -> AsyncIterator[QuarantineRow]:
        """Yield what waits in quarantine, oldest first."""
        asked = query or QuarantineQuery()
        return self._parts.readers.walk(queries.fetch_quarantine(tenant, asked), asked.limit)

    async def drop_quarantined(self, ids: Sequence[int]) -> int:
        """Forget records that wait; return how many there were."""
        return await self._parts.writer.run(partial(replays.drop, ids=ids))

    async def begin_replay(self, tenant: str, start: RunStart, lease: Lease) -> None:
        """Note a run that maps again what waits."""
        work = partial(replays.begin, tenant=tenant, start=start, lease=lease)
        await self._parts.writer.run(work)

    async def finish_replay(self, tenant: str, end: ReplayEnd) -> None:
        """Settle such a run."""
        await self._parts.writer.run(partial(replays.finish, tenant=tenant, end=end))

    async def commit_replay(self, tenant: str, replay: ReplayCommit) -> Counts:
        """Store what can be mapped by now and let it go; keep the rest with its new reason."""
        return await self._parts.writer.run(partial(replays.commit, tenant=tenant, replay=replay))

    async def streams(self, tenant: str | None) -> list[StreamRow]:
        """Return what is known of every stream that was ever read."""
        return await self._parts.readers.read(partial(queries.read_streams, tenant=tenant))

    async def find_run(self, run_id: str, tenant: str | None = None) -> RunDetails | None:
        """Return what is known of a run; a tenant of None means any."""
        return await self._parts.readers.read(
            partial(history.find_run, run_id=run_id, tenant=tenant)
        )

    def changes_of(
        self, tenant: str, run_id: str, *, limit: int | None = None
    ) -> AsyncIterator[ChangeRow]:
        """Yield what a run changed, in order; nothing for a run that is not known."""
        return self._parts.readers.walk(history.fetch_changes(tenant, run_id), limit)

    async def begin_undo(self, tenant: str, start: RunStart, reverts: str, lease: Lease) -> None:
        """Note a run that undoes another; an unfinished walk of the stream is dropped."""
        work = partial(undo.begin, tenant=tenant, start=start, reverts=reverts, lease=lease)
        await self._parts.writer.run(work)

    def undo(self, tenant: str, reverts: str, *, by: UndoBy | None) -> AsyncIterator[Undone]:
        """Put every record that a run changed back as it was before, piece by piece."""
        return undo.run(self._parts.readers, self._parts.writer, (tenant, reverts), by)

    async def finish_undo(self, tenant: str, end: UndoEnd) -> None:
        """Settle a run that undid another; the stream's own progress is not touched."""
        await self._parts.writer.run(partial(undo.finish, tenant=tenant, end=end))

    async def lay_views(self, shapes: Sequence[EntityShape]) -> ViewsLaid:
        """Make, replace and drop views in one transaction, so that each shape has its own."""
        return await views.lay(self._parts.readers, self._parts.writer, shapes)

    async def event_counts(self, tenant: str | None) -> Mapping[str, int]:
        """Return how many events each ``INTEGRATION/ENDPOINT`` has."""
        return await self._parts.readers.read(partial(queries.read_event_counts, tenant=tenant))

    async def prune(self, now: datetime, retention: Retention) -> Mapping[str, int]:
        """Remove what is older than it may be, in short transactions; rows removed by table."""
        return await upkeep.prune(self._parts.readers, self._parts.writer, now, retention)

    async def ping(self) -> None:
        """Commit something small; raises StoreError when the store cannot commit."""
        await self._parts.writer.run(upkeep.ping)

    @property
    def secrets(self) -> SealedRows:
        """Return the part that keeps what the vault has sealed; open as long as the store is."""
        return SealedRows(self._parts)
