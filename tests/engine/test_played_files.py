"""Every file that is known to be good is played and read whole: at first, again, and after changes.

Against its own player a stream stores exactly the player's rows, a second reading changes nothing,
and one after changes brings exactly the changed ones.
"""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path

import looptime
import pytest

from integrationd.bundles.scan import Scanner, find_config_roots, find_shipped_roots
from integrationd.bundles.shipped import shipped_dirs
from integrationd.engine.logins import Logins
from integrationd.engine.plans import build_plan
from integrationd.engine.renewal import Account
from integrationd.model.json import Json
from integrationd.model.runs import Mode
from integrationd.model.secret import Secret
from integrationd.ports.consent import LoginWish
from integrationd.spec.build import build_bundle
from integrationd.spec.families import parents_first
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings
from integrationd.testing.options import PlayOptions
from integrationd.testing.provider import Player, player_secrets
from integrationd.testing.stage import stage
from integrationd.testing.values import moment_of
from integrationd.wire.auth.oauth2 import OAuth2Auth
from integrationd.wire.messages import Request
from tests.support.played import Reader, reader_of, truth
from tests.support.players import received

ORIGIN = "https://player.test"
ANY_ID = "00000000-0000-7000-8000-000000000000"
"""Stands in the truth for an id that the store makes."""
GOOD = Path(__file__).parents[1] / "good"
SHIPPED = "shipped"
EXCEPTIONS = {
    ("deferred", "shop", "orders"): (
        "what says that the work is done is the address of the file, and one value is wanted twice"
    ),
    ("provider-and-two-accounts", "south-shop", "refunds"): (
        "its list is the whole body, and the provider's paging reads a field beside it"
    ),
}
"""Streams that are not played, by their directory, file and name, and why not."""


@cache
def sources_of(group: str):
    """Return the files of one directory."""
    roots = (
        find_shipped_roots(shipped_dirs()) if group == SHIPPED else find_config_roots(GOOD / group)
    )
    return tuple(found.source for found in Scanner(roots).scan().files.values())


def groups() -> list[str]:
    """Return every directory of good files."""
    return [SHIPPED, *sorted(path.name for path in GOOD.iterdir() if path.is_dir())]


def systems() -> list[tuple[str, str]]:
    """Return every provider and integration of the files that reads something."""
    found = []
    for group in groups():
        bundle = build_bundle([read_file(source) for source in sources_of(group)], Settings())
        bodies = {name: one.body for name, one in bundle.providers.items()} | bundle.integrations
        for name, body in bodies.items():
            if body.http is not None and any(one.is_read() for one in body.streams.values()):
                found.append((group, name))
    return found


def player_of(group: str, name: str) -> Player:
    """Play one of them."""
    integration = stage(sources_of(group), name, Settings(), ORIGIN)
    return Player(
        integration=integration,
        options=PlayOptions(records=13, bad=0, page_size=5, page_size_max=5),
        secrets=player_secrets(integration),
        origin=ORIGIN,
    )


async def held(reader: Reader, name: str) -> dict[str, Json]:
    """Return what is stored, with :data:`ANY_ID` in the place of ids that the store has made."""
    rows, wanted = await reader.rows(name), truth(reader.player, name)
    return {key: _unnamed(row, wanted.get(key)) for key, row in rows.items()}


def _unnamed(row: Json, wanted: Json) -> Json:
    if not isinstance(row, dict) or not isinstance(wanted, dict):
        return row
    return {
        key: ANY_ID if wanted.get(key) == ANY_ID and value is not None else value
        for key, value in row.items()
    }


async def log_in(reader: Reader) -> None:
    """Give consent, where the spec wants it."""
    integration = reader.player.integration
    auth = integration.http.auth
    if not isinstance(auth, OAuth2Auth) or not auth.is_by_consent:
        return
    account = Account(integration, auth, Settings())
    logins, port = Logins(reader.world), 4711
    begun = LoginWish(integration=integration.name, port=port)
    lines = [line async for line in logins.login(account, begun)]
    if lines[-1]["event"] == "open":
        opened = received(Request(method="GET", url=lines[-1]["address"]))
        location = reader.player.answer(opened, 0.0).headers["location"]
        ended = LoginWish(integration=integration.name, answer=Secret(location))
        lines = [line async for line in logins.login(account, ended)]
    assert lines[-1]["status"] == "done", lines


async def read_whole(player: Player) -> None:
    """Read a player as the module says."""
    async with reader_of(player) as reader:
        await asyncio.sleep(30)
        await log_in(reader)
        streams = parents_first(player.integration.streams, [*player.sources])
        for name in streams:
            outcome = await reader.sync(name)
            assert (name, outcome.error) == (name, "")
            assert await held(reader, name) == truth(player, name), name
        for name in streams:
            await asyncio.sleep(30)
            outcome = await reader.sync(name)
            counts = outcome.counts
            told = (counts.added, counts.changed, counts.deleted, outcome.error)
            assert (name, *told) == (name, 0, 0, 0, "")
        for name in streams:
            await asyncio.sleep(30)
            await change(reader, name)


async def change(reader: Reader, name: str) -> None:
    """Change two records of a stream and add one; a reading brings these and no others."""
    source, before = reader.player.sources[name], await held(reader, name)
    moment = moment_of(reader.http.clock.now())
    reader.player.families.parts(name)
    source.change(2, moment)
    source.add(1, moment)
    after = truth(reader.player, name)
    await asyncio.sleep(30)
    outcome = await reader.sync(name)
    counts = outcome.counts
    changed = sum(before[key] != after[key] for key in before)
    told = (counts.added, counts.changed, counts.deleted, outcome.error)
    assert (name, *told) == (name, len(after) - len(before), changed, 0, "")
    assert await held(reader, name) == after, name


@pytest.mark.parametrize(("group", "name"), systems())
def test_good_file_is_played_and_read_whole(group, name):
    """All its streams but those that the table names."""
    player = player_of(group, name)
    missing = {stream for stream in player.unplayed if stream in player.integration.streams}
    excepted = {stream for one, file, stream in EXCEPTIONS if (one, file) == (group, name)}
    assert {stream: player.unplayed[stream] for stream in missing - excepted} == {}
    with asyncio.Runner(loop_factory=lambda: looptime.new_event_loop(start=0)) as runner:
        runner.run(read_whole(player))


@pytest.mark.parametrize(("group", "name", "stream"), list(EXCEPTIONS))
def test_exception_is_still_one(group, name, stream):
    """One that is not needed any more is taken off the table."""
    assert stream in player_of(group, name).unplayed


def test_modes_are_there():
    """Files with a cursor are among them, so that the second reading is not always a full one."""
    modes = {
        Mode.INCREMENTAL if build_plan(player.integration, name).rule else Mode.FULL
        for group, one in systems()[:4]
        for player in [player_of(group, one)]
        for name in player.sources
    }

    assert modes == {Mode.FULL, Mode.INCREMENTAL}
