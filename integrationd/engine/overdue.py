"""Readings that see everything, where a stream says how often there has to be one."""

from __future__ import annotations

from integrationd.engine.plans import StreamPlan
from integrationd.engine.world import World
from integrationd.model.runs import Mode, Trigger
from integrationd.ports.store import ReadingState


async def is_overdue(world: World, plan: StreamPlan, stored: ReadingState, why: Trigger) -> bool:
    """Tell whether everything has to be read, as the last time is too long ago.

    A full reading that broke off is gone on with first; it saw the list at two times, so that
    nothing can be told of what is gone, and another one follows. A webhook waits for none.

    Args:
        world: Its store knows the runs.
        plan: The stream.
        stored: Its progress.
        why: Why the run begins.

    Raises:
        StoreError: The store cannot be read.
    """
    every = plan.stream.sweeps_every
    if every is None or why is Trigger.WEBHOOK or (stored.walking and stored.mode is Mode.FULL):
        return False
    last = await world.store.last_whole(plan.tenant, plan.key)
    return last is None or world.clock.now() - last >= every
