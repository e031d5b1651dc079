"""What can be called in the bundle that runs: operations by name, and probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import count

from integrationd.config.problems import nearest
from integrationd.engine.asking import Manner
from integrationd.engine.call import PATIENCE_S, CallOutcome, call_operation, probe_integration
from integrationd.engine.conductor import Conductor
from integrationd.engine.memory import Memory, key_of
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.model.runs import Counts, RunStatus
from integrationd.signals import OperationCalled
from integrationd.spec.documents import Integration
from integrationd.spec.operation import Operation


@dataclass(slots=True, kw_only=True)
class Calls:
    """Makes calls and probes, and remembers what may be answered again."""

    conductor: Conductor
    memory: Memory = field(default_factory=Memory)
    _numbers: count[int] = field(default_factory=count)

    def find(self, name: str, operation: str) -> tuple[Integration, Operation]:
        """Return an operation and whose it is; raises UsageError with the nearest names."""
        integration = self.conductor.integration(name)
        found = integration.operations.get(operation)
        if found is None:
            hint = nearest(operation, integration.operations)
            raise UsageError(f"integration {name!r} has no operation {operation!r}{hint}")
        return integration, found

    async def call(
        self, name: str, operation: str, given: Mapping[str, Json], *, delivery: str = ""
    ) -> CallOutcome:
        """Call an operation with values that fit its input, or answer from memory.

        Args:
            name: Whose operation.
            operation: Its name.
            given: Its input.
            delivery: By what the provider can know the call again; made where there is none.
        """
        integration, found = self.find(name, operation)
        self.conductor.refuse_disabled(name)
        world = self.conductor.world
        key = key_of(integration, operation, given) if found.cache is not None else None
        now_s = world.clock.monotonic()
        remembered = None if key is None else self.memory.find(key, now_s)
        if remembered is not None:
            return self._tell_remembered(integration, operation, remembered[0])
        integration = integration.asking_as(found.auth)
        manner = self._manner(integration, may_repeat=found.may_repeat)
        outcome = await self.conductor.beside(
            name,
            f"call {operation} {next(self._numbers)}",
            partial(
                call_operation, world, integration, operation, given, manner, delivery=delivery
            ),
        )
        if found.cache is not None and key is not None and outcome.status is RunStatus.DONE:
            until_s = now_s + found.cache.total_seconds()
            self.memory.keep(key, outcome.output, until_s)
        return outcome

    async def probe(self, name: str) -> CallOutcome | None:
        """Make an integration's probe; None where it has none."""
        integration = self.conductor.integration(name)
        if integration.probe is None:
            return None
        integration = integration.asking_as(integration.probe.auth)
        return await self.conductor.beside(
            name,
            f"probe {next(self._numbers)}",
            partial(
                probe_integration, self.conductor.world, integration, self._manner(integration)
            ),
        )

    def _manner(self, integration: Integration, *, may_repeat: bool = True) -> Manner:
        return Manner(
            settings=self.conductor.settings,
            budget=self.conductor.budget_of(integration),
            may_repeat=may_repeat,
            patience_s=PATIENCE_S,
        )

    def _tell_remembered(self, integration: Integration, name: str, output: Json) -> CallOutcome:
        outcome = CallOutcome(
            run_id="",
            status=RunStatus.DONE,
            counts=Counts(),
            took_s=0.0,
            output=output,
            cached=True,
        )
        self.conductor.world.signals.emit(
            OperationCalled(
                tenant=integration.tenant,
                integration=integration.name,
                operation=name,
                run_id="",
                status=outcome.status,
                counts=outcome.counts,
                took_s=0.0,
            )
        )
        return outcome
