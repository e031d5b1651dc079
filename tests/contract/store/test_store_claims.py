"""Claims: one holder at a time, fences that only grow."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from integrationd.errors import LeaseLostError
from integrationd.ports.store import Lease
from integrationd.store import SqlStore, tables

MINUTE = timedelta(minutes=1)


async def test_free_claim_is_taken_with_the_first_fence(desk):
    """A claim that nobody had is ours until it runs out."""
    lease = await desk.claim(minutes=5)

    assert lease == Lease(
        kind="run",
        key="koha/patrons",
        holder="n1:a",
        fence=1,
        expires_at=desk.now + 5 * MINUTE,
    )


@pytest.mark.parametrize("holder", ["n1:a", "n2:b"])
async def test_held_claim_is_refused_to_everybody(desk, holder):
    """Nobody gets a held claim, also not the same process for a second time."""
    await desk.claim(minutes=5)

    assert await desk.claim(holder=holder, now=desk.now + 4 * MINUTE) is None


async def test_run_out_claim_goes_to_the_next_with_a_higher_fence(desk):
    """At its end a claim is free, and the late one can no longer renew it."""
    late = await desk.claim(minutes=5)

    fresh = await desk.claim(holder="n2:b", now=desk.now + 5 * MINUTE)

    assert (fresh.holder, fresh.fence) == ("n2:b", 2)
    with pytest.raises(LeaseLostError) as caught:
        await desk.store.renew(desk.tenant, late, now=desk.now, ttl=MINUTE)
    assert str(caught.value) == (
        "the run claim on koha/patrons with fence 1 is no longer held by n1:a; nothing was written"
    )


async def test_renewed_claim_lasts_longer_under_its_fence(desk):
    """Renewing moves the end and nothing else."""
    lease = await desk.claim(minutes=5)

    longer = await desk.store.renew(desk.tenant, lease, now=desk.now + 4 * MINUTE, ttl=5 * MINUTE)

    assert (longer.fence, longer.expires_at) == (1, desk.now + 9 * MINUTE)
    assert await desk.claim(holder="n2:b", now=desk.now + 8 * MINUTE) is None


async def test_released_claim_is_free_at_once(desk):
    """Giving back frees the claim; the next fence is higher all the same."""
    lease = await desk.claim()

    await desk.store.release(desk.tenant, lease)

    fresh = await desk.claim(holder="n2:b")
    assert fresh.fence == 2


async def test_late_release_is_harmless(desk):
    """Giving back what another holds now changes nothing."""
    late = await desk.claim(minutes=5)
    fresh = await desk.claim(holder="n1:a", now=desk.now + 5 * MINUTE)

    await desk.store.release(desk.tenant, late)

    assert await desk.claim(holder="n3:c", now=desk.now + 6 * MINUTE) is None
    await desk.store.renew(desk.tenant, fresh, now=desk.now, ttl=MINUTE)


async def test_claims_of_one_node_are_freed_and_no_others(desk):
    """A node that starts again frees what its dead processes held; names are taken exactly."""
    for number, holder in enumerate(["n1:a", "n1:b", "n11:a", "N1:a", "n1_:a"]):
        await desk.store.claim("t", "run", str(number), holder=holder, now=desk.now, ttl=MINUTE)

    assert await desk.store.release_node("n1") == 2
    assert await desk.store.release_node("n1") == 0
    assert [row[0] for row in await desk.rows(tables.claims, "holder")] == [
        "",
        "",
        "n11:a",
        "N1:a",
        "n1_:a",
    ]


HOLDERS = ("n1:a", "n1:b", "n2:c")


class ClaimMachine(RuleBasedStateMachine):
    """Claims, renewals, releases and time in any order, beside a model of who may hold."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.store = self.loop.run_until_complete(SqlStore.in_memory().__aenter__())
        self.now = datetime(2026, 3, 1, tzinfo=UTC)
        self.held: Lease | None = None
        self.known: list[Lease] = []

    def call(self, work):
        return self.loop.run_until_complete(work)

    @rule(holder=st.sampled_from(HOLDERS), minutes=st.integers(1, 5))
    def claim(self, holder, minutes):
        """Only a free or run-out claim is given, each time with a greater fence."""
        free = self.held is None or self.held.expires_at <= self.now
        taken = self.call(
            self.store.claim("t", "run", "k", holder=holder, now=self.now, ttl=minutes * MINUTE)
        )
        assert (taken is not None) == free
        if taken is not None:
            assert all(taken.fence > old.fence for old in self.known)
            self.held = taken
            self.known.append(taken)

    @rule(data=st.data(), minutes=st.integers(1, 5))
    def renew(self, data, minutes):
        """Whoever was passed cannot renew; the last taker can, also late."""
        if not self.known:
            return
        lease = data.draw(st.sampled_from(self.known))
        ours = self.held is not None and self.held.fence == lease.fence
        try:
            longer = self.call(self.store.renew("t", lease, now=self.now, ttl=minutes * MINUTE))
        except LeaseLostError:
            assert not ours
        else:
            assert ours
            self.held = longer

    @rule(data=st.data())
    def release(self, data):
        """Only the last taker's release frees."""
        if not self.known:
            return
        lease = data.draw(st.sampled_from(self.known))
        self.call(self.store.release("t", lease))
        if self.held is not None and self.held.fence == lease.fence:
            self.held = None

    @rule(node=st.sampled_from(["n1", "n2"]))
    def restart(self, node):
        """Free what a node's dead processes held."""
        freed = self.call(self.store.release_node(node))
        ours = self.held is not None and self.held.holder.startswith(f"{node}:")
        assert freed == (1 if ours else 0)
        if ours:
            self.held = None

    @rule(minutes=st.integers(1, 10))
    def wait(self, minutes):
        """Time passes."""
        self.now += minutes * MINUTE

    @invariant()
    def stored_claim_is_the_models(self):
        """Compare the row with the one holder of the model, or with nobody."""
        with self.store._parts.readers.engine.connect() as conn:
            rows = conn.execute(tables.claims.select()).all()
        holders = [(row.holder, row.fence) for row in rows if row.holder]
        assert holders == ([(self.held.holder, self.held.fence)] if self.held else [])

    def teardown(self):
        self.call(self.store.__aexit__(None, None, None))
        self.loop.close()


TestClaimMachine = ClaimMachine.TestCase
TestClaimMachine.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
