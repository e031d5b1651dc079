"""``explain``, without the lock: files and store are only looked at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from integrationd.config.problems import nearest
from integrationd.daemon.consents import look_at_consent
from integrationd.daemon.inputs import build_library
from integrationd.daemon.paths import Paths
from integrationd.daemon.settings import load_settings
from integrationd.daemon.sight import Sight, looking_around
from integrationd.daemon.system import SystemClock
from integrationd.daemon.whereabouts import list_secrets
from integrationd.engine.appointments import expected_times
from integrationd.engine.discovery import with_discovered
from integrationd.engine.explaining import explain_integration, explain_operation, explain_stream
from integrationd.engine.status import read_streams
from integrationd.errors import SettingsError, UsageError
from integrationd.model.json import Json
from integrationd.model.switches import NOTHING_OFF
from integrationd.ports.store import ReadingState, StreamKey
from integrationd.spec.bundle import Bundle
from integrationd.spec.discovered import tell_unknown
from integrationd.spec.documents import Integration
from integrationd.spec.settings import Settings


async def explain(paths: Paths, name: str, part: str, *, full: bool) -> Json:
    """Tell what an integration, one of its streams or one of its operations would ask.

    Args:
        paths: Where everything is.
        name: The integration.
        part: A stream, or else an operation; empty for a list of both.
        full: Of a stream: as a reading of everything.

    Raises:
        UsageError: No such name, or a stream that makes no request.
        SettingsError: The integration's files have errors.
    """
    settings = load_settings(paths)
    bundle = build_library(paths, settings, read_only=True).load().bundle
    _find(bundle, name)
    async with looking_around(paths, settings) as sight:
        if sight.store is not None:
            bundle = await with_discovered(sight.store, bundle)
        integration = _find(bundle, name)
        if part:
            _check(integration, part)
        rows = [] if sight.store is None else await sight.store.secrets.list_secrets(None)
        secrets = await list_secrets(bundle, sight.secrets, rows, name)
        times = await _expect(sight, bundle, settings)
        told: dict[str, Json]
        if not part:
            told = explain_integration(integration, times)
        elif part in integration.streams:
            stored, key = ReadingState(), StreamKey(name, part)
            if sight.store is not None:
                stored = await sight.store.load_state(integration.tenant, key, "")
            now = datetime.now(UTC)
            due = times.get(key)
            told = explain_stream(integration, part, stored, now=now, full=full, due=due)
        else:
            told = explain_operation(integration, part)
        consent = await look_at_consent(sight.secrets, integration, SystemClock().now())
    return {
        **told,
        "secrets": secrets,
        "consent": None if consent is None else consent.to_json(),
    }


async def _expect(sight: Sight, bundle: Bundle, settings: Settings) -> Mapping[StreamKey, datetime]:
    """Return when streams are due next, those that people have switched off left out."""
    store = sight.store
    rows = {} if store is None else await read_streams(store, bundle)
    switches = NOTHING_OFF if store is None else await store.switches()
    closed = {
        name
        for name, integration in bundle.integrations.items()
        if switches.stops_schedules(integration.tenant, name)
    }
    now = SystemClock().now()
    return expected_times(bundle, rows, now, zone=settings.timezone, closed=closed)


def _find(bundle: Bundle, name: str) -> Integration:
    found = bundle.integrations.get(name)
    if found is None and name in bundle.refused:
        raise SettingsError(
            f"integration {name!r} has errors in its files, see: integrationd check"
        )
    if found is None:
        raise UsageError(f"no integration {name!r}{nearest(name, bundle.integrations)}")
    return found


def _check(integration: Integration, part: str) -> None:
    name = integration.name
    known = [*integration.streams, *integration.operations]
    if part not in known:
        what = "stream or operation" if integration.operations else "stream"
        raise UsageError(tell_unknown(integration, what, part, known))
    if part in integration.streams and not integration.streams[part].is_read():
        raise UsageError(f"stream {name}/{part} makes no request, only webhooks fill it")
