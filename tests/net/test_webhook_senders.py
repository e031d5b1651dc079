"""Published vectors over a real socket: from the listener to the store, keys fetched on the way."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from integrationd.engine.receive import Inlet
from integrationd.errors import UnavailableError
from integrationd.model.secret import Secret
from integrationd.spec.settings import Listen, PublicUrl, Settings
from integrationd.web.hooks import Hooks
from integrationd.web.listener import Health, build_listener, listening
from integrationd.wire.messages import Request, TextBody
from tests.support.fakes import Provider, answer
from tests.support.inboxes import PATH, SPEC, Inbox
from tests.support.rawhttp import exchange, post
from tests.support.senders import OF_VECTORS, SENDERS, load_vectors, variables_of
from tests.support.worlds import bundle_of, stage

SIGNS_THE_ADDRESS = ("square", "twilio")


@dataclass
class At:
    """A clock that stands still."""

    moment: datetime

    def now(self):
        """Return the moment."""
        return self.moment

    def monotonic(self):
        """Return the loop's time."""
        return asyncio.get_running_loop().time()


async def send(vector, *, body=None, fetched=answer):
    """Post a vector to a listener that verifies as its sender signs; return status and events."""
    name = OF_VECTORS[vector["id"]]
    verifier = SENDERS[name]
    moment = datetime.fromtimestamp(vector["now"], UTC)
    headers = {key.lower(): text for key, text in vector["headers"].items()}
    if name.startswith(SIGNS_THE_ADDRESS):
        # The listener's own address is another one than that of the vector: it is signed anew.
        text = TextBody(vector["body"], headers.get("content-type", "text/plain"))
        request = Request(method="POST", url=f"https://hooks.test{PATH}", body=text)
        signed = verifier.sign(request, vector["body"].encode(), variables_of(vector), moment)
        headers |= signed.headers

    def respond(line, _):
        return fetched(vector["resources"][line.removeprefix("GET ")].encode())

    (integration,) = bundle_of(sender=SPEC % "").integrations.values()
    integration = replace(integration, config=variables_of(vector)["config"])
    endpoint = replace(integration.webhooks["events"], verify=verifier)
    inlet = Inlet(integration=integration, name="events", endpoint=endpoint)
    inbox = Inbox()
    async with stage(Provider(respond), signing="k") as on:
        world = replace(on.world, store=inbox, clock=At(moment), secrets=Held(vector))
        settings = Settings(public_url=PublicUrl("https://hooks.test"))
        hooks = Hooks(world=world, settings=settings, inlets={"abc": inlet})
        app = build_listener(
            hooks=hooks, health=Health(store=on.store, ready=True), metrics=lambda: b""
        )
        lines = [
            f"{key}: {text}"
            for key, text in headers.items()
            if key not in ("host", "content-length")
        ]
        async with listening(app, Listen("127.0.0.1", 0)) as where:
            sent = vector["body"].encode() if body is None else body
            reply = await exchange(where.port, post(PATH, sent, *lines))
    return reply.status, [event.body for event in inbox.events]


@dataclass
class Held:
    """The secrets of a vector."""

    vector: dict

    async def resolve(self, *_):
        """Return them, whatever is asked for."""
        return {"key": Secret(self.vector.get("secret", "none"))}


VECTORS = [
    one
    for one in load_vectors()
    # These sign a path, or a length, that the listener's own request cannot have.
    if one.id not in ("rfc9421-b23", "twilio-https-port-stripped")
]


@pytest.mark.parametrize("vector", VECTORS)
async def test_published_vector_is_stored_and_a_changed_one_refused(vector):
    """What senders publish is answered 200 and stored as it came; with another body it is 401."""
    body = vector["body"].encode()

    assert await send(vector) == (200, [body])

    if vector["body_authenticated"]:
        changed = body.replace(b"a", b"b", 1) if b"a" in body else body + b"x"
        assert await send(vector, body=changed) == (401, [])


@pytest.mark.parametrize("vector", [one for one in VECTORS if one.id == "sns-v1"])
async def test_certificate_that_cannot_be_had_asks_the_sender_to_come_again(vector):
    """Where the fetch fails nothing is verified, and 503 has the event sent again."""
    assert await send(vector, fetched=lambda _: UnavailableError("away")) == (503, [])
    assert await send(vector, fetched=lambda _: answer(b"", status=404)) == (401, [])
