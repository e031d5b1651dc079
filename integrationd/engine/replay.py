"""What waits in quarantine, mapped again by the spec as it is now; nobody is asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from integrationd.engine.claims import claimed, renewed
from integrationd.engine.lookups import look_up
from integrationd.engine.plans import StreamPlan
from integrationd.engine.renaming import explain_renaming, is_renamed
from integrationd.engine.world import World
from integrationd.errors import LeaseLostError, StoreBrokenError, StoreError, UsageError
from integrationd.model.json import Json
from integrationd.model.records import Relay, SetAside
from integrationd.model.runs import Counts, Mode, RunStatus, Trigger
from integrationd.ports.quarantine import (
    Mapped,
    QuarantineQuery,
    QuarantineRow,
    ReplayCommit,
    ReplayEnd,
)
from integrationd.ports.store import Lease, RunStart
from integrationd.signals import QuarantineReplayed
from integrationd.transform.clean.cleaner import Tally
from integrationd.transform.shape import CHANGE, Shaped

_log = logging.getLogger(__name__)
PIECE_ROWS: Final = 200
"""Mapped and stored in one transaction."""
UNREADABLE: Final = "json"
"""Code of a record that JSON cannot say: what is kept of it is for people to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOutcome:
    """How a replay ended, for whoever asked for it."""

    run_id: str
    """Empty where nothing waited."""
    integration: str
    stream: str
    status: RunStatus
    counts: Counts
    """``quarantined`` is what waits still."""
    error: str = ""
    kind: str = ""


async def replay_stream(
    world: World, plan: StreamPlan, ids: Sequence[int] = ()
) -> ReplayOutcome | None:
    """Map a stream's quarantine again; None where the stream is being read by another process.

    What can be mapped by now is stored, as a run of its own that can be undone; the rest stays with
    its new reason.

    Args:
        world: The outside.
        plan: The stream, as its files are now.
        ids: Of those that are meant; all by default.

    Raises:
        UsageError: The stream's records have other names by now, so that nothing may be stored.
        StoreBrokenError: Nothing may go on.
    """
    async with claimed(world, plan.tenant, plan.key) as lease:
        if lease is None:
            return None
        replay = _Replay(world, plan, lease)
        try:
            async with renewed(world, plan.tenant, lease):
                return await replay.perform(ids)
        except StoreBrokenError:
            raise
        except (StoreError, LeaseLostError) as lost:
            return replay.report(RunStatus.FAILED, str(lost), "temporary")


