"""Streams that ask for something before they are read."""

import pytest

from integrationd.errors import UnavailableError
from integrationd.model.runs import RunStatus
from tests.support.fakes import answer, script
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SPEC = """\
integration: shop
config: {kinds: [a, b]}
http:
  base_url: https://api.test
  paginate: {type: cursor, next: body.next, into: query.after}
  retries: 0
  limits: {concurrency: 1}
streams:
  orders:
    steps:
%s
    post: "/search/{{ steps.open.id }}"
    records: body.data
    key: id
%s
"""
OPEN = "    - {name: open, post: /contexts, output: {id: body.context}}"
SEARCH = "POST https://api.test/search/7"
OPENED = ("POST https://api.test/contexts", answer({"context": 7}))
GONE = UnavailableError("the connection was closed")


def page(*ids, after=None, path="7"):
    """Return an answer with records."""
    data = [{"id": key, "at": f"2026-01-0{key}T00:00:00Z"} for key in ids]
    return answer({"data": data, "next": after})


def spec(*steps, more=""):
    """Write a stream with these steps."""
    return SPEC % ("\n".join(steps), more)


async def test_step_is_made_once_for_all_pages():
    """What it gives is there for each page, and it is made anew by the next run."""
    provider, used_up = script(
        OPENED,
        (SEARCH, page(1, after="x")),
        (f"{SEARCH}?after=x", page(2)),
        OPENED,
        (SEARCH, page(1, 2)),
    )
    async with stage(provider) as on:
        plan = plan_of(spec(OPEN), "orders")
        outcome = await on.sync(plan)
        again = await on.sync(plan)
        rows = await on.rows(plan)

    assert (outcome.error, again.error, sorted(rows)) == ("", "", ["1", "2"])
    assert (outcome.counts.requests, outcome.counts.pages) == (3, 2)
    used_up()


async def test_run_that_goes_on_makes_its_steps_anew():
    """A page is asked for with what the new step gave."""
    provider, used_up = script(
        OPENED,
        (SEARCH, page(1, after="x")),
        (f"{SEARCH}?after=x", GONE),
        ("POST https://api.test/contexts", answer({"context": 8})),
        ("POST https://api.test/search/8", page(1, after="y")),
        ("POST https://api.test/search/8?after=y", page(2)),
    )
    async with stage(provider) as on:
        plan = plan_of(spec(OPEN), "orders")
        broken = await on.sync(plan)
        outcome = await on.sync(plan)

    assert (broken.status, outcome.error) == (RunStatus.FAILED, "")
    used_up()


async def test_later_step_uses_an_earlier_one():
    """One that is not wanted gives null, and is not asked."""
    steps = (
        '    - {name: shop, get: /shops, query: {name: main}, output: "body[0].id"}',
        '    - {name: idle, get: /idle, when: "steps.shop == `null`"}',
        '    - {name: open, post: "/shops/{{ steps.shop }}/contexts", when: "!(steps.idle)"}',
    )
    provider, used_up = script(
        ("GET https://api.test/shops?name=main", answer([{"id": 5}])),
        ("POST https://api.test/shops/5/contexts", answer({"id": 7})),
        (SEARCH, page(1)),
    )
    async with stage(provider) as on:
        outcome = await on.sync(plan_of(spec(*steps), "orders"))

    assert outcome.error == ""
    used_up()


async def test_step_that_fails_ends_the_run_by_its_name():
    """Nothing is read, and what it asked is counted."""
    provider, used_up = script(("POST https://api.test/contexts", answer({}, status=403)))
    async with stage(provider) as on:
        outcome = await on.sync(plan_of(spec(OPEN), "orders"))

    assert outcome.error == (
        "steps.open: POST /contexts answered 403; no credentials were sent, say under http.auth "
        "which ones this provider wants"
    )
    assert (outcome.counts.requests, outcome.counts.pages) == (1, 0)
    used_up()


async def test_step_with_a_value_is_made_for_each_partition():
    """One without is made once for all of them."""
    steps = (
        "    - {name: base, get: /base, output: body.id}",
        '    - {name: open, post: "/contexts/{{ steps.base }}/{{ each.kind }}"}',
    )
    more = '    for_each: {list: "{{ config.kinds }}", as: kind}'
    provider, used_up = script(
        ("GET https://api.test/base", answer({"id": 9})),
        ("POST https://api.test/contexts/9/a", answer({"id": 1})),
        ("POST https://api.test/search/1", page(1)),
        ("POST https://api.test/contexts/9/b", answer({"id": 2})),
        ("POST https://api.test/search/2", page(2)),
    )
    async with stage(provider) as on:
        plan = plan_of(spec(*steps, more=more), "orders")
        outcome = await on.sync(plan)
        rows = await on.rows(plan)

    assert (outcome.error, sorted(rows), outcome.counts.requests) == ("", ["1", "2"], 5)
    used_up()


