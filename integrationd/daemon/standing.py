"""How everything stands while no daemon runs: looked at, with nothing put together."""

from __future__ import annotations

import integrationd
from integrationd.daemon.inputs import build_library, build_secrets, missing_secrets
from integrationd.daemon.looking import looking
from integrationd.daemon.paths import Paths
from integrationd.daemon.settings import load_settings
from integrationd.engine.status import integrations_status, read_standing
from integrationd.errors import StoreError
from integrationd.model.json import Json


async def offline_status(paths: Paths) -> Json:
    """Tell how everything stands while no daemon runs; writes nothing."""
    settings = load_settings(paths)
    loaded = build_library(paths, settings, read_only=True).load()
    secrets = build_secrets(settings)
    found = {
        name: await missing_secrets(secrets, item)
        for name, item in loaded.bundle.integrations.items()
    }
    missing = {name: message for name, message in found.items() if message}
    try:
        async with looking(paths) as store:
            rows, events = await read_standing(store, loaded.bundle)
    except StoreError:
        if paths.database.exists():
            raise
        rows, events = {}, {}
    problems = loaded.bundle.problems
    return {
        "daemon": None,
        "version": integrationd.__version__,
        "files": {
            "ok": not any(problem.is_error for problem in problems),
            "problems": [str(problem) for problem in problems],
            "kept": sorted(loaded.kept),
        },
        "integrations": integrations_status(loaded.bundle, rows, events, missing),
    }
