"""One run undone, from claim to settled; itself a run, so that it can be undone as well."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from integrationd.engine.claims import claimed, renewed
from integrationd.engine.world import World
from integrationd.errors import HistoryError, LeaseLostError, StoreBrokenError, StoreError
from integrationd.model.runs import Mode, RunStatus, Trigger
from integrationd.ports.store import Lease, RunStart, StreamKey
from integrationd.ports.undo import RunDetails, UndoBy, UndoEnd, Undone
from integrationd.signals import RunReverted

Tell: TypeAlias = Callable[[Undone], None]
"""Is told of each piece as soon as it is stored."""


@dataclass(slots=True, kw_only=True)
class Undoing:
    """What has become of a run's records so far; the numbers are records."""

    gone: int = 0
    restored: int = 0
    revived: int = 0
    same: int = 0
    already: int = 0
    conflicts: int = 0

    def add(self, piece: Undone) -> None:
        """Count a piece."""
        self.gone += piece.gone
        self.restored += piece.restored
        self.revived += piece.revived
        self.same += piece.same
        self.already += piece.already
        self.conflicts += len(piece.conflicts)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevertOutcome:
    """How an undoing ended, for whoever asked for it."""

    run_id: str
    status: RunStatus
    undoing: Undoing
    error: str = ""
    kind: str = ""


async def revert_run(world: World, details: RunDetails, tell: Tell) -> RevertOutcome | None:
    """Undo one run; None where the stream is being read by another process.

    Raises:
        HistoryError: It cannot be undone any more; nothing was begun.
        StoreBrokenError: Nothing may go on.
    """
    run = details.run
    if details.pruned:
        raise HistoryError.pruned(run.id)
    key = StreamKey(run.integration, run.stream)
    async with claimed(world, run.tenant, key) as lease:
        if lease is None:
            return None
        undoing = _Revert(world, details, tell, lease, key)
        try:
            async with renewed(world, run.tenant, lease):
                return await undoing.perform()
        except StoreBrokenError:
            raise
        except (StoreError, LeaseLostError) as lost:
            # It cannot be settled: the next run of the stream finds it running and ends it.
            return undoing.report(RunStatus.FAILED, str(lost), "temporary")


@dataclass(slots=True)
class _Revert:
    """One undoing under way; the claim is held."""

    world: World
    details: RunDetails
    tell: Tell
    lease: Lease
    key: StreamKey
    undoing: Undoing = field(default_factory=Undoing)
    run_id: str = ""
    began_s: float = 0.0

    async def perform(self) -> RevertOutcome:
        """Begin, undo piece by piece, settle."""
        world, run = self.world, self.details.run
        self.began_s = world.clock.monotonic()
        self.run_id = world.new_id("run")
        start = RunStart(
            id=self.run_id,
            key=self.key,
            trigger=Trigger.MANUAL,
            mode=Mode.REVERT,
            started_at=world.clock.now(),
        )
        await world.store.begin_undo(run.tenant, start, run.id, self.lease)
        by = UndoBy(run_id=self.run_id, lease=self.lease, at=world.clock.now())
        try:
            async for piece in world.store.undo(run.tenant, run.id, by=by):
                self.undoing.add(piece)
                self.tell(piece)
        except HistoryError as pruned:
            return await self._settle(RunStatus.FAILED, str(pruned), "permanent")
        except asyncio.CancelledError:
            await asyncio.shield(self._settle(RunStatus.STOPPED))
            raise
        return await asyncio.shield(self._settle(RunStatus.DONE, self._left()))

    def _left(self) -> str:
        """Say what was left alone, for the history: it does not fail the run."""
        match self.undoing.conflicts:
            case 0:
                return ""
            case 1:
                return "1 record was changed since and stays as it is"
            case left:
                return f"{left} records were changed since and stay as they are"

    async def _settle(self, status: RunStatus, error: str = "", kind: str = "") -> RevertOutcome:
        end = UndoEnd(
            run_id=self.run_id,
            lease=self.lease,
            status=status,
            ended_at=self.world.clock.now(),
            error=error,
            kind=kind,
        )
        await self.world.store.finish_undo(self.details.run.tenant, end)
        return self.report(status, error, kind)

    def report(self, status: RunStatus, error: str, kind: str) -> RevertOutcome:
        """Say how it ended."""
        undoing = self.undoing
        self.world.signals.emit(
            RunReverted(
                tenant=self.details.run.tenant,
                integration=self.key.integration,
                stream=self.key.stream,
                run_id=self.run_id,
                reverts=self.details.run.id,
                status=status,
                gone=undoing.gone,
                restored=undoing.restored,
                revived=undoing.revived,
                conflicts=undoing.conflicts,
                took_s=round(self.world.clock.monotonic() - self.began_s, 3),
                error=error,
            )
        )
        return RevertOutcome(
            run_id=self.run_id, status=status, undoing=undoing, error=error, kind=kind
        )
