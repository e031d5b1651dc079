"""The same composition without a daemon, for one command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from integrationd.daemon import garbage
from integrationd.daemon.actions import LocalActions
from integrationd.daemon.broadcast import Broadcast
from integrationd.daemon.composition import compose
from integrationd.daemon.lock import locked
from integrationd.daemon.paths import Paths
from integrationd.daemon.settings import load_settings


@asynccontextmanager
async def offline(paths: Paths) -> AsyncIterator[LocalActions]:
    """Take the lock, put the parts together and load the files."""
    settings = load_settings(paths)
    with locked(paths.lock):
        async with compose(paths, settings, Broadcast()) as parts:
            await parts.load()
            garbage.settle()
            try:
                yield LocalActions(parts)
            finally:
                # Interrupted: what runs is cancelled and settled while the store is open.
                await parts.conductor.drain(0)
