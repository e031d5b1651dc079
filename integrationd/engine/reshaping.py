"""What a changed file means for what is stored: which records are stale from now on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from integrationd.model.fingerprints import Fingerprints
from integrationd.ports.store import Store, StreamRow
from integrationd.spec.bundle import Bundle


async def mark_stale(store: Store, bundle: Bundle) -> None:
    """Mark the records of each stream whose shape changed; called after every load of the files.

    Where a change was taken back before anything was written by it, nothing is stale any more.
    """
    for row, prints in _known(await store.streams(None), bundle):
        if row.shape not in ("", prints.shape):
            await store.mark_stale(row.tenant, row.key, stale=True)
        elif row.stale and not row.walking:
            await store.mark_stale(row.tenant, row.key, stale=False)


def _known(rows: Sequence[StreamRow], bundle: Bundle) -> Iterator[tuple[StreamRow, Fingerprints]]:
    for row in rows:
        integration = bundle.integrations.get(row.key.integration)
        if integration is None or integration.tenant != row.tenant:
            continue
        prints = integration.fingerprints.get(row.key.stream)
        if prints is not None:
            yield row, prints
