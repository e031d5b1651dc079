"""Answers that are no page, under each kind of paging: no body behind the last one, and HTML."""

import pytest

from integrationd.model.runs import RunStatus
from integrationd.wire.messages import Request
from tests.support.fakes import Provider, answer
from tests.support.paging import EVERY
from tests.support.paging import Provider as Pages
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SHOP = """\
integration: shop
http: {base_url: https://api.test}
streams:
  orders:
    get: "/v1/{token}/orders"
    records: body.data
    key: id
    paginate: %s
"""
HTML = b"<!DOCTYPE html><title>Down for maintenance</title>"
BLANK = {"204": (b"", 204), "null": (b"null", 200), "empty": (b"", 200)}
# Where the token goes into a body the fake, which looks at lines and headers, cannot page.
KINDS = [text for text in EVERY if "json." not in text]


class Shop:
    """Pages of a list, and another answer from some page on."""

    def __init__(self, instead, after):
        self.pages, self.instead, self.after = Pages(8, 4, []), instead, after

    def __call__(self, line, headers):
        """Answer one call."""
        request = Request(method="GET", url=line.removeprefix("GET "), headers=headers)
        reply = self.pages.answer(request)
        if self.instead is not None and len(self.pages.asked) > self.after:
            body, status = self.instead
            return answer(body, status=status)
        return answer(reply["body"], **reply["headers"])


@pytest.mark.parametrize("text", KINDS)
@pytest.mark.parametrize("blank", BLANK)
async def test_page_without_a_body_ends_the_list(text, blank):
    """As the second page: what came before is kept, and nothing goes where it may be a fault."""
    plan = plan_of(SHOP % text, "orders")
    shop = Shop(BLANK[blank], 1)
    async with stage(Provider(shop)) as on:
        outcome = await on.sync(plan)

        assert (outcome.status, outcome.error) == (RunStatus.DONE, "")
        assert len(await on.rows(plan)) == 4


@pytest.mark.parametrize("text", KINDS)
async def test_page_of_html_fails_the_run(text):
    """And never ends the list as if it had been its last page."""
    plan = plan_of(SHOP % text, "orders")
    async with stage(Provider(Shop((HTML, 200), 1))) as on:
        outcome = await on.sync(plan)

        assert outcome.status is RunStatus.FAILED
        assert outcome.error.endswith(
            "/orders is an HTML page titled 'Down for maintenance', expected JSON; "
            "is base_url right?"
        )
        assert len(await on.rows(plan)) == 4


@pytest.mark.parametrize("text", KINDS)
async def test_full_reading_behind_a_faulty_answer_deletes_nothing(text):
    """Nothing at all with status 200 may be a fault; 204 says that there is nothing."""
    plan = plan_of(SHOP % text, "orders")
    shop = Shop(None, 99)
    async with stage(Provider(shop)) as on:
        await on.sync(plan)
        shop.instead, shop.after = BLANK["empty"], len(shop.pages.asked) + 1
        outcome = await on.sync(plan, full=True)

        assert (outcome.status, outcome.counts.deleted) == (RunStatus.DONE, 0)
        assert len(await on.rows(plan)) == 8


FEED = """\
integration: shop
http: {base_url: https://api.test, paginate: %s}
streams:
  orders:
    get: "/v1/{token}/orders"
    records: body.data
    key: id
    incremental: {cursor: 'headers."x-total"', into: header.x-since}
    feed: {get: "/v1/{token}/orders", records: body.data, from: {cursor: 'headers."x-total"'}}
"""


@pytest.mark.parametrize("text", KINDS)
async def test_list_and_its_feed_are_walked_in_the_same_way(text):
    """Every page of both is read, and the feed alone from the second run on."""
    plan = plan_of(FEED % text, "orders")
    shop = Shop(None, 99)
    async with stage(Provider(shop)) as on:
        await on.sync(plan)
        assert (len(await on.rows(plan)), await on.cursor(plan)) == (8, "8")
        asked = len(shop.pages.asked)
        outcome = await on.sync(plan)

        assert (outcome.status, outcome.error, outcome.counts.read) == (RunStatus.DONE, "", 8)
        assert all("x-since" in line for line in shop.pages.asked[asked:])
        assert not any("x-since" in line for line in shop.pages.asked[:asked])


@pytest.mark.parametrize("text", KINDS)
@pytest.mark.parametrize("blank", BLANK)
async def test_feed_with_a_page_without_a_body_ends_there(text, blank):
    """What came before is kept; and nothing is taken for gone."""
    plan = plan_of(FEED % text, "orders")
    shop = Shop(None, 99)
    async with stage(Provider(shop)) as on:
        await on.sync(plan)
        shop.instead, shop.after = BLANK[blank], len(shop.pages.asked) + 1
        outcome = await on.sync(plan)

        assert (outcome.status, outcome.counts.read, outcome.counts.deleted) == (
            RunStatus.DONE,
            4,
            0,
        )
        assert len(await on.rows(plan)) == 8
