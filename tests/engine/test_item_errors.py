"""Answers that are a success as a whole and hold an error in the place of some of their items."""

import pytest

from integrationd.model.runs import RunStatus
from tests.support.fakes import answer, script
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SPEC = """\
integration: books
http: {base_url: "https://api.test", paginate: none%s}
streams:
  invoices:
    post: /batch
    json: {read: all}
    records: body.BatchItemResponse
    item_error: Fault
    key: Invoice.Id || bId
"""
URL = "POST https://api.test/batch"
ONE = {"bId": "1", "Invoice": {"Id": "1"}}
TWO = {"bId": "2", "Invoice": {"Id": "2"}}
BROKEN = {"bId": "2", "Fault": {"Error": [{"Message": "Object Not Found", "code": "610"}]}}
NAMELESS = {"Fault": {"Error": [{"Message": "Object Not Found"}]}}


def batch(*items):
    """Write an answer, a success whatever is in it."""
    return answer({"BatchItemResponse": items})


@pytest.mark.parametrize("broken", [BROKEN, NAMELESS], ids=["with its key", "without"])
async def test_item_that_is_an_error_is_set_aside(broken):
    """Its fellows are stored, what was stored of it stays, and a person can look at it."""
    provider, used_up = script((URL, batch(ONE, TWO)), (URL, batch(ONE, broken)))
    async with stage(provider) as on:
        plan = plan_of(SPEC % "", "invoices")
        await on.sync(plan)
        outcome = await on.sync(plan, full=True)
        waiting = [row async for row in on.store.quarantine(plan.tenant)]

        assert (outcome.status, outcome.counts.quarantined) == (RunStatus.DONE, 1)
        assert outcome.counts.deleted == 0
        assert sorted(await on.rows(plan)) == ["1", "2"]
    assert [(row.code, row.reason, row.source) for row in waiting] == [
        (
            "item_error",
            "the provider gave an error in the place of the record; see its source",
            broken,
        )
    ]
    used_up()


async def test_one_broken_item_can_fail_the_page():
    """A rule looks at all of them, before anything is stored."""
    rule = (
        ', errors: [{when: "length(body.BatchItemResponse[?Fault]) > `0`", then: fail, '
        "message: 'one is broken'}]"
    )
    provider, used_up = script((URL, batch(ONE, BROKEN)))
    async with stage(provider) as on:
        outcome = await on.sync(plan := plan_of(SPEC % rule, "invoices"))
        rows = await on.rows(plan)

    assert (outcome.status, rows) == (RunStatus.FAILED, {})
    assert outcome.error.startswith("POST /batch answered 200: one is broken")
    used_up()
