"""What is stored, as JSON; knows nothing of the files, so that readers start quickly."""

from __future__ import annotations

from datetime import datetime

from integrationd.model.json import Json
from integrationd.model.runs import COUNT_NAMES, Counts
from integrationd.ports.store import RunRow


def run_json(run: RunRow) -> Json:
    """Describe one run."""
    return {
        "id": run.id,
        "tenant": run.tenant,
        "integration": run.integration,
        "stream": run.stream,
        "trigger": run.trigger,
        "mode": run.mode,
        "status": run.status,
        "resumed": run.resumed,
        "started_at": format_time(run.started_at),
        "ended_at": format_time(run.ended_at),
        "counts": counts_json(run.counts),
        "error": run.error,
        "kind": run.kind,
    }


def counts_json(counts: Counts) -> Json:
    """Describe counts, number by number."""
    return {name: getattr(counts, name) for name in COUNT_NAMES}


def format_time(moment: datetime | None) -> str | None:
    """Print a time as RFC 3339 in UTC, to the second's thousandth."""
    if moment is None:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
