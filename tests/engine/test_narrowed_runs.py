"""Runs that a person narrows with ``--input``: what they ask for, and what they leave alone."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from integrationd.engine.run_details import describe_run
from integrationd.errors import UnavailableError
from integrationd.model.runs import RunStatus
from tests.support.fakes import Provider, answer, script
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SHOP = """\
integration: shop
http:
  base_url: https://api.test/v1
  retries: 0
  paginate: {type: cursor, next: body.next, into: query.after}
streams:
  orders:
    input: {id: {type: integer}, kind: {type: string, default: sale}}
    get: /orders
    query: {ids: "{{ input.id }}", kind: "{{ input.kind }}"}
    records: body.data
    key: id
    incremental: {field: at, into: query.since, type: number}
"""
URL = "GET https://api.test/v1/orders?kind=sale"


def page(*rows, then=None):
    """Answer with rows of (id, at)."""
    return answer({"data": [{"id": key, "at": at} for key, at in rows], "next": then})


async def test_narrowed_run_leaves_everything_else_alone():
    """It stores what it reads; cursor, what it does not see and how the stream stands stay."""
    provider, used_up = script(
        (URL, page((1, 1), (2, 5))),
        ("GET https://api.test/v1/orders?ids=1&kind=sale", page((1, 9))),
        (f"{URL}&since=5", page((2, 5))),
    )
    plan = plan_of(SHOP, "orders")
    async with stage(provider) as on:
        await on.sync(plan)
        before = await on.store.load_state(plan.tenant, plan.key, "")
        outcome = await on.sync(plan, id="1")
        after = await on.store.load_state(plan.tenant, plan.key, "")

        assert (outcome.status, outcome.counts.changed) == (RunStatus.DONE, 1)
        assert after == before
        assert await on.rows(plan) == {"1": {"id": 1, "at": 9}, "2": {"id": 2, "at": 5}}
        (row,) = await on.store.streams(plan.tenant)
        assert row.last_run is not None
        assert row.last_run.id != outcome.run_id
        details = await describe_run(on.store, outcome.run_id, 5)
        assert (details["mode"], details["input"]) == ("input", {"id": 1})
        await on.sync(plan)
    used_up()


async def test_failed_narrowed_run_is_not_gone_on_with():
    """What it had stored stays, the stream does not count as failing, and its walk goes on."""
    provider, used_up = script(
        (URL, page((1, 1), then="a")),
        (f"{URL}&after=a", UnavailableError("the line broke")),
        ("GET https://api.test/v1/orders?ids=7&kind=sale", page((7, 7), then="x")),
        ("GET https://api.test/v1/orders?ids=7&kind=sale&after=x", UnavailableError("gone")),
        (URL, page((1, 1), then="a")),
        (f"{URL}&after=a", page((2, 2))),
    )
    plan = plan_of(SHOP, "orders")
    async with stage(provider) as on:
        await on.sync(plan)
        narrowed = await on.sync(plan, id="7")
        assert (narrowed.status, narrowed.error) == (RunStatus.FAILED, "gone")
        (row,) = await on.store.streams(plan.tenant)
        assert row.errors == 1
        resumed = await on.sync(plan)

        assert resumed.status is RunStatus.DONE
        assert sorted(await on.rows(plan)) == ["1", "2", "7"]
        # What was read by the walk that began before stands: nothing of it was deleted.
        assert [run.mode async for run in on.store.runs(plan.tenant)] == ["full", "input", "full"]
    used_up()


@pytest.mark.parametrize(
    ("rule", "texts", "asked"),
    [
        ("field: at, into: query.since, type: number, lookback: 5", {"since": "3"}, ["since=3"]),
        ("field: at, into: query.since", {"since": "2026-01-01"}, ["since=2026-01-01"]),
        (
            "field: at, into: query.since, format: unix, lookback: 1h",
            {"since": "2026-01-01"},
            ["since=1767225600"],
        ),
        (
            "field: at, into: query.since, timezone: Europe/Berlin, format: iso",
            {"since": "2026-01-01"},
            ["since=2025-12-31T23%3A00%3A00Z"],
        ),
        (
            (
                "field: at, into: query.since, start: 2020-01-01, format: date, "
                "window: {step: 20d, into: query.until}"
            ),
            {"since": "2025-01-01", "until": "2025-02-01"},
            [
                "since=2025-01-01&until=2025-01-21",
                "since=2025-01-21&until=2025-02-01",
            ],
        ),
    ],
)
async def test_span_of_time_needs_no_declaration(rule, texts, asked):
    """Where the stream reads by a value of its records, ``since`` and ``until`` are its bounds."""
    seen = []

    def respond(line, _headers):
        seen.append(urlsplit(line.split(" ", 1)[1]).query)
        return answer([])

    spec = f"""\
