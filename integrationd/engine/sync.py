"""One run of one stream, from claim to settled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from integrationd.engine.asking import Manner, asking
from integrationd.engine.claims import claimed, renewed
from integrationd.engine.feeding import with_debt, without_old
from integrationd.engine.overdue import is_overdue
from integrationd.engine.parts import Parts, find_parts
from integrationd.engine.plans import StreamPlan
from integrationd.engine.preludes import Prelude
from integrationd.engine.progress import Reading, plan_narrowed
from integrationd.engine.reading import Common, plan_stream
from integrationd.engine.renaming import explain_renaming, is_renamed
from integrationd.engine.round import Round
from integrationd.engine.single import Single
from integrationd.engine.sweeping import Sweeping
from integrationd.engine.world import World
from integrationd.errors import (
    ExpiredError,
    ExpressionError,
    FaultError,
    IntegrationError,
    LeaseLostError,
    ProviderError,
    SecretError,
    StoreBrokenError,
    StoreError,
    ThrottledError,
    UnavailableError,
)
from integrationd.model.json import Json
from integrationd.model.runs import Counts, Mode, RunStatus, Trigger
from integrationd.ports.slots import Slot
from integrationd.ports.store import Lease, ReadingState, RunEnd, RunStart, StreamKey
from integrationd.signals import (
    RunFinished,
    RunSkipped,
    RunStarted,
)
from integrationd.spec.narrowing import Narrowing, idle_inputs
from integrationd.spec.settings import Settings
from integrationd.wire.budget import Budget

_log = logging.getLogger(__name__)
NOTHING: Final = Counts()
RESUMABLE: Final = (UnavailableError, ThrottledError)
"""After these the same page may well come next time; after the others it would fail again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWish:
    """What somebody asked for."""

    trigger: Trigger
    full: bool = False
    confirmed: bool = False
    """A person agrees to a deletion above the guard."""
    input: Narrowing | None = None
    """What a person narrowed it to."""
    slot: Callable[[datetime], Slot] | None = None
    """Says which slot of the schedule it takes, by the time at which the stream is claimed: a
    process that was held up before must not take an old one."""


