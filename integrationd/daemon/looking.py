"""The store opened to look: no lock, no daemon, nothing that a reader does not need."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from integrationd.daemon.paths import Paths
from integrationd.store.sqlstore import SqlStore


@asynccontextmanager
async def looking(paths: Paths) -> AsyncIterator[SqlStore]:
    """Open the store to read from it, beside a daemon or without one.

    Raises:
        StoreError: There is none, or it cannot be used.
    """
    async with SqlStore(paths.database, read_only=True) as store:
        yield store