async def test_step_that_uses_one_of_a_partition_is_made_as_often():
    """Whatever is made of a value belongs to that value."""
    steps = (
        '    - {name: group, get: "/groups/{{ each.kind }}", output: body.id}',
        '    - {name: open, post: "/contexts/{{ steps.group }}"}',
    )
    more = '    for_each: {list: "{{ config.kinds }}", as: kind}'
    provider, used_up = script(
        ("GET https://api.test/groups/a", answer({"id": 8})),
        ("POST https://api.test/contexts/8", answer({"id": 1})),
        ("POST https://api.test/search/1", page(1)),
        ("GET https://api.test/groups/b", answer({"id": 9})),
        ("POST https://api.test/contexts/9", answer({"id": 2})),
        ("POST https://api.test/search/2", page(2)),
    )
    async with stage(provider) as on:
        outcome = await on.sync(plan_of(spec(*steps, more=more), "orders"))

    assert outcome.error == ""
    used_up()


async def test_step_of_a_partition_that_fails_leaves_the_others():
    """It is that partition's failure."""
    more = '    for_each: {list: "{{ config.kinds }}", as: kind}'
    provider, used_up = script(
        ("POST https://api.test/contexts/a", answer({}, status=404)),
        ("POST https://api.test/contexts/b", answer({"id": 2})),
        ("POST https://api.test/search/2", page(2)),
    )
    async with stage(provider) as on:
        text = spec('    - {name: open, post: "/contexts/{{ each.kind }}"}', more=more)
        outcome = await on.sync(plan_of(text, "orders"))

    assert outcome.error == (
        "1 of 2 parts failed: kind=a: steps.open: POST /contexts/a answered 404; there is no such "
        "thing, or the path or http.base_url is wrong"
    )
    used_up()


async def test_step_of_all_that_fails_asks_for_no_partition():
    """It is not tried once for each of them."""
    more = '    for_each: {list: "{{ config.kinds }}", as: kind}'
    provider, used_up = script(("POST https://api.test/contexts", answer({}, status=404)))
    async with stage(provider) as on:
        outcome = await on.sync(plan_of(spec(OPEN, more=more), "orders"))

    assert outcome.error == (
        "steps.open: POST /contexts answered 404; there is no such thing, or the path or "
        "http.base_url is wrong"
    )
    used_up()


async def test_step_with_the_cursor_is_made_for_each_walk():
    """In the first reading the cursor is left out."""
    step = '    - {name: open, post: /contexts, query: {since: "{{ cursor }}"}}'
    provider, used_up = script(
        ("POST https://api.test/contexts", answer({"id": 7})),
        (SEARCH, page(1)),
        ("POST https://api.test/contexts?since=2026-01-01T00%3A00%3A00Z", answer({"id": 8})),
        ("POST https://api.test/search/8", page(1)),
    )
    async with stage(provider) as on:
        plan = plan_of(spec(step, more="    incremental: {field: at}"), "orders")
        outcome = await on.sync(plan)
        again = await on.sync(plan)

    assert (outcome.error, again.error) == ("", "")
    used_up()


async def test_skipped_step_deletes_nothing():
    """What is read then may be less than there is."""
    step = (
        '    - {name: scope, get: /scope, errors: [{when: "status == `404`", then: skip}]}\n'
        '    - {name: open, post: /contexts, json: {scope: "{{ steps.scope }}"}}'
    )
    provider, used_up = script(
        ("GET https://api.test/scope", answer({"all": True})),
        ("POST https://api.test/contexts", answer({"id": 7})),
        (SEARCH, page(1, 2)),
        ("GET https://api.test/scope", answer({}, status=404)),
        ("POST https://api.test/contexts", answer({"id": 7})),
        (SEARCH, page(1)),
    )
    async with stage(provider) as on:
        plan = plan_of(spec(step), "orders")
        await on.sync(plan)
        outcome = await on.sync(plan)
        rows = await on.rows(plan)

    assert (outcome.error, outcome.counts.deleted, sorted(rows)) == ("", 0, ["1", "2"])
    used_up()


async def test_records_are_read_with_what_a_step_gave():
    """A list of names in one answer makes fields of the rows in another."""
    text = """\
integration: sheets
http: {base_url: https://api.test, paginate: none}
streams:
  rows:
    steps:
    - {name: schema, get: /schema, output: body.fields}
    get: /rows
    query: {fields: "{{ steps.schema | join(',') }}"}
    records: "rows_to_objects([var('steps.schema'), body.rows[0], body.rows[1]])"
    key: id
"""
    provider, used_up = script(
        ("GET https://api.test/schema", answer({"fields": ["id", "name"]})),
        (
            "GET https://api.test/rows?fields=id%2Cname",
            answer({"rows": [[1, "Ann"], [2, "Bob"]]}),
        ),
    )
    async with stage(provider) as on:
        plan = plan_of(text, "rows")
        outcome = await on.sync(plan)
        rows = await on.rows(plan)

    assert (outcome.error, rows["2"]) == ("", {"id": 2, "name": "Bob"})
    used_up()
