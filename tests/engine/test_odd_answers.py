"""Answers that are no list: without a body, a page for people, rows of another length."""

import pytest

from integrationd.model.runs import RunStatus
from tests.support.fakes import answer, script
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SHOP = """\
integration: shop
http: {base_url: https://api.test}
secrets: {token: {env: INTEGRATIOND_SECRET_SHOP__TOKEN}}
streams:
  orders:
    get: /orders
    key: id
    paginate: %s
"""
ORDERS = "GET https://api.test/orders"
BY_PAGE = "{type: page, into: query.page, full_pages: false}"


@pytest.mark.parametrize(
    ("body", "status", "left"),
    [
        pytest.param(b"", 204, [], id="204"),
        pytest.param(b"null", 200, [], id="null"),
        pytest.param(b"[]", 200, [], id="list"),
        pytest.param(b"", 200, ["1"], id="nothing"),
        pytest.param(b" \n", 200, ["1"], id="blank"),
    ],
)
async def test_page_without_records_ends_the_list(body, status, left):
    """No answer of these is a failure; only where it says that there is nothing, things go."""
    provider, used_up = script((ORDERS, answer([{"id": 1}])), (ORDERS, answer(body, status=status)))
    async with stage(provider, token="t0p+s3cret/") as on:
        plan = plan_of(SHOP % "none", "orders")
        await on.sync(plan)
        outcome = await on.sync(plan, full=True)

        assert outcome.status is RunStatus.DONE
        assert [*await on.rows(plan)] == left
    used_up()


async def test_empty_answer_behind_the_last_page_ends_the_walk():
    """Some providers have 204 behind the last page."""
    provider, used_up = script(
        (f"{ORDERS}?page=1", answer([{"id": 1}])),
        (f"{ORDERS}?page=2", answer(b"", status=204)),
    )
    async with stage(provider, token="t0p+s3cret/") as on:
        plan = plan_of(SHOP % BY_PAGE, "orders")
        outcome = await on.sync(plan)

        assert (outcome.status, outcome.counts.pages) == (RunStatus.DONE, 2)
        assert [*await on.rows(plan)] == ["1"]
    used_up()


@pytest.mark.parametrize("kind", ["json", "ndjson", "csv", "xml"])
async def test_page_for_people_fails_the_run(kind):
    """Its title is told, without the secrets that are in it."""
    page = b"<!DOCTYPE html><title>Wrong key t0p+s3cret/ - Sign in</title>"
    provider, used_up = script((ORDERS, answer(page, content_type="text/html")))
    spec = SHOP.replace("key: id", f"key: id\n    decode: {kind}") % "none"
    async with stage(provider, token="t0p+s3cret/") as on:
        outcome = await on.sync(plan_of(spec, "orders"))

    expected = {"ndjson": "a JSON text in each line"}.get(kind, kind.upper())
    assert (outcome.status, outcome.kind) == (RunStatus.FAILED, "permanent")
    assert outcome.error == (
        "the answer of /orders is an HTML page titled 'Wrong key *** - Sign in', expected "
        f"{expected}; is base_url right?"
    )
    used_up()


async def test_page_for_people_can_be_tried_again():
    """A rule sees its text, so that maintenance need not fail a run."""
    page = b"<html><title>Maintenance</title>Back in five minutes</html>"
    rule = "errors: [{when: \"contains(to_string(body), 'Maintenance')\", then: retry}]"
    provider, used_up = script((ORDERS, answer(page)), (ORDERS, answer([{"id": 1}])))
    async with stage(provider, token="t0p+s3cret/") as on:
        spec = SHOP.replace("key: id", f"key: id\n    {rule}") % "none"
        outcome = await on.sync(plan_of(spec, "orders"))

    assert (outcome.status, outcome.counts.retries) == (RunStatus.DONE, 1)
    used_up()


async def test_row_of_another_length_is_set_aside_and_deletes_nothing():
    """Its key may be that of any stored record, so none of them is taken for gone."""
    provider, used_up = script(
        (ORDERS, answer(b"id,name\n1,a\n2,b\n")),
        (ORDERS, answer(b"id,name\n1,a\n2,b,c\n")),
    )
    async with stage(provider, token="t0p+s3cret/") as on:
        plan = plan_of(SHOP.replace("key: id", "key: id\n    decode: csv") % "none", "orders")
        await on.sync(plan)
        outcome = await on.sync(plan, full=True)
        waiting = [row async for row in on.store.quarantine(plan.tenant)]

        assert (outcome.status, outcome.counts.quarantined) == (RunStatus.DONE, 1)
        assert sorted(await on.rows(plan)) == ["1", "2"]
    assert [(row.reason, row.source) for row in waiting] == [
        ("row 2 (line 3) has 3 fields, expected 2", {"fields": ["2", "b", "c"]})
    ]
    used_up()
