"""Quarantine, as people ask for it to be mapped again or dropped."""

from __future__ import annotations

from collections.abc import AsyncIterator

from integrationd.daemon.composition import Composition
from integrationd.daemon.names import refuse_unknown
from integrationd.engine.replay import ReplayOutcome
from integrationd.engine.rows import counts_json
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.ports.actions import QuarantineWish
from integrationd.ports.quarantine import QuarantineQuery, QuarantineRow


async def replay_lines(parts: Composition, wish: QuarantineWish) -> AsyncIterator[Json]:
    """Map again; see :meth:`integrationd.ports.actions.Actions.replay`."""
    if wish.integration is not None:
        parts.conductor.streams_of(wish.integration, (wish.stream,) if wish.stream else ())
    rows = [row async for row in _find(parts, wish)]
    streams: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        streams.setdefault((row.integration, row.stream), []).append(row.id)
    for (integration, stream), ids in streams.items():
        about = {"integration": integration, "stream": stream}
        try:
            outcome = await parts.conductor.replay(integration, stream, ids if wish.ids else ())
        except UsageError as refused:
            yield {"event": "skipped", **about, "error": str(refused)}
        else:
            yield {**about, **_ending(outcome)}


async def drop_quarantined(parts: Composition, wish: QuarantineWish) -> Json:
    """Forget; see :meth:`integrationd.ports.actions.Actions.drop`."""
    if wish.integration is None and not wish.ids:
        raise UsageError("nothing is named; give NAME, NAME/STREAM or --id")
    ids = [row.id async for row in _find(parts, wish)]
    if not ids and wish.integration is not None:
        bundle = parts.conductor.bundle
        await refuse_unknown(parts.store, bundle, wish.integration, wish.stream or "")
    return {"dropped": await parts.store.drop_quarantined(ids)}


async def _find(parts: Composition, wish: QuarantineWish) -> AsyncIterator[QuarantineRow]:
    """Yield what is meant.

    Raises:
        UsageError: An id is not there, or not there by that name.
    """
    query = QuarantineQuery(integration=wish.integration, stream=wish.stream, ids=wish.ids)
    left = set(wish.ids)
    async for row in parts.store.quarantine(None, query):
        left.discard(row.id)
        yield row
    if left:
        listed = ", ".join(map(str, sorted(left)))
        raise UsageError(f"nothing waits under {listed}; see: integrationd quarantine list")


def _ending(outcome: ReplayOutcome | None) -> dict[str, Json]:
    if outcome is None:
        return {"event": "skipped", "error": "another process reads this stream"}
    return {
        "event": "finished",
        "run": outcome.run_id or None,
        "status": str(outcome.status),
        "counts": counts_json(outcome.counts),
        "error": outcome.error,
        "kind": outcome.kind,
    }
