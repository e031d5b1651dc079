"""Webhooks of a played provider: what it signs, its own spec verifies."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationd.engine.receive import inbound_root
from integrationd.errors import SignatureError, UsageError
from integrationd.testing.events import build_event
from integrationd.testing.options import PlayOptions
from tests.support.players import player_of, received

NOW = datetime(2026, 1, 1, tzinfo=UTC)
URL = "http://hooks.test/hooks/abc"

SPEC = """\
integration: acme
secrets: {{hook: {{env: INTEGRATIOND_SECRET_HOOK}}}}
http: {{base_url: "http://player.test", paginate: none}}
streams: {{things: {{get: /things, key: id}}}}
webhooks:
  events:
    verify:
      type: hmac
      algorithm: {algorithm}
      keys: ["{{{{ secrets.hook }}}}"]
      signature: {{from: {place}, encoding: {encoding}, prefix: "{prefix}"}}
    dedup: {dedup}
    event: {event}
"""


@settings(max_examples=60)
@given(
    algorithm=st.sampled_from(["sha256", "sha1", "sha512"]),
    encoding=st.sampled_from(["hex", "base64"]),
    place=st.sampled_from(["header.x-signature", "query.sig"]),
    prefix=st.sampled_from(["", "v1=", "sha256="]),
    dedup=st.sampled_from(["body.id", 'headers."x-event-id"', "body.meta.uid", "query.eid"]),
    event=st.sampled_from(["body.type", 'headers."x-event"', "body.events[0].name"]),
    number=st.integers(1, 50),
)
def test_signed_event_is_verified_and_read(number, **spec):
    """Whatever the scheme, the event is authentic, and its id and name are where they are read."""
    player = player_of(SPEC.format(**spec), PlayOptions(records=5, bad=0))
    endpoint = player.integration.webhooks["events"]

    call = received(build_event(player, "events", url=URL, number=number, now=NOW))

    endpoint.verify.verify(call, player.variables, NOW)
    root = dict(inbound_root(call))
    assert endpoint.dedup.search(root) == f"evt_{number:06d}"
    assert endpoint.event.search(root) == "things.changed"
    assert root["body"]["data"]["object"] == player.sources["things"].entries[number % 5].data


def test_event_of_another_secret_is_refused():
    """A player with another secret is not taken for the sender."""
    text = SPEC.format(
        algorithm="sha256",
        encoding="hex",
        place="header.x-signature",
        prefix="",
        dedup="body.id",
        event="body.type",
    )
    player = player_of(text)
    call = received(build_event(player, "events", url=URL, number=1, now=NOW))
    player.secrets = {"hook": "another"}

    with pytest.raises(SignatureError):
        player.integration.webhooks["events"].verify.verify(call, player.variables, NOW)


def test_event_that_reads_a_form_cannot_be_played():
    """An endpoint whose expressions read what a player does not send is said."""
    text = SPEC.format(
        algorithm="sha256",
        encoding="hex",
        place="header.x-signature",
        prefix="",
        dedup="form.id",
        event="body.type",
    )

    with pytest.raises(UsageError) as caught:
        build_event(player_of(text), "events", url=URL, number=1, now=NOW)

    assert str(caught.value) == (
        "webhook 'events' cannot be played: 'form.id': an event has body, headers, query"
    )
