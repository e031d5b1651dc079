"""Streams whose request has several forms: the first that finds something is read."""

import pytest

from integrationd.errors import UnavailableError
from integrationd.model.runs import RunStatus
from tests.support.fakes import answer, script
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SPEC = """\
integration: shop
config: {edition: %s, sites: [a, b]}
http:
  base_url: https://api.test
  paginate: {type: cursor, next: body.next, into: query.after}
  retries: 0
  limits: {concurrency: 1}
streams:
  items:
    first_of:
    - get: /v3/items
      when: "config.edition == 'pro'"
    - get: /v2/items
      found: "body.data != `null`"
      records: body.data
      errors: [{when: "status == `404`", then: skip}]
    - get: /v1/items
      paginate: {type: page, into: query.page, size: {into: query.limit, value: 2}}
      records: body
      errors: [{when: "status == `404`", then: skip}]
    key: id
%s
"""
V3, V2 = "GET https://api.test/v3/items", "GET https://api.test/v2/items"
V1 = "GET https://api.test/v1/items?page=%d&limit=2"
GONE = UnavailableError("the connection was closed")


def rows(*ids):
    """Return records."""
    return [{"id": key, "at": f"2026-01-0{key}T00:00:00Z"} for key in ids]


def plan(edition="basic", more=""):
    """Compile the stream."""
    return plan_of(SPEC % (edition, more), "items")


async def test_first_that_finds_something_is_read():
    """Its pages are asked for as it says, and the others are not asked."""
    provider, used_up = script(
        (V2, answer({"data": rows(1), "next": "x"})), (f"{V2}?after=x", answer({"data": rows(2)}))
    )
    async with stage(provider) as on:
        outcome = await on.sync(plan())
        found = await on.rows(plan())

    assert (outcome.error, sorted(found)) == ("", ["1", "2"])
    used_up()


@pytest.mark.parametrize(
    "passed", [answer({}, status=404), answer({"note": "moved"})], ids=["skipped", "not found"]
)
async def test_next_one_is_read_where_one_finds_nothing(passed):
    """A rule that skips and an untrue condition both pass on; pages and records are its own."""
    provider, used_up = script(
        (V2, passed), (V1 % 1, answer(rows(1, 2))), (V1 % 2, answer(rows(3)))
    )
    async with stage(provider) as on:
        outcome = await on.sync(plan())
        found = await on.rows(plan())

    assert (outcome.error, sorted(found)) == ("", ["1", "2", "3"])
    used_up()


async def test_condition_decides_whether_one_is_asked():
    """It is over the configuration and what was given before."""
    provider, used_up = script((V3, answer([])))
    async with stage(provider) as on:
        outcome = await on.sync(plan("pro"))

    assert outcome.error == ""
    used_up()


async def test_run_that_goes_on_stays_with_its_request():
    """A page token belongs to the request that gave it, so the others are not tried again."""
    provider, used_up = script(
        (V2, answer({}, status=404)),
        (V1 % 1, answer(rows(1, 2))),
        (V1 % 2, answer(rows(3, 4))),
        (V1 % 3, GONE),
        (V1 % 2, answer(rows(3, 4))),
        (V1 % 3, answer(rows(5))),
        (V2, answer({"data": rows(1, 2, 3, 4, 5)})),
    )
    async with stage(provider) as on:
        broken = await on.sync(plan())
        outcome = await on.sync(plan())
        anew = await on.sync(plan())
        found = await on.rows(plan())

    assert (broken.status, outcome.error, anew.error) == (RunStatus.FAILED, "", "")
    assert sorted(found) == ["1", "2", "3", "4", "5"]
    used_up()


async def test_each_partition_finds_its_own():
    """What one value has need not be what another has."""
    text = """\
integration: shop
http: {base_url: https://api.test, paginate: none, limits: {concurrency: 1}}
streams:
  items:
    for_each: {list: [a, b], as: site}
    first_of:
    - {get: "/new/{{ each.site }}", errors: [{when: "status == `404`", then: skip}]}
    - {get: "/old/{{ each.site }}"}
    key: id
"""
    provider, used_up = script(
        ("GET https://api.test/new/a", answer({}, status=404)),
        ("GET https://api.test/old/a", answer(rows(1))),
        ("GET https://api.test/new/b", answer(rows(2))),
    )
    async with stage(provider) as on:
        items = plan_of(text, "items")
        outcome = await on.sync(items)
        found = await on.rows(items)

    assert (outcome.error, sorted(found)) == ("", ["1", "2"])
    used_up()


async def test_windows_stay_with_the_request_of_the_first():
    """What is found is read to the end of the run."""
    text = """\
integration: shop
http: {base_url: https://api.test, paginate: none}
streams:
  items:
    first_of:
    - {get: /new, query: {to: "{{ window.end }}"}, errors: [{when: "status == `404`", then: skip}]}
    - {get: /old, query: {to: "{{ window.end }}"}}
    key: id
    incremental: {field: at, start: "2025-12-30T00:00:00Z", window: {step: 1d}}
"""
    ends = ["2025-12-31T00%3A00%3A00Z", "2026-01-01T00%3A00%3A00Z"]
    provider, used_up = script(
        (f"GET https://api.test/new?to={ends[0]}", answer({}, status=404)),
        (f"GET https://api.test/old?to={ends[0]}", answer([])),
        (f"GET https://api.test/old?to={ends[1]}", answer([])),
    )
    async with stage(provider) as on:
        outcome = await on.sync(plan_of(text, "items"))

    assert outcome.error == ""
    used_up()


async def test_nothing_found_fails_the_run():
    """An empty list that nobody stated would pass for everything being gone."""
    provider, used_up = script(
        (V2, answer({"data": rows(1)})),
        (V2, answer({"note": "x"})),
        (V1 % 1, answer({}, status=404)),
    )
    async with stage(provider) as on:
        await on.sync(plan())
        outcome = await on.sync(plan())
        found = await on.rows(plan())

    assert outcome.error == (
        "first_of: none of its requests finds anything: 'found' is not true of first_of[1]"
    )
    assert sorted(found) == ["1"]
    used_up()


async def test_all_skipped_reads_nothing_and_deletes_nothing():
    """Rules that say so of each answer are taken at their word."""
    provider, used_up = script(
        (V2, answer({"data": rows(1)})),
        (V2, answer({}, status=404)),
        (V1 % 1, answer({}, status=404)),
    )
    async with stage(provider) as on:
        await on.sync(plan())
        outcome = await on.sync(plan())
        found = await on.rows(plan())

    assert (outcome.status, outcome.counts.deleted, sorted(found)) == (RunStatus.DONE, 0, ["1"])
    used_up()


async def test_failure_names_the_request():
    """What no rule passes over ends the run: the others are not asked."""
    provider, used_up = script((V2, answer({}, status=403)))
    async with stage(provider) as on:
        outcome = await on.sync(plan())

    assert outcome.error == (
        "first_of[1]: GET /v2/items answered 403; no credentials were sent, say under http.auth "
        "which ones this provider wants"
    )
    used_up()
