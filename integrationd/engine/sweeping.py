"""What a complete reading did not see becomes a tombstone, unless that is so much that it waits."""

from __future__ import annotations

from dataclasses import dataclass

from integrationd.engine.plans import StreamPlan
from integrationd.engine.progress import Reading
from integrationd.engine.world import World
from integrationd.model.runs import Counts
from integrationd.ports.store import Lease, Sweep
from integrationd.signals import DeletionHeld
from integrationd.spec.settings import Settings


@dataclass(frozen=True, slots=True)
class Sweeping:
    """The end of a reading that saw everything; the claim is held."""

    world: World
    plan: StreamPlan
    settings: Settings
    lease: Lease

    async def run(self, run_id: str, reading: Reading, *, confirmed: bool) -> Counts:
        """Sweep, and tell where a person has to agree first.

        Args:
            run_id: Whose seen records are there.
            reading: How it read.
            confirmed: A person has agreed.
        """
        guard, key = self.settings.deletions, self.plan.key
        swept = await self.world.store.sweep(
            self.plan.tenant,
            Sweep(
                run_id=run_id,
                key=key,
                entity=None if reading.renames else self.plan.entity,
                lease=self.lease,
                at=self.world.clock.now(),
                fraction_max=guard.percent / 100,
                rows_max=guard.rows,
                confirmed=confirmed,
            ),
        )
        if swept.held:
            self.world.signals.emit(
                DeletionHeld(
                    integration=key.integration,
                    stream=key.stream,
                    run_id=run_id,
                    missing=swept.held,
                    stored=swept.stored,
                )
            )
        return Counts(deleted=swept.deleted, held=swept.held)
