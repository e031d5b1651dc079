"""Token requests that are refused or not answered: what is told, and what is asked again."""

import asyncio

import pytest

from integrationd.errors import (
    CredentialsError,
    PageShapeError,
    RefusedError,
    ThrottledError,
    UnavailableError,
)
from integrationd.model.secret import Secret
from integrationd.signals import CallRetried
from tests.support.fakes import answer
from tests.support.granting import CLIENT, SECRETS, Granting, sign
from tests.support.worlds import stage

pytestmark = pytest.mark.looptime(start=0)


@pytest.mark.parametrize(
    ("reply", "kind", "message"),
    [
        (
            answer({"error": "invalid_client", "error_description": "no s3cret"}, status=401),
            CredentialsError,
            (
                "POST /token answered 401 invalid_client (no ***); check client_id and "
                "client_secret, and whether they go into the header or, with 'client_auth: post', "
                "into the form"
            ),
        ),
        (
            answer({"error": "invalid_scope"}, status=400),
            CredentialsError,
            "POST /token answered 400 invalid_scope; check http.auth.scopes",
        ),
        (
            answer({"ok": False, "error": "bad_app"}),
            CredentialsError,
            (
                "POST /token answered 200 bad_app; check client_id and client_secret, and whether "
                "they go into the header or, with 'client_auth: post', into the form"
            ),
        ),
        (
            answer(b"<html>", status=404),
            RefusedError,
            "POST /token answered 404; is http.auth.token_url right?",
        ),
        (
            answer({}, status=302, location="https://elsewhere.test/?x"),
            RefusedError,
            (
                "redirects are not followed: POST /token answered 302 to elsewhere.test; is "
                "http.auth.token_url right?"
            ),
        ),
        (
            answer({}),
            PageShapeError,
            (
                "the token reply has null at body.access_token, expected a token as text; say "
                "under http.auth.reply where it stands"
            ),
        ),
        (
            answer(b"<html>", content_type="text/html"),
            PageShapeError,
            ("the answer of /token is an HTML page, expected JSON; is base_url right?"),
        ),
    ],
)
async def test_refused_token_request_says_what_to_do(reply, kind, message):
    """The provider's own words are told, our credentials never."""
    provider = Granting(replies=[reply])
    async with stage(provider, **SECRETS) as on:
        with pytest.raises(kind) as caught:
            await sign(on)

    assert str(caught.value) == message
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (answer({}, status=503), UnavailableError),
        (answer({}, status=429, retry_after="7"), ThrottledError),
        (UnavailableError("login.test: the line broke"), UnavailableError),
    ],
)
async def test_passing_failure_of_a_token_request_is_tried_again(given, kind):
    """As any other call: as often as ``retries`` says, and then it is the run's failure."""
    provider = Granting(replies=[given] * 3)
    async with stage(provider, **SECRETS) as on:
        shown = await sign(on)

        assert shown == "Bearer a1"
        assert len(on.ear.of(CallRetried)) == 3

        provider.replies = [given] * 4
        with pytest.raises(kind):
            await sign(on, refused=Secret("a1"))


async def test_fifty_refused_runs_ask_once():
    """Streams that begin one after the other do not hammer an endpoint that refused them."""
    provider = Granting(replies=[answer({"error": "invalid_client"}, status=401)] * 2)
    async with stage(provider, **SECRETS) as on:
        for _ in range(50):
            with pytest.raises(CredentialsError):
                await sign(on)
        assert len(provider.forms) == 1

        await asyncio.sleep(10)
        with pytest.raises(CredentialsError):
            await sign(on)
        assert len(provider.forms) == 2

        on.world.secrets.secrets = {**SECRETS, "client_secret": "newer"}
        assert await sign(on) == "Bearer a1"


async def test_signed_token_is_new_for_each_try():
    """A provider takes one only once: a try whose answer was lost must not spoil the next."""
    signs = CLIENT.replace(
        'client_secret: "{{ secrets.client_secret }}"',
        "client_auth: private_key_jwt\n    client_assertion: "
        '{key: "{{ secrets.client_secret }}", algorithm: HS256}',
    )
    provider = Granting()
    provider.replies = [UnavailableError("lost")]
    async with stage(provider, **SECRETS) as on:
        shown = await sign(on, signs)

    first, second = (form["client_assertion"] for form in provider.forms)
    assert (shown, first.count(".")) == ("Bearer a1", 2)
    assert first != second
