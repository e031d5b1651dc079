"""A played provider with OAuth2: it grants what the spec asks for, and wants to see it again."""

from __future__ import annotations

import pytest

from integrationd.errors import UsageError
from integrationd.model.secret import Secret
from integrationd.testing.options import PlayOptions
from integrationd.testing.telling import describe_stage, lines_of
from integrationd.wire.decoding import decode_bytes
from integrationd.wire.grants import Refusal, Token
from integrationd.wire.messages import Request
from tests.support.players import player_of, received

CLIENT = """\
integration: koha
config: {base_url: "http://player.test"}
secrets: {client_id: {}, client_secret: {}}
http:
  base_url: "{{ config.base_url }}/api/v1"
  auth:
    type: oauth2
    grant: client_credentials
    token_url: "{{ config.base_url }}/api/v1/oauth/token"
    client_id: "{{ secrets.client_id }}"
    client_secret: "{{ secrets.client_secret }}"
  paginate: none
streams: {items: {get: /items, key: id}}
"""
REFRESH = CLIENT.replace("client_secret: {}}", "client_secret: {}, refresh_token: {}}").replace(
    "client_credentials", 'refresh_token\n    refresh_token: "{{ secrets.refresh_token }}"'
)
GET = Request(method="GET", url="http://player.test/api/v1/items")


def player(text=CLIENT, **options):
    """Play an integration."""
    return player_of(text, PlayOptions(records=3, bad=0, **options))


def grant(provider, refresh=None, now_s=0.0, **secrets):
    """Ask for a token as the daemon does, and read what comes."""
    auth = provider.integration.http.auth
    made_up = provider.variables
    named = {name: Secret(value) for name, value in secrets.items()}
    variables = {**made_up, "secrets": {**made_up["secrets"], **named}}
    request = auth.token_request(variables, None if refresh is None else Secret(refresh))
    answer = provider.answer(received(request), now_s)
    reply = {
        "status": int(answer.status),
        "headers": dict(answer.headers),
        "body": decode_bytes(answer.body),
    }
    return auth.read_token(reply, request, {"config": {}, "secrets": {}})


def status(provider, token, now_s=0.0):
    """Ask for the items with a token; return the status."""
    auth = provider.integration.http.auth
    signed = auth.apply(GET, {**provider.variables, "token": Secret(token)})
    return provider.answer(received(signed), now_s).status


def test_token_is_granted_and_good_until_it_ends():
    """The lifetime is told and kept."""
    provider = player(token_lifetime_s=60)

    token = grant(provider)

    assert token == Token(access=Secret("play-token-1"), lifetime_s=60)
    assert [status(provider, "play-token-1", now_s) for now_s in (0, 59, 60)] == [200, 200, 401]


def test_call_without_a_granted_token_is_refused():
    """What was not granted here is not known."""
    assert status(player(), "play-token") == 401


@pytest.mark.parametrize("client_auth", ["basic", "post"])
def test_wrong_client_is_refused(client_auth):
    """As RFC 6749 section 5.2 says, whichever way it names itself."""
    text = CLIENT.replace("    client_id:", f"    client_auth: {client_auth}\n    client_id:")

    refused = grant(player(text), client_secret="wrong")

    assert (refused.status, refused.error) == (401, "invalid_client")


def test_field_that_the_spec_sends_is_wanted():
    """A form field of the spec is part of what it means to ask."""
    provider = player(CLIENT.replace("    client_id:", "    form: {audience: x}\n    client_id:"))
    call = received(Request(method="POST", url="http://player.test/api/v1/oauth/token"))

    answer = provider.answer(call, 0.0)

    assert (answer.status, decode_bytes(answer.body)) == (
        400,
        {"error": "invalid_request", "error_description": "grant_type is missing or another one"},
    )


def test_refresh_token_that_stays_is_good_for_ever():
    """Without rotation the made-up one is taken again and again."""
    provider = player(REFRESH)

    granted = [grant(provider, "play-refresh-token") for _ in range(2)]

    assert [token.refresh for token in granted] == [None, None]


def test_refresh_token_rotates():
    """With it each use gives a new one, and the old one is worth nothing."""
    provider = player(REFRESH, rotate_tokens=True)

    first = grant(provider, "play-refresh-token")
    second = grant(provider, "play-refresh-token.1")
    again = grant(provider, "play-refresh-token.1")

    assert first.refresh == Secret("play-refresh-token.1")
    assert second.refresh == Secret("play-refresh-token.2")
    assert again == Refusal(
        status=400, error="invalid_grant", said="the refresh token is not good any more"
    )


def test_player_that_begins_anew_takes_any_of_its_refresh_tokens():
    """A provider keeps its state; the player has none, and must not void a daemon's token."""
    provider = player(REFRESH, rotate_tokens=True)

    assert grant(provider, "play-refresh-token.7").refresh == Secret("play-refresh-token.8")
    assert grant(player(REFRESH), "other").error == "invalid_grant"


def test_reply_is_as_the_spec_reads_it():
    """Token and expiry stand where the spec's expressions look for them."""
    provider = player(
        CLIENT.replace(
            "    client_id:",
            "    reply: {access_token: body.data.token, expires_in: 'headers.\"x-ttl\"'}\n"
            "    client_id:",
        )
    )

    assert grant(provider) == Token(access=Secret("play-token-1"), lifetime_s=3600)


@pytest.mark.parametrize("send_as", ["form", "json", "query"])
def test_fields_are_read_where_the_spec_sends_them(send_as):
    """As a form, as JSON, in the query."""
    more = f"    client_auth: post\n    send_as: {send_as}\n    client_id:"
    text = CLIENT.replace("    client_id:", more)

    assert grant(player(text)) == Token(access=Secret("play-token-1"), lifetime_s=3600)
    assert grant(player(text), client_secret="wrong").error == "invalid_client"


def test_reply_names_the_end_and_the_address_that_the_spec_reads():
    """The address is the player's own; an end in milliseconds is told so."""
    text = CLIENT.replace(
        "    client_id:",
        "    reply: {expires_in_ms: body.ttl, base_url: body.at}\n    client_id:",
    ).replace('base_url: "{{ config.base_url }}/', 'base_url: "{{ token.base_url }}/')
    text = text.replace("  auth:", "  hosts: [player.test]\n  auth:")

    token = grant(player(text))

    assert token == Token(
        access=Secret("play-token-1"), lifetime_s=3600, base_url="http://player.test"
    )


def test_reply_that_cannot_be_made_is_told():
    """The player says at its start what it cannot play."""
    with pytest.raises(UsageError) as caught:
        player(
            CLIENT.replace(
                "    client_id:", "    reply: {expires_in: 'sum(body.x)'}\n    client_id:"
            )
        )

    assert str(caught.value) == (
        "stream 'http.auth' cannot be played: 'sum(body.x)': the function sum cannot be turned "
        "round"
    )


def test_token_address_that_is_elsewhere_is_told():
    """A daemon would ask the real provider for tokens; so people are told what to write."""
    told = describe_stage(
        player(CLIENT.replace("{{ config.base_url }}/api/v1/oauth", "https://a.test"))
    )

    assert told["http"] == {"auth": {"token_url": "http://player.test/token"}}
    assert "  http: {auth: {token_url: http://player.test/token}}" in list(lines_of(told))
