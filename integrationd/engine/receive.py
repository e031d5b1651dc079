"""One inbound call: verified over its raw bytes, stored, and only then answered."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from integrationd.engine.world import World
from integrationd.errors import ExpressionError, ProviderError, SignatureError
from integrationd.model.events import NewEvent
from integrationd.model.json import Json
from integrationd.ports.store import Accepted
from integrationd.signals import EventAccepted
from integrationd.spec.documents import Integration
from integrationd.spec.settings import Settings
from integrationd.spec.webhook import Endpoint
from integrationd.transform.expression import Expression
from integrationd.wire.inbound.fetched import UnknownKeyError
from integrationd.wire.inbound.values import inbound_root
from integrationd.wire.messages import Call
from integrationd.wire.verify.verifier import Verifier

KEPT_HEADERS: Final = frozenset({"content-type", "user-agent", "date", "x-request-id"})
"""Kept with an event, besides those that name it; credentials and signatures never are."""
NEVER_KEPT: Final = (
    *("auth", "cookie", "credential", "hash", "hmac", "jwt", "key", "oidc", "pass", "principal"),
    *("secret", "session", "sha1", "sha256", "sha512", "sig", "token"),
)
"""A header with one of these in its name may be a credential or a signature."""
AGAIN_S: Final = 60.0
"""A key set that lacks a key is asked again no more often."""
TEXT_MAX: Final = 200
"""Characters kept of a sender's name of an event; a longer id is kept as its digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inlet:
    """An endpoint that is open: what it belongs to and how it is verified."""

    integration: Integration
    name: str
    endpoint: Endpoint


async def receive(world: World, inlet: Inlet, call: Call) -> Accepted:
    """Verify and store one call; when this returns, 2xx may be answered.

    Raises:
        SignatureError: It is not from the sender: 401.
        SecretError: No key is configured, the endpoint is closed: 503.
        ProviderError: The sender's keys cannot be had now: 503.
        StoreBusyError, StoreError: It could not be stored: 503.
    """
    began_s = world.clock.monotonic()
    integration = inlet.integration
    secrets = await world.secrets.resolve(
        integration.tenant, integration.name, integration.needed_secrets()
    )
    now = world.clock.now()
    variables = {"config": dict(integration.config), "secrets": dict(secrets)}
    await _verify(world, inlet.endpoint.verify, call, variables, now)
    fields = inbound_root(call)
    event = _text(inlet.endpoint.event, fields)[:TEXT_MAX]
    accepted = await world.store.accept_event(
        NewEvent(
            tenant=integration.tenant,
            integration=integration.name,
            endpoint=inlet.name,
            id=world.new_id("evt"),
            dedup=_dedup(_text(inlet.endpoint.dedup, fields), call.body),
            event=event,
            received_at=now,
            headers=_kept_headers(call.headers),
            body=call.body,
        )
    )
    world.signals.emit(
        EventAccepted(
            integration=integration.name,
            endpoint=inlet.name,
            event_id=accepted.id,
            event_name=event,
            duplicate=accepted.duplicate,
            took_ms=round((world.clock.monotonic() - began_s) * 1000, 1),
        )
    )
    return accepted


async def _verify(
    world: World, verifier: Verifier, call: Call, variables: Mapping[str, Json], now: datetime
) -> None:
    """Verify a call by what is known, and by what lies at the addresses that it needs."""
    fetched: dict[str, bytes] = {}
    failure: ProviderError | SignatureError | None = None
    for address in verifier.addresses(call, variables):
        try:
            fetched[address] = await world.keys.get(address, world.http, world.clock)
        except (ProviderError, SignatureError) as failed:
            failure = failed
    try:
        verifier.verify(call, variables, now, fetched)
    except SignatureError as refused:
        # Of several ways another one may have needed nothing that could not be had.
        if failure is not None:
            raise failure from None
        if not isinstance(refused, UnknownKeyError):
            raise
        # A key may be newer than what is kept; strangers cannot make us ask more often than so.
        fetched[refused.address] = await world.keys.get(
            refused.address, world.http, world.clock, younger_than_s=AGAIN_S
        )
        verifier.verify(call, variables, now, fetched)


def public_url(settings: Settings) -> str:
    """Return what senders see in front of a path."""
    host, port = settings.listen.host, settings.listen.port
    own = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    return settings.public_url or own


def _dedup(sent: str, body: bytes) -> str:
    """Return what tells an event from others: never the same for two ids that differ."""
    if sent and len(sent) <= TEXT_MAX:
        return sent
    return f"sha256:{hashlib.sha256(sent.encode() if sent else body).hexdigest()}"


def _text(expression: Expression | None, fields: Mapping[str, Json]) -> str:
    """Read a text; an event whose name cannot be read is stored all the same."""
    if expression is None:
        return ""
    try:
        value = expression.search(dict(fields))
    except ExpressionError:
        return ""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _kept_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    return {
        name: value
        for name, value in headers.items()
        if name in KEPT_HEADERS
        or (name.startswith("x-") and not any(word in name for word in NEVER_KEPT))
    }