@dataclass(slots=True)
class _Replay:
    """One replay under way; the claim is held."""

    world: World
    plan: StreamPlan
    lease: Lease
    counts: Counts = field(default_factory=Counts)
    run_id: str = ""
    began_s: float = 0.0

    async def perform(self, ids: Sequence[int]) -> ReplayOutcome:
        """Begin, map piece by piece, settle."""
        self.began_s = self.world.clock.monotonic()
        key, prints = self.plan.key, self.plan.prints
        stored = await self.world.store.load_state(self.plan.tenant, key, "")
        if is_renamed(stored.identity, prints):
            raise UsageError(explain_renaming(key, stored.identity, prints))
        query = QuarantineQuery(integration=key.integration, stream=key.stream, ids=ids)
        # Read in whole first: it is changed while it is gone through.
        rows = [row async for row in self.world.store.quarantine(self.plan.tenant, query)]
        if not rows:
            return self.report(RunStatus.DONE)
        await self._begin()
        try:
            for start in range(0, len(rows), PIECE_ROWS):
                await self._keep(rows[start : start + PIECE_ROWS])
                await asyncio.sleep(0)
        except (StoreError, LeaseLostError):
            raise
        except Exception:  # noqa: BLE001 - a run's own guard, logged whole
            _log.exception("replay %s of %s/%s", self.run_id, key.integration, key.stream)
            error = "a fault of this program, see its log"
            return await self._settle(RunStatus.FAILED, error, "permanent")
        except asyncio.CancelledError:
            await asyncio.shield(self._settle(RunStatus.STOPPED))
            raise
        return await asyncio.shield(self._settle(RunStatus.DONE))

    async def _begin(self) -> None:
        self.run_id = self.world.new_id("run")
        start = RunStart(
            id=self.run_id,
            key=self.plan.key,
            trigger=Trigger.REPLAY,
            mode=Mode.REPLAY,
            started_at=self.world.clock.now(),
        )
        await self.world.store.begin_replay(self.plan.tenant, start, self.lease)
        self.world.failpoints.reach("replay.begun")

    async def _keep(self, rows: Sequence[QuarantineRow]) -> None:
        variables = {"config": dict(self.plan.integration.config)}
        readable = ((row.source, _with_each(variables, row)) for row in rows if _is_readable(row))
        found = await look_up(self.world, self.plan, readable)
        tally = Tally()
        again = [
            map_again(self.plan, row, variables, Shaped(tally=tally, found=found)) for row in rows
        ]
        mapped = [one for one, _ in again]
        counts = await self.world.store.commit_replay(
            self.plan.tenant,
            ReplayCommit(
                run_id=self.run_id,
                key=self.plan.key,
                entity=self.plan.entity,
                lease=self.lease,
                mapped=mapped,
                shape=self.plan.prints.shape,
                at=self.world.clock.now(),
                counts=Counts(cleaned=tally.cleaned, dropped=tally.dropped),
                ids=self.world.new_uuids(len(rows)),
                relays=[relay for _, given in again for relay in given],
            ),
        )
        self.world.failpoints.reach("replay.committed")
        self.counts = self.counts.plus(counts)

    async def _settle(self, status: RunStatus, error: str = "", kind: str = "") -> ReplayOutcome:
        end = ReplayEnd(
            run_id=self.run_id,
            key=self.plan.key,
            lease=self.lease,
            status=status,
            ended_at=self.world.clock.now(),
            error=error,
            kind=kind,
        )
        await self.world.store.finish_replay(self.plan.tenant, end)
        self.world.failpoints.reach("replay.settled")
        return self.report(status, error, kind)

    def report(self, status: RunStatus, error: str = "", kind: str = "") -> ReplayOutcome:
        """Say how it ended."""
        key = self.plan.key
        if self.run_id:
            self.world.signals.emit(
                QuarantineReplayed(
                    tenant=self.plan.tenant,
                    integration=key.integration,
                    stream=key.stream,
                    run_id=self.run_id,
                    status=status,
                    counts=self.counts,
                    took_s=round(self.world.clock.monotonic() - self.began_s, 3),
                    error=error,
                )
            )
        return ReplayOutcome(
            run_id=self.run_id,
            integration=key.integration,
            stream=key.stream,
            status=status,
            counts=self.counts,
            error=error,
            kind=kind,
        )


def map_again(
    plan: StreamPlan, row: QuarantineRow, variables: Mapping[str, Json], shaped: Shaped
) -> tuple[Mapped, Sequence[Relay]]:
    """Map one record as a reading would, from its key on.

    Args:
        plan: Its stream.
        row: What waits.
        variables: Of every record of the stream.
        shaped: Fresh; it has what look-ups found, and counts what cleaning does.

    Returns:
        What became of it, and what it gives to child streams.
    """
    if not _is_readable(row):
        kept = SetAside(row.fingerprint, b"", row.code, row.field, row.reason)
        return Mapped(row.id, row.last_at, kept), ()
    plan.shaper.shape([row.source], _with_each(variables, row), shaped)
    result = next(iter((*shaped.kept.values(), *shaped.aside)))
    return Mapped(row.id, row.last_at, result), shaped.relays


def _is_readable(row: QuarantineRow) -> bool:
    return row.code not in (UNREADABLE, CHANGE)


def _with_each(variables: Mapping[str, Json], row: QuarantineRow) -> Mapping[str, Json]:
    return {**variables, "each": row.each or {}}
