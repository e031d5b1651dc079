"""An inbound call: verified over its raw bytes, stored, and only then answered."""

import hashlib
import hmac
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.engine.receive import Inlet, _dedup, public_url, receive
from integrationd.errors import SecretError, SignatureError, StoreBusyError
from integrationd.model.events import NewEvent
from integrationd.ports.store import Accepted
from integrationd.signals import EventAccepted
from integrationd.spec.settings import Listen, PublicUrl, Settings
from integrationd.wire.inbound.values import inbound_root
from integrationd.wire.messages import Call
from tests.support.fakes import START, script
from tests.support.worlds import bundle_of, stage

pytestmark = pytest.mark.looptime(start=0)

KEY = "s3cret"
SPEC = """\
integration: sender
tenant: north
secrets: {signing: {env: INTEGRATIOND_SECRET_X}}
streams:
  orders: {key: id}
webhooks:
  events:
    verify:
      type: hmac
      keys: ["{{ secrets.signing }}"]
      signature: {from: header.x-signature, encoding: hex}
    dedup: %s
    event: %s
"""


@dataclass
class Shelf:
    """Takes events; fails where it is told to."""

    events: list[NewEvent] = field(default_factory=list)
    error: Exception | None = None

    async def accept_event(self, event):
        """Keep one event."""
        if self.error is not None:
            raise self.error
        self.events.append(event)
        return Accepted(event.id, duplicate=False)


def inlet_of(dedup="body.id", event="body.type"):
    """Compile the endpoint."""
    (integration,) = bundle_of(sender=SPEC % (dedup, event)).integrations.values()
    return Inlet(integration=integration, name="events", endpoint=integration.webhooks["events"])


def call_of(body=b'{"id": "e1", "type": "paid"}', *, query=(), **headers):
    """Build a call that is signed over its bytes."""
    digest = hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Call(
        method="POST",
        url="https://hooks.test/hooks/abc?a=1",
        path="/hooks/abc",
        query=query,
        headers={"x-signature": digest, **named},
        body=body,
    )


async def kept(call, **expressions):
    """Receive one call and return the event that was handed to the store."""
    async with stage(script()[0], signing=KEY) as on:
        shelf = Shelf()
        await receive(replace(on.world, store=shelf), inlet_of(**expressions), call)
    (event,) = shelf.events
    return event


async def test_event_is_stored_as_it_came():
    """The sender's id and name are read from it, and its bytes are kept exactly."""
    body = b' {"id":"e1",\r\n"type":"paid", "x": 1.50}'
    async with stage(script()[0], signing=KEY) as on:
        shelf = Shelf()
        accepted = await receive(
            replace(on.world, store=shelf),
            inlet_of(),
            call_of(body, content_type="application/json", user_agent="Sender/1"),
        )

    event_id = accepted.id
    assert event_id.startswith("evt_")
    assert shelf.events == [
        NewEvent(
            tenant="north",
            integration="sender",
            endpoint="events",
            id=event_id,
            dedup="e1",
            event="paid",
            received_at=START,
            headers={"content-type": "application/json", "user-agent": "Sender/1"},
            body=body,
        )
    ]
    assert on.ear.heard == [
        EventAccepted(
            integration="sender",
            endpoint="events",
            event_id=event_id,
            event_name="paid",
            duplicate=False,
            took_ms=0.0,
        )
    ]


async def test_duplicate_is_told_with_the_first_ones_id():
    """The same sender's id twice is one event, whatever the second one holds."""
    async with stage(script()[0], signing=KEY) as on:
        first = await receive(on.world, inlet_of(), call_of())
        second = await receive(on.world, inlet_of(), call_of(b'{"id": "e1", "type": "late"}'))
        other = await receive(on.world, inlet_of(), call_of(b'{"id": "e2"}'))

    assert (first.duplicate, second.duplicate, other.duplicate) == (False, True, False)
    assert second.id == first.id != other.id
    assert [signal.duplicate for signal in on.ear.of(EventAccepted)] == [False, True, False]


async def test_forged_call_reaches_no_store():
    """One changed byte, and nothing is stored or told."""
    forged = replace(call_of(), body=b'{"id": "e1", "type": "paiD"}')
    async with stage(script()[0], signing=KEY) as on:
        shelf = Shelf()
        with pytest.raises(SignatureError):
            await receive(replace(on.world, store=shelf), inlet_of(), forged)

    assert (shelf.events, on.ear.heard) == ([], [])


async def test_endpoint_without_its_key_is_closed():
    """A missing secret is said, and nothing is accepted unverified."""
    async with stage(script()[0]) as on:
        shelf = Shelf()
        with pytest.raises(SecretError) as caught:
            await receive(replace(on.world, store=shelf), inlet_of(), call_of())

    assert str(caught.value) == "integration sender needs secret 'signing'"
    assert shelf.events == []


async def test_event_that_was_not_stored_is_not_told():
    """When the store refuses, the failure reaches the listener and no signal says accepted."""
    async with stage(script()[0], signing=KEY) as on:
        shelf = Shelf(error=StoreBusyError("too much waits"))
        with pytest.raises(StoreBusyError):
            await receive(replace(on.world, store=shelf), inlet_of(), call_of())

    assert on.ear.heard == []


