"""The history of runs, and undoing what one of them wrote, as the store offers it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from integrationd.model.json import Json
from integrationd.model.runs import RunStatus

if TYPE_CHECKING:  # the store as a whole includes this part of it
    from integrationd.ports.store import Lease, RunRow, RunStart


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetails:
    """One run, and what the list of runs does not show."""

    run: RunRow
    cursor_before: Json
    """Of a stream without partitions, when the run began; None where there was none."""
    cursor_after: Json
    reverts: str | None
    """The run that this one undid."""
    reverted_by: tuple[str, ...]
    """Runs that undid this one, oldest first."""
    input: Json
    """What a person narrowed it to, by name; None for one that was not."""
    pruned: bool
    """Whether changes that it may have made are no longer known: it cannot be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """Who changed a record last."""

    run: str | None
    """None where that run is no longer known."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """One change of one record."""

    seq: int
    at: datetime
    op: str
    """added, changed or deleted."""
    entity: str
    external_id: str
    before: Json
    """The old data; None where it did not live."""
    after: Json
    """The data that the change left; None for a deletion, and where it is not ``known``."""
    known: bool
    """Whether ``after`` was found: what came much later is not looked through for it."""
    since: Since | None
    """Who changed the record after that, last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A record that something else changed after the run, so that it is left alone."""

    entity: str
    external_id: str
    since: Since


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What became of some of a run's records; the numbers are records."""

    gone: int = 0
    """Tombstones now: they did not live before the run."""
    restored: int = 0
    """They have their old data again."""
    revived: int = 0
    """They live again, with their old data."""
    same: int = 0
    """They are as they were before the run already."""
    already: int = 0
    """An earlier undoing of the same run did it."""
    conflicts: tuple[Conflict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoBy:
    """The run that undoes another; :meth:`UndoStore.begin_undo` has noted it."""

    run_id: str
    lease: Lease
    """Of the stream."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoEnd:
    """How the undoing of a run ended."""

    run_id: str
    lease: Lease
    status: RunStatus
    ended_at: datetime
    error: str = ""
    kind: str = ""


class UndoStore(Protocol):
    """What ``runs show`` and ``runs revert`` need."""

    async def find_run(self, run_id: str, tenant: str | None = None) -> RunDetails | None:
        """Return what is known of a run; a tenant of None means any."""
        ...

    def changes_of(
        self, tenant: str, run_id: str, *, limit: int | None = None
    ) -> AsyncIterator[ChangeRow]:
        """Yield what a run changed, in order; nothing for a run that is not known."""
        ...

    async def begin_undo(self, tenant: str, start: RunStart, reverts: str, lease: Lease) -> None:
        """Note a run that undoes another.

        A walk of the stream that is unfinished is dropped: it would go on behind pages whose
        records are about to be undone. Cursors stay.
        """
        ...

    def undo(self, tenant: str, reverts: str, *, by: UndoBy | None) -> AsyncIterator[Undone]:
        """Put every record that a run changed back as it was before, piece by piece.

        Each piece is one transaction and a change of its own in the feed. A record that anything
        else changed after the run's first change of it is a conflict and left alone. What an
        earlier undoing of the run did is not done again, so one that broke off can be repeated.

        Args:
            tenant: Whose.
            reverts: The run that is undone.
            by: The run that does it; None only looks and writes nothing.

        Raises:
            HistoryError: Changes that the run may have made have been pruned.
            LeaseLostError: Somebody else holds the claim; of that piece nothing was written.
        """
        ...

    async def finish_undo(self, tenant: str, end: UndoEnd) -> None:
        """Settle a run that :meth:`begin_undo` noted; the stream's own progress is not touched."""
        ...
