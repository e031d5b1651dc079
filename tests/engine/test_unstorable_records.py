"""A page with a record that nothing can store: it alone is set aside, the rest of it is kept."""

import json

import pytest

from integrationd.model.runs import RunStatus
from tests.support.fakes import answer, script
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SHOP = """\
integration: shop
http: {base_url: https://api.test, paginate: {type: cursor, next: body.next, into: query.after}}
streams:
  orders:
    get: /orders
    records: body.items
    key: id
    incremental: {field: rank, type: number, into: query.since}
"""
URL = "GET https://api.test/orders"
BAD = '{"id": "b", "rank": 5, "name": "x\\ud800"}'
GOOD = '{"id": "c", "rank": 2, "name": "nul\\u0000"}'


def page(*records, following="null", more=""):
    """Write a page as its provider does."""
    return answer(f'{{"items": [{", ".join(records)}], "next": {following}{more}}}'.encode())


async def test_the_rest_of_the_page_is_kept():
    """The bad record waits under its own key, with the place and what is there; paging goes on."""
    provider, used_up = script(
        (URL, page('{"id": "a", "rank": 1}', BAD, GOOD, following='"t"')),
        (f"{URL}?after=t", page('{"id": "d", "rank": 3}', '{"id": 1e400, "rank": 4}')),
    )
    async with stage(provider) as on:
        outcome = await on.sync(plan := plan_of(SHOP, "orders"))
        rows = await on.rows(plan)
        waiting = [row async for row in on.store.quarantine(plan.tenant)]
        cursor = await on.cursor(plan)

    assert (outcome.status, outcome.counts.quarantined) == (RunStatus.DONE, 2)
    assert rows == {
        "a": {"id": "a", "rank": 1},
        "c": {"id": "c", "rank": 2, "name": "nul\0"},
        "d": {"id": "d", "rank": 3},
    }
    assert [(row.fingerprint[:1], row.code, row.reason, row.source) for row in waiting] == [
        (
            "b",
            "json",
            "name: text with half a surrogate pair, which cannot be stored",
            {"id": "b", "rank": 5, "name": "x\\ud800"},
        ),
        (
            "#",
            "json",
            "id: a number that is too large, which cannot be stored",
            {"id": "1e400", "rank": 4},
        ),
    ]
    assert cursor == 5, "of a record that is set aside the cursor counts, as always"
    used_up()


@pytest.mark.parametrize("value", ["1e400", "9" * 5000])
async def test_a_cursor_that_cannot_be_stored_is_none(value):
    """It moves nothing: the state stays one that can be stored and compared."""
    provider, used_up = script(
        (URL, page('{"id": "a", "rank": 1}', f'{{"id": "b", "rank": {value}}}'))
    )
    async with stage(provider) as on:
        outcome = await on.sync(plan := plan_of(SHOP, "orders"))
        cursor = await on.cursor(plan)

    assert (outcome.status, outcome.counts.quarantined) == (RunStatus.DONE, 1)
    assert cursor == 1
    used_up()


@pytest.mark.parametrize("fine", [True, False])
async def test_a_record_that_was_stored_stays_while_its_new_version_waits(fine):
    """A complete reading does not delete it, and a later good version takes its place."""
    plan = plan_of(SHOP.partition("    incremental")[0], "orders")
    last = '{"id": "b", "name": "y"}' if fine else BAD
    provider, used_up = script((URL, page('{"id": "b"}')), (URL, page(BAD)), (URL, page(last)))
    async with stage(provider) as on:
        for _ in range(3):
            await on.sync(plan, full=True)
        rows = await on.rows(plan)
        waiting = [row async for row in on.store.quarantine(plan.tenant)]

    assert rows == {"b": {"id": "b", "name": "y"} if fine else {"id": "b"}}
    assert len(waiting) == (not fine)
    used_up()


async def test_a_page_token_that_cannot_be_stored_fails_the_page():
    """A walk that ended there would pass for a short one."""
    provider, used_up = script((URL, page('{"id": "a", "rank": 1}', following='"t\\udc00"')))
    async with stage(provider) as on:
        outcome = await on.sync(plan_of(SHOP, "orders"))

    assert (outcome.status, outcome.kind) == (RunStatus.FAILED, "permanent")
    assert outcome.error == (
        "the token of the next page: text with half a surrogate pair, which cannot be stored"
    )
    used_up()


async def test_rules_of_the_spec_see_such_an_answer():
    """An error in a success is found however the rest of the answer looks."""
    rule = "errors: [{when: body.error, then: fail, message: 'said {{ body.error }}'}]"
    spec = SHOP.replace("    get: /orders\n", f"    get: /orders\n    {rule}\n")
    provider, used_up = script((URL, page(more=', "error": "\\ud800"')))
    async with stage(provider) as on:
        outcome = await on.sync(plan_of(spec, "orders"))

    assert outcome.status is RunStatus.FAILED
    assert outcome.error.endswith("said \\ud800")
    used_up()


async def test_what_lies_outside_of_the_records_does_not_matter():
    """A number nobody reads keeps no record out."""
    provider, used_up = script((URL, page('{"id": "a", "rank": 1}', more=', "odd": 1e999')))
    async with stage(provider) as on:
        outcome = await on.sync(plan_of(SHOP, "orders"))

    assert (outcome.status, outcome.counts.added) == (RunStatus.DONE, 1)
    used_up()


async def test_lines_are_told_apart_as_well():
    """Of NDJSON the one line is set aside."""
    spec = SHOP.replace("    records: body.items\n", "    decode: ndjson\n")
    spec = spec.replace("{type: cursor, next: body.next, into: query.after}", "none")
    provider, used_up = script((URL, answer(f'{{"id": "a"}}\n{BAD}\n'.encode())))
    async with stage(provider) as on:
        outcome = await on.sync(plan := plan_of(spec, "orders"))
        rows = await on.rows(plan)

    assert (outcome.counts.added, outcome.counts.quarantined) == (1, 1)
    assert json.dumps(rows) == '{"a": {"id": "a"}}'
    used_up()