integration: shop
http: {{base_url: https://api.test, paginate: none}}
streams:
  orders: {{get: /orders, key: id, incremental: {{{rule.replace("2020-01-01", '"2020-01-01"')}}}}}
"""
    plan = plan_of(spec, "orders")
    async with stage(Provider(respond)) as on:
        outcome = await on.sync(plan, **texts)

        assert (outcome.status, outcome.error) == (RunStatus.DONE, "")
    assert seen == asked


async def test_what_is_typed_is_no_template():
    """Signs of a template in it are sent as they are; a secret cannot be had so."""
    seen = []

    def respond(line, _headers):
        seen.append(parse_qs(urlsplit(line.split(" ", 1)[1]).query)["since"])
        return answer([])

    spec = """\
integration: shop
secrets: {key: {}}
http: {base_url: https://api.test, paginate: none}
streams:
  orders: {get: /orders, key: id, incremental: {field: at, into: query.since, type: text}}
"""
    plan = plan_of(spec, "orders")
    async with stage(Provider(respond), key="sesame") as on:
        await on.sync(plan, since="{{ secrets.key }}")
    assert seen == [["{{ secrets.key }}"]]


FAMILY = """\
integration: school
http: {base_url: https://api.test, paginate: none}
streams:
  people:
    for_each: {list: [1, 2, 3], as: course}
    get: /courses/{{ each.course }}
    key: id
    incremental: {field: at, into: query.since, type: number}
"""


async def test_one_partition_can_be_read():
    """By the name of its value; the others' progress, and its own, stay."""
    asked = []

    def respond(line, _headers):
        asked.append(line.removeprefix("GET https://api.test"))
        course = int(line.split("/courses/")[1].partition("?")[0])
        return answer([{"id": course, "at": 10 + course}])

    plan = plan_of(FAMILY, "people")
    async with stage(Provider(respond)) as on:
        await on.sync(plan)
        before = await on.store.load_partitions(plan.tenant, plan.key)
        asked.clear()
        outcome = await on.sync(plan, course="2", since="4")

        assert (outcome.status, asked) == (RunStatus.DONE, ["/courses/2?since=4"])
        assert await on.store.load_partitions(plan.tenant, plan.key) == before
        unknown = await on.sync(plan, course="9")
        assert (unknown.status, unknown.error) == (
            RunStatus.FAILED,
            "input.course: nothing is read for '9'",
        )


async def test_narrowed_run_of_a_list_by_steps_sweeps_nothing():
    """A complete one of a stream without a cursor sees only what it asked for."""
    served = {"": [{"id": 1}, {"id": 2}], "id=2": [{"id": 2}]}

    def respond(line, _headers):
        return answer(served[urlsplit(line.split(" ", 1)[1]).query])

    spec = """\
integration: shop
http: {base_url: https://api.test, paginate: none}
streams:
  orders: {input: {id: {}}, get: /orders, query: {id: "{{ input.id }}"}, key: id}
"""
    plan = plan_of(spec, "orders")
    async with stage(Provider(respond)) as on:
        await on.sync(plan)
        outcome = await on.sync(plan, id="2")

        assert (outcome.status, outcome.counts.deleted) == (RunStatus.DONE, 0)
        assert json.dumps(await on.rows(plan)) == '{"1": {"id": 1}, "2": {"id": 2}}'
        assert await on.store.last_whole(plan.tenant, plan.key) is not None


async def test_records_from_before_any_reading_keep_their_names():
    """Another key is refused as ever, and the first reading that is whole finds what is gone."""
    served = {"": [{"id": 1, "nr": 7}], "only=2": [{"id": 2, "nr": 8}]}

    def respond(line, _headers):
        return answer(served[urlsplit(line.split(" ", 1)[1]).query])

    spec = """\
integration: shop
http: {base_url: https://api.test, paginate: none}
streams:
  orders: {input: {only: {}}, get: /orders, query: {only: "{{ input.only }}"}, key: id}
"""
    async with stage(Provider(respond)) as on:
        await on.sync(plan_of(spec, "orders"), only="2")
        refused = await on.sync(plan_of(spec.replace("key: id", "key: nr"), "orders"))
        assert refused.error.startswith("the key of shop/orders changed from 'id' to 'nr'")
        assert sorted(await on.rows(plan_of(spec, "orders"))) == ["2"]
        outcome = await on.sync(plan_of(spec, "orders"))

        assert (outcome.status, outcome.counts.deleted) == (RunStatus.DONE, 1)
        assert sorted(await on.rows(plan_of(spec, "orders"))) == ["1"]
