"""Where the feed of a stream begins, and with what it is asked."""

import pytest

from tests.support.drives import CHANGES, FEED, LIST, START, changes, drive, files
from tests.support.fakes import answer, script
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)


async def test_cursor_may_be_the_token_of_the_first_page():
    """Google's ``pageToken`` is both: where the feed is gone on with, and its next page."""
    provider, used_up = script(
        (START, answer({"token": "t0"})),
        (LIST, files("a", then="2")),
        (f"{LIST}?page=2", files("b")),
        (f"{FEED}?page=t0", changes(("c", 1), then="t1")),
        (f"{FEED}?page=t1", changes(("d", 1), token="t2")),
        (f"{FEED}?page=t2", changes(token="t2")),
    )
    plan = drive(rule="cursor: body.token, into: query.page")
    async with stage(provider) as on:
        for _ in range(3):
            assert (await on.sync(plan)).error == ""

        assert sorted(await on.rows(plan)) == ["a", "b", "c", "d"]
    used_up()


GRAPH = """\
integration: directory
http: {base_url: https://api.test, paginate: {type: next_url, next: body.next}}
streams:
  users:
    get: /users/delta
    query: {select: name}
    records: body.value
    key: id
    deleted: gone
    incremental: {cursor: body.delta, into: url}
    feed: {get: /users/delta, records: body.value, from: {cursor: body.delta}}
"""


async def test_cursor_may_be_a_whole_url():
    """As Microsoft Graph's deltaLink: used as it came, on the list's last page and the feed's."""
    users, delta = "https://api.test/users/delta", "https://api.test/users/delta?t="
    provider, used_up = script(
        (f"GET {users}?select=name", answer({"value": [{"id": 1}], "next": f"{users}?skip=1"})),
        (f"GET {users}?skip=1", answer({"value": [{"id": 2}], "delta": f"{delta}1"})),
        (f"GET {delta}1", answer({"value": [{"id": 1, "gone": True}], "delta": f"{delta}2"})),
        (f"GET {delta}2", answer({"value": [], "delta": f"{delta}2"})),
    )
    plan = plan_of(GRAPH, "users")
    async with stage(provider) as on:
        for _ in range(3):
            assert (await on.sync(plan)).error == ""

        assert sorted(await on.rows(plan)) == ["2"]
    used_up()


@pytest.mark.parametrize(
    ("page", "pages", "begun"),
    [
        ("", [("x1", "2"), (None, None)], "x1"),
        ("", [("x1", "2"), ("x2", None)], "x2"),
        (", page: first", [("x1", "2"), ("x2", None)], "x1"),
    ],
)
async def test_list_itself_may_say_where_the_feed_begins(page, pages, begun):
    """On its last page that has it, or on the first."""
    (one, following), (two, _) = pages
    provider, used_up = script(
        (LIST, files("a", then=following, token=one)),
        (f"{LIST}?page=2", files("b", token=two)),
        (f"{FEED}?since={begun}", changes(token="t1")),
    )
    plan = drive(feed=CHANGES + f"from: {{cursor: body.token{page}}}")
    async with stage(provider) as on:
        await on.sync(plan)
        assert await on.cursor(plan) == begun
        await on.sync(plan)
    used_up()


async def test_list_that_says_nothing_of_the_feed_is_read_each_time():
    """There is nothing to ask the feed with."""
    provider, used_up = script((LIST, files("a")), (LIST, files("a")))
    plan = drive(feed=CHANGES + "from: {cursor: body.token}")
    async with stage(provider) as on:
        await on.sync(plan)
        assert (await on.sync(plan)).error == ""
    used_up()


@pytest.mark.parametrize(
    ("date", "rule", "sent"),
    [
        (None, "", "2026-01-01T00%3A00%3A00Z"),
        ("Thu, 01 Jan 2026 00:00:30 GMT", "", "2026-01-01T00%3A00%3A00Z"),
        ("Wed, 31 Dec 2025 23:58:00 GMT", "", "2025-12-31T23%3A58%3A00Z"),
        (None, ", read: unix_ms", "1767225600000"),
        (None, ", lookback: 1h, format: unix", "1767222000"),
        (None, ", read: unix, timezone: Europe/Berlin, format: '%Y-%m-%d %H:%M'", None),
    ],
)
async def test_now_is_when_the_list_began(date, rule, sent):
    """By the provider's clock where that is behind ours, written as the feed's records have it."""
    sent = sent or "2026-01-01%2001%3A00"
    headers = {} if date is None else {"date": date}
    provider, used_up = script(
        (LIST, answer({"files": [{"id": "a"}], "next": None}, **headers)),
        (f"{FEED}?since={sent}", changes()),
    )
    plan = drive(rule=f"field: at, into: query.since{rule}", feed=CHANGES + "from: now")
    async with stage(provider) as on:
        await on.sync(plan)
        assert (await on.sync(plan)).error == ""
    used_up()


async def test_records_of_the_list_may_say_where_the_feed_begins():
    """The greatest value of its first page: what changed behind the walk comes by the feed."""
    provider, used_up = script(
        (LIST, answer({"files": [{"id": "a", "at": 5}, {"id": "b", "at": 3}], "next": "2"})),
        (f"{LIST}?page=2", answer({"files": [{"id": "c", "at": 9}], "next": None})),
        (
            f"{FEED}?since=5",
            answer({"changes": [{"at": 8, "fileId": "b", "file": {"id": "b", "v": 2}}]}),
        ),
        (f"{FEED}?since=9", changes()),
    )
    rule = "field: at, type: number, into: query.since"
    plan = drive(rule=rule, feed=CHANGES + "from: records")
    async with stage(provider) as on:
        await on.sync(plan)
        await on.sync(plan)
        await on.sync(plan)

        assert (await on.rows(plan))["b"] == {"id": "b", "v": 2}
    used_up()
