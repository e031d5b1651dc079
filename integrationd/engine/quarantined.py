"""What waits in quarantine, as JSON; knows nothing of the files, so that readers start quickly."""

from __future__ import annotations

from integrationd.engine.rows import format_time
from integrationd.model.json import Json
from integrationd.ports.quarantine import QuarantineRow


def quarantine_json(row: QuarantineRow, *, source: bool = False) -> dict[str, Json]:
    """Describe one record that waits.

    Args:
        row: The record.
        source: Whether to show it as the provider sent it.
    """
    keyed = not row.fingerprint.startswith("#")
    told = {
        "id": row.id,
        "tenant": row.tenant,
        "integration": row.integration,
        "stream": row.stream,
        "external_id": row.fingerprint if keyed else None,
        "fingerprint": row.fingerprint,
        "code": row.code,
        "field": row.field,
        "reason": row.reason,
        "run": row.run_id,
        "first_at": format_time(row.first_at),
        "last_at": format_time(row.last_at),
    }
    return {**told, "source": row.source} if source else told
