"""From where a reading goes on: lookback, notation, and how far the cursor moves."""

import pytest

from integrationd.errors import UnavailableError
from integrationd.model.runs import RunStatus
from tests.support.fakes import answer, script
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SHOP = """\
integration: shop
http:
  base_url: https://api.test/v1
  retries: 0
  paginate: %s
streams:
  orders: {get: /orders, records: body.data, key: id, incremental: {field: at, %s}}
"""
BY_TOKEN = "{type: cursor, next: body.next, into: query.after}"
BY_PAGE = "{type: page, into: query.page, stop_when: body.end}"
URL = "GET https://api.test/v1/orders"
LATE = "2025-01-31T12:00:00.250+02:00"


def page(*rows, then=None):
    """Answer with rows of (id, at)."""
    data = [{"id": key, "at": at} for key, at in rows]
    return answer({"data": data, "next": then, "end": then is None})


async def test_lookback_is_sent_and_the_cursor_stays_as_written():
    """The bound is the cursor less the lookback, and what is stored is the provider's own text."""
    provider, used_up = script(
        (URL, page((1, LATE))),
        (f"{URL}?since=2025-01-31T11%3A50%3A00.250%2B02%3A00", page()),
    )
    plan = plan_of(SHOP % (BY_TOKEN, "into: query.since, lookback: 10m"), "orders")
    async with stage(provider) as on:
        await on.sync(plan)
        outcome = await on.sync(plan)

        assert (outcome.status, await on.cursor(plan)) == (RunStatus.DONE, LATE)
    used_up()


async def test_format_and_templates_give_the_same_bound():
    """``{{ cursor }}`` is what is sent, as ``into`` is."""
    provider, used_up = script(
        (URL, page((1, LATE))),
        (f"{URL}?from=1738317600&since=1738317600", page()),
    )
    spec = SHOP % (BY_TOKEN, "into: query.since, format: unix")
    spec = spec.replace("get: /orders,", 'get: /orders, query: {from: "{{ cursor }}"},')
    async with stage(provider) as on:
        await on.sync(plan := plan_of(spec, "orders"))
        outcome = await on.sync(plan)

    assert outcome.error == ""
    used_up()


async def test_cursor_that_lookback_cannot_write_fails_the_run_and_says_what_to_do():
    """Nothing is asked with a bound that was guessed."""
    provider, used_up = script((URL, page((1, "2025-W05-6"))))
    plan = plan_of(SHOP % (BY_TOKEN, "into: query.since, lookback: 1d"), "orders")
    async with stage(provider) as on:
        await on.sync(plan)
        outcome = await on.sync(plan)

    assert outcome.error == (
        "incremental.lookback: the cursor is written in a way that 'lookback' cannot keep to; "
        "add 'format'"
    )
    used_up()


async def test_sorted_lookback_never_moves_the_cursor_back():
    """The first pages of a lookback lie before the cursor, which stays where it was."""
    provider, used_up = script(
        (URL, page((1, 50))),
        (f"{URL}?since=40", page((2, 45), then="a")),
        (f"{URL}?since=40&after=a", UnavailableError("the line broke")),
    )
    rule = "into: query.since, type: number, lookback: 10, sorted: true"
    plan = plan_of(SHOP % (BY_TOKEN, rule), "orders")
    async with stage(provider) as on:
        await on.sync(plan)
        await on.sync(plan)

        assert await on.cursor(plan) == 50
    used_up()


NUMBER = "into: query.since, type: number"


async def test_unsorted_walk_leaves_the_cursor_before_what_changed_behind_it():
    """A row that changed after its page was read has a value that the next reading asks for.

    The list is in the order of ids. While page two is read, order 1 changes (11) and then order 4
    (12): the walk sees 12 and has not seen 11.
    """
    provider, used_up = script(
        (URL, page((1, 3), (2, 10), then="a")),
        (f"{URL}?after=a", page((3, 5), (4, 12))),
        (f"{URL}?since=10", page((1, 11), (2, 10), (4, 12))),
        (f"{URL}?since=12", page((4, 12))),
    )
    plan = plan_of(SHOP % (BY_TOKEN, NUMBER), "orders")
    async with stage(provider) as on:
        await on.sync(plan)
        await on.sync(plan)
        rows = await on.rows(plan)
        await on.sync(plan)

    assert rows["1"] == {"id": 1, "at": 11}
    used_up()


async def test_walk_that_happens_to_rise_is_not_taken_for_a_sorted_one():
    """Row 1 may have changed behind a list by id whose values rose: only ``sorted`` says not."""
    provider, used_up = script(
        (URL, page((1, 3), (2, 10), then="a")),
        (f"{URL}?after=a", page((3, 10), (4, 12))),
        (f"{URL}?since=10", page((1, 11), (2, 10), (3, 10), (4, 12))),
        (f"{URL}?since=12", page((4, 12))),
    )
    plan = plan_of(SHOP % (BY_TOKEN, NUMBER), "orders")
    async with stage(provider) as on:
        for _ in range(3):
            await on.sync(plan)
    used_up()


async def test_second_unsorted_walk_trusts_what_the_first_saw():
    """A list that is never sorted is not read from its beginning for ever."""
    provider, used_up = script(
        (URL, page((1, 3), (2, 10), then="a")),
        (f"{URL}?after=a", page((3, 30), (4, 20))),
        (f"{URL}?since=10", page((2, 10), (3, 30), then="b")),
        (f"{URL}?since=10&after=b", page((4, 20))),
        (f"{URL}?since=30", page((3, 30))),
    )
    plan = plan_of(SHOP % (BY_TOKEN, NUMBER), "orders")
    async with stage(provider) as on:
        for _ in range(3):
            await on.sync(plan)
    used_up()


async def test_walk_by_page_numbers_covers_rows_that_moved_up_meanwhile():
    """A row that was stepped over lies behind the first page, and the next reading asks for it.

    Order 1 changes while page one is kept and goes to the end; order 3 moves into page one's place.
    """
    provider, used_up = script(
        (f"{URL}?page=1", page((1, 1), (2, 2), then=2)),
        (f"{URL}?page=2", page((4, 4), (1, 5))),
        (f"{URL}?since=2&page=1", page((2, 2), (3, 3), (4, 4), (1, 5))),
        (f"{URL}?since=5&page=1", page((1, 5))),
    )
    plan = plan_of(SHOP % (BY_PAGE, NUMBER), "orders")
    async with stage(provider) as on:
        for _ in range(3):
            await on.sync(plan)
        rows = await on.rows(plan)

    assert sorted(rows) == ["1", "2", "3", "4"]
    used_up()


async def test_resumed_unsorted_walk_trusts_no_more_than_its_beginning():
    """Of a walk in two parts only the first page was surely read before anything changed."""
    down = UnavailableError("the line broke")
    provider, used_up = script(
        (URL, page((1, 3), then="a")),
        (f"{URL}?after=a", page((2, 9), then="b")),
        (f"{URL}?after=b", down),
        (f"{URL}?after=a", page((2, 9), then="b")),
        (f"{URL}?after=b", page((3, 12))),
        (f"{URL}?since=3", page((1, 11), (2, 9), (3, 12))),
    )
    plan = plan_of(SHOP % (BY_TOKEN, NUMBER), "orders")
    async with stage(provider) as on:
        for _ in range(3):
            await on.sync(plan)
        rows = await on.rows(plan)

    assert rows["1"] == {"id": 1, "at": 11}
    used_up()
