"""``explain``, without the lock: files and store are only looked at."""

from __future__ import annotations

from integrationd.config.problems import nearest
from integrationd.daemon.inputs import build_library
from integrationd.daemon.paths import Paths
from integrationd.daemon.settings import load_settings
from integrationd.daemon.sight import looking_around
from integrationd.daemon.whereabouts import list_secrets
from integrationd.engine.explaining import explain_stream
from integrationd.errors import SettingsError, UsageError
from integrationd.model.json import Json
from integrationd.ports.store import ReadingState, StreamKey
from integrationd.spec.bundle import Bundle
from integrationd.spec.documents import Integration


async def explain(paths: Paths, name: str, stream: str, *, full: bool) -> Json:
    """Tell what a stream's next reading would ask, and what that is made of.

    Raises:
        UsageError: No such integration or stream, or one that makes no request.
        SettingsError: The integration's files have errors.
    """
    settings = load_settings(paths)
    bundle = build_library(paths, settings, read_only=True).load().bundle
    integration = _find(bundle, name, stream)
    async with looking_around(paths, settings) as sight:
        stored = ReadingState()
        rows = []
        if sight.store is not None:
            key = StreamKey(name, stream)
            stored = await sight.store.load_state(integration.tenant, key, "")
            rows = await sight.store.secrets.list_secrets(None)
        secrets = await list_secrets(bundle, sight.secrets, rows, name)
    told: dict[str, Json] = explain_stream(integration, stream, stored, full=full)
    return {**told, "secrets": secrets}


def _find(bundle: Bundle, name: str, stream: str) -> Integration:
    found = bundle.integrations.get(name)
    if found is None and name in bundle.refused:
        raise SettingsError(
            f"integration {name!r} has errors in its files, see: integrationd check"
        )
    if found is None:
        raise UsageError(f"no integration {name!r}{nearest(name, bundle.integrations)}")
    if stream not in found.streams:
        hint = nearest(stream, found.streams)
        raise UsageError(f"integration {name!r} has no stream {stream!r}{hint}")
    if not found.streams[stream].is_read():
        raise UsageError(f"stream {name}/{stream} makes no request, only webhooks fill it")
    return found
