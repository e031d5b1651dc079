"""Daemons' agendas over one store, in virtual time: they go up and down, and clocks jump."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from integrationd.engine.agenda import Agenda
from integrationd.engine.conductor import Conductor
from integrationd.errors import StoreError
from integrationd.transform.zones import Zone
from integrationd.wire.messages import Answer, Request
from tests.support.fakes import START, LoopClock, Provider, answer
from tests.support.timers import LoopTimer
from tests.support.worlds import Stage, bundle_of

SPEC = """\
integration: shop
http: {base_url: "https://api.test", paginate: {type: none}}
streams:
  orders: {get: /orders, key: id, schedule: %s}
"""


@dataclass
class SetClock(LoopClock):
    """A wall clock that somebody sets; what passes is still the loop's time."""

    offset: timedelta = timedelta(0)

    def now(self) -> datetime:
        """Return the time that the clock shows."""
        return super().now() + self.offset


@dataclass
class Log(Provider):
    """Answers every call after a while and keeps the wall clock's time at which it began."""

    respond: Any = None
    takes_s: float = 0.0
    times: list[datetime] = field(default_factory=list)
    clock: LoopClock = field(default_factory=LoopClock)
    status: int = 200

    async def send(self, request: Request) -> Answer:
        """Answer with no record."""
        self.times.append(self.clock.now())
        await asyncio.sleep(self.takes_s)
        return answer([], status=self.status)

    def days(self) -> list[str]:
        """Return the times as people write them."""
        return [time.strftime("%d %H:%M") for time in self.times]


@dataclass
class Mortal:
    """A store as a process sees it that may be killed: from then on nothing gets through."""

    store: Any
    dead: bool = False

    def __getattr__(self, name: str) -> Any:
        """Pass a call on, as long as there is life."""
        if self.dead:
            raise StoreError("killed")
        return getattr(self.store, name)


@dataclass(kw_only=True)
class Node:
    """One daemon's part that begins runs."""

    agenda: Agenda
    conductor: Conductor
    timer: LoopTimer
    store: Mortal

    async def stop(self, patience_s: float = 0.0) -> None:
        """Go down as a daemon does."""
        self.agenda.close()
        await self.conductor.drain(patience_s)

    async def kill(self) -> None:
        """Go down at once: nothing is settled and no claim is given back."""
        self.store.dead = True
        await self.stop()

    async def take_up(self, text: str) -> None:
        """Load other files."""
        self.conductor.swap(bundle_of(shop=text))
        await self.agenda.book()


async def start(
    on: Stage,
    schedule: str,
    *,
    holder: str = "one:boot",
    clock: LoopClock | None = None,
    zone: str = "UTC",
) -> Node:
    """Start a daemon's agenda with one stream."""
    store = Mortal(on.store)
    world = replace(on.world, store=store, clock=clock or on.world.clock, holder=holder)
    conductor = Conductor(world=world, settings=on.settings, bundle=bundle_of(shop=SPEC % schedule))
    timer = LoopTimer(world.clock)
    agenda = Agenda(world=world, conductor=conductor, timer=timer, zone=Zone(zone))
    await agenda.book()
    return Node(agenda=agenda, conductor=conductor, timer=timer, store=store)


@asynccontextmanager
async def running(on: Stage, schedule: str, **parts: Any) -> AsyncIterator[Node]:
    """Run a daemon's agenda and stop it in the end."""
    node = await start(on, schedule, **parts)
    try:
        yield node
    finally:
        await node.stop()


async def sleep_until(moment: str) -> None:
    """Let time pass until a day and time of January 2026 on the true clock."""
    wanted = START.replace(day=int(moment[:2]), hour=int(moment[3:5]), minute=int(moment[6:8]))
    await asyncio.sleep((wanted - LoopClock().now()).total_seconds())
