"""What a stream would ask next, told without asking and without a secret."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from integrationd.engine.appointments import expected_times
from integrationd.engine.explaining import explain_integration, explain_stream
from integrationd.engine.plans import build_plan
from integrationd.model.runs import Mode
from integrationd.ports.store import ReadingState, StreamKey
from integrationd.transform.zones import Zone
from tests.support.fakes import START, answer, script
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
    return explain_stream(integration(), stream, stored or ReadingState(), now=START, full=full)


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
        "send_start": True,
        "size": {"into": "query.size", "value": 50, "exact": False},
        "full_pages": True,
    }
    assert told["incremental"] == {
        "field": "at",
        "count": False,
        "into": "query.since",
        "type": "number",
        "bound": "inclusive",
        "filter": "provider",
        "page": "last",
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


FEED = """\
integration: drive
http: {base_url: https://drive.test, retries: 0, paginate: none}
streams:
  files:
    get: /files
    key: id
    incremental: {cursor: headers.token, into: query.since}
    feed: {get: /changes, key: file, deleted: gone, from: {cursor: headers.token}}
  log:
    input: {id: {type: integer}}
    get: /log
    query: {id: "{{ input.id }}"}
    key: id
    paginate: {type: offset, into: query.skip, size: {into: query.limit, value: 9}}
    incremental: {count: true}
"""


@pytest.mark.looptime(start=0)
async def test_feed_and_count_are_explained_as_they_are_read():
    """After the list the feed is asked, and a counted list from its last record on."""
    provider, _ = script(
        ("GET https://drive.test/files", answer([{"id": 1}], token="t1")),
        ("GET https://drive.test/log?skip=0&limit=9", answer([{"id": 1}, {"id": 2}])),
        ("GET https://drive.test/log?skip=2&limit=9", answer([])),
    )
    (drive,) = bundle_of(drive=FEED).integrations.values()
    urls = []
    async with stage(provider) as on:
        for name in ("files", "log"):
            plan = build_plan(drive, name)
            assert (await on.sync(plan)).error == ""
            stored = await on.store.load_state(plan.tenant, plan.key, "")
            told = explain_stream(drive, name, stored, now=START, full=False)
            urls.append(told["request"]["url"])
            assert (told["feed"] is None) == (name == "log")

    assert urls == ["https://drive.test/changes?since=t1", "https://drive.test/log?skip=1&limit=9"]
    assert told["input"] == {"id": {"type": "integer"}}


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


def test_next_times_are_those_of_the_schedule():
    """One that was never read is due at once, a calendar has its next slot; the rest has none."""
    more = """\
  nightly: {get: /n, key: id, schedule: {at: "02:00", timezone: UTC}}
  byhand: {get: /n, key: id}
  off: {get: /n, key: id, schedule: 1h, enabled: false}
"""
    bundle = bundle_of(shop=SHOP + more)
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    orders, nightly = StreamKey("shop", "orders"), StreamKey("shop", "nightly")

    fresh = expected_times(bundle, {}, now, zone=Zone("UTC"))
    off = expected_times(bundle, {}, now, zone=Zone("UTC"), closed={"shop"})

    assert fresh.keys() == {orders, nightly}
    assert now <= fresh[orders] <= now + timedelta(seconds=1)
    assert fresh[nightly] == datetime(2026, 3, 2, 2, tzinfo=UTC)
    assert off == {}
    told = explain_integration(bundle.integrations["shop"], fresh)
    assert [(one["name"], one["next_run_at"] is None) for one in told["streams"]] == [
        ("orders", False),
        ("wrong", True),
        ("nightly", False),
        ("byhand", True),
        ("off", True),
    ]


def test_request_that_cannot_be_made_is_told():
    """With the reason, and all the rest as usual."""
    told = explain(stream="wrong")

    assert told["request"] is None
    assert "cursor" in told["error"]
    assert told["paginate"]["type"] == "page"


SEVERAL = """\
integration: several
config: {edition: pro}
http: {base_url: "https://api.test", paginate: {type: page, into: query.page}}
streams:
  finds:
    for_each: {list: [a], as: kind}
    steps:
    - {name: base, get: /base, when: "config.edition == 'pro'", output: body.names}
    - {name: open, post: "/contexts/{{ each.kind }}", json: {names: "{{ steps.base }}"}}
    - {name: since, get: /since, query: {at: "{{ cursor }}"}}
    get: "/finds/{{ steps.open.id }}"
    query: {names: "{{ steps.base | join(',') }}"}
    key: id
    incremental: {field: at}
  items:
    first_of:
    - {get: /v2/items, when: "config.edition == 'pro'"}
    - {get: /items, paginate: none}
    key: id
"""


def several(stream, stored=None):
    """Explain a stream that asks for several things."""
    found = bundle_of(several=SEVERAL).integrations["several"]
    return explain_stream(found, stream, stored or ReadingState(), now=START, full=False)


def test_steps_are_shown_before_the_request():
    """Each with its condition and how often it is made; names stand for what they would give."""
    told = several("finds")

    assert [
        (step["name"], step["when"], step["made_for"], step["request"]["url"])
        for step in told["steps"]
    ] == [
        ("base", "config.edition == 'pro'", "run", "https://api.test/base"),
        ("open", None, "each", "https://api.test/contexts/KIND"),
        ("since", None, "walk", "https://api.test/since"),
    ]
    assert told["steps"][1]["request"]["body"] == '{"names":["BASE"]}'
    assert told["request"]["url"] == "https://api.test/finds/OPEN.ID?names=BASE&page=1"
    assert told["error"] == ""


def test_every_form_of_a_request_is_shown():
    """In their order, each with its pages and its condition."""
    told = several("items")

    assert [(form["when"], form["request"]["url"]) for form in told["first_of"]] == [
        ("config.edition == 'pro'", "https://api.test/v2/items?page=1"),
        (None, "https://api.test/items"),
    ]
    assert told["request"] == told["first_of"][0]["request"]


def test_form_that_is_read_is_shown_alone():
    """A reading that broke off goes on with the one that it found."""
    prints = bundle_of(several=SEVERAL).integrations["several"].fingerprints["items"]
    stored = ReadingState(
        walking=True,
        mode=Mode.FULL,
        page_token={"first_of": 1, "token": None},
        fingerprint=prints.progress,
        identity=prints.identity,
    )

    assert [form["request"]["url"] for form in several("items", stored)["first_of"]] == [
        "https://api.test/items"
    ]
