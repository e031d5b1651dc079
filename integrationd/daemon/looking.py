"""The store opened to look: no lock, no daemon, nothing that a reader does not need."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from integrationd.daemon.database import database_of
from integrationd.daemon.paths import Paths
from integrationd.daemon.settings import load_settings
from integrationd.spec.settings import Settings
from integrationd.store.sqlstore import SqlStore


@asynccontextmanager
async def looking(paths: Paths, settings: Settings | None = None) -> AsyncIterator[SqlStore]:
    """Open the store to read from it, beside a daemon or without one.

    Raises:
        StoreError: There is none, or it cannot be used.
        SettingsError: The settings, or the password that they refer to, cannot be used.
    """
    settings = load_settings(paths) if settings is None else settings
    async with SqlStore(database_of(paths, settings), read_only=True) as store:
        yield store
