"""The store of a recording: in memory, but for the claims on tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from integrationd.daemon.recording import Beside
from integrationd.engine.tokens import CLAIM
from integrationd.store.sqlstore import SqlStore

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def claim(store, kind, holder):
    """Ask for a claim for a minute."""
    return await store.claim(
        "default", kind, "shop", holder=holder, now=NOW, ttl=timedelta(minutes=1)
    )


async def test_a_claim_on_a_token_is_the_real_one():
    """Another node that renews the same token is waited for, and waits."""
    async with SqlStore.in_memory() as memory, SqlStore.in_memory() as real:
        beside = Beside(memory, real)

        lease = await claim(beside, CLAIM, "a:1")

        assert await claim(real, CLAIM, "b:1") is None
        renewed = await beside.renew("default", lease, now=NOW, ttl=timedelta(minutes=2))
        assert renewed.expires_at == NOW + timedelta(minutes=2)
        await beside.release("default", renewed)
        assert await claim(real, CLAIM, "b:1") is not None


async def test_a_claim_on_a_stream_is_not():
    """Whoever reads it for real goes on."""
    async with SqlStore.in_memory() as memory, SqlStore.in_memory() as real:
        beside = Beside(memory, real)

        lease = await claim(beside, "stream", "a:1")

        assert await claim(real, "stream", "b:1") is not None
        assert await claim(memory, "stream", "b:1") is None
        await beside.release("default", lease)
        assert await claim(memory, "stream", "b:1") is not None
