"""Undoing a run, as people ask for it and are told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from typing import Final

from integrationd.daemon.composition import Composition
from integrationd.engine.revert import RevertOutcome, Undoing, revert_run
from integrationd.engine.rows import format_time
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.model.runs import Mode, RunStatus
from integrationd.ports.actions import RevertWish
from integrationd.ports.store import RunRow
from integrationd.ports.undo import RunDetails, Undone


async def revert_lines(parts: Composition, wish: RevertWish) -> AsyncIterator[Json]:
    """Undo a run; see :meth:`integrationd.ports.actions.Actions.revert`."""
    store = parts.store
    details = await store.find_run(wish.run)
    if details is None:
        raise UsageError(f"no run {wish.run!r}; see: integrationd runs list")
    _refuse(parts, details.run)
    about = {
        "reverts": wish.run,
        "integration": details.run.integration,
        "stream": details.run.stream,
        "dry_run": wish.dry_run,
    }
    lines = _preview(parts, details) if wish.dry_run else _revert(parts, details)
    started = False
    async for line in lines:
        if not started:
            started = True
            yield {"event": "started", **about}
        if line["event"] in ("finished", "skipped"):
            line = {**line, "cursor": await _cursor(parts, details)}  # noqa: PLW2901 - completed
        yield {**line, **about}


async def _preview(parts: Composition, details: RunDetails) -> AsyncIterator[Json]:
    undoing = Undoing()
    async for piece in parts.store.undo(details.run.tenant, details.run.id, by=None):
        undoing.add(piece)
        for line in _piece_lines(piece, undoing):
            yield line
    yield _ending(RevertOutcome(run_id="", status=RunStatus.DONE, undoing=undoing))


async def _revert(parts: Composition, details: RunDetails) -> AsyncIterator[Json]:
    told: asyncio.Queue[Undone | None] = asyncio.Queue()
    run, undoing = details.run, Undoing()
    work = asyncio.create_task(
        parts.conductor.instead(
            run.integration,
            run.stream,
            lambda: revert_run(parts.world, details, told.put_nowait),
        ),
        name=f"asked to undo {run.id}",
    )
    work.add_done_callback(lambda _: told.put_nowait(None))
    while (piece := await told.get()) is not None:
        undoing.add(piece)
        for line in _piece_lines(piece, undoing):
            yield line
    outcome = await work
    if outcome is None:
        yield {"event": "skipped", "error": _explain_claim(run)}
    else:
        yield _ending(outcome)


def _refuse(parts: Composition, run: RunRow) -> None:
    """Refuse a run that wrote nothing, and one that still writes.

    Raises:
        UsageError: It cannot be undone, or not now.
    """
    where = f"{run.integration}/{run.stream}"
    if run.mode == Mode.CALL:
        raise UsageError(
            f"run {run.id} is a call of {where}, which wrote no records; what the provider has "
            "done only the provider can undo"
        )
    if run.mode == Mode.PROBE:
        raise UsageError(
            f"run {run.id} is a probe of {run.integration}, which wrote no records; there is "
            "nothing to undo"
        )
    here = (run.integration, run.stream) in parts.conductor.running
    if run.status == RunStatus.RUNNING and here:
        raise UsageError(f"run {run.id} of {where} {_STILL}")


def _explain_claim(run: RunRow) -> str:
    if run.status == RunStatus.RUNNING:
        return f"run {run.id} {_STILL}; another process has the stream"
    return "another process reads this stream"


_STILL: Final = "has not ended yet, so it cannot be undone; wait for its end"


def _piece_lines(piece: Undone, undoing: Undoing) -> Iterator[dict[str, Json]]:
    for conflict in piece.conflicts:
        yield {
            "event": "conflict",
            "entity": conflict.entity,
            "external_id": conflict.external_id,
            "run": conflict.since.run,
            "at": format_time(conflict.since.at),
        }
    yield {"event": "progress", "counts": asdict(undoing)}


def _ending(outcome: RevertOutcome) -> dict[str, Json]:
    return {
        "event": "finished",
        "run": outcome.run_id or None,
        "status": str(outcome.status),
        "counts": asdict(outcome.undoing),
        "error": outcome.error,
        "kind": outcome.kind,
    }


async def _cursor(parts: Composition, details: RunDetails) -> Json:
    """Return where the stream's next reading begins; undoing left it where it was."""
    run = details.run
    for row in await parts.store.streams(run.tenant):
        if (row.key.integration, row.key.stream) == (run.integration, run.stream):
            return row.cursor
    return None
