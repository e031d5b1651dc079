"""Whether what the files refer to is there: the part of a check that looks beyond the files."""

from __future__ import annotations

from collections.abc import Iterable

from integrationd.daemon.consents import look_at_consent
from integrationd.daemon.paths import Paths
from integrationd.daemon.settings import load_settings
from integrationd.daemon.sight import looking_around
from integrationd.daemon.system import SystemClock
from integrationd.model.json import Json
from integrationd.spec.documents import Integration


async def find_missing_secrets(
    paths: Paths, integrations: Iterable[Integration], known: Iterable[Json] = ()
) -> list[tuple[Integration, str]]:
    """Return what is said of every secret that cannot be used, with the integration that needs it.

    Args:
        paths: Where files lie.
        integrations: Whose secrets.
        known: What a running daemon says of its own; it may have credentials that we have not.

    Raises:
        SettingsError: The settings or the master key cannot be used.
        StoreError: There is a database and it cannot be used.
    """
    elsewhere = {(line["integration"], line["name"]) for line in known if not line["problem"]}
    missing = []
    async with looking_around(paths, load_settings(paths)) as sight:
        for integration in integrations:
            references = integration.needed_secrets()
            found = await sight.secrets.locate(integration.tenant, integration.name, references)
            missing += [
                (integration, finding.problem)
                for name, finding in found.items()
                if finding.problem and (integration.name, name) not in elsewhere
            ]
    return missing


async def find_missing_consents(
    paths: Paths, integrations: Iterable[Integration], status: Json = None
) -> list[tuple[Integration, str]]:
    """Return what is said of every consent that is missing, with the integration that needs it.

    Args:
        paths: Where files lie.
        integrations: Whose.
        status: What a running daemon says; it may have a master key that we have not.

    Raises:
        SettingsError: The settings or the master key cannot be used.
        StoreError: There is a database and it cannot be used.
    """
    known = {} if status is None else {item["name"]: item for item in status["integrations"]}
    missing = []
    now = SystemClock().now()
    async with looking_around(paths, load_settings(paths)) as sight:
        for integration in integrations:
            state = await look_at_consent(sight.secrets, integration, now)
            if state is None:
                continue
            told = known.get(integration.name, {}).get("consent")
            problem = told["problem"] if told else state.problem
            if problem:
                missing.append((integration, problem))
    return missing
