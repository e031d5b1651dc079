"""One call of an operation: what is asked, what comes of it, and what is asked only once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from integrationd.config.units import Rate
from integrationd.engine.asking import Manner
from integrationd.engine.call import call_operation
from integrationd.errors import StoreError, UnavailableError, UnreachedError
from integrationd.model.runs import Counts, RunStatus
from integrationd.signals import CallRetried, OperationCalled, SecretMissed
from integrationd.spec.settings import Settings
from integrationd.wire.budget import Budget
from tests.support.fakes import Provider, answer, script
from tests.support.worlds import bundle_of, stage

pytestmark = pytest.mark.looptime(start=0)

SPEC = """\
integration: library
secrets: {token: {}}
http:
  base_url: "https://api.test/v1"
  auth: {type: bearer, token: "{{ secrets.token }}"}
  errors:
    - {when: "body.code == 'busy'", then: retry}
    - {when: "body.code == 'limit'", then: wait, wait: 5s}
    - {when: "body.code == 'gone'", then: skip}
operations:
  place_hold:
    input: {patron: {type: string}}
    post: /holds
    json: {patron_id: "{{ input.patron }}"}
    output: {id: body.hold_id, patron: "var('input.patron')"}
  search: {post: /search, idempotent: true}
  update: {input: {patron: {type: string}}, put: "/patrons/{{ input.patron }}"}
  patron: {input: {patron: {type: string}}, get: "/patrons/{{ input.patron }}"}
