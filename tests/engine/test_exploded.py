"""Streams whose records are taken apart: what is stored, where it stands, and what waits."""

import pytest

from integrationd.engine.replay import replay_stream
from integrationd.model.runs import RunStatus
from integrationd.ports.quarantine import QuarantineQuery
from tests.support.fakes import answer, script
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SHOP = """\
integration: shop
http:
  base_url: https://api.test
  retries: 0
  paginate: {type: offset, into: query.from, size: {into: query.size, value: 2}}
streams:
  lines:
    get: /orders
    records: body.orders
    explode: %s
    key: [order_id, line.id]
    incremental: {field: changed, type: number, into: query.since}
    mapping: line
"""
EXPLODE = "{path: lines, as: line, keep: {order_id: id, changed: changed}}"
MAPPING = """\
mapping: line
entity: order_line
fields: {sku: line.sku, order: order_id}
required: [sku]
"""
END = answer({"orders": []})
URL = "GET https://api.test/orders"


def order(number, *lines):
    """Build an order."""
    return {"id": number, "changed": number, "lines": list(lines)}


async def test_lines_are_stored_and_pages_counted_by_their_orders():
    """Paging goes by what the provider lists, the cursor and the key by what came of it."""
    provider, used_up = script(
        (f"{URL}?from=0&size=2", answer({"orders": [order(1, {"id": 1, "sku": "A"}), order(2)]})),
        (f"{URL}?from=2&size=2", answer({"orders": [order(3, {"id": 1, "sku": "B"})]})),
    )
    async with stage(provider) as on:
        outcome = await on.sync(plan := plan_of(SHOP % EXPLODE, "lines", mapping=MAPPING))
        rows = await on.rows(plan)
        state = await on.store.load_state(plan.tenant, plan.key, "")

    assert rows == {"1/1": {"sku": "A", "order": 1}, "3/1": {"sku": "B", "order": 3}}
    assert outcome.counts.read == 2
    assert state.high_water == 3
    used_up()


async def test_quarantine_keeps_the_line_and_maps_it_again():
    """What waits is what came of the record, with what it keeps of it."""
    page = {"orders": [order(1, {"id": 1, "sku": "A"}, {"id": 2, "article": "B"})]}
    provider, used_up = script(
        (f"{URL}?from=0&size=2", answer(page)), (f"{URL}?from=1&size=2", END)
    )
    mended = MAPPING.replace("line.sku", "line.sku || line.article")
    async with stage(provider) as on:
        plan = plan_of(SHOP % EXPLODE, "lines", mapping=MAPPING)
        await on.sync(plan)
        query = QuarantineQuery(integration="shop", stream="lines", ids=())
        (row,) = [row async for row in on.store.quarantine(plan.tenant, query)]
        plan = plan_of(SHOP % EXPLODE, "lines", mapping=mended)
        outcome = await replay_stream(on.world, plan)
        rows = await on.rows(plan)

    assert row.source == {"line": {"id": 2, "article": "B"}, "order_id": 1, "changed": 1}
    assert (outcome.status, outcome.counts.quarantined) == (RunStatus.DONE, 0)
    assert rows["1/2"] == {"sku": "B", "order": 1}
    used_up()


async def test_a_list_that_cannot_be_found_fails_the_page():
    """As where records are not found."""
    provider, used_up = script((f"{URL}?from=0&size=2", answer({"orders": [order(1)]})))
    async with stage(provider) as on:
        outcome = await on.sync(plan_of(SHOP % "lower(id)", "lines", mapping=MAPPING))

    assert outcome.status is RunStatus.FAILED
    assert outcome.error == ("explode: function lower() got number, expected string")
    used_up()


async def test_a_page_that_comes_again_is_known_by_its_orders():
    """Also where none of them has a line."""
    same = answer({"orders": [order(1), order(2)]})
    provider, used_up = script((f"{URL}?from=0&size=2", same), (f"{URL}?from=2&size=2", same))
    async with stage(provider) as on:
        outcome = await on.sync(plan_of(SHOP % EXPLODE, "lines", mapping=MAPPING))

    assert outcome.status is RunStatus.FAILED
    assert outcome.error == (
        "page 2 holds what page 1 held; the provider may not know the parameter that 'paginate' "
        "sends"
    )
    used_up()


def test_another_way_to_take_apart_is_another_shape():
    """What is stored is made anew; the key and what is asked for stay."""
    one, other = (
        plan_of(SHOP % text, "lines", mapping=MAPPING).prints
        for text in (EXPLODE, EXPLODE.replace("as: line", "as: line, keep_empty: true"))
    )

    assert one.shape != other.shape
    assert (one.identity, one.reading) == (other.identity, other.reading)
