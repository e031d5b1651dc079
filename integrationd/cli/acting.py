"""Where a command acts: in the running daemon, or, without one, here under the lock."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from integrationd.cli.remote import RemoteActions, is_running
from integrationd.daemon.paths import Paths
from integrationd.ports.actions import Actions


@asynccontextmanager
async def acting(paths: Paths) -> AsyncIterator[Actions]:
    """Yield the actions.

    Raises:
        HeldError: There is no daemon, but another command is at work.
    """
    if is_running(paths.control):
        # The event loop's own way would wait until the daemon says something.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        yield RemoteActions(paths.control)
        return
    # Imported here: a command that only asks the daemon needs neither the database nor HTTP.
    from integrationd.daemon.offline import offline  # noqa: PLC0415

    async with offline(paths) as actions:
        yield actions