"""
HOLDS = "POST https://api.test/v1/holds"
UNKNOWN = (
    "; it may have been done or not, so it is not tried again: look there before you repeat it"
)
CLOSED = UnavailableError("POST https://api.test/v1/holds: the connection was closed")


async def call(operation, *steps, secrets=(("token", "s3cr3t"),), budget=None, **given):
    """Call once, with exactly these requests; returns the outcome, the stage and its history."""
    provider, used_up = script(*steps)
    integration = bundle_of(library=SPEC).integrations["library"]
    async with stage(provider, **dict(secrets)) as on:
        manner = Manner(
            settings=Settings(),
            budget=budget,
            may_repeat=integration.operations[operation].may_repeat,
        )
        outcome = await call_operation(on.world, integration, operation, given, manner)
        history = [run async for run in on.store.runs(None)]
    used_up()
    return outcome, on, history


async def test_call_gives_its_output_and_is_noted():
    """One request, its counts, a line of the history and a signal without any input."""
    outcome, on, (run,) = await call(
        "place_hold", (HOLDS, answer({"hold_id": 7}, status=201)), patron="canary"
    )

    assert (outcome.status, outcome.output) == (RunStatus.DONE, {"id": 7, "patron": "canary"})
    assert (outcome.counts, outcome.error, outcome.known) == (Counts(requests=1), "", True)
    assert (run.id, run.stream, run.mode, run.status) == (
        outcome.run_id,
        "place_hold",
        "call",
        "done",
    )
    assert on.ear.of(OperationCalled) == [
        OperationCalled(
            tenant="default",
            integration="library",
            operation="place_hold",
            run_id=outcome.run_id,
            status="done",
            counts=Counts(requests=1),
            took_s=0.0,
        )
    ]
    assert "canary" not in repr(on.ear.heard) + repr(run)


async def test_without_output_the_body_is_given():
    """All of it, as it came."""
    outcome, _, _ = await call(
        "patron", ("GET https://api.test/v1/patrons/7", answer({"name": "Ana"})), patron="7"
    )

    assert outcome.output == {"name": "Ana"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (CLOSED, f"{CLOSED}{UNKNOWN}"),
        (answer({}, status=500), f"POST /v1/holds answered 500{UNKNOWN}"),
        (answer({}, status=502), f"POST /v1/holds answered 502{UNKNOWN}"),
        (answer({}, status=503), f"POST /v1/holds answered 503{UNKNOWN}"),
        (answer({}, status=504), f"POST /v1/holds answered 504{UNKNOWN}"),
        (answer({"code": "busy"}, status=200), f"POST /v1/holds answered 200{UNKNOWN}"),
    ],
    ids=["closed", "500", "502", "503", "504", "a rule that does not say that nothing was done"],
)
async def test_write_with_unknown_outcome_is_asked_once(given, message):
    """Whatever may have been done is not repeated, and the error says that nobody knows."""
    outcome, on, (run,) = await call("place_hold", (HOLDS, given), patron="7")

    assert (outcome.status, outcome.error, outcome.known) == (RunStatus.FAILED, message, False)
    assert (outcome.kind, outcome.counts) == ("temporary", Counts(requests=1))
    assert (run.status, run.error) == ("failed", message)
    assert on.ear.of(CallRetried) == []


@pytest.mark.parametrize(
    ("given", "waited_s"),
    [
        (UnreachedError("api.test:443 refuses connections"), 0.75),
        (answer({}, status=429), 0.75),
        (answer({}, status=503, retry_after="3"), 3.25),
        (answer({"code": "limit"}), 5.25),
    ],
    ids=["never sent", "429", "503 with Retry-After", "a rule that waits"],
)
async def test_write_that_surely_was_not_done_is_tried_again(looptime, given, waited_s):
    """Where nothing was sent, or the answer says not now."""
    outcome, _, _ = await call(
        "place_hold", (HOLDS, given), (HOLDS, answer({"hold_id": 7})), patron="7"
    )

    assert outcome.output == {"id": 7, "patron": "7"}
    assert outcome.counts == Counts(requests=2, retries=1, waited_ms=round(waited_s * 1000))
    assert looptime == waited_s


@pytest.mark.parametrize(
    ("operation", "line"),
    [
        ("patron", "GET https://api.test/v1/patrons/7"),
        ("update", "PUT https://api.test/v1/patrons/7"),
        ("search", "POST https://api.test/v1/search"),
    ],
)
@pytest.mark.parametrize("given", [CLOSED, answer({}, status=502)], ids=["closed", "502"])
async def test_what_may_be_done_twice_is_tried_again(operation, line, given):
    """By its method, or because the file says so, as readings are."""
    given_input = {} if operation == "search" else {"patron": "7"}
    outcome, _, _ = await call(operation, (line, given), (line, answer({})), **given_input)

    assert (outcome.status, outcome.counts.retries) == (RunStatus.DONE, 1)


async def test_surely_undone_write_fails_as_any_when_the_tries_run_out():
    """Nothing was done, so the outcome is known."""
    refused = UnreachedError("api.test:443 refuses connections")
    outcome, _, _ = await call("place_hold", *[(HOLDS, refused)] * 4, patron="7")

    assert (outcome.error, outcome.known) == (
        "api.test:443 refuses connections after 4 tries",
        True,
    )


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (
            answer(b"<html>", status=201, content_type="text/html"),
            (
                "the answer of /v1/holds is an HTML page, expected JSON; "
                "is base_url right?; but the provider answered 201, so it has been done"
            ),
        ),
    ],
)
async def test_done_write_whose_answer_cannot_be_read_says_so(given, error):
    """The call failed for whoever wants its output, and must not be repeated."""
    outcome, _, _ = await call("place_hold", (HOLDS, given), patron="7")

    assert (outcome.status, outcome.error) == (RunStatus.FAILED, error)


async def test_output_that_does_not_fit_says_that_it_was_done():
    """An expression that fails comes after the deed."""
    spec = SPEC.replace("id: body.hold_id", "id: length(body.hold_id)")
    provider, _ = script((HOLDS, answer({"hold_id": 7})))
    integration = bundle_of(library=spec).integrations["library"]
    async with stage(provider, token="s3cr3t") as on:
        manner = Manner(settings=Settings(), budget=None, may_repeat=False)
        outcome = await call_operation(on.world, integration, "place_hold", {"patron": "7"}, manner)

    assert outcome.error == (
        "output.id: function length() got number, expected string or array or object; but the "
        "provider answered 200, so it has been done"
    )


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (
            401,
            (
                "GET /v1/patrons/7 answered 401; the credentials are not accepted, look at "
                "secrets.token"
            ),
        ),
        (
            403,
            (
                "GET /v1/patrons/7 answered 403; look at the rights (role, scopes) of the account "
                "behind secrets.token"
            ),
        ),
        (
            404,
            (
                "GET /v1/patrons/7 answered 404; there is no such thing, or the path or "
                "http.base_url is wrong"
            ),
        ),
        (400, "GET /v1/patrons/7 answered 400"),
    ],
)
async def test_refusal_says_what_to_look_at(status, message):
    """A person finds the place in the file without guessing."""
    outcome, _, _ = await call(
        "patron",
        ("GET https://api.test/v1/patrons/7", answer({}, status=status)),
        patron="7",
    )

    assert outcome.error == message


async def test_skipped_answer_gives_nothing():
    """A rule may say that what was asked for is not there, which is no failure."""
    outcome, _, _ = await call(
        "patron", ("GET https://api.test/v1/patrons/7", answer({"code": "gone"})), patron="7"
    )

    assert (outcome.status, outcome.output) == (RunStatus.DONE, None)


async def test_missing_secret_fails_the_call_before_anything_is_sent():
    """The message says which; the integration is told as degraded."""
    outcome, on, (run,) = await call("patron", secrets=(), patron="7")

    message = "integration library needs secret 'token'"
    assert (outcome.error, outcome.kind, run.error) == (message, "auth", message)
    assert on.ear.of(SecretMissed) == [SecretMissed(integration="library", message=message)]


async def test_empty_value_in_a_path_is_refused_before_anything_is_sent():
    """It would name the list instead of the item."""
    outcome, _, _ = await call("patron", patron="")

    assert outcome.error == "a value in the path is empty, expected at least one character"


async def test_rate_is_shared_with_whoever_else_uses_it(looptime):
    """A reading that has used the last slot makes the call wait."""
    budget = Budget(Rate(1, timedelta(seconds=10)))
    budget.reserve(0.0)
    outcome, _, _ = await call(
        "patron",
        ("GET https://api.test/v1/patrons/7", answer({})),
        budget=budget,
        patron="7",
    )

    assert (outcome.counts.waited_ms, looptime) == (10_000, 10)


async def test_call_that_is_broken_off_is_noted_as_unknown():
    """Its request may be at the provider already."""

    class Hanging(Provider):
        async def send(self, request):
            await asyncio.sleep(1000)

    integration = bundle_of(library=SPEC).integrations["library"]
    async with stage(Hanging(lambda *_: answer({})), token="s3cr3t") as on:
        manner = Manner(settings=Settings(), budget=None, may_repeat=False)
        work = asyncio.create_task(
            call_operation(on.world, integration, "place_hold", {"patron": "7"}, manner)
        )
        await asyncio.sleep(1)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        history = [run async for run in on.store.runs(None)]

    assert [(run.status, run.error) for run in history] == [("stopped", "the call was broken off")]


async def test_call_that_cannot_be_noted_is_done_all_the_same(caplog):
    """Whoever waits for it must not hear that it failed, and repeat it."""

    class Full:
        async def note_call(self, run):
            message = "the disk is full"
            raise StoreError(message)

    provider, _ = script((HOLDS, answer({"hold_id": 7})))
    integration = bundle_of(library=SPEC).integrations["library"]
    async with stage(provider, token="s3cr3t") as on:
        world = replace(on.world, store=Full())
        manner = Manner(settings=Settings(), budget=None, may_repeat=False)
        outcome = await call_operation(world, integration, "place_hold", {"patron": "7"}, manner)

    assert (outcome.status, outcome.output["id"]) == (RunStatus.DONE, 7)
    assert [record.getMessage() for record in caplog.records] == [
        "call of library/place_hold is not noted: the disk is full"
    ]
