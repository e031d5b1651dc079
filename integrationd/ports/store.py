"""The store, as whole transactions; every call takes the tenant and none hands out a session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from integrationd.model.events import NewEvent, StoredEvent
from integrationd.model.ids import Ids
from integrationd.model.json import Json
from integrationd.model.records import Relay, Removal, SetAside, StoredRecord, Upsert
from integrationd.model.runs import Counts, Debt, Mode, RunStatus, Trigger
from integrationd.ports.calls import CallStore
from integrationd.ports.objects import ObjectStore
from integrationd.ports.partitions import PartitionStore
from integrationd.ports.quarantine import QuarantineStore
from integrationd.ports.slots import Slot, SlotStore
from integrationd.ports.switches import SwitchStore
from integrationd.ports.undo import UndoStore
from integrationd.ports.upkeep import StoreUpkeep
from integrationd.ports.views import ViewStore


@dataclass(frozen=True, slots=True)
class StreamKey:
    """Which stream of which integration; with the tenant it names a reading."""

    integration: str
    stream: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A claim that is ours until it runs out; ``fence`` grows with every new holder."""

    kind: str
    key: str
    holder: str
    fence: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingState:
    """Progress of one partition, as the last committed page left it."""

    cursor: Json = None
    """As the provider wrote it; moves only when a reading is complete."""
    page_token: Json = None
    """The token of the page that was committed last, while a walk is unfinished."""
    walking: bool = False
    """Whether a walk is unfinished: the first page's token is None, so this says it apart."""
    high_water: Json = None
    """The greatest cursor value seen in the unfinished walk, or in the last one."""
    sure: Json = None
    """The greatest one that was there when the unfinished walk began."""
    mode: Mode | None = None
    """Of the unfinished walk."""
    fingerprint: str = ""
    """Of the spec that this progress belongs to; another one means: begin anew."""
    identity: str = ""
    """Of the spec by which the stored records are called; empty where none was ever read."""
    shape: str = ""
    """Of the spec that the stored records were last completely written by; empty likewise."""
    window: Json = None
    """Begin and end of the window that is being read, ISO 8601."""
    round: str = ""
    """The id of the run that began to read the stream's partitions; a partition that has it has
    been begun since, and is done where it is not walking."""
    owes: Debt = Debt.NONE
    """Of the stream as a whole, where it has partitions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStart:
    """What is known when a run begins."""

    id: str
    key: StreamKey
    trigger: Trigger
    mode: Mode
    started_at: datetime
    resumed: bool = False
    slot: Slot | None = None
    """The time of the schedule that it takes; a run that a person asked for has none."""
    state: ReadingState | None = None
    """Progress of the stream as a whole that is noted with it."""
    input: Json = None
    """What a person narrowed it to, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCommit:
    """One page, all of it: records, progress and what the run has counted go in together."""

    run_id: str
    key: StreamKey
    partition: str
    entity: str
    lease: Lease
    upserts: Sequence[Upsert]
    """One for each external id; the last of duplicates has won already."""
    removals: Sequence[Removal]
    aside: Sequence[SetAside]
    state: ReadingState | None
    """None leaves the stream's progress as it is."""
    at: datetime
    counts: Counts
    """What only the engine knows of this page: read, cleaned, dropped, requests, retries and
    waited_ms; the store counts the rest, one page for each commit included."""
    shape: str = ""
    """Fingerprint of the spec that the records were mapped by."""
    track_seen: bool = False
    """Keep which records were seen, for the sweep."""
    ids: Ids = ()
    """Fresh internal ids (UUIDv7), one for each upsert, in order; asked for where it is new."""
    below: int = 0
    """Records before the lower bound, which were not looked at and count as unchanged."""
    relays: Sequence[Relay] = ()
    """What its upserted records give to the streams that are read once for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Turn what a complete reading did not see into tombstones."""

    run_id: str
    key: StreamKey
    entity: str | None
    """None is every entity: the stream's records had another one before."""
    lease: Lease
    at: datetime
    fraction_max: float
    rows_max: int
    confirmed: bool = False
    """A person has agreed to more than the guard allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep did: either ``deleted`` or, above the guard, ``held``."""

    deleted: int
    held: int
    stored: int
    """How many records lived before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How a run ended; the reading's state is settled with it."""

    run_id: str
    key: StreamKey
    partition: str
    lease: Lease
    status: RunStatus
    ended_at: datetime
    state: ReadingState | None
    """As it shall stand now; None where the run says nothing of how well the stream is read."""
    counts: Counts
    """Not counted with any page: the calls of a failed page, what a sweep held."""
    error: str = ""
    kind: str = ""
    complete: bool = False
    """Everything was read, from the first page to the last: what waits in quarantine from earlier
    runs and was not bad this time either is gone from the source, and is let go. How many
    deletions it held is what is held from now on."""
    rewritten: bool = False
    """What the stream has was written by the spec as it is now: nothing is stale any more."""
    round: str = ""
    """The progress of partitions that another round read last is forgotten: they are no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One line of the history."""

    id: str
    tenant: str
    integration: str
    stream: str
    trigger: str
    mode: str
    status: str
    resumed: bool
    started_at: datetime
    ended_at: datetime | None
    counts: Counts
    error: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRow:
    """What is stored of one stream, for ``status`` and for the schedule."""

    tenant: str
    key: StreamKey
    records: int
    quarantined: int
    cursor: Json
    walking: bool
    last_run: RunRow | None
    last_done_at: datetime | None
    errors: int
    """Runs that failed since the last one that was done; one that was stopped changes nothing."""
    held: int = 0
    """Deletions that wait for a person since the last complete reading."""
    stale: int = 0
    """Living records that are not known to be as the spec would write them now."""
    identity: str = ""
    """As in :class:`ReadingState`."""
    shape: str = ""
    """As in :class:`ReadingState`."""
    refused_by: frozenset[str] = frozenset()
    """Shapes of the specs that what waits in quarantine was mapped by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordQuery:
    """Which records; by stream or by entity."""

    integration: str
    stream: str | None = None
    entity: str | None = None
    deleted: bool = True
    """Whether tombstones are given too."""
    limit: int | None = None


class ReadingStore(Protocol):
    """What a reading needs."""

    async def load_state(self, tenant: str, key: StreamKey, partition: str) -> ReadingState:
        """Return the partition's progress; an empty one where it was never read."""
        ...

    async def last_whole(self, tenant: str, key: StreamKey) -> datetime | None:
        """Return when the last run began that read everything in one go; None where none did."""
        ...

    async def begin_run(self, tenant: str, start: RunStart, lease: Lease) -> datetime | None:
        """Note that a run began and take its slot; an older run still marked running has died.

        Where the last run was stopped or died, the new one goes on for it, whosever the slot is.

        Returns:
            None where it begins; else the slot that was taken before, and nothing was noted.
        """
        ...

    async def commit_page(self, tenant: str, page: PageCommit) -> Counts:
        """Store one page, all or nothing, and return its counts (added, changed, … included).

        Unchanged records are not rewritten. A record that comes back after a tombstone lives again.
        A quarantined record whose good version arrives leaves quarantine.

        Raises:
            LeaseLostError: Somebody else holds the claim; nothing was written.
            StoreError: The database refused; nothing was written.
        """
        ...

    async def sweep(self, tenant: str, sweep: Sweep) -> Swept:
        """Make tombstones of the stream's records that the run did not see.

        Records that came by other ways since the run began are left alone. Above the guard
        (``fraction_max`` of the living and also more than ``rows_max``) nothing is deleted.
        """
        ...

    async def finish_run(self, tenant: str, end: RunEnd) -> None:
        """Settle a run, the reading's state and its counts; what it saw is forgotten."""
        ...

    async def mark_stale(self, tenant: str, key: StreamKey, *, stale: bool) -> None:
        """Count the stream's records as stale until each is written anew, or no longer.

        Marking again moves nothing: what was written since the first time stays fresh.
        """
        ...


