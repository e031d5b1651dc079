"""One run as JSON, with the first records that it changed."""

from __future__ import annotations

from dataclasses import asdict

from integrationd.engine.rows import format_time, run_json
from integrationd.model.json import Json
from integrationd.ports.undo import ChangeRow, UndoStore


async def describe_run(store: UndoStore, run_id: str, changes_max: int) -> Json:
    """Describe a run; None for one that is not known."""
    details = await store.find_run(run_id)
    if details is None:
        return None
    run = details.run
    shown = [
        _describe_change(change)
        async for change in store.changes_of(run.tenant, run_id, limit=changes_max + 1)
    ]
    return {
        **run_json(run),
        "cursor": {"before": details.cursor_before, "after": details.cursor_after},
        "input": details.input,
        "reverts": details.reverts,
        "reverted_by": list(details.reverted_by),
        "pruned": details.pruned,
        "changes": shown[:changes_max],
        "more_changes": len(shown) > changes_max,
    }


def _describe_change(change: ChangeRow) -> Json:
    since = change.since
    return {
        "external_id": change.external_id,
        "entity": change.entity,
        "op": change.op,
        "seq": change.seq,
        "at": format_time(change.at),
        "before": change.before,
        "after": change.after,
        "known": change.known,
        "since": None if since is None else {**asdict(since), "at": format_time(since.at)},
    }
