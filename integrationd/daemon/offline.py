"""The same composition without a daemon, for one command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from integrationd.daemon import garbage
from integrationd.daemon.actions import LocalActions
from integrationd.daemon.broadcast import Broadcast
from integrationd.daemon.composition import Composition, compose
from integrationd.daemon.inputs import Learn, ignore
from integrationd.daemon.lock import locked
from integrationd.daemon.paths import Paths
from integrationd.daemon.settings import load_settings
from integrationd.model.secret import Secret
from integrationd.telemetry.faults import masked_faults
from integrationd.telemetry.redaction import Redactor


@asynccontextmanager
async def offline(paths: Paths) -> AsyncIterator[LocalActions]:
    """Take the lock, put the parts together and load the files."""
    async with offline_parts(paths) as parts:
        yield LocalActions(parts)


@asynccontextmanager
async def offline_parts(paths: Paths, learn: Learn = ignore) -> AsyncIterator[Composition]:
    """Do the same for who needs the parts themselves; ``learn`` is told every secret."""
    settings, redactor = load_settings(paths), Redactor()

    def learn_both(place: str, secret: Secret) -> None:
        redactor.learn(place, secret)
        learn(place, secret)

    with locked(paths.lock), masked_faults(redactor.mask):
        async with compose(paths, settings, Broadcast(), learn=learn_both) as parts:
            await parts.load()
            garbage.settle()
            try:
                yield parts
            finally:
                # Interrupted: what runs is cancelled and settled while the store is open.
                await parts.conductor.drain(0)
