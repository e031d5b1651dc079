"""What a stream would ask next, told without asking and without a secret."""

import json

import pytest

from integrationd.engine.explaining import explain_stream
from integrationd.ports.store import ReadingState
from tests.support.fakes import answer, script
from tests.support.worlds import bundle_of, plan_of, stage

SHOP = """\
integration: shop
config: {site: acme}
secrets: {token: {}}
http:
  base_url: "https://{{ config.site }}.test/api"
  auth: {type: bearer, token: "{{ secrets.token }}"}
  headers: {x-key: "k-{{ secrets.token }}"}
  paginate: {type: page, into: query.page, size: {into: query.size, value: 50}}
streams:
  orders:
    get: /orders
    records: body.data
    key: [kind, id]
    incremental: {field: at, into: query.since, type: number, lookback: 5}
    schedule: 30m
  wrong: {get: "/x/{{ cursor }}", key: id, incremental: {field: at, into: query.since}}
"""


def integration():
    """Return the compiled integration."""
    return bundle_of(shop=SHOP).integrations["shop"]


def explain(stored=None, *, stream="orders", full=False):
    """Explain one stream."""
    return explain_stream(integration(), stream, stored or ReadingState(), full=full)


def test_request_is_whole_and_without_a_secret():
    """Paging, credentials and fixed headers are in it, as they would be sent."""
    assert explain()["request"] == {
        "method": "GET",
        "url": "https://acme.test/api/orders?page=1&size=50",
        "headers": {
            "x-key": "k-***",
            "authorization": "Bearer ***",
            "accept": "application/json",
        },
        "body": None,
    }


def test_what_made_it_is_told():
    """As an author would write it, defaults included."""
    told = explain()

    assert told["paginate"] == {
        "type": "page",
        "into": "query.page",
        "start": 1,
        "size": {"into": "query.size", "value": 50},
        "full_pages": True,
    }
    assert told["incremental"] == {
        "field": "at",
        "into": "query.since",
        "type": "number",
        "lookback": 5,
        "sorted": False,
    }
    assert (told["records"], told["key"]) == ("body.data", ["kind", "id"])
    assert (told["entity"], told["mapping"], told["schedule"]) == ("shop.orders", None, "30m")
    assert sorted(told["fingerprints"]) == ["identity", "reading", "shape"]
    assert json.loads(json.dumps(told)) == told


@pytest.mark.looptime(start=0)
async def test_next_reading_is_what_the_run_then_asks():
    """The explained URL is the one that the next run begins with, cursor and lookback included."""
    url = "https://acme.test/api/orders"
    provider, used_up = script(
        (f"GET {url}?page=1&size=50", answer({"data": [{"kind": "a", "id": 1, "at": 40}]})),
        (f"GET {url}?page=2&size=50", answer({"data": []})),
        (f"GET {url}?since=35&page=1&size=50", answer({"data": []})),
    )
    async with stage(provider, token="t") as on:
        plan = plan_of(SHOP, "orders")
        await on.sync(plan)
        told = explain(await on.store.load_state(plan.tenant, plan.key, ""))
        await on.sync(plan)

    assert told["request"]["url"] == f"{url}?since=35&page=1&size=50"
    assert told["reading"] == {"mode": "incremental", "resumed": False, "cursor": 40, "waits": ""}
    used_up()


@pytest.mark.looptime(start=0)
async def test_full_reading_can_be_explained_as_well():
    """Whatever is stored, nothing of it is sent."""
    provider, _ = script(("GET https://acme.test/api/orders?page=1&size=50", answer({"data": []})))
    async with stage(provider, token="t") as on:
        plan = plan_of(SHOP, "orders")
        await on.sync(plan)
        stored = await on.store.load_state(plan.tenant, plan.key, "")

    told = explain(stored, full=True)
    assert (told["reading"]["mode"], "since" in told["request"]["url"]) == ("full", False)


def test_request_that_cannot_be_made_is_told():
    """With the reason, and all the rest as usual."""
    told = explain(stream="wrong")

    assert told["request"] is None
    assert "cursor" in told["error"]
    assert told["paginate"]["type"] == "page"
