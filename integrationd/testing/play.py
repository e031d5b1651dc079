"""``play``: a provider on the loopback, told line by line, until somebody ends it."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final, TypeAlias
from urllib.parse import urlencode, urlsplit

from integrationd.errors import ProviderError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.ports.outside import Http
from integrationd.spec.documents import Integration
from integrationd.testing import routes
from integrationd.testing.events import build_event
from integrationd.testing.options import PlayOptions
from integrationd.testing.provider import Player, player_secrets
from integrationd.testing.serving import origin_of, serve
from integrationd.testing.stage import base_url_of, played_base_url
from integrationd.wire.messages import Answer, Call

Tell: TypeAlias = Callable[[Mapping[str, Json]], None]
"""Takes one thing that happened: an object with ``event``, as :func:`lines_of` lays it out."""

_CHANGED_AT_ONCE: Final = 3
QUIET_S: Final = 2.0
"""After so long without a call the first reading is taken to be over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What the played provider does by itself."""

    changes_every_s: float | None = None
    """Some records change, and one comes or goes; not before the first reading is over."""
    webhook_url: str | None = None
    """Where signed events are posted to."""
    webhook_every_s: float = 10.0


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

    async def respond(self, call: Call) -> Answer:
        """Answer one call and tell of it."""
        if self.player.options.latency_s:
            await asyncio.sleep(self.player.options.latency_s)
        self.called.set()
        answer = self.player.answer(call, time.monotonic())
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
        turn = 0
        while True:
            for name, source in self.player.sources.items():
                await asyncio.sleep(every_s)
                turn += 1
                changed = source.change(_CHANGED_AT_ONCE)
                other = source.add(1) if turn % 2 else source.delete(1)
                self.tell(
                    {
                        "event": "changed",
                        "stream": name,
                        "changed": [source.external_id(entry) for entry in changed],
                        "added" if turn % 2 else "deleted": [
                            source.external_id(entry) for entry in other
                        ],
                    }
                )

    async def keep_posting(self, url: str, http: Http) -> None:
        """Post a signed event again and again, to one endpoint after the other."""
        number = 0
        while True:
            for endpoint in self.player.integration.webhooks:
                await asyncio.sleep(self.habits.webhook_every_s)
                number += 1
                request = build_event(self.player, endpoint, url=url, number=number)
                told: dict[str, Json] = {"event": "posted", "endpoint": endpoint, "number": number}
                try:
                    answer = await http.send(request)
                    self.tell({**told, "status": answer.status})
                except ProviderError as failed:
                    self.tell({**told, "error": str(failed)})

    def _called(self, call: Call, answer: Answer) -> dict[str, Json]:
        http = self.player.integration.http
        assert http is not None
        hidden = routes.credential_names(http.auth, self.player.variables)
        query = urlencode(
            [(name, reveal(value)) for name, value in call.query if name not in hidden]
        )
        return {
            "event": "called",
            "method": call.method,
            "path": f"{call.path}?{query}" if query else call.path,
            "status": int(answer.status),
            "body_bytes": len(answer.body),
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
    async with serve(listening, performance.respond), asyncio.TaskGroup() as group:
        tell(describe_stage(player))
        if habits.changes_every_s is not None:
            group.create_task(performance.keep_changing(habits.changes_every_s), name="changes")
        if habits.webhook_url is not None and http is not None and integration.webhooks:
            group.create_task(performance.keep_posting(habits.webhook_url, http), name="events")
        await asyncio.Event().wait()


def describe_stage(player: Player) -> dict[str, Json]:
    """Say what is played and what an integration has to supply to read it."""
    integration = player.integration
    served = played_base_url(integration, player.origin)
    reached = base_url_of(integration) == served
    used = {
        name: value for name, value in integration.config.items() if player.origin in str(value)
    }
    return {
        "event": "playing",
        "name": integration.name,
        "provider": integration.provider,
        "base_url": served,
        "config": used if reached else {},
        "http": {**({} if reached else {"base_url": served}), **_token_url_of(player)},
        "secrets": dict(player.secrets),
        "streams": [
            {
                "name": route.stream,
                "request": f"{route.request.method} {reveal(route.request.url)}",
                "records": len(player.sources[route.stream].entries),
                "bad": sum(entry.is_bad for entry in player.sources[route.stream].entries),
            }
            for route in player.routes
        ],
        "webhooks": list(integration.webhooks),
    }


def _token_url_of(player: Player) -> dict[str, Json]:
    """Return what an integration has to say where its tokens would be asked for elsewhere."""
    if player.booth is None:
        return {}
    own = player.booth.auth.token_url.render_text(player.variables)
    played = f"{player.origin}{urlsplit(reveal(own or '')).path}"
    return {} if reveal(own or "") == played else {"auth": {"token_url": played}}


def lines_of(told: Mapping[str, Json]) -> Iterator[str]:
    """Lay out what happened, for people."""
    match told["event"]:
        case "playing":
            yield from _stage_lines(told)
        case "called":
            phrase = HTTPStatus(told["status"]).phrase
            yield f"{told['method']} {told['path']}: {told['status']} {phrase}"
        case "changed":
            parts = [
                f"{word} {', '.join(told[word])}"
                for word in ("changed", "added", "deleted")
                if told.get(word)
            ]
            yield f"{told['stream']}: {'; '.join(parts)}"
        case _:
            outcome = told["error"] if "error" in told else f"answered {told['status']}"
            yield f"webhook {told['endpoint']}, event {told['number']}: {outcome}"


def _stage_lines(told: Mapping[str, Json]) -> Iterator[str]:
    name = told["name"]
    yield f"playing {name} at {told['base_url']} until Ctrl-C"
    for stream in told["streams"]:
        yield f"  {stream['name']}: {stream['records']} records, {stream['bad']} of them bad"
    yield "to read it, an integration needs:"
    if told["provider"]:
        yield f"  uses: {told['provider']}"
    for part in ("config", "http"):
        for key, value in told[part].items():
            yield f"  {part}: {_flow({key: value})}"
    for key, value in told["secrets"].items():
        yield f"  secret {key}: {value}"
        own = f"{name.upper().replace('-', '_')}__{key.upper()}"
        yield f"    where it is called {name}, as the variable INTEGRATIOND_SECRET_{own}"
    yield "and the settings, integrationd.yaml:"
    yield "  egress: {allow: [127.0.0.1/32]}"


def _flow(value: Json) -> str:
    """Write an object of texts as a file would have it."""
    if not isinstance(value, dict):
        return str(value)
    return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
