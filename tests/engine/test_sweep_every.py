"""``sweep: {every: 7d}``: a stream that is read from its cursor is read in full now and then."""

import asyncio

import pytest

from integrationd.engine.sync import RunWish, sync_stream
from integrationd.errors import UnavailableError
from integrationd.model.runs import Trigger
from tests.support.fakes import answer, script
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SHOP = """\
integration: shop
http:
  base_url: https://api.test
  retries: 0
  paginate: {type: cursor, next: body.next, into: query.after}
streams:
  orders:
    get: /orders
    records: body.data
    key: id
    incremental: {field: at, into: query.since, type: number}
    sweep: {every: 7d}
"""
URL = "GET https://api.test/orders"
DAY = 86400


def page(*rows, then=None):
    """Answer with rows of (id, at)."""
    return answer({"data": [{"id": key, "at": at} for key, at in rows], "next": then})


async def test_what_is_gone_is_noticed_within_the_time():
    """Between two full readings the cursor is used; a full one by hand counts too."""
    provider, used_up = script(
        (URL, page((1, 1), (2, 2))),
        (f"{URL}?since=2", page((2, 2))),
        (URL, page((2, 2))),
        (f"{URL}?since=2", page()),
        (URL, page((2, 2))),
        (f"{URL}?since=2", page()),
    )
    plan = plan_of(SHOP, "orders")
    async with stage(provider) as on:
        await on.sync(plan)
        await asyncio.sleep(6 * DAY)
        await on.sync(plan)
        await asyncio.sleep(1 * DAY)
        assert (await on.sync(plan)).counts.deleted == 1
        await asyncio.sleep(6 * DAY)
        await on.sync(plan)
        await on.sync(plan, full=True)
        await asyncio.sleep(2 * DAY)
        await on.sync(plan)
    used_up()


async def test_full_reading_that_broke_off_is_gone_on_with_and_followed_by_another():
    """What is read in two parts tells nothing of what is gone."""
    provider, used_up = script(
        (URL, page((1, 1), then="a")),
        (f"{URL}?after=a", UnavailableError("the line broke")),
        (URL, page((1, 1), then="a")),
        (f"{URL}?after=a", page((2, 2))),
        (URL, page((1, 1))),
        (f"{URL}?since=2", page()),
    )
    plan = plan_of(SHOP, "orders")
    async with stage(provider) as on:
        for _ in range(4):
            last = await on.sync(plan)

        assert (last.error, list(await on.rows(plan))) == ("", ["1"])
    used_up()


async def test_webhook_does_not_wait_for_a_full_reading():
    """It asks for what is new; the next scheduled run reads everything."""
    provider, used_up = script((URL, page((1, 1))), (f"{URL}?since=1", page()), (URL, page()))
    plan = plan_of(SHOP, "orders")
    async with stage(provider) as on:
        await on.sync(plan)
        await asyncio.sleep(8 * DAY)
        for trigger in (Trigger.WEBHOOK, Trigger.SCHEDULE):
            wish = RunWish(trigger=trigger)
            await sync_stream(on.world, plan, wish, settings=on.settings, budget=None)
    used_up()
