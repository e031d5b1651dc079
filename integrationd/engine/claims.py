"""Claims on a stream or a token: one works at a time, and keeps its claim while it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from integrationd.engine.world import World
from integrationd.errors import LeaseLostError, StoreError
from integrationd.ports.store import Lease, StreamKey

RENEWALS: Final = 3
"""How often a claim is renewed in the time for which it lasts."""


async def claim_stream(world: World, tenant: str, key: StreamKey) -> Lease | None:
    """Take the claim on a stream, or return None while another one holds it."""
    return await world.store.claim(
        tenant,
        "stream",
        f"{key.integration}/{key.stream}",
        holder=world.holder,
        now=world.clock.now(),
        ttl=world.lease,
    )


@asynccontextmanager
async def claimed(world: World, tenant: str, key: StreamKey) -> AsyncIterator[Lease | None]:
    """Hold the claim on a stream, and give it back in the end; None while another one holds it."""
    lease = await claim_stream(world, tenant, key)
    if lease is None:
        yield None
        return
    try:
        yield lease
    finally:
        await asyncio.shield(release(world, tenant, lease))


@asynccontextmanager
async def renewed(world: World, tenant: str, lease: Lease) -> AsyncIterator[None]:
    """Keep the claim alive while a provider makes us wait, or while there is much to do."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(world.lease.total_seconds() / RENEWALS)
            with suppress(StoreError):
                await world.store.renew(tenant, lease, now=world.clock.now(), ttl=world.lease)

    renewal = asyncio.create_task(renew(), name=f"renew {lease.key}")
    try:
        yield
    finally:
        renewal.cancel()
        with suppress(asyncio.CancelledError, LeaseLostError):
            await renewal


async def release(world: World, tenant: str, lease: Lease) -> None:
    """Give the claim back; a store that is gone cannot be told, it then runs out by itself."""
    with suppress(StoreError):
        await world.store.release(tenant, lease)
