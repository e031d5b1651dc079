"""Upgrading the database of an installation whose daemon is stopped."""

from __future__ import annotations

from integrationd.daemon.database import database_of
from integrationd.daemon.lock import HeldError, locked
from integrationd.daemon.paths import Paths
from integrationd.daemon.settings import load_settings
from integrationd.daemon.system import SystemClock
from integrationd.model.json import Json
from integrationd.store.upgrading import upgrade


def upgrade_database(paths: Paths) -> Json:
    """Take the lock and bring the database to the present schema.

    Returns:
        ``{"database", "before", "after", "backup"}``.

    Raises:
        HeldError: A daemon, or another command, uses it.
        StoreError: It cannot be upgraded; nothing was changed.
        SettingsError: The settings, or what they refer to, cannot be used.
    """
    try:
        with locked(paths.lock):
            database = database_of(paths, load_settings(paths))
            done = upgrade(database, at=SystemClock().now())
    except HeldError as held:
        raise HeldError(f"{held}; stop it first") from held
    return {
        "database": done.where,
        "before": done.before,
        "after": done.after,
        "backup": None if done.backup is None else str(done.backup),
    }