class ClaimStore(Protocol):
    """Leases with fencing numbers: one holder at a time, and late ones are noticed."""

    async def claim(
        self, tenant: str, kind: str, key: str, *, holder: str, now: datetime, ttl: timedelta
    ) -> Lease | None:
        """Take a free or run-out claim with a new fence, or None while another holds it."""
        ...

    async def renew(self, tenant: str, lease: Lease, *, now: datetime, ttl: timedelta) -> Lease:
        """Extend a claim; raises LeaseLostError when it is no longer ours."""
        ...

    async def release(self, tenant: str, lease: Lease) -> None:
        """Give a claim back; harmless when it is no longer ours."""
        ...

    async def release_node(self, node: str) -> int:
        """Free the claims of every dead process of a node; holders are ``NODE:BOOT``."""
        ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of one event."""

    id: str
    """Of the stored event: the first one's where this is a duplicate."""
    duplicate: bool


class EventStore(Protocol):
    """The inbox."""

    async def accept_event(self, event: NewEvent) -> Accepted:
        """Store one event durably (group commit) or recognise a duplicate; then it may be answered.

        Raises:
            StoreBusyError: Too many wait already: answer 503 with Retry-After.
            StoreError: It could not be stored: answer 503.
        """
        ...

    async def endpoint_path(
        self, tenant: str, integration: str, endpoint: str, *, fresh: str
    ) -> str:
        """Return the endpoint's path token, kept for ever; ``fresh`` becomes it the first time."""
        ...

    def events(
        self, tenant: str | None, *, integration: str | None = None, limit: int | None = None
    ) -> AsyncIterator[StoredEvent]:
        """Yield events, newest first."""
        ...


class StoreReader(Protocol):
    """What people ask; works on a read-only store as well. A tenant of None means all of them."""

    def records(self, tenant: str, query: RecordQuery) -> AsyncIterator[StoredRecord]:
        """Yield records in the order of their external ids, in bounded memory.

        Of several entities, by entity first. What is yielded within the first seconds is one state,
        so no half page shows; a longer listing goes on with a newer one.
        """
        ...

    async def find_records(
        self, tenant: str, *, integration: str, entity: str, external_ids: Sequence[str]
    ) -> Mapping[str, StoredRecord]:
        """Return those of some records that are stored, tombstones too, by external id."""
        ...

    def runs(
        self, tenant: str | None, *, key: StreamKey | str | None = None, limit: int | None = None
    ) -> AsyncIterator[RunRow]:
        """Yield runs, newest first: of all, of a stream, or of the integration of that name."""
        ...

    async def streams(self, tenant: str | None) -> list[StreamRow]:
        """Return what is known of every stream that was ever read."""
        ...

    async def event_counts(self, tenant: str | None) -> Mapping[str, int]:
        """Return how many events each ``INTEGRATION/ENDPOINT`` has."""
        ...


class Store(
    ReadingStore,
    PartitionStore,
    ObjectStore,
    SlotStore,
    SwitchStore,
    ClaimStore,
    EventStore,
    CallStore,
    StoreReader,
    QuarantineStore,
    UndoStore,
    ViewStore,
    StoreUpkeep,
    Protocol,
):
    """All of it: one database."""
