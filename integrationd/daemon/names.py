"""Names that nothing was found by: told apart from those that are only empty."""

from __future__ import annotations

from integrationd.config.problems import nearest
from integrationd.daemon.inputs import build_library
from integrationd.daemon.paths import Paths
from integrationd.daemon.settings import load_settings
from integrationd.engine.discovery import ListReader, with_discovered
from integrationd.errors import UsageError
from integrationd.ports.calls import PROBE
from integrationd.ports.store import StoreReader
from integrationd.spec.bundle import Bundle


async def refuse_unknown(
    store: StoreReader, bundle: Bundle, integration: str, stream: str = ""
) -> None:
    """Refuse a name that neither the files have nor the store.

    Args:
        store: What was ever read; a name that the files have no more is there.
        bundle: What the files say.
        integration: As a person wrote it.
        stream: One of its streams or, as runs go by them too, of its operations.

    Raises:
        UsageError: With the nearest name.
    """
    keys = {row.key for row in await store.streams(None)}
    endpoints = await store.event_counts(None)
    known = {
        *bundle.integrations,
        *bundle.refused,
        *(key.integration for key in keys),
        *(name.partition("/")[0] for name in endpoints),
    }
    if integration not in known:
        raise UsageError(f"no integration {integration!r}{nearest(integration, known)}")
    found = bundle.integrations.get(integration)
    if not stream or (found is None and integration in bundle.refused):
        return
    parts = {key.stream for key in keys if key.integration == integration}
    if found is not None:
        parts |= {*found.streams, *found.operations, *([PROBE] if found.probe else [])}
    if stream not in parts:
        message = f"integration {integration!r} has no stream {stream!r}"
        raise UsageError(f"{message}{nearest(stream, parts)}")


async def refuse_unlisted(
    paths: Paths, store: ListReader, integration: str | None, stream: str | None = None
) -> None:
    """Refuse such a name where a listing is empty; without a name it may well be."""
    if integration is None:
        return
    library = build_library(paths, load_settings(paths), read_only=True)
    bundle = await with_discovered(store, library.load().bundle)
    await refuse_unknown(store, bundle, integration, stream or "")
