"""One request with its tries: what is waited, counted and told, and which error it ends with."""

from datetime import timedelta

import pytest

from integrationd.config.units import Rate
from integrationd.engine.calling import Caller
from integrationd.errors import (
    CredentialsError,
    EgressError,
    PageShapeError,
    RefusedError,
    ThrottledError,
    UnavailableError,
)
from integrationd.model.runs import Counts
from integrationd.model.secret import Secret
from integrationd.signals import BudgetWaited, CallAnswered, CallRetried
from integrationd.wire.budget import Budget
from integrationd.wire.messages import Request
from tests.support.fakes import Provider, answer, script
from tests.support.worlds import stage

pytestmark = pytest.mark.looptime(start=0)

GET = Request(method="GET", url=Secret("https://api.test/x?key=canary"))
LINE = "GET https://api.test/x?key=canary"


def caller_of(on, provider: Provider, *, retries=3, budget=None):
    """Build a caller of an integration."""
    return Caller(world=on.world, integration="shop", http=provider, budget=budget, retries=retries)


async def ask(*answers, retries=3, budget=None):
    """Ask once; returns the reply or error, the caller and the signals."""
    provider, used_up = script(*((LINE, given) for given in answers))
    async with stage(provider) as on:
        caller = caller_of(on, provider, retries=retries, budget=budget)
        try:
            reply = await caller.ask(GET)
        except Exception as failed:  # noqa: BLE001 - looked at by the test
            reply = failed
    used_up()
    return reply, caller, on.ear


async def test_reply_is_decoded_and_told():
    """Status, headers and body; the signal holds neither path nor query."""
    reply, caller, ear = await ask(answer({"a": 1}, x_total="3"))

    assert reply == {
        "status": 200,
        "headers": {"content-type": "application/json", "x-total": "3"},
        "body": {"a": 1},
    }
    assert ear.heard == [
        CallAnswered(
            integration="shop",
            method="GET",
            host="api.test",
            status=200,
            took_ms=0.0,
            body_bytes=7,
        )
    ]
    assert caller.take_counts() == Counts(requests=1)
    assert caller.take_counts() == Counts()


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (401, CredentialsError, "GET /x answered 401"),
        (403, CredentialsError, "GET /x answered 403"),
        (400, RefusedError, "GET /x answered 400"),
        (404, RefusedError, "GET /x answered 404"),
        (302, RefusedError, "redirects are not followed: GET /x answered 302"),
    ],
)
async def test_refusal_is_not_tried_again(looptime, status, error, message):
    """What would fail again fails at once, as the kind of error that says what to do."""
    failed, caller, ear = await ask(answer({}, status=status))

    assert (type(failed), str(failed), failed.status) == (error, message, status)
    assert caller.counts == Counts(requests=1)
    assert ear.of(CallRetried) == []
    assert looptime == 0


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [(429, ThrottledError, "rate"), (503, UnavailableError, "temporary")],
)
async def test_tries_run_out(looptime, status, error, kind):
    """The waits double, and the last answer becomes the error, with the number of tries."""
    failed, caller, ear = await ask(*[answer({}, status=status)] * 4)

    assert (type(failed), failed.kind) == (error, kind)
    assert str(failed) == f"GET /x answered {status} after 4 tries"
    waits_s = [(signal.attempt, signal.wait_s) for signal in ear.of(CallRetried)]
    assert waits_s == [(1, 0.75), (2, 1.5), (3, 3.0)]
    assert caller.counts == Counts(requests=4, retries=3, waited_ms=5250)
    assert looptime == 5.25


async def test_no_try_is_made_again_where_none_is_allowed(looptime):
    """``retries: 0`` is one try."""
    failed, caller, _ = await ask(answer({}, status=503), retries=0)

    assert str(failed) == "GET /x answered 503"
    assert (caller.counts, looptime) == (Counts(requests=1), 0)


async def test_line_that_breaks_is_tried_again_and_told():
    """No answer is a passing failure; its reason is in the signal and in the error."""
    broken = UnavailableError("api.test: the line broke")
    failed, caller, ear = await ask(broken, broken, retries=1)

    assert (type(failed), str(failed)) == (
        UnavailableError,
        "api.test: the line broke after 2 tries",
    )
    assert ear.heard == [
        CallRetried(integration="shop", attempt=1, wait_s=0.75, reason="api.test: the line broke")
    ]
    assert caller.counts == Counts(requests=2, retries=1, waited_ms=750)


@pytest.mark.parametrize(
    "refused", [EgressError("that address is private"), RefusedError("the answer is too large")]
)
async def test_what_the_transport_refuses_is_not_tried_again(refused):
    """An address that must not be called stays one."""
    failed, caller, _ = await ask(refused)

    assert failed is refused
    assert caller.counts == Counts(requests=1)


async def test_answer_that_is_no_json_fails_the_page():
    """It was accepted, so it is not asked for again."""
    failed, _, _ = await ask(answer(b"<html>", content_type="text/html"))

    assert isinstance(failed, PageShapeError)
    assert str(failed) == ("the answer of /x is an HTML page, expected JSON; is base_url right?")


async def test_rate_is_waited_for_and_counted(looptime):
    """The third call of two a minute waits for the rest of the minute, and says so."""
    provider, _ = script(*[(LINE, answer({}))] * 3)
    async with stage(provider) as on:
        caller = caller_of(on, provider, budget=Budget(Rate(2, timedelta(seconds=60))))
        for _ in range(3):
            await caller.ask(GET)

    assert on.ear.of(BudgetWaited) == [BudgetWaited(integration="shop", wait_s=60)]
    assert caller.counts == Counts(requests=3, waited_ms=60_000)
    assert looptime == 60


@pytest.mark.parametrize(
    ("status", "other_waits_s"), [(429, 30.0), (503, 0.0)], ids=["throttled", "down"]
)
@pytest.mark.parametrize("retries", [0, 1])
async def test_only_throttling_pauses_the_credential(status, other_waits_s, retries):
    """A 429 is the credential's, whichever try it met; an outage is this call's alone."""
    budget = Budget(Rate(100, timedelta(seconds=1)))
    provider = Provider(lambda *_: answer({}, status=status, retry_after="30"))
    async with stage(provider) as on:
        caller = caller_of(on, provider, retries=retries, budget=budget)
        with pytest.raises((ThrottledError, UnavailableError)):
            await caller.ask(GET)
        waits_s = budget.reserve(on.world.clock.monotonic())

    assert waits_s >= other_waits_s
    assert (waits_s == 0) == (other_waits_s == 0)
