"""A listener with one endpoint, and an inbox that behaves as it is told to."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from integrationd.engine.receive import Inlet
from integrationd.model.events import NewEvent
from integrationd.ports.store import Accepted
from integrationd.signals import EventRefused
from integrationd.spec.settings import Defaults, Listen, PublicUrl, Settings, SizeLimits
from integrationd.web.hooks import Hooks
from integrationd.web.listener import Health, build_listener, listening
from tests.support.fakes import Ear, script
from tests.support.rawhttp import Reply, exchange
from tests.support.worlds import bundle_of, stage

KEY = "s3cret"
SPEC = """\
integration: sender
secrets: {signing: {env: INTEGRATIOND_SECRET_X}}
streams:
  orders: {key: id}
webhooks:
  events:
    verify:
      type: hmac
      keys: ["{{ secrets.signing }}"]
      signature: {from: header.x-signature, encoding: hex, prefix: "sha256="}
%s
"""
READS = "    dedup: body.id\n    event: body.type"
SETTINGS = Settings(
    defaults=Defaults(webhook_timeout=timedelta(milliseconds=200)),
    limits=SizeLimits(body=1000),
    public_url=PublicUrl("https://hooks.test"),
)
PATH = "/hooks/abc"


@dataclass
class Inbox:
    """Takes events, or behaves as it is told to."""

    events: list[NewEvent] = field(default_factory=list)
    error: Exception | None = None
    takes_s: float = 0

    async def accept_event(self, event: NewEvent) -> Accepted:
        """Keep one event."""
        await asyncio.sleep(self.takes_s)
        if self.error is not None:
            raise self.error
        self.events.append(event)
        return Accepted(event.id, duplicate=False)


@dataclass
class Open:
    """A listener under test."""

    port: int
    hooks: Hooks
    inbox: Inbox
    ear: Ear

    async def send(self, *pieces: bytes, pause_s: float = 0.0) -> Reply:
        """Send a request and read its answer."""
        return await exchange(self.port, *pieces, pause_s=pause_s)

    @property
    def refused(self) -> list[tuple[int, str]]:
        """What was told of calls that were refused: status and reason."""
        return [(signal.status, signal.reason) for signal in self.ear.of(EventRefused)]


@asynccontextmanager
async def opened(
    *, inbox: Inbox | None = None, settings: Settings = SETTINGS, endpoint: str = "", **secrets: str
) -> AsyncIterator[Open]:
    """Open a listener with one endpoint at :data:`PATH`."""
    (integration,) = bundle_of(sender=SPEC % (endpoint or READS)).integrations.values()
    inlet = Inlet(integration=integration, name="events", endpoint=integration.webhooks["events"])
    inbox = inbox or Inbox()
    async with stage(script()[0], **(secrets or {"signing": KEY})) as on:
        world = replace(on.world, store=inbox)
        hooks = Hooks(world=world, settings=settings, inlets={"abc": inlet})
        health = Health(store=on.store, ready=True)
        app = build_listener(hooks=hooks, health=health, metrics=lambda: b"")
        async with listening(app, Listen("127.0.0.1", 0)) as where:
            yield Open(where.port, hooks, inbox, on.ear)


def signature(body: bytes, key: str = KEY) -> str:
    """Return the header that signs a body."""
    digest = hmac.new(key.encode(), body, hashlib.sha256).hexdigest()
    return f"X-Signature: sha256={digest}"
