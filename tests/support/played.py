"""A played provider as the transport of an engine: the same pure player, no socket between them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec

from integrationd.engine.failpoints import Armed
from integrationd.engine.plans import build_plan
from integrationd.engine.sync import RunOutcome, RunWish, sync_stream
from integrationd.engine.world import World
from integrationd.errors import UnavailableError
from integrationd.model.json import Json
from integrationd.model.runs import RunStatus, Trigger
from integrationd.ports.outside import HttpPolicy
from integrationd.ports.quarantine import QuarantineQuery
from integrationd.ports.store import RecordQuery
from integrationd.spec.families import parents_first
from integrationd.spec.settings import Settings
from integrationd.store.sqlstore import SqlStore
from integrationd.testing.faults import Broken
from integrationd.testing.provider import Player
from integrationd.wire.messages import Answer, Request
from tests.simulation.history import Crash, Mortal
from tests.support.fakes import Dice, Ear, LoopClock, Pockets, Strongbox
from tests.support.players import received


class LaterClock(LoopClock):
    """Shows a day after the player's records began, so that they lie in the past."""

    def now(self) -> datetime:
        """Return the time."""
        return super().now() + timedelta(days=1)


@dataclass
class PlayedHttp:
    """The transport: hands each request to the player at once."""

    player: Player
    clock: LoopClock
    asked: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def open(self, policy: HttpPolicy) -> AsyncIterator[PlayedHttp]:
        """Open for one run."""
        _ = policy
        yield self

    async def send(self, request: Request) -> Answer:
        """Answer one call."""
        call = received(request)
        answer = self.player.play(call, self.clock.monotonic(), self.clock.now())
        if isinstance(answer, Broken):
            raise UnavailableError(f"{call.method} {call.path}: no whole answer")
        self.asked.append(f"{call.method} {call.url} {int(answer.status)}")
        return replace(answer, url=call.url.partition("?")[0])


@dataclass
class Reader:
    """One daemon that reads one played provider."""

    world: World
    store: SqlStore
    player: Player
    http: PlayedHttp

    async def sync(self, name: str, *, full: bool = False) -> RunOutcome:
        """Read one stream."""
        plan = build_plan(self.player.integration, name)
        wish = RunWish(trigger=Trigger.MANUAL, full=full, confirmed=full)
        outcome = await sync_stream(self.world, plan, wish, settings=Settings(), budget=None)
        assert isinstance(outcome, RunOutcome)
        return outcome

    async def crash(self, point: str, nth: int) -> None:
        """Read as a process that dies at a point."""
        mortal = Mortal(self.store)
        alive = self.world
        self.world = replace(alive, store=mortal, failpoints=Armed(point, nth, mortal.die))
        with suppress(Crash):
            await self.sync_all()
        self.world = alive
        await self.store.release_node("local")

    async def sync_all(self, *, full: bool = False) -> dict[str, str]:
        """Read every stream that is played, parents first; returns what went wrong, by stream."""
        wrong: dict[str, str] = {}
        for name in parents_first(self.player.integration.streams, [*self.player.sources]):
            outcome = await self.sync(name, full=full)
            if outcome.status is not RunStatus.DONE:
                wrong[name] = outcome.error
        return wrong

    async def rows(self, name: str) -> dict[str, Json]:
        """Return what is stored and lives."""
        plan = build_plan(self.player.integration, name)
        query = RecordQuery(integration=plan.key.integration, stream=name, deleted=False)
        return {row.external_id: row.data async for row in self.store.records(plan.tenant, query)}

    async def aside(self, name: str) -> int:
        """Return how many records wait in quarantine."""
        plan = build_plan(self.player.integration, name)
        query = QuarantineQuery(integration=plan.key.integration, stream=name)
        return len([row async for row in self.store.quarantine(plan.tenant, query)])


@asynccontextmanager
async def reader_of(player: Player) -> AsyncIterator[Reader]:
    """Set a world up around a player."""
    clock = LaterClock()
    async with SqlStore.in_memory() as store:
        http = PlayedHttp(player, clock)
        world = World(
            store=store,
            http=http,
            secrets=Pockets(player.secrets),
            vault=Strongbox(),
            clock=clock,
            randomness=Dice(),
            signals=Ear(),
            holder="local:boot",
        )
        yield Reader(world, store, player, http)


def truth(player: Player, name: str) -> dict[str, Json]:
    """Return what a daemon should hold of a stream: what the engine's own shaping makes of it."""
    source = player.sources[name]
    player.families.parts(name)
    shaped = source.shape(source.listed())
    return {one.external_id: msgspec.json.decode(one.data) for one in shaped.upserts}
