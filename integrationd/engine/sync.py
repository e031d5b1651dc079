"""One run of one stream, from claim to settled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from integrationd.engine.calling import Caller
from integrationd.engine.claims import claim_stream, release, renewed
from integrationd.engine.plans import StreamPlan, base_call, first_request, http_policy, remedies_of
from integrationd.engine.progress import (
    Reading,
    abandoned,
    accepted,
    after_reading,
    plan_reading,
)
from integrationd.engine.renaming import explain_renaming, is_renamed
from integrationd.engine.renewal import retries_of
from integrationd.engine.tokens import credentials_of
from integrationd.engine.walk import Walk
from integrationd.engine.world import World
from integrationd.errors import (
    ExpressionError,
    FaultError,
    IntegrationError,
    LeaseLostError,
    ProviderError,
    RefusedError,
    SecretError,
    StoreBrokenError,
    StoreError,
    ThrottledError,
    UnavailableError,
)
from integrationd.model.json import Json
from integrationd.model.runs import Counts, Mode, RunStatus, Trigger
from integrationd.ports.slots import Slot
from integrationd.ports.store import Lease, RunEnd, RunStart, Sweep
from integrationd.signals import (
    DeletionHeld,
    RunFinished,
    RunSkipped,
    RunStarted,
    SecretMissed,
)
from integrationd.spec.settings import Settings
from integrationd.transform.cursors import CursorType
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


async def sync_stream(
    world: World, plan: StreamPlan, wish: RunWish, *, settings: Settings, budget: Budget | None
) -> RunOutcome | Declined:
    """Read one stream once, unless another reading of it is under way or its slot was taken.

    A failure of the provider, the spec or the secrets is an outcome, noted with the run; only a
    fault of the store is raised.
    """
    lease = await claim_stream(world, plan.tenant, plan.key)
    if lease is None:
        return Declined(None)
    run = _Run(world, plan, wish, settings, budget, lease)
    try:
        return await run.perform()
    except StoreBrokenError:
        raise
    except (StoreError, LeaseLostError) as lost:
        # It cannot be settled: the next run of the stream finds it running and ends it.
        return run.tell(RunStatus.FAILED, str(lost), "temporary")
    finally:
        await asyncio.shield(release(world, plan.tenant, lease))


@dataclass(slots=True)
class _Run:
    """One run under way; the claim is held."""

    world: World
    plan: StreamPlan
    wish: RunWish
    settings: Settings
    budget: Budget | None
    lease: Lease
    walk: Walk | None = None
    began_s: float = 0.0
    run_id: str = ""

    async def perform(self) -> RunOutcome | Declined:
        """Read, sweep, settle."""
        world, plan = self.world, self.plan
        self.began_s = world.clock.monotonic()
        stored = await world.store.load_state(plan.tenant, plan.key, "")
        if is_renamed(stored.identity, plan.prints) and not (
            self.wish.full and self.wish.confirmed
        ):
            return self._refuse(explain_renaming(plan.key, stored.identity, plan.prints))
        reading = plan_reading(
            stored,
            prints=plan.prints,
            incremental=plan.stream.incremental is not None,
            full=self.wish.full,
        )
        self.run_id = run_id = world.new_id("run")
        taken = await self._begin(run_id, reading)
        if taken is not None:
            return Declined(taken)
        error: IntegrationError | None = None
        status = RunStatus.DONE
        try:
            await self._read(run_id, reading)
        except (ProviderError, SecretError, ExpressionError) as failed:
            status, error = RunStatus.FAILED, failed
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

    def _refuse(self, reason: str) -> RunOutcome:
        """Read nothing, which is not even a run; whoever asked is told, and the log."""
        key = self.plan.key
        self.world.signals.emit(
            RunSkipped(integration=key.integration, stream=key.stream, reason=reason)
        )
        return RunOutcome(
            run_id="",
            integration=key.integration,
            stream=key.stream,
            status=RunStatus.FAILED,
            counts=NOTHING,
            error=reason,
            kind="permanent",
        )

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

    async def _read(self, run_id: str, reading: Reading) -> None:
        integration, world = self.plan.integration, self.world
        variables = integration.variables(await self._secrets())
        base = base_call(self.plan.http, variables)
        policy = http_policy(integration, base, self.settings, variables)
        async with world.http.open(policy) as http, renewed(world, self.plan.tenant, self.lease):
            caller = Caller(
                world=world,
                integration=integration.name,
                http=http,
                budget=self.budget,
                retries=retries_of(integration, self.settings),
                secrets=variables["secrets"],
                credentials=credentials_of(world, integration, self.settings, variables),
                remedies=remedies_of(self.plan.http),
            )
            rule = self.plan.stream.incremental
            self.walk = Walk(
                world=world,
                plan=self.plan,
                reading=reading,
                caller=caller,
                first=first_request(self.plan, base, variables, reading.cursor),
                variables=variables,
                run_id=run_id,
                lease=self.lease,
                state=reading.state,
                committed=reading.state,
                in_order=rule is not None and rule.sorted,
            )
            await self.walk.run()
            world.failpoints.reach("run.read")
            if reading.renames and self.walk.skipped:
                raise RefusedError(
                    "an answer was skipped, so what is called by the old names cannot go yet"
                )

    async def _secrets(self) -> Mapping[str, Json]:
        integration = self.plan.integration
        try:
            return await self.world.secrets.resolve(
                integration.tenant, integration.name, integration.secret_references()
            )
        except SecretError as missing:
            self.world.signals.emit(
                SecretMissed(integration=integration.name, message=str(missing))
            )
            raise

    async def _settle(
        self, run_id: str, reading: Reading, status: RunStatus, error: IntegrationError | None
    ) -> RunOutcome:
        walk = self.walk
        state = reading.state if walk is None else walk.committed
        extra = Counts() if walk is None else walk.caller.take_counts()
        saw_all = status is RunStatus.DONE and walk is not None and not walk.skipped
        rewritten = saw_all and reading.mode is Mode.FULL
        if status is RunStatus.DONE:
            assert walk is not None
            if walk.may_sweep():
                extra = extra.plus(await self._sweep(run_id, reading))
                self.world.failpoints.reach("run.swept")
            rule = self.plan.stream.incremental
            type_ = CursorType.TEXT if rule is None else rule.type
            read = after_reading(walk.state, type_, walk.trust())
            state = accepted(read, self.plan.prints, rewritten=rewritten)
        elif error is not None and not isinstance(error, RESUMABLE):
            state = abandoned(state)
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
                state=state,
                counts=extra,
                error="" if error is None else str(error),
                kind=kind,
                complete=saw_all and reading.is_whole(),
                rewritten=rewritten,
            ),
        )
        self.world.failpoints.reach("run.settled")
        return self.tell(status, "" if error is None else str(error), kind, extra)

    def tell(self, status: RunStatus, error: str, kind: str, extra: Counts = NOTHING) -> RunOutcome:
        """Say how the run ended."""
        key, run_id = self.plan.key, self.run_id
        counts = extra if self.walk is None else self.walk.counts.plus(extra)
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

    async def _sweep(self, run_id: str, reading: Reading) -> Counts:
        guard = self.settings.deletions
        swept = await self.world.store.sweep(
            self.plan.tenant,
            Sweep(
                run_id=run_id,
                key=self.plan.key,
                entity=None if reading.renames else self.plan.entity,
                lease=self.lease,
                at=self.world.clock.now(),
                fraction_max=guard.percent / 100,
                rows_max=guard.rows,
                confirmed=self.wish.confirmed,
            ),
        )
        if swept.held:
            self.world.signals.emit(
                DeletionHeld(
                    integration=self.plan.key.integration,
                    stream=self.plan.key.stream,
                    run_id=run_id,
                    missing=swept.held,
                    stored=swept.stored,
                )
            )
        return Counts(deleted=swept.deleted, held=swept.held)


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
