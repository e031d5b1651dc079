"""All that the doctor looks at, in the order in which one would mend it."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from integrationd.bundles.library import Loaded
from integrationd.daemon.database import database_of
from integrationd.daemon.doctor import machine as around
from integrationd.daemon.doctor import places, running
from integrationd.daemon.doctor.finding import Finding, Level
from integrationd.daemon.environment import find_missing_consents, find_missing_secrets
from integrationd.daemon.inputs import build_library
from integrationd.daemon.looking import looking
from integrationd.daemon.paths import Paths
from integrationd.daemon.settings import load_settings
from integrationd.daemon.system import SystemClock
from integrationd.errors import IntegrationError, NothingStoredError, SettingsError, StoreError
from integrationd.model.json import Json
from integrationd.spec.settings import Settings
from integrationd.store.sqlstore import SqlStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a running daemon answered; nothing of it where none runs."""

    status: Json = None
    secrets: Sequence[Json] = ()


async def examine(
    paths: Paths, asked: Asked, machine: around.Machine | None = None
) -> AsyncIterator[Finding]:
    """Yield what is found, each thing as soon as it is known; writes nothing."""
    machine = machine or around.Machine()
    settings, told = _settings(paths)
    for finding in (*told, *_extras(settings), *_places(paths, settings, machine)):
        yield finding
    loaded = await asyncio.to_thread(build_library(paths, settings, read_only=True).load)
    for finding in _files(loaded):
        yield finding
    async for finding in _database(paths, machine):
        yield finding
    if told[0].level is Level.OK:  # by the defaults, secrets would be looked for elsewhere
        async for finding in _secrets(paths, loaded, asked):
            yield finding
    for finding in (*_daemon(paths, settings, asked, machine), *_machine(machine)):
        yield finding


def _settings(paths: Paths) -> tuple[Settings, list[Finding]]:
    """Read the settings; where they cannot be used, the rest is looked at by the defaults."""
    try:
        settings = load_settings(paths)
    except SettingsError as wrong:
        advice = "mend it: the daemon does not start"
        lines = str(wrong).splitlines()
        return Settings(), [Finding.bad("settings", line, advice) for line in lines]
    told = str(paths.settings) if paths.settings.exists() else "all as they are by default"
    return settings, [Finding.ok("settings", told)]


def _extras(settings: Settings) -> Iterator[Finding]:
    """Look for optional libraries that something needs; PostgreSQL's is the only one so far."""
    if settings.database.url and importlib.util.find_spec("psycopg") is None:
        advice = "install it with: pip install 'integrationd[postgres]'"
        yield Finding.bad("extras", "the database needs psycopg, which is not installed", advice)
    else:
        yield Finding.ok("extras", "all that is needed is installed")


def _places(paths: Paths, settings: Settings, machine: around.Machine) -> Iterator[Finding]:
    yield from places.examine_config(paths.config)
    yield from places.examine_state(paths)
    yield from places.examine_disk(paths, machine.proc / "self" / "mountinfo")
    yield from places.examine_secret_dirs(settings.secrets.dirs)


def _files(loaded: Loaded) -> Iterator[Finding]:
    errors = len(loaded.bundle.errors)
    warnings = len(loaded.bundle.problems) - errors
    told = f"{len(loaded.bundle.integrations)} integrations, {errors} errors, {warnings} warnings"
    if loaded.kept:
        told += f"; on their last good files: {', '.join(sorted(loaded.kept))}"
    if errors:
        yield Finding.bad("files", told, "see each of them with: integrationd check")
    elif warnings:
        yield Finding.warn("files", told, "see each of them with: integrationd check")
    else:
        yield Finding.ok("files", told)
    for remark in loaded.remarks:
        yield Finding.warn("last good files", remark, "they are written anew by the next good load")


async def _database(paths: Paths, machine: around.Machine) -> AsyncIterator[Finding]:
    """Open it as a reader does: reachable, ours, of this version, and what its newest time is."""
    latest = None
    try:
        # Where the settings cannot be used, the defaults are looked at, as for everything else.
        settings, _ = _settings(paths)
        where = database_of(paths, settings).where
        try:
            async with looking(paths, settings) as store:
                rows = await store.streams(None)
                yield Finding.ok("database", await _describe(store, where))
            latest = max(
                (row.last_run.started_at for row in rows if row.last_run is not None), default=None
            )
        except NothingStoredError:
            yield Finding.ok("database", f"{where} is not there yet; the daemon makes it")
    except (StoreError, SettingsError) as refused:
        told, _, advice = str(refused).rpartition("; ")
        yield Finding.bad("database", told or advice, advice if told else "see the system log")
    for finding in around.examine_clock(machine, SystemClock().now(), latest):
        yield finding


async def _describe(store: SqlStore, where: str) -> str:
    rows = await store.streams(None)
    return f"{where}: {sum(row.records for row in rows)} records of {len(rows)} streams"


async def _secrets(paths: Paths, loaded: Loaded, asked: Asked) -> AsyncIterator[Finding]:
    integrations = loaded.bundle.integrations
    try:
        found = await find_missing_secrets(paths, integrations.values(), asked.secrets)
    except StoreError:
        return  # told already
    except IntegrationError as wrong:
        yield Finding.bad("secrets", str(wrong), "mend it: the daemon does not start")
        return
    for integration, problem in found:
        advice = f"supply it, for example with: integrationd secret set {integration.name} NAME"
        yield Finding.bad("secrets", problem, advice)
    if not found:
        yield Finding.ok("secrets", "every secret that the files name is there")
    consents = await find_missing_consents(paths, integrations.values(), asked.status)
    for integration, problem in consents:
        advice = f"log in with: integrationd auth login {integration.name}"
        yield Finding.bad("consent", problem, advice)


def _daemon(
    paths: Paths, settings: Settings, asked: Asked, machine: around.Machine
) -> Iterator[Finding]:
    yield from running.examine_daemon(paths, machine.proc, asked.status)
    yield from running.examine_listener(settings.listen, asked.status)


def _machine(machine: around.Machine) -> Iterator[Finding]:
    yield from around.examine_systemd(machine)
    yield from around.examine_inotify(machine)
