"""From where a reading goes on: lookback, notation, and how far the cursor moves."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest

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


FALLING = "type: number, sorted: descending"


async def test_list_that_falls_is_read_to_the_first_page_below_the_cursor():
    """A tie at the cursor is read in whole, and a full reading goes to the end and sweeps."""
    provider, used_up = script(
        (URL, page((5, 9), (4, 8), then="a")),
        (f"{URL}?after=a", page((3, 8), (2, 5), then="b")),
        (f"{URL}?after=b", page((1, 4))),
        (URL, page((6, 11), (5, 9), then="a")),
        (f"{URL}?after=a", page((4, 9), (3, 8), then="b")),
        (URL, page((6, 11))),
    )
    plan = plan_of(SHOP % (BY_TOKEN, FALLING), "orders")
    async with stage(provider) as on:
        await on.sync(plan)
        outcome = await on.sync(plan)
        assert (outcome.counts.read, outcome.counts.added, await on.cursor(plan)) == (4, 1, 11)
        swept = await on.sync(plan, full=True)

        assert swept.counts.deleted == 5
    used_up()


async def test_list_that_does_not_fall_is_read_to_its_end():
    """One record that is newer than the one before it: nothing is cut off."""
    provider, used_up = script(
        (URL, page((1, 9))),
        (URL, page((1, 5), (2, 10), then="a")),
        (f"{URL}?after=a", page((3, 12), then="b")),
        (f"{URL}?after=b", page((4, 3))),
    )
    plan = plan_of(SHOP % (BY_TOKEN, FALLING), "orders")
    async with stage(provider) as on:
        await on.sync(plan)
        outcome = await on.sync(plan)

        assert (outcome.status, len(await on.rows(plan))) == (RunStatus.DONE, 4)
    used_up()


async def test_reading_that_ends_at_its_start_sweeps_nothing():
    """What lies below ``start`` was not asked for, so nothing is known of it."""
    provider, used_up = script(
        (URL, page((3, 9), (2, 3), then="a")),
        (URL, page((3, 9), (1, 2), then="a")),
    )
    plan = plan_of(SHOP % (BY_TOKEN, FALLING + ", start: 5"), "orders")
    async with stage(provider) as on:
        await on.sync(plan)
        outcome = await on.sync(plan, full=True)

        assert (outcome.counts.deleted, sorted(await on.rows(plan))) == (0, ["1", "2", "3"])
    used_up()


async def test_what_lies_before_the_cursor_is_neither_mapped_nor_stored():
    """A provider without a filter gives all of it each time; it is counted as unchanged."""
    provider, used_up = script(
        (URL, page((1, 5), (2, 7))),
        (URL, page((1, 5), (2, 7), (3, 9), ("a/" * 2000, 1))),
    )
    plan = plan_of(SHOP % (BY_TOKEN, "type: number, filter: client"), "orders")
    async with stage(provider) as on:
        await on.sync(plan)
        counts = (await on.sync(plan)).counts

        assert (counts.read, counts.added, counts.unchanged, counts.quarantined) == (4, 1, 3, 0)
        assert (counts.deleted, await on.cursor(plan)) == (0, 9)
    used_up()


FILES = """\
integration: shop
http: {base_url: https://api.test/v1, retries: 0, paginate: none}
streams:
  orders:
    get: /orders
    records: body.data
    key: id
    incremental: {field: at, into: header.if-modified-since, format: http_date}
"""


async def test_not_modified_is_nothing_new():
    """The condition is sent as HTTP writes it; 304 leaves rows and cursor as they are."""
    asked = []
    answers = iter([page((1, LATE)), answer(b"", status=304), answer(b"", status=304)])

    def respond(_line, headers):
        asked.append(headers.get("if-modified-since"))
        return next(answers)

    plan = plan_of(FILES, "orders")
    async with stage(Provider(respond)) as on:
        await on.sync(plan)
        outcome = await on.sync(plan)
        refused = await on.sync(plan, full=True)

        assert (outcome.status, outcome.counts.read, await on.cursor(plan)) == (
            RunStatus.DONE,
            0,
            LATE,
        )
        assert refused.error == "GET /v1/orders answered 304"
        assert len(await on.rows(plan)) == 1
    assert asked == [None, "Fri, 31 Jan 2025 10:00:00 GMT", None]


async def test_tie_that_comes_before_the_end_of_a_page_is_read_by_the_next_run():
    """A row changes in the tick in which a page ended: a list sorted by time and id hides it."""
    rows = {1: "2025-01-01T00:00:01Z", 5: "2025-01-01T00:00:02Z", 9: "2025-01-01T00:00:03Z"}

    def respond(line, _headers):
        query = dict(parse_qsl(urlsplit(line).query))
        place = json.loads(query["after"]) if "after" in query else ["", 0]
        listed = sorted((at, key) for key, at in rows.items() if at >= query.get("since", ""))
        found = [[at, key] for at, key in listed if [at, key] > place]
        if place == ["", 0] and rows[1].endswith("01Z"):
            rows[1] = rows[5]  # behind the end of this page, which is [2 s, 5]
        then = json.dumps(found[1]) if len(found) > 2 else None
        return page(*((key, at) for at, key in found[:2]), then=then)

    plan = plan_of(SHOP % (BY_TOKEN, "into: query.since, sorted: true"), "orders")
    async with stage(Provider(respond)) as on:
        await on.sync(plan)
        assert (await on.rows(plan))["1"]["at"] == "2025-01-01T00:00:01Z"
        await on.sync(plan)
        assert (await on.rows(plan))["1"]["at"] == "2025-01-01T00:00:02Z"


async def test_walk_resumed_at_a_place_leaves_the_cursor_where_it_was():
    """Rows that moved up between the two runs were stepped over: the next reading has them."""
    early, late = "2025-01-01T00:00:01Z", "2025-01-01T00:00:09Z"
    provider, used_up = script(
        (f"{URL}?page=1", page((1, early), then="more")),
        (f"{URL}?page=2", page((2, early), then="more")),
        (f"{URL}?page=3", UnavailableError("gone")),
        (f"{URL}?page=2", page((3, late), then="more")),
        (f"{URL}?page=3", page((4, late))),
        (f"{URL}?page=1", page((2, early))),
    )
    plan = plan_of(SHOP % (BY_PAGE, "into: query.since"), "orders")
    async with stage(provider) as on:
        await on.sync(plan)
        resumed = await on.sync(plan)
        assert (resumed.status, await on.cursor(plan)) == (RunStatus.DONE, None)
        await on.sync(plan)
        assert await on.cursor(plan) is not None
    used_up()
