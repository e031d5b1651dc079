"""However a run ends, there is an outcome, and the next run can begin."""

from dataclasses import replace
from datetime import timedelta

import pytest

from integrationd.errors import StoreError
from integrationd.model.runs import RunStatus
from tests.support.fakes import START, answer, script
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SHOP = """\
integration: shop
http:
  base_url: https://api.test
  paginate: {type: cursor, next: body.next, into: query.after}
streams:
  orders: {get: /orders, records: body.data, key: id%s}
"""
URL = "GET https://api.test/orders"


async def test_fault_of_our_own_is_a_failed_run_that_is_begun_anew():
    """An exception that nobody foresaw settles the run, and its page token is dropped."""
    provider, used_up = script(
        (URL, answer({"data": [{"id": 1}], "next": "a"})),
        (f"{URL}?after=a", ZeroDivisionError("planted")),
        (URL, answer({"data": [{"id": 1}], "next": None})),
    )
    async with stage(provider) as on:
        plan = plan_of(SHOP % "", "orders")
        failed = await on.sync(plan)
        stored = [run.status async for run in on.store.runs(None)]
        again = await on.sync(plan)

    assert (failed.status, failed.kind) == (RunStatus.FAILED, "permanent")
    assert failed.error == "a fault of this program, see its log"
    assert stored == ["failed"]
    assert again.status is RunStatus.DONE
    used_up()


class FullStore:
    """A store whose disk is full: all but pages still works."""

    def __init__(self, inner):
        self._inner = inner

    def __getattr__(self, name):
        return getattr(self._inner, name)

    async def commit_page(self, tenant, page):
        """Refuse."""
        raise StoreError("the disk is full")


async def test_store_that_refuses_is_an_outcome():
    """A store that cannot write fails the run with its reason instead of ending the program."""
    provider, _ = script((URL, answer({"data": [{"id": 1}], "next": None})))
    async with stage(provider) as on:
        on.world = replace(on.world, store=FullStore(on.store))
        outcome = await on.sync(plan_of(SHOP % "", "orders"))

    assert (outcome.status, outcome.error) == (RunStatus.FAILED, "the disk is full")


async def test_time_far_ahead_is_not_taken_for_a_cursor():
    """A broken date in the year 9999 is stored, and the cursor stays where the others are."""
    soon = (START + timedelta(hours=1)).isoformat()
    rows = [{"id": 1, "at": soon}, {"id": 2, "at": "9999-12-31T23:59:59+00:00"}]
    provider, _ = script((URL, answer({"data": rows, "next": None})))
    async with stage(provider) as on:
        plan = plan_of(SHOP % ", incremental: {field: at, into: query.since}", "orders")
        await on.sync(plan)

        assert await on.cursor(plan) == soon
        assert sorted(await on.rows(plan)) == ["1", "2"]


async def test_streams_that_share_an_entity_delete_nothing_of_each_other():
    """What one stream of an entity no longer has, the other may still have."""
    spec = SHOP.replace("key: id%s}", "key: id, mapping: shop.order}") + (
        "  latest: {get: /latest, records: body.data, key: id, mapping: shop.order}\n"
    )
    mapping = "mapping: shop.order\nentity: order\nfields: {id: id}\n"
    latest = "GET https://api.test/latest"
    provider, used_up = script(
        (URL, answer({"data": [{"id": 1}, {"id": 2}], "next": None})),
        (latest, answer({"data": [{"id": 2}], "next": None})),
        (URL, answer({"data": [{"id": 1}], "next": None})),
    )
    async with stage(provider) as on:
        orders = plan_of(spec, "orders", mapping=mapping)
        await on.sync(orders)
        await on.sync(plan_of(spec, "latest", mapping=mapping))
        outcome = await on.sync(orders)

    assert outcome.counts.deleted == 0
    used_up()


async def test_bad_record_that_is_gone_leaves_quarantine():
    """A complete reading lets go of what an earlier one set aside and the source no longer has."""
    bad, other = {"name": "no key"}, {"name": "another"}
    provider, _ = script(
        (URL, answer({"data": [{"id": 1}, bad], "next": None})),
        (URL, answer({}, status=400)),
        (URL, answer({"data": [{"id": 1}, other], "next": None})),
        (URL, answer({"data": [{"id": 1}], "next": None})),
    )
    waiting = []
    async with stage(provider) as on:
        plan = plan_of(SHOP % "", "orders")
        for _ in range(4):
            await on.sync(plan)
            waiting.append([row.source async for row in on.store.quarantine(plan.tenant)])

    assert waiting == [[bad], [bad], [other], []]


async def test_next_url_that_repeats_our_key_is_not_stored():
    """A page token that holds a secret is used and never written down; the walk is begun anew."""
    spec = (
        (SHOP % "")
        .replace(
            "paginate: {type: cursor, next: body.next, into: query.after}",
            "paginate: {type: next_url, next: body.next}\n"
            '  retries: 0\n  auth: {type: api_key, into: query.key, value: "{{ secrets.key }}"}',
        )
        .replace("http:", "secrets: {key: {env: INTEGRATIOND_SECRET_KEY}}\nhttp:")
    )
    following = f"{URL.removeprefix('GET ')}?page=2&key=CANARY"
    provider, _ = script(
        (f"{URL}?key=CANARY", answer({"data": [{"id": 1}], "next": following})),
        (f"GET {following}", answer({"data": [{"id": 2}], "next": f"{following}&again=1"})),
        (f"{URL}?page=2&again=1&key=CANARY", answer({}, status=503)),
    )
    async with stage(provider, key="CANARY") as on:
        plan = plan_of(spec, "orders")
        outcome = await on.sync(plan)
        state = await on.store.load_state(plan.tenant, plan.key, "")

    assert (outcome.counts.added, outcome.kind) == (2, "temporary")
    assert "CANARY" not in str(state)
