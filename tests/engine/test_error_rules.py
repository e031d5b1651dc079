"""Error rules at work: skipped answers, long waits, and a provider that repeats a secret."""

import asyncio

import pytest

from integrationd.engine.calling import WAIT_IN_RUN_MAX_S
from integrationd.engine.conductor import Conductor
from integrationd.model.runs import RunStatus
from integrationd.signals import CallRetried, CallSkipped, RunSkipped
from integrationd.spec.settings import Settings
from tests.support.fakes import answer, script
from tests.support.worlds import bundle_of, plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SHOP = """\
integration: shop
http:
  base_url: https://api.test
  paginate: {type: page, into: query.page, full_pages: false}
  retries: 1
  errors:
    - {when: body.error, then: fail, kind: auth, message: "{{ body.error }}"}
    - {when: "status == `420`", then: wait, wait: {value: body.s}}
secrets: {token: {env: INTEGRATIOND_SECRET_SHOP__TOKEN}}
streams:
  orders:
    get: /orders
    records: body.data
    key: id
    incremental: {field: at, into: query.since, type: number}
    errors:
      - {when: "status == `410`", then: skip}
"""
FIRST = "GET https://api.test/orders?page=1"
SECOND = "GET https://api.test/orders?page=2"
ROWS = [{"id": 1, "at": 1}, {"id": 2, "at": 2}]


async def test_skipped_answer_deletes_nothing_and_moves_no_cursor():
    """The run is done with what came; what it did not see may be there all the same."""
    provider, used_up = script(
        (FIRST, answer({"data": ROWS})),
        (SECOND, answer({"data": []})),
        (FIRST, answer({"data": [{"id": 1, "at": 3}]})),
        (SECOND, answer({}, status=410)),
    )
    async with stage(provider, token="x") as on:
        plan = plan_of(SHOP, "orders")
        await on.sync(plan)
        outcome = await on.sync(plan, full=True)

        assert (outcome.status, outcome.counts.deleted) == (RunStatus.DONE, 0)
        assert sorted(await on.rows(plan)) == ["1", "2"]
        assert await on.cursor(plan) == 2
    assert on.ear.of(CallSkipped) == [
        CallSkipped(integration="shop", reason="GET /orders answered 410")
    ]
    used_up()


async def test_error_in_a_success_fails_the_run():
    """With the provider's own words and the rule's kind; a secret in them is masked."""
    provider, used_up = script(
        (FIRST, answer({"error": "no such key t0p+s3cret/ or t0p%2Bs3cret/"}))
    )
    async with stage(provider, token="t0p+s3cret/") as on:
        outcome = await on.sync(plan_of(SHOP, "orders"))

    assert (outcome.status, outcome.kind) == (RunStatus.FAILED, "auth")
    assert outcome.error == (
        "GET /orders answered 200: no such key *** or ***; no credentials were sent, say under "
        "http.auth which ones this provider wants"
    )
    used_up()


async def test_wait_that_a_rule_reads_is_waited_out(looptime):
    """The rule says where the time stands; the try counts."""
    provider, used_up = script(
        (FIRST, answer({"s": 40}, status=420)),
        (FIRST, answer({"data": []})),
    )
    async with stage(provider, token="x") as on:
        outcome = await on.sync(plan_of(SHOP, "orders"))

    assert outcome.status is RunStatus.DONE
    assert [signal.wait_s for signal in on.ear.of(CallRetried)] == [40.25]
    assert looptime == 40.25
    used_up()


async def test_long_wait_ends_the_run_and_is_kept_to(looptime):
    """The run fails at once as ``rate``; until the time is over nothing is asked."""
    provider, used_up = script(
        (FIRST, answer({}, status=429, retry_after="7200")),
        (FIRST, answer({"data": []})),
    )
    async with stage(provider, token="x") as on:
        conductor = Conductor(
            world=on.world, settings=Settings(), bundle=bundle_of(integration=SHOP)
        )
        conductor.due("shop", "orders")
        await asyncio.sleep(WAIT_IN_RUN_MAX_S)
        conductor.due("shop", "orders")
        await asyncio.sleep(7200)
        conductor.due("shop", "orders")
        await asyncio.sleep(1)
        runs = [(run.status, run.kind, run.error) async for run in on.store.runs(None)]

    assert runs == [
        ("done", "", ""),
        ("failed", "rate", "GET /orders answered 429; the provider asks to wait 2h"),
    ]
    assert on.ear.of(RunSkipped) == [
        RunSkipped(
            integration="shop",
            stream="orders",
            reason="the provider asked for a time without requests",
        )
    ]
    used_up()
