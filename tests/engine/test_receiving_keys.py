"""Calls that need keys from elsewhere: what becomes of them when these cannot be had."""

import asyncio
import base64
import hashlib
import hmac
from dataclasses import replace

import pytest

from integrationd.engine.receive import Inlet, receive
from integrationd.errors import SignatureError, UnavailableError
from integrationd.wire.messages import Call
from tests.engine.test_receiving import KEY, Shelf
from tests.support.fakes import answer, script
from tests.support.worlds import bundle_of, stage

pytestmark = pytest.mark.looptime(start=0)

SPEC = """\
integration: sender
tenant: north
secrets: {signing: {env: INTEGRATIOND_SECRET_X}}
streams:
  orders: {key: id}
webhooks:
  events:
    verify:
      type: any_of
      of:
        - type: jwt
          algorithms: [ES256]
          jwks: https://keys.a.test/set
          token: {from: header.x-jwt}
        - type: hmac
          keys: ["{{ secrets.signing }}"]
          signature: {from: header.x-signature}
"""
ASKED = "GET https://keys.a.test/set"
BODY = b"{}"
SIGNED = hmac.new(KEY.encode(), BODY, hashlib.sha256).hexdigest()
TOKEN = "Bearer " + base64.urlsafe_b64encode(b'{"alg":"ES256","kid":"x"}').decode().strip("=")
EMPTY = answer(b'{"keys": []}')


async def taken(steps, headers, times=1):
    """Receive a call, again a minute later; return what the store was given."""
    provider, used_up = script(*((ASKED, step) for step in steps))
    (integration,) = bundle_of(sender=SPEC).integrations.values()
    inlet = Inlet(integration=integration, name="events", endpoint=integration.webhooks["events"])
    call = Call(
        method="POST", url="https://h.test/x", path="/x", query=(), headers=headers, body=BODY
    )
    shelf = Shelf()
    async with stage(provider, signing=KEY) as on:
        for _ in range(times - 1):
            with pytest.raises(SignatureError):
                await receive(replace(on.world, store=shelf), inlet, call)
            await asyncio.sleep(61)
        try:
            await receive(replace(on.world, store=shelf), inlet, call)
        finally:
            used_up()
    return shelf.events


@pytest.mark.parametrize("given", [UnavailableError("away"), answer(b"", status=404), EMPTY])
async def test_way_that_needs_no_keys_is_not_closed_by_those_of_another(given):
    """One way accepts a call though the keys of the other cannot be had."""
    assert len(await taken([given], {"x-signature": SIGNED})) == 1


@pytest.mark.parametrize(
    ("given", "kind"),
    [(UnavailableError("away"), UnavailableError), (answer(b"", status=404), SignatureError)],
)
async def test_keys_that_cannot_be_had_are_what_a_refused_call_is_told(given, kind):
    """Where no way accepts a call it is the missing keys that matter: the sender may come again."""
    with pytest.raises(kind, match=r"away|answered 404"):
        await taken([given], {"x-signature": "00"})


async def test_key_set_is_asked_again_among_several_ways():
    """A key that is not in the set may be newer, also where the call has other ways."""
    with pytest.raises(SignatureError, match="names a key that is not in"):
        await taken([EMPTY, EMPTY], {"x-jwt": f"{TOKEN}.e30.AAAA"}, times=2)
