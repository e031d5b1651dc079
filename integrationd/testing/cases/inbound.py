"""An inbound call of a case, and the forgeries of it that must be refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from integrationd.engine.receive import Inlet, receive
from integrationd.engine.world import World
from integrationd.errors import SecretError, SignatureError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.signals import EventAccepted
from integrationd.spec.cases import WebhookCase
from integrationd.spec.documents import Integration
from integrationd.testing.cases.outcomes import compare_event
from integrationd.testing.cases.stand_in import Ear, MadeUpSecrets
from integrationd.wire import texts
from integrationd.wire.encoding import encode
from integrationd.wire.messages import Call, Pairs, Request, TextBody

_CHANGED: Final = 0x01
"""The bit of a byte that a forgery changes."""


async def run_webhook(world: World, integration: Integration, case: WebhookCase) -> list[str]:
    """Receive one inbound call; returns what was another than expected."""
    inlet = Inlet(
        integration=integration,
        name=str(case.endpoint),
        endpoint=integration.webhooks[str(case.endpoint)],
    )
    secrets = await world.secrets.resolve(
        integration.tenant, integration.name, integration.needed_secrets()
    )
    known = {"config": dict(integration.config), "secrets": dict(secrets)}
    call = build_call(case, inlet, known, world.clock.now())
    error, event, dedup = await _offer(world, inlet, call)
    faults = list(compare_event(case.expect, error, event, dedup))
    if error is None and case.expect.accepted:
        for what, forged, forging in forgeries(world, inlet, call):
            refused, _, _ = await _offer(forging, inlet, forged)
            if refused is None:
                faults.append(f"{what} is accepted all the same, expected to be refused")
    return faults


def build_call(
    case: WebhookCase, inlet: Inlet, variables: Mapping[str, Json], now: datetime
) -> Call:
    """Build the call as the listener would."""
    body = case.body if isinstance(case.body, str) else texts.dump_json(case.body)
    pairs: Pairs = tuple(
        (name, text) for name, value in case.query.items() for text in texts.to_texts(value)
    )
    url = case.url or f"https://hooks.test/hook/{inlet.integration.name}/{inlet.name}"
    request = Request(
        method=case.method,
        url=url,
        query=pairs,
        headers={name.lower(): value for name, value in case.headers.items()},
        body=TextBody(body, "application/json"),
    )
    if case.sign:
        request = inlet.endpoint.verify.sign(request, body.encode(), variables, now)
    encoded = encode(request)
    return Call(
        method=case.method,
        url=encoded.url,
        path=urlsplit(encoded.url).path or "/",
        query=tuple((name, reveal(value)) for name, value in request.query),
        headers={name: value for name, value in encoded.headers.items() if name != "accept"},
        body=body.encode(),
    )


def forgeries(world: World, inlet: Inlet, call: Call) -> Iterator[tuple[str, Call, World]]:
    """Yield calls that are not from the sender, each behind what is wrong with it."""
    if call.body and inlet.endpoint.verify.covers_body:
        changed = bytes([call.body[0] ^ _CHANGED]) + call.body[1:]
        yield "the call with another body", replace(call, body=changed), world
    bare = replace(call, headers={}, query=(), url=call.url.partition("?")[0])
    yield "the call without headers and parameters", bare, world
    assert isinstance(world.secrets, MadeUpSecrets)
    others = {name: f"{text}?" for name, text in world.secrets.secrets.items()}
    if others:
        yield "the call under another key", call, replace(world, secrets=MadeUpSecrets(others))


async def _offer(world: World, inlet: Inlet, call: Call) -> tuple[str | None, str, str]:
    """Receive a call; returns why it was refused, and else how it is called and told apart."""
    try:
        accepted = await receive(world, inlet, call)
    except (SignatureError, SecretError) as refused:
        return str(refused), "", ""
    assert isinstance(world.signals, Ear)
    heard = [signal for signal in world.signals.heard if isinstance(signal, EventAccepted)]
    name = inlet.integration.name
    async for event in world.store.events(inlet.integration.tenant, integration=name):
        if event.id == accepted.id:
            return None, heard[-1].event_name, event.dedup
    return None, heard[-1].event_name, ""
