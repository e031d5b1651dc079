"""Consent on another device: a code is shown, and the provider is asked whether it was typed in."""

import pytest

from integrationd.errors import UnavailableError
from integrationd.model.secret import Secret
from tests.support.consenting import DEVICE, SECRETS, Consenting, Person
from tests.support.fakes import answer
from tests.support.granting import kept_in, sign
from tests.support.worlds import stage

pytestmark = pytest.mark.looptime(start=0)

PENDING = answer({"error": "authorization_pending"}, status=400)
SLOWER = answer({"error": "slow_down"}, status=400)
CODE = {
    "event": "code",
    "integration": "acme",
    "user_code": "WDJB-MJHT",
    "address": "https://login.test/device",
    "whole_address": "",
    "expires_in_s": 600,
}


def waiting(interval_s):
    """Return the line of a provider that has no answer yet."""
    return {"event": "waiting", "integration": "acme", "interval_s": interval_s}


async def log_in(provider, on):
    """Log in; returns all lines, of which the first one shows the code."""
    code, *lines = await Person(on, provider, DEVICE).lines()
    assert code == CODE
    return lines


async def test_code_is_shown_and_consent_is_waited_for():
    """A question every five seconds until it is given; then the tokens are kept."""
    provider = Consenting(polls=[PENDING, PENDING])
    async with stage(provider, **SECRETS) as on:
        *before, last = await log_in(provider, on)

        assert before == [waiting(5), waiting(5)]
        assert (last["status"], last["error"]) == ("done", "")
        assert provider.forms[0] == {"scope": "read offline"}
        assert {form["device_code"] for form in provider.forms[1:]} == {"dev1ce-canary"}
        gaps = [b - a for a, b in zip(provider.asked_at, provider.asked_at[1:], strict=False)]
        assert all(5 <= gap < 6 for gap in gaps)
        assert (await kept_in(on.world)).refresh == Secret("r1")
        assert await sign(on, DEVICE) == "Bearer a1"
        assert "canary" not in repr((before, last, on.ear.heard))


async def test_provider_that_is_asked_too_often_is_asked_less():
    """`slow_down` adds five seconds for good, RFC 8628 section 3.5; so does an answer too many."""
    busy = answer({"error": "slow_down"}, status=429)
    provider = Consenting(polls=[SLOWER, SLOWER, PENDING, busy, busy, busy, busy])
    provider.device["interval"] = 2
    async with stage(provider, **SECRETS) as on:
        *before, last = await log_in(provider, on)

    assert before == [waiting(7), waiting(12), waiting(12), waiting(17)]
    assert last["status"] == "done"


async def test_provider_that_does_not_answer_is_asked_less():
    """A network that is away for a while ends nothing."""
    away = UnavailableError("POST https://login.test/token: no answer")
    provider = Consenting(polls=[away, away, away, away, PENDING])
    async with stage(provider, **SECRETS) as on:
        *before, last = await log_in(provider, on)

    assert before == [waiting(10), waiting(10)]
    assert last["status"] == "done"


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (
            answer({"error": "access_denied"}, status=400),
            "the provider says access_denied; nobody has given consent there",
        ),
        (
            answer({"error": "access_denied", "error_description": "no"}, status=403),
            "the provider says access_denied (no); nobody has given consent there",
        ),
        (
            answer({"error": "expired_token"}, status=400),
            (
                "the provider says expired_token; the code ran out before anybody gave consent; "
                "begin again"
            ),
        ),
        (
            answer({"error": "invalid_client", "error_description": "dev1ce-canary"}, status=401),
            (
                "POST /token answered 401 invalid_client (***); check client_id and client_secret, "
                "and whether they go into the header or, with 'client_auth: post', into the form"
            ),
        ),
        (
            answer({"odd": "dev1ce-canary"}, status=404),
            "POST /token answered 404; is http.auth.token_url right?",
        ),
    ],
    ids=["denied", "denied-with-words", "expired", "client", "elsewhere"],
)
async def test_other_answers_end_the_login(reply, message):
    """Nothing is asked after them."""
    provider = Consenting(polls=[PENDING, reply, PENDING])
    async with stage(provider, **SECRETS) as on:
        *_, last = await log_in(provider, on)

    assert (last["status"], last["error"]) == ("failed", f"acme: {message}")
    assert len(provider.polls) == 1


async def test_pending_may_have_any_status():
    """Google answers 428, others 200 with an error in it."""
    later = answer({"error": "authorization_pending"}, status=428)
    provider = Consenting(polls=[later, answer({"error": "authorization_pending"})])
    async with stage(provider, **SECRETS) as on:
        *before, last = await log_in(provider, on)

    assert (len(before), last["status"]) == (2, "done")


async def test_code_that_runs_out_is_not_asked_for_any_more():
    """Also where the provider never says so."""
    provider = Consenting(polls=[PENDING] * 200)
    async with stage(provider, **SECRETS) as on:
        *_, last = await log_in(provider, on)

    assert last["error"] == "acme: the code ran out before anybody gave consent; begin again"
    assert 100 < len(provider.asked_at) < 120


async def test_refused_device_request_is_told():
    """No code is shown then."""
    provider = Consenting(replies=[answer({"error": "unauthorized_client"}, status=400)])
    async with stage(provider, **SECRETS) as on:
        (line,) = await Person(on, provider, DEVICE).lines()

    assert line["error"] == (
        "acme: POST /device answered 400 unauthorized_client; is this client allowed the grant "
        "device_code there?"
    )


async def test_only_declared_addresses_are_called():
    """Those of tokens; the page that a person opens is none of them."""
    provider = Consenting()
    async with stage(provider, **SECRETS) as on:
        await log_in(provider, on)

    assert {host for policy in provider.policies for host in policy.hosts} == {"login.test"}
