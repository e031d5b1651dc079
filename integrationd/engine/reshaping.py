"""What a changed file means for what is stored: what is stale, and what may be mapped by now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from integrationd.engine.progress import STRAYS
from integrationd.engine.renaming import is_renamed
from integrationd.model.fingerprints import Fingerprints
from integrationd.ports.store import Store, StreamRow
from integrationd.spec.bundle import Bundle


async def mark_stale(store: Store, bundle: Bundle) -> None:
    """Mark the records of each stream whose shape changed; called after every load of the files.

    Where a change was taken back before anything was written by it, nothing is stale any more.
    """
    for row, prints in _known(await store.streams(None), bundle):
        if row.shape not in ("", STRAYS, prints.shape):
            await store.mark_stale(row.tenant, row.key, stale=True)
        elif row.stale and not row.walking:
            await store.mark_stale(row.tenant, row.key, stale=False)


def retriable(rows: Iterable[StreamRow], bundle: Bundle) -> Iterator[tuple[str, str]]:
    """Yield the streams that have something in quarantine which a spec of another shape refused.

    Not those whose records have other names by now. Each as (integration, stream).
    """
    for row, prints in _known(rows, bundle):
        stream = bundle.integrations[row.key.integration].streams[row.key.stream]
        others = row.refused_by - {prints.shape}
        if others and stream.is_read() and not is_renamed(row.identity, prints):
            yield row.key.integration, row.key.stream


def _known(rows: Iterable[StreamRow], bundle: Bundle) -> Iterator[tuple[StreamRow, Fingerprints]]:
    for row in rows:
        integration = bundle.integrations.get(row.key.integration)
        if integration is None or integration.tenant != row.tenant:
            continue
        prints = integration.fingerprints.get(row.key.stream)
        if prints is not None:
            yield row, prints
