"""Two processes on one store: one asks for a token, both use it."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from integrationd.engine.desk import TokenDesk
from integrationd.engine.tokens import CLAIM
from integrationd.errors import UnavailableError
from integrationd.model.secret import Secret
from tests.support.granting import CLIENT, REFRESH, SECRETS, Granting, Shut, sign
from tests.support.worlds import stage

pytestmark = pytest.mark.looptime(start=0)


@dataclass
class Process:
    """One process's world."""

    world: object


@asynccontextmanager
async def two(provider, vault=None):
    """Set two processes up on one store and one vault."""
    async with stage(provider, **SECRETS) as on:
        worlds = [
            replace(
                on.world,
                holder=f"local:{name}",
                tokens=TokenDesk(),
                vault=vault or on.world.vault,
            )
            for name in ("one", "two")
        ]
        yield [Process(world) for world in worlds]


@pytest.mark.parametrize("text", [CLIENT, REFRESH])
async def test_two_processes_ask_once(text):
    """The second finds the first one's answer when its turn comes."""
    provider = Granting(rotates=True, latency_s=3)
    async with two(provider) as processes:
        shown = await asyncio.gather(
            *(sign(process, text) for process in processes for _ in range(25))
        )

    assert set(shown) == {"Bearer a1"}
    assert len(provider.forms) == 1


async def test_two_processes_whose_token_was_revoked_ask_once():
    """Both were refused; the second takes the first one's new token and rotates nothing."""
    provider = Granting(rotates=True, latency_s=3)
    async with two(provider) as processes:
        await asyncio.gather(*(sign(process, REFRESH) for process in processes))
        again = (sign(process, REFRESH, refused=Secret("a1")) for process in processes)
        shown = await asyncio.gather(*again)

    assert set(shown) == {"Bearer a2"}
    assert [form["refresh_token"] for form in provider.forms] == ["r0", "r1"]


async def test_closed_vault_shares_nothing():
    """Each process has a token of its own, one request after the other."""
    provider = Granting(latency_s=3)
    async with two(provider, Shut()) as processes:
        shown = await asyncio.gather(*(sign(process) for process in processes))

    assert sorted(shown) == ["Bearer a1", "Bearer a2"]


async def test_slow_provider_does_not_lose_us_the_claim():
    """The claim is renewed while the answer is waited for, so that nobody else asks meanwhile."""
    provider = Granting(rotates=True, latency_s=90)
    async with two(provider) as processes:
        shown = await asyncio.gather(*(sign(process, REFRESH) for process in processes))

    assert set(shown) == {"Bearer a1"}
    assert len(provider.forms) == 1


async def test_claim_of_a_dead_process_runs_out(looptime):
    """Who died while it asked holds the others up for a minute at most."""
    provider = Granting(latency_s=0)
    async with two(provider) as (alive, dead):
        await dead.world.store.claim(
            "default",
            CLAIM,
            "acme",
            holder="local:dead",
            now=dead.world.clock.now(),
            ttl=timedelta(seconds=60),
        )
        shown = await sign(alive)

    assert shown == "Bearer a1"
    assert 60 <= looptime <= 61


async def test_waiting_for_another_process_ends(looptime):
    """One that goes on and on is told after two minutes, as a failure that may pass."""
    provider = Granting(latency_s=500)
    async with two(provider) as (waiting, slow):
        busy = asyncio.create_task(sign(slow), name="busy")
        await asyncio.sleep(1)
        with pytest.raises(UnavailableError) as caught:
            await sign(waiting)
        assert 121 <= looptime <= 122
        await busy

    assert str(caught.value) == (
        "another process has been asking for a token of acme for two minutes"
    )


async def test_claim_is_given_back_after_a_failure(looptime):
    """A refusal does not hold the next one up."""
    provider = Granting(refresh="another", latency_s=0)
    async with two(provider) as processes:
        for process in processes:
            with pytest.raises(Exception, match="invalid_grant"):
                await sign(process, REFRESH)

    assert looptime == 0
