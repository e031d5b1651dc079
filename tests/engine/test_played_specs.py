"""Specs against their own player: every kind of asking, and the rows come out the same."""

from __future__ import annotations

import asyncio
import random

import looptime
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrationd.engine.failpoints import POINTS
from integrationd.engine.plans import build_plan
from integrationd.testing.faults import Faults
from integrationd.testing.options import PlayOptions
from integrationd.testing.provider import Player, player_secrets
from integrationd.testing.story import Story
from integrationd.wire.decode.ndjson import NdjsonDecoder
from tests.support.played import Reader, reader_of, truth
from tests.support.worlds import bundle_of
from tests.support.written import AUTHS, FEEDS, FORMATS, INCREMENTALS, PAGINGS, Kind

ORIGIN = "http://player.test"
CRASHES = POINTS[: POINTS.index("run.settled")]
RUNS_MAX = 40
KINDS = st.builds(
    Kind,
    auth=st.sampled_from(list(AUTHS)),
    paging=st.sampled_from(list(PAGINGS)),
    incremental=st.sampled_from(list(INCREMENTALS)),
    form=st.sampled_from(list(FORMATS)),
    family=st.sampled_from(["alone", "alone", "list", "child", "batch"]),
    deferred=st.booleans(),
    feed=st.sampled_from(["", "", *FEEDS]),
    marks=st.booleans(),
).filter(lambda kind: kind.is_possible)


def player_of(kind: Kind, seed: int = 1, faults: str = "") -> Player:
    """Play a spec."""
    (integration,) = bundle_of(integration=kind.text(ORIGIN)).integrations.values()
    found = Faults.parse(faults) if faults else Faults()
    assert found is not None
    return Player(
        integration=integration,
        options=PlayOptions(
            records=17, bad=0, page_size=5, seed=seed, faults=found, rotate_tokens=True
        ),
        secrets=player_secrets(integration),
        origin=ORIGIN,
    )


async def check_equal(reader: Reader, *, swept: bool) -> None:
    """Compare what is held with what the player has; without a sweep more may be held."""
    for name in reader.player.sources:
        held, wanted = await reader.rows(name), truth(reader.player, name)
        assert {key: held.get(key) for key in wanted} == wanted, name
        plan = build_plan(reader.player.integration, name)
        # An empty body, which is what no rows are there, may be a fault as well.
        if swept and plan.sweeps and not isinstance(plan.reply.decoder, NdjsonDecoder):
            assert held.keys() == wanted.keys(), name


async def sync_until_done(reader: Reader, *, full: bool = False) -> None:
    """Read again until nothing is wrong."""
    wrong: dict[str, str] = {}
    for _ in range(RUNS_MAX):
        await asyncio.sleep(5)
        wrong = await reader.sync_all(full=full)
        if not wrong:
            return
    pytest.fail(f"never done: {wrong}")


def in_virtual_time(history) -> None:
    """Run a history in virtual time."""
    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0)) as runner:
        runner.run(history)


async def live(kind: Kind, seed: int) -> None:
    """Read a player for the first time, after changes, through faults and through a crash."""
    chance = random.Random(seed)
    player = player_of(kind, seed)
    assert player.unplayed == {}
    story = Story(player)
    async with reader_of(player) as reader:
        assert await reader.sync_all() == {}
        await check_equal(reader, swept=True)
        for _ in range(chance.randrange(1, 5)):
            await asyncio.sleep(7)
            story.go_on(reader.http.clock.now())
        await asyncio.sleep(7)
        assert await reader.sync_all() == {}
        await check_equal(reader, swept=False)
        await asyncio.sleep(7)
        story.go_on(reader.http.clock.now())
        await reader.crash(chance.choice(CRASHES), chance.choice((1, 1, 2, 3)))
        # What a crash left is gone on with first, and only then is there anything new.
        await sync_until_done(reader)
        await sync_until_done(reader)
        await check_equal(reader, swept=False)
        faults = Faults.parse(
            chance.choice(("20%", "html:10%,empty:10%,500:10%", "401:20%,cut:9%"))
        )
        assert faults is not None
        player.let_fail(faults)
        story.go_on(reader.http.clock.now())
        for full in (False, True, False):
            await asyncio.sleep(5)
            await reader.sync_all(full=full)
        player.let_fail(Faults())
        await sync_until_done(reader)
        await sync_until_done(reader, full=True)
        await check_equal(reader, swept=True)


ALONE = [
    *(Kind(auth=name) for name in AUTHS),
    *(Kind(paging=name) for name in PAGINGS),
    *(Kind(incremental=name) for name in INCREMENTALS),
    *(Kind(form=name) for name in FORMATS),
    *(Kind(feed=name) for name in FEEDS),
    *(Kind(feed="token", family=name) for name in ("list", "child", "batch")),
    *(Kind(family=name, deferred=True) for name in ("alone", "list", "child", "batch")),
]


@pytest.mark.parametrize("kind", ALONE, ids=lambda kind: kind.label)
def test_each_way_reads_its_player_whole(kind):
    """Every way of asking by itself: all rows at first, and after some changes."""

    async def history():
        player = player_of(kind)
        assert player.unplayed == {}
        async with reader_of(player) as reader:
            await asyncio.sleep(5)
            assert await reader.sync_all() == {}
            await check_equal(reader, swept=True)
            await asyncio.sleep(5)
            Story(player).go_on(reader.http.clock.now())
            await asyncio.sleep(5)
            assert await reader.sync_all() == {}
            await check_equal(reader, swept=False)

    in_virtual_time(history())


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(kind=KINDS, seed=st.integers(0, 1000))
def test_any_spec_reads_its_player_whole(kind, seed):
    """First, after changes, after a crash in the middle and after faults the rows are the same."""
    in_virtual_time(live(kind, seed))
