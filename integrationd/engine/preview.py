"""What the next reading of a stream would do, told line by line; nothing of it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, cast

from integrationd.engine.plans import StreamPlan
from integrationd.engine.rehearsal import Rehearsal
from integrationd.engine.rows import counts_json
from integrationd.engine.sync import Declined, RunOutcome, RunWish, sync_stream
from integrationd.engine.world import World
from integrationd.model.json import Json
from integrationd.ports.outside import Signals
from integrationd.ports.store import RunEnd, Store
from integrationd.signals import (
    DeletionHeld,
    PageCommitted,
    RunFinished,
    RunSkipped,
    RunStarted,
    Signal,
)
from integrationd.spec.settings import Settings
from integrationd.wire.budget import Budget

LINES_MAX: Final = 1000
"""Lines that wait for whoever reads them; the run waits when there are more."""
_OF_RUNS: Final = (RunStarted, PageCommitted, RunFinished, RunSkipped, DeletionHeld)


@dataclass(frozen=True, slots=True)
class _Quiet:
    """Hands on what is said of calls; there is no run to speak of."""

    signals: Signals

    def emit(self, signal: Signal) -> None:
        if not isinstance(signal, _OF_RUNS):
            self.signals.emit(signal)


async def preview_stream(
    world: World, plan: StreamPlan, wish: RunWish, *, settings: Settings, budget: Budget | None
) -> AsyncIterator[Json]:
    """Read a stream once and tell what storing it would change.

    Yields:
        ``{"event": "added", "external_id", "data"}``; ``changed`` with ``fields: {name: {old,
        new}}``; ``deleted`` with ``reason``; ``quarantined`` with ``code``, ``field``, ``reason``;
        and in the end ``finished`` with ``status``, ``error``, ``kind``, ``mode``, ``counts``,
        ``held`` and ``cursor: {before, after}``.
    """
    lines: asyncio.Queue[Json] = asyncio.Queue(LINES_MAX)
    rehearsal = Rehearsal(world.store, lines.put)
    # What it does not rehearse it hands on, which no type can say.
    pretended = replace(world, store=cast("Store", rehearsal), signals=_Quiet(world.signals))

    async def perform() -> RunOutcome | Declined:
        outcome = await sync_stream(pretended, plan, wish, settings=settings, budget=budget)
        await lines.put(None)
        return outcome

    run = asyncio.create_task(perform(), name=f"preview {plan.key.integration}/{plan.key.stream}")
    try:
        while (line := await _next_line(lines, run)) is not None:
            yield line
        outcome = await run
    finally:
        run.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await run
    assert isinstance(outcome, RunOutcome)  # neither a claim nor a slot is taken
    yield _ending(outcome, rehearsal)


async def _next_line(lines: asyncio.Queue[Json], run: asyncio.Task[RunOutcome | Declined]) -> Json:
    """Return the next line, or None at the end; a run that broke says so when it is awaited."""
    getting = asyncio.create_task(lines.get(), name="next line")
    await asyncio.wait([getting, run], return_when=asyncio.FIRST_COMPLETED)
    if not getting.done() and lines.empty():
        getting.cancel()
        return None
    return await getting


def _reached(before: Json, end: RunEnd | None) -> Json:
    return before if end is None or end.state is None else end.state.cursor


def _ending(outcome: RunOutcome, rehearsal: Rehearsal) -> Json:
    start, end, swept = rehearsal.start, rehearsal.end, rehearsal.swept
    before = rehearsal.before.cursor
    return {
        "event": "finished",
        "integration": outcome.integration,
        "stream": outcome.stream,
        "status": str(outcome.status),
        "error": outcome.error,
        "kind": outcome.kind,
        "mode": None if start is None else str(start.mode),
        "counts": counts_json(outcome.counts),
        "held": 0 if swept is None else swept.held,
        "cursor": {"before": before, "after": _reached(before, end)},
    }
