"""How everything stands while no daemon runs: looked at, with nothing put together."""

from __future__ import annotations

from dataclasses import replace

import integrationd
from integrationd.daemon.consents import look_at_consent
from integrationd.daemon.inputs import build_library, missing_secrets
from integrationd.daemon.paths import Paths
from integrationd.daemon.settings import load_settings
from integrationd.daemon.sight import looking_around
from integrationd.daemon.system import SystemClock
from integrationd.daemon.whereabouts import list_secrets
from integrationd.engine.discovery import with_discovered
from integrationd.engine.status import Standing, integrations_status, read_standing
from integrationd.model.json import Json
from integrationd.model.switches import Switches


async def offline_status(paths: Paths) -> Json:
    """Tell how everything stands while no daemon runs; writes nothing."""
    settings = load_settings(paths)
    loaded = build_library(paths, settings, read_only=True).load()
    bundle = loaded.bundle
    async with looking_around(paths, settings, also_locked=True) as sight:
        if sight.store is not None:
            bundle = await with_discovered(sight.store, bundle)
        consents, missing = {}, {}
        for name, item in bundle.integrations.items():
            consent = await look_at_consent(sight.secrets, item, SystemClock().now())
            if consent is not None:
                consents[name] = consent
            lack = await missing_secrets(sight.secrets, item)
            if lack or (consent is not None and consent.problem):
                missing[name] = lack or (consent.problem if consent else "")
        stored = await read_standing(sight.store, bundle) if sight.store else Standing()
        switches = await sight.store.switches() if sight.store else Switches()
    problems = bundle.problems
    return {
        "paused": switches.paused,
        "daemon": None,
        "master_key": sight.locked,
        "version": integrationd.__version__,
        "files": {
            "ok": not any(problem.is_error for problem in problems),
            "problems": [str(problem) for problem in problems],
            "kept": sorted(loaded.kept),
        },
        "integrations": integrations_status(
            bundle, replace(stored, missing=missing, consents=consents, switches=switches)
        ),
    }


async def offline_secrets(paths: Paths, integration: str | None) -> list[Json]:
    """Tell where secrets are while no daemon runs; see :func:`list_secrets`."""
    settings = load_settings(paths)
    bundle = build_library(paths, settings, read_only=True).load().bundle
    async with looking_around(paths, settings) as sight:
        rows = [] if sight.store is None else await sight.store.secrets.list_secrets(None)
        return await list_secrets(bundle, sight.secrets, rows, integration)
