"""Records that could not be mapped: looked at, dropped, and mapped again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from integrationd.model.ids import Ids
from integrationd.model.json import Json
from integrationd.model.records import Relay, Removal, SetAside, Upsert
from integrationd.model.runs import Counts, RunStatus

if TYPE_CHECKING:
    from integrationd.ports.store import Lease, RunStart, StreamKey


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineRow:
    """One record that waits for a person or a better mapping."""

    id: int
    """Of this row; a record that comes again keeps it."""
    tenant: str
    fingerprint: str
    """The external id where it could be read, else ``#`` and a digest of the source."""
    integration: str
    stream: str
    source: Json
    code: str
    field: str
    reason: str
    run_id: str
    shape: str
    """Fingerprint of the spec that it was mapped by last."""
    first_at: datetime
    last_at: datetime
    """When its present version came."""
    each: Json = None
    """The values of the partition that it was read for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantineQuery:
    """Which of them; what is not given is anything."""

    integration: str | None = None
    stream: str | None = None
    ids: Sequence[int] = ()
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Mapped:
    """One of them, mapped again: what became of it this time."""

    id: int
    last_at: datetime
    """Of its row when it was read: a version that came since is another one."""
    result: Upsert | Removal | SetAside


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayCommit:
    """Some of them, all or nothing."""

    run_id: str
    key: StreamKey
    entity: str
    lease: Lease
    mapped: Sequence[Mapped]
    """One for each external id."""
    shape: str
    """Fingerprint of the spec that they were mapped by."""
    at: datetime
    counts: Counts
    """What only the engine knows: cleaned and dropped."""
    ids: Ids = ()
    """Fresh internal ids, one for each of ``mapped``, in order; asked for where one is new."""
    relays: Sequence[Relay] = ()
    """What those that can be stored give to the streams that are read once for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayEnd:
    """How a run of that kind ended."""

    run_id: str
    key: StreamKey
    lease: Lease
    status: RunStatus
    ended_at: datetime
    error: str = ""
    kind: str = ""


class QuarantineStore(Protocol):
    """Quarantine beside the readings that fill it. A tenant of None means all of them."""

    def quarantine(
        self, tenant: str | None, query: QuarantineQuery | None = None
    ) -> AsyncIterator[QuarantineRow]:
        """Yield what waits in quarantine, oldest first; None is all of it."""
        ...

    async def drop_quarantined(self, ids: Sequence[int]) -> int:
        """Forget records that wait; return how many there were."""
        ...

    async def begin_replay(self, tenant: str, start: RunStart, lease: Lease) -> None:
        """Note a run that maps again what waits.

        It is no reading of the stream, and leaves its progress, its errors, its last run and with
        them its schedule alone.
        """
        ...

    async def commit_replay(self, tenant: str, replay: ReplayCommit) -> Counts:
        """Store what can be mapped by now and let it go; keep the rest with its new reason.

        A stored record that changed after the quarantined version came is newer than that and
        stays: the version is let go and counted as unchanged. A row that is gone, or that holds
        another version by now, is left alone.

        Raises:
            LeaseLostError: Somebody else holds the claim; nothing was written.
            StoreError: The database refused; nothing was written.
        """
        ...

    async def finish_replay(self, tenant: str, end: ReplayEnd) -> None:
        """Settle such a run."""
        ...
