"""``play``: a provider on the loopback, told line by line, until somebody ends it."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeAlias
from urllib.parse import urlencode

from integrationd.errors import ProviderError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.ports.outside import Http
from integrationd.spec.documents import Integration
from integrationd.testing.events import build_event
from integrationd.testing.faults import Broken, Played
from integrationd.testing.options import PlayOptions
from integrationd.testing.provider import Player, player_secrets
from integrationd.testing.serving import origin_of, serve
from integrationd.testing.story import Story
from integrationd.testing.telling import describe_stage
from integrationd.wire.messages import Call

Tell: TypeAlias = Callable[[Mapping[str, Json]], None]
"""Takes one thing that happened: an object with ``event``, as :func:`lines_of` lays it out."""

_TOLD: Final = {Broken.CUT: "cut off", Broken.HANG: "no answer"}
QUIET_S: Final = 2.0
"""After so long without a call the first reading is taken to be over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What the played provider does by itself."""

    changes_every_s: float | None = None
    """Some records change, and one comes or goes; not before the first reading is over."""
    changes_singly: bool = False
    """Whether one thing happens at a time."""
    webhook_url: str | None = None
    """Where signed events are posted to."""
    webhook_every_s: float = 10.0
    webhook_faults: frozenset[str] = frozenset()
    """``signature``: every fourth event is signed with another key; ``replay``: every fourth is
    the one before once more."""


@dataclass(slots=True, kw_only=True)
class Performance:
    """A player, its audience and the clock."""

    player: Player
    habits: Habits
    http: Http | None
    """Posts the events; not needed without them."""
    tell: Tell
    called: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with each call."""

    async def respond(self, call: Call) -> Played:
        """Answer one call and tell of it."""
        if self.player.options.latency_s:
            await asyncio.sleep(self.player.options.latency_s)
        self.called.set()
        answer = self.player.play(call, time.monotonic(), datetime.now(UTC))
        self.tell(self._called(call, answer))
        return answer

    async def keep_changing(self, every_s: float) -> None:
        """Change a stream's records again and again, one stream after the other.

        Begins when the provider was read for the first time, so that what a first reading finds
        does not depend on how long it takes.
        """
        await self.called.wait()
        with suppress(TimeoutError):
            while True:
                self.called.clear()
                await asyncio.wait_for(self.called.wait(), QUIET_S)
        story = Story(self.player)
        while True:
            await asyncio.sleep(every_s)
            at = datetime.now(UTC)
            happened = story.go_one(at) if self.habits.changes_singly else story.go_on(at)
            self.tell({"event": "changed", **happened})

    async def keep_posting(self, url: str, http: Http) -> None:
        """Post a signed event again and again, to one endpoint after the other."""
        number = 0
        while True:
            for endpoint in self.player.integration.webhooks:
                await asyncio.sleep(self.habits.webhook_every_s)
                number += 1
                fault = self._event_fault(number)
                shown = number - 1 if fault == "replay" else number
                request = build_event(
                    self.player,
                    endpoint,
                    url=url,
                    number=shown,
                    now=datetime.now(UTC),
                    forged=fault == "signature",
                )
                told: dict[str, Json] = {"event": "posted", "endpoint": endpoint, "number": shown}
                if fault:
                    told["fault"] = fault
                try:
                    answer = await http.send(request)
                    self.tell({**told, "status": answer.status})
                except ProviderError as failed:
                    self.tell({**told, "error": str(failed)})

    def _event_fault(self, number: int) -> str:
        """Return what is wrong with an event; empty for most."""
        wanted = {0: "signature", 2: "replay"}.get(number % 4, "")
        return wanted if wanted in self.habits.webhook_faults else ""

    def _called(self, call: Call, answer: Played) -> dict[str, Json]:
        hidden = self.player.hidden
        query = urlencode(
            [(name, reveal(value)) for name, value in call.query if name not in hidden]
        )
        return {
            "event": "called",
            "method": call.method,
            "path": f"{call.path}?{query}" if query else call.path,
            "status": _TOLD[answer] if isinstance(answer, Broken) else int(answer.status),
            "body_bytes": 0 if isinstance(answer, Broken) else len(answer.body),
        }


async def play(
    integration: Integration,
    options: PlayOptions,
    habits: Habits,
    *,
    listening: socket.socket,
    http: Http | None,
    tell: Tell,
) -> None:
    """Play an integration's provider until cancelled.

    Args:
        integration: From :func:`integrationd.testing.stage.stage`.
        options: What the provider has.
        habits: What it does by itself.
        listening: From :func:`integrationd.testing.serving.bind`; closed at the end.
        http: For the events.
        tell: Hears of everything.

    Raises:
        UsageError: The spec holds something that cannot be played.
    """
    player = Player(
        integration=integration,
        options=options,
        secrets=player_secrets(integration),
        origin=origin_of(listening),
    )
    performance = Performance(player=player, habits=habits, http=http, tell=tell)
    told = describe_stage(player)
    async with serve(listening, performance.respond), asyncio.TaskGroup() as group:
        tell(told)
        if habits.changes_every_s is not None:
            group.create_task(performance.keep_changing(habits.changes_every_s), name="changes")
        if habits.webhook_url is not None and http is not None and integration.webhooks:
            group.create_task(performance.keep_posting(habits.webhook_url, http), name="events")
        await asyncio.Event().wait()
