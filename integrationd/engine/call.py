"""One call of an operation, or one probe, from secrets to what is noted of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from integrationd.engine.asking import Manner, asking
from integrationd.engine.calling import Caller
from integrationd.engine.steps import Steps
from integrationd.engine.world import World
from integrationd.errors import (
    ExpressionError,
    FaultError,
    IntegrationError,
    OutcomeUnknownError,
    ProviderError,
    SecretError,
    StoreBrokenError,
    StoreError,
)
from integrationd.model.json import Json
from integrationd.model.runs import Counts, Mode, RunStatus, Trigger
from integrationd.ports.calls import PROBE
from integrationd.ports.store import RunRow
from integrationd.signals import IntegrationProbed, OperationCalled
from integrationd.spec.documents import Integration
from integrationd.spec.operation import Operation, Probe

_log = logging.getLogger(__name__)
PATIENCE_S: Final = 60.0
"""The longest single wait of a call: somebody waits for its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOutcome:
    """How a call or a probe ended, for whoever asked for it."""

    run_id: str
    status: RunStatus
    counts: Counts
    took_s: float
    output: Json = None
    error: str = ""
    kind: str = ""
    known: bool = True
    """False where it may have been done though nobody said so."""
    cached: bool = False


async def call_operation(
    world: World,
    integration: Integration,
    name: str,
    given: Mapping[str, Json],
    manner: Manner,
    *,
    delivery: str = "",
) -> CallOutcome:
    """Call an operation once, with values that fit its input.

    A failure of the provider, the spec or the secrets is an outcome, noted in the history.

    Args:
        world: The outside.
        integration: Whose operation.
        name: Of the operation.
        given: Its input.
        manner: How it is asked.
        delivery: By what the provider can know the call again; made where there is none.
    """
    call = _Call(
        world=world,
        integration=integration,
        shape=integration.operations[name],
        name=name,
        given=given,
        manner=manner,
        delivery=delivery or world.new_id("dlv"),
    )
    outcome = await call.perform()
    world.signals.emit(
        OperationCalled(
            tenant=integration.tenant,
            integration=integration.name,
            operation=name,
            run_id=outcome.run_id,
            status=outcome.status,
            counts=outcome.counts,
            took_s=outcome.took_s,
            error=outcome.error,
            kind=outcome.kind,
            known=outcome.known,
        )
    )
    return outcome


async def probe_integration(world: World, integration: Integration, manner: Manner) -> CallOutcome:
    """Make an integration's probe; what comes of it is what its status goes by."""
    assert integration.probe is not None
    call = _Call(
        world=world,
        integration=integration,
        shape=integration.probe,
        name=PROBE,
        given={},
        manner=manner,
    )
    outcome = await call.perform()
    world.signals.emit(
        IntegrationProbed(
            tenant=integration.tenant,
            integration=integration.name,
            status=outcome.status,
            took_s=outcome.took_s,
            error=outcome.error,
            kind=outcome.kind,
        )
    )
    return outcome


@dataclass(slots=True, kw_only=True)
class _Call:
    """One call under way."""

    world: World
    integration: Integration
    shape: Operation | Probe
    name: str
    given: Mapping[str, Json] = field(repr=False)
    manner: Manner
    delivery: str = ""
    caller: Caller | None = None
    began_s: float = 0.0

    async def perform(self) -> CallOutcome:
        """Ask, read the answer, note it."""
        clock = self.world.clock
        self.began_s, began_at = clock.monotonic(), clock.now()
        try:
            output = await self._ask()
        except (ProviderError, SecretError, ExpressionError) as failed:
            return await self._end(began_at, RunStatus.FAILED, error=failed)
        except asyncio.CancelledError:
            # Whether the provider has done it is not known any more.
            stopped = OutcomeUnknownError("the call was broken off")
            await asyncio.shield(self._end(began_at, RunStatus.STOPPED, error=stopped))
            raise
        except StoreError:
            raise
        except Exception:  # noqa: BLE001 - a call's own guard, logged whole
            _log.exception("call of %s/%s", self.integration.name, self.name)
            fault = FaultError("a fault of this program, see its log")
            return await self._end(began_at, RunStatus.FAILED, error=fault)
        return await self._end(began_at, RunStatus.DONE, output=output)

    async def _ask(self) -> Json:
        integration, shape = self.integration, self.shape
        http = integration.http
        assert http is not None
        async with asking(self.world, integration, self.manner) as ready:
            self.caller = ready.caller
            steps = Steps(
                ready=ready,
                shape=shape,
                errors=http.errors,
                seen={
                    "config": dict(integration.config),
                    "input": dict(self.given),
                    "delivery": {"id": self.delivery},
                },
            )
            return await steps.run()

    async def _end(
        self,
        began_at: datetime,
        status: RunStatus,
        *,
        output: Json = None,
        error: IntegrationError | None = None,
    ) -> CallOutcome:
        outcome = CallOutcome(
            run_id=self.world.new_id("run"),
            status=status,
            counts=Counts() if self.caller is None else self.caller.take_counts(),
            took_s=round(self.world.clock.monotonic() - self.began_s, 3),
            output=output,
            error="" if error is None else str(error),
            kind=_kind_of(error),
            known=not isinstance(error, OutcomeUnknownError),
        )
        await self._note(began_at, outcome)
        return outcome

    async def _note(self, began_at: datetime, outcome: CallOutcome) -> None:
        mode = Mode.PROBE if self.name == PROBE else Mode.CALL
        run = RunRow(
            id=outcome.run_id,
            tenant=self.integration.tenant,
            integration=self.integration.name,
            stream=self.name,
            trigger=Trigger.MANUAL,
            mode=mode,
            status=outcome.status,
            resumed=False,
            started_at=began_at,
            ended_at=self.world.clock.now(),
            counts=outcome.counts,
            error=outcome.error,
            kind=outcome.kind,
        )
        try:
            await asyncio.shield(self.world.store.note_call(run))
        except StoreBrokenError:
            raise
        except StoreError as lost:
            # What was asked for is done: whoever waits for it must not hear otherwise.
            _log.error("%s of %s/%s is not noted: %s", mode, run.integration, run.stream, lost)


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