@dataclass(frozen=True, slots=True)
class Declined:
    """A run that did not begin."""

    slot: datetime | None
    """The slot that was taken before; None where another process reads the stream now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """How a run ended, for whoever asked for it."""

    run_id: str
    integration: str
    stream: str
    status: RunStatus
    counts: Counts
    error: str = ""
    kind: str = ""
    broke_off: bool = False
    """The store went away under it: nothing is settled, and another run has to go on."""


async def sync_stream(
    world: World, plan: StreamPlan, wish: RunWish, *, settings: Settings, budget: Budget | None
) -> RunOutcome | Declined:
    """Read one stream once, unless another reading of it is under way or its slot was taken.

    A failure of the provider, the spec or the secrets is an outcome, noted with the run; only a
    fault of the store is raised.
    """
    plan = plan.narrowed(wish.input)
    async with claimed(world, plan.tenant, plan.key) as lease:
        if lease is None:
            return Declined(None)
        run = _Run(world, plan, wish, settings, budget, lease)
        try:
            outcome = await run.perform()
            if run.expired:
                # Partitions whose cursor was let go read their own lists again, if none is swept.
                own = plan.may_forget and plan.stream.for_each is not None
                again = replace(wish, full=plan.owes_lists or not own, slot=None)
                run = _Run(world, plan, again, settings, budget, lease)
                outcome = await run.perform()
        except StoreBrokenError:
            raise
        except (StoreError, LeaseLostError) as lost:
            # It cannot be settled: the next run of the stream finds it running and ends it.
            told = run.tell(RunStatus.FAILED, str(lost), "temporary")
            return replace(told, broke_off=isinstance(lost, StoreError))
        return outcome


def refuse(world: World, key: StreamKey, reason: str) -> RunOutcome:
    """Read nothing, which is not even a run; whoever asked is told, and the log."""
    world.signals.emit(RunSkipped(integration=key.integration, stream=key.stream, reason=reason))
    return RunOutcome(
        run_id="",
        integration=key.integration,
        stream=key.stream,
        status=RunStatus.FAILED,
        counts=NOTHING,
        error=reason,
        kind="permanent",
    )


@dataclass(slots=True)
class _Run:
    """One run under way; the claim is held."""

    world: World
    plan: StreamPlan
    wish: RunWish
    settings: Settings
    budget: Budget | None
    lease: Lease
    reader: Single | Round | None = None
    parts: Parts | None = None
    """Of a stream with ``for_each``."""
    began_s: float = 0.0
    run_id: str = ""
    expired: bool = False
    """The provider no longer takes what was kept: another run has to read everything."""

    async def perform(self) -> RunOutcome | Declined:
        """Read, sweep, settle."""
        world, plan = self.world, self.plan
        self.began_s = world.clock.monotonic()
        stored = await world.store.load_state(plan.tenant, plan.key, "")
        if is_renamed(stored.identity, plan.prints) and not (
            self.wish.full and self.wish.confirmed
        ):
            return refuse(world, plan.key, explain_renaming(plan.key, stored.identity, plan.prints))
        self.run_id = run_id = world.new_id("run")
        try:
            reading = await self._plan(stored)
        except ExpressionError as wrong:
            return refuse(world, plan.key, str(wrong))
        taken = await self._begin(run_id, reading)
        if taken is not None:
            return Declined(taken)
        error: IntegrationError | None = None
        status = RunStatus.DONE
        try:
            await self._read(run_id, reading)
        except (ProviderError, SecretError, ExpressionError) as failed:
            self.expired = isinstance(failed, ExpiredError) and _began_with_kept(reading)
            status, error = RunStatus.STOPPED if self.expired else RunStatus.FAILED, failed
        except (StoreError, LeaseLostError):
            raise
        except Exception:  # noqa: BLE001 - a run's own guard, logged whole
            # Without this the run would stay running, and each next one begin on the same page.
            _log.exception("run %s of %s/%s", run_id, plan.key.integration, plan.key.stream)
            status, error = RunStatus.FAILED, FaultError("a fault of this program, see its log")
        except asyncio.CancelledError:
            # Settled under a shield: what was committed is resumed by the next run.
            await asyncio.shield(self._settle(run_id, reading, RunStatus.STOPPED, None))
            raise
        return await asyncio.shield(self._settle(run_id, reading, status, error))

    async def _plan(self, stored: ReadingState) -> Reading:
        """Decide how to read, and find the partitions where there are any."""
        plan, told = self.plan, self.wish.input
        if told is not None:
            if plan.stream.for_each is not None:
                self.parts = await find_parts(self.world, plan, after=0, only=told.each)
            return plan_narrowed(stored, plan.prints)
        late = await is_overdue(self.world, plan, stored, self.wish.trigger)
        full = self.wish.full or late
        stored = await with_debt(self.world, plan, stored)
        if plan.stream.for_each is None:  # else its cursor is a place among the parents' records
            stored = without_old(plan, stored, self.world.clock.now())
        reading = plan_stream(plan, stored, full=full, run_id=self.run_id)
        if plan.stream.for_each is None:
            return reading
        after = reading.cursor if isinstance(reading.cursor, int) else 0
        self.parts = await find_parts(self.world, plan, after=after)
        if not reading.resumed and plan.stream.for_each.follows:
            state = replace(reading.state, high_water=self.parts.mark)
            reading = replace(reading, state=state)
        return reading

    async def _begin(self, run_id: str, reading: Reading) -> datetime | None:
        now, wish = self.world.clock.now(), self.wish
        taken = await self.world.store.begin_run(
            self.plan.tenant,
            RunStart(
                id=run_id,
                key=self.plan.key,
                trigger=wish.trigger,
                mode=reading.mode,
                started_at=now,
                resumed=reading.resumed,
                slot=None if wish.slot is None else wish.slot(now),
                state=reading.state if self._notes_state(reading) else None,
                input=None if wish.input is None else dict(wish.input.given),
            ),
            self.lease,
        )
        if taken is not None:
            return taken
        self.world.failpoints.reach("run.begun")
        self.world.signals.emit(
            RunStarted(
                tenant=self.plan.tenant,
                integration=self.plan.key.integration,
                stream=self.plan.key.stream,
                run_id=run_id,
                trigger=wish.trigger,
                mode=reading.mode,
                resumed=reading.resumed,
            )
        )
        return None

    def _notes_state(self, reading: Reading) -> bool:
        is_round = self.parts is not None and reading.keeps and not reading.renames
        return is_round or reading.leaves_strays

    async def _read(self, run_id: str, reading: Reading) -> None:
        world, plan = self.world, self.plan
        manner = Manner(settings=self.settings, budget=self.budget)
        async with (
            asking(world, plan.integration, manner) as ready,
            renewed(world, plan.tenant, self.lease),
        ):
            common = Common(
                world=world,
                plan=plan,
                ready=ready,
                run_id=run_id,
                lease=self.lease,
                now=world.clock.now(),
                tracks_seen=self._tracks_seen(reading),
                input=self._input,
                prelude=Prelude(plan=plan, ready=ready, input=self._input),
            )
            if self.parts is None:
                self.reader = Single(common, reading)
            else:
                stored = await world.store.load_partitions(plan.tenant, plan.key)
                known = {
                    name: without_old(plan, state, common.now)
                    for name, state in stored.items()
                    if name
                }
                self.reader = Round(common, reading, self.parts.parts, known)
            await self.reader.run()

    async def _settle(
        self, run_id: str, reading: Reading, status: RunStatus, error: IntegrationError | None
    ) -> RunOutcome:
        reader, state = self.reader, reading.state
        extra = Counts() if reader is None else reader.take_counts()
        saw_all = status is RunStatus.DONE and reader is not None and reader.saw_all
        rewritten = saw_all and reading.mode is Mode.FULL
        if reader is not None and status is RunStatus.DONE:
            if self._may_sweep(reading, reader):
                swept = Sweeping(self.world, self.plan, self.settings, self.lease)
                confirmed = self.wish.confirmed
                extra = extra.plus(await swept.run(run_id, reading, confirmed=confirmed))
                self.world.failpoints.reach("run.swept")
            state = reader.done()
        elif reader is not None:
            state = reader.broken(resumable=error is None or isinstance(error, RESUMABLE))
        kind = _kind_of(error)
        await self.world.store.finish_run(
            self.plan.tenant,
            RunEnd(
                run_id=run_id,
                key=self.plan.key,
                partition="",
                lease=self.lease,
                status=status,
                ended_at=self.world.clock.now(),
                state=state if reading.keeps else None,
                counts=extra,
                error="" if error is None else str(error),
                kind=kind,
                complete=saw_all and reading.is_whole(),
                rewritten=rewritten,
                round=reading.state.round if saw_all and self._has_all_parts(reading) else "",
            ),
        )
        self.world.failpoints.reach("run.settled")
        return self.tell(status, "" if error is None else str(error), kind, extra)

    def tell(self, status: RunStatus, error: str, kind: str, extra: Counts = NOTHING) -> RunOutcome:
        """Say how the run ended."""
        key, run_id = self.plan.key, self.run_id
        counts = extra if self.reader is None else self.reader.counts.plus(extra)
        self.world.signals.emit(
            RunFinished(
                tenant=self.plan.tenant,
                integration=key.integration,
                stream=key.stream,
                run_id=run_id,
                status=status,
                counts=counts,
                took_s=round(self.world.clock.monotonic() - self.began_s, 3),
                error=error,
                kind=kind,
            )
        )
        return RunOutcome(
            run_id=run_id,
            integration=key.integration,
            stream=key.stream,
            status=status,
            counts=counts,
            error=error,
            kind=kind,
        )

    @property
    def _input(self) -> Mapping[str, Json]:
        told = self.wish.input
        return idle_inputs(self.plan.stream) if told is None else told.values

    def _has_all_parts(self, reading: Reading) -> bool:
        """Tell whether a partition that this round did not have is no more."""
        rule = self.plan.stream.for_each
        follows = rule is not None and any(dimension.changed for dimension in rule.dimensions)
        return reading.mode is Mode.FULL or not follows

    def _tracks_seen(self, reading: Reading) -> bool:
        """Tell whether this reading may end in a sweep."""
        wanted = self.plan.sweeps or (reading.renames and not self.plan.shares)
        return wanted and reading.is_whole()

    def _may_sweep(self, reading: Reading, reader: Single | Round) -> bool:
        """Tell, after a complete reading, whether what it did not see is gone.

        Not where a record's key could not be read: it may be any of the stored ones, unless those
        have other names by now. Nor where an answer was skipped or had no body.
        """
        told_apart = reader.unknown == 0 or reading.renames
        return self._tracks_seen(reading) and told_apart and not reader.missed


def _began_with_kept(reading: Reading) -> bool:
    return reading.resumed or reading.mode is Mode.INCREMENTAL


def _kind_of(error: IntegrationError | None) -> str:
    """Return auth, rate, temporary or permanent; empty where nothing failed."""
    match error:
        case None:
            return ""
        case ProviderError():
            return error.kind
        case SecretError():
            return "auth"
        case _:
            return "permanent"