@pytest.mark.parametrize(
    ("body", "dedup"),
    [
        pytest.param(b'{"id": 17}', "17", id="whole number"),
        pytest.param(b'{"id": 123456789012345678901234}', "123456789012345678901234", id="long"),
        pytest.param('{"id": "\u00e4\u2713"}'.encode(), "\u00e4\u2713", id="text"),
        pytest.param(b'{"id": "%s"}' % (b"x" * 200), "x" * 200, id="longest"),
        *(
            pytest.param(body, f"sha256:{hashlib.sha256(body).hexdigest()}", id=name)
            for name, body in {
                "true": b'{"id": true}',
                "fraction": b'{"id": 1.5}',
                "null": b'{"id": null}',
                "empty": b'{"id": ""}',
                "missing": b"{}",
                "list": b'{"id": [1]}',
                "no json": b"id=1",
                "no text": b"\xff\xfe\x00",
                "half a character": b'{"id": "\\ud800"}',
                "nothing": b"",
            }.items()
        ),
    ],
)
async def test_event_is_told_apart_by_its_id_or_else_by_its_bytes(body, dedup):
    """Only text and whole numbers are ids; else the digest of the signed bytes stands for it."""
    event = await kept(call_of(body))

    assert (event.dedup, event.body) == (dedup, body)


@given(start=st.text("xy", min_size=200, max_size=220), ends=st.tuples(st.text(), st.text()))
def test_long_ids_that_differ_are_never_one_event(start, ends):
    """What is too long to keep is kept as its digest: cut off, two would be the same."""
    first, second = (_dedup(start + end, b"{}") for end in ends)

    assert (first == second) == (ends[0] == ends[1])
    assert max(len(first), len(second)) <= 200


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param("body.type", "paid", id="read"),
        pytest.param('headers."x-topic"', "orders/paid", id="from a header"),
        pytest.param("path", "/hooks/abc", id="from the path"),
        pytest.param("body.long", "y" * 200, id="cut"),
        pytest.param("body.gone", "", id="missing"),
        pytest.param("abs(body.type)", "", id="cannot be computed"),
    ],
)
async def test_event_name_is_read_where_it_can_be(event, expected):
    """An event whose name cannot be read is stored all the same."""
    body = b'{"id": "e1", "type": "paid", "long": "%s"}' % (b"y" * 300)

    stored = await kept(call_of(body, x_topic="orders/paid"), event=f"'{event}'")

    assert (stored.event, stored.dedup) == (expected, "e1")


CREDENTIALS = (
    *("authorization", "proxy-authorization", "cookie", "set-cookie"),
    *("x-hub-signature-256", "x-hub-signature", "x-shopify-hmac-sha256", "x-gitlab-token"),
    *("x-api-key", "x-auth", "x-auth-email", "x-access-token", "x-amz-security-token"),
    *("x-csrf-token", "x-xsrf-token", "x-secret", "x-client-secret", "x-password", "x-passwd"),
    *("x-session-id", "x-cookie", "x-sig", "x-line-signature", "x-zm-signature", "x-jwt"),
    *("x-goog-iap-jwt-assertion", "x-amzn-oidc-data", "x-ms-client-principal", "x-credential"),
    *("x-wc-webhook-signature", "x-twilio-email-event-webhook-signature", "x-hash"),
    *("webhook-signature", "stripe-signature", "paypal-auth-algo", "x-pass", "x-hmac"),
    *(
        "x-sha256",
        "x-body-sha512",
        "x-content-sha1",
        "x-authorization",
        "x-forwarded-authorization",
    ),
)


async def test_kept_headers_hold_no_credential():
    """What may prove somebody's identity is not kept with the event."""
    event = await kept(call_of(**{name.replace("-", "_"): "canary" for name in CREDENTIALS}))

    assert event.headers == {}


async def test_kept_headers_are_those_that_name_the_event():
    """What a sender says of the event stays, what its client says of itself does not."""
    event = await kept(
        call_of(
            content_type="application/json",
            user_agent="Sender/1",
            date="Sun, 01 Mar 2026 12:00:00 GMT",
            x_request_id="r1",
            x_github_event="push",
            x_shopify_topic="orders/paid",
            accept="*/*",
            host="hooks.test",
            content_length="28",
        )
    )

    assert event.headers == {
        "content-type": "application/json",
        "user-agent": "Sender/1",
        "date": "Sun, 01 Mar 2026 12:00:00 GMT",
        "x-request-id": "r1",
        "x-github-event": "push",
        "x-shopify-topic": "orders/paid",
    }


def test_root_of_an_inbound_call_is_as_documented():
    """The first of repeated parameters and fields counts, and a form is no JSON."""
    call = call_of(
        b"a=1&b=&a=2&c=x%20y",
        query=(("q", "1"), ("q", "2"), ("r", "")),
        content_type="application/x-www-form-urlencoded; charset=utf-8",
    )

    assert inbound_root(call) == {
        "method": "POST",
        "url": "https://hooks.test/hooks/abc?a=1",
        "path": "/hooks/abc",
        "query": {"q": "1", "r": ""},
        "headers": dict(call.headers),
        "form": {"a": "1", "b": "", "c": "x y"},
        "body": None,
    }


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b"a=1", "text/plain", id="not said to be one"),
        pytest.param(b"a=1", "", id="nothing said"),
        pytest.param(b"a=\xff", "application/x-www-form-urlencoded", id="not UTF-8"),
        pytest.param(b"a&" * 2000, "application/x-www-form-urlencoded", id="too many fields"),
    ],
)
def test_what_is_no_form_has_no_fields(body, content_type):
    """Nothing is guessed, and a form that is too much is none."""
    assert inbound_root(call_of(body, content_type=content_type))["form"] == {}


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (Settings(), "http://127.0.0.1:8471"),
        (Settings(listen=Listen("::1", 80)), "http://[::1]:80"),
        (Settings(public_url=PublicUrl("https://hooks.test/in")), "https://hooks.test/in"),
    ],
)
def test_public_url_is_the_settings_or_the_listeners(settings, url):
    """Without a public URL the listener's own address is told, port included."""
    assert public_url(settings) == url
