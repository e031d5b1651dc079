"""A player and its reader in one process: two sides made from one spec, no socket between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

from integrationd.engine.plans import (
    StreamPlan,
    base_call,
    bounds_of,
    build_plan,
    first_request,
)
from integrationd.model.json import Json
from integrationd.spec.documents import Integration
from integrationd.testing.options import PlayOptions
from integrationd.testing.provider import Player, player_secrets
from integrationd.wire import decoding, pieces
from integrationd.wire.auth.authenticator import authorize
from integrationd.wire.encoding import encode
from integrationd.wire.messages import Answer, Call, Page, Request
from integrationd.wire.showing import STAND_IN
from tests.support.fakes import START
from tests.support.worlds import bundle_of

ORIGIN = "http://player.test"
PAGES_MAX = 500


def player_of(text: str, options: PlayOptions | None = None, **files: str) -> Player:
    """Play the one integration of some files."""
    (integration,) = bundle_of(integration=text, **files).integrations.values()
    return play_integration(integration, options or PlayOptions(records=25, bad=0, page_size=10))


def play_integration(integration: Integration, options: PlayOptions) -> Player:
    """Play an integration with made-up secrets."""
    return Player(
        integration=integration,
        options=options,
        secrets=player_secrets(integration),
        origin=ORIGIN,
    )


def received(request: Request) -> Call:
    """Return a request as it arrives at the other side."""
    sent = encode(request)
    parts = urlsplit(sent.url)
    return Call(
        method=sent.method,
        url=sent.url,
        path=unquote(parts.path),
        query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
        headers=sent.headers,
        body=sent.body or b"",
    )


def ask(player: Player, request: Request, now_s: float = 0.0) -> Answer:
    """Let a player answer a request, credentials included."""
    http = player.integration.http
    assert http is not None
    signed = authorize(http.auth, request, player.variables, STAND_IN)
    return player.answer(received(signed), now_s)


def request_of(player: Player, stream: str, cursor: Json = None) -> tuple[StreamPlan, Request]:
    """Return a stream's plan and the first request of a reading."""
    plan = build_plan(player.integration, stream)
    base = base_call(plan.http, player.variables)
    return plan, first_request(plan, base, player.variables, bounds_of(plan, cursor, START))


def walk(player: Player, stream: str, cursor: Json = None) -> Iterator[list[Json]]:
    """Yield the records of each page, read by the real paginator."""
    plan, first = request_of(player, stream, cursor)
    token: Json = None
    for _ in range(PAGES_MAX):
        answer = ask(player, plan.paginator.apply(first, token))
        assert answer.status == 200, answer.body
        body = pieces.finish(plan.reply.decoder.decode(answer))
        reply: Mapping[str, Json] = decoding.build_reply(answer, body)
        records = plan.records_of(reply)
        page = Page(reply=reply, count=len(records), records=records)
        yield records
        token = plan.paginator.advance(token, page)
        if token is None:
            return
    raise AssertionError(PAGES_MAX)
