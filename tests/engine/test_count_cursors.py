"""Cursors that count: lists that only grow at their end, and what is noticed where they do not."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from integrationd.errors import UnavailableError
from integrationd.model.runs import RunStatus
from tests.support.fakes import Provider, answer
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SPEC = """\
integration: shop
http: {base_url: https://api.test, retries: 0}
streams:
  events:
    get: /events%s
    key: id
    records: body.data
    paginate: %s
    incremental: {count: true%s}
"""
SIZE = "size: {into: query.limit, value: 3}"
WAYS = {
    "offset": ("", f"{{type: offset, into: query.skip, {SIZE}}}", ""),
    "offset from 1": ("", f"{{type: offset, into: query.from, start: 1, {SIZE}}}", ""),
    "page": ("", f"{{type: page, into: query.page, {SIZE}}}", ""),
    "parameter": (
        "",
        "{type: cursor, next: body.next, into: query.after}",
        ", into: query.skip",
    ),
    "template": (
        '\n    query: {from: "{{ cursor + 1 }}"}',
        "{type: cursor, next: body.next, into: query.after}",
        "",
    ),
}


class Log:
    """A provider's list that grows at its end, three to a page."""

    def __init__(self, count):
        self.rows = [{"id": f"e{number}"} for number in range(1, count + 1)]
        self.asked = []
        self.fails = set()

    def __call__(self, line, _headers):
        """Answer a page."""
        query = {name: value[0] for name, value in parse_qs(urlsplit(line).query).items()}
        self.asked.append(query)
        if len(self.asked) in self.fails:
            return UnavailableError("the line broke")
        start = int(query.get("skip", 0)) or int(query.get("from", 1)) - 1
        start = (int(query["page"]) - 1) * 3 if "page" in query else start
        start = int(query.get("after", start))
        rows = self.rows[start : start + 3]
        after = start + len(rows)
        return answer({"data": rows, "next": after if after < len(self.rows) else None})

    def grow(self, count):
        """Add some at the end."""
        first = len(self.rows) + 1
        self.rows += [{"id": f"e{number}"} for number in range(first, first + count)]


def plan_for(way):
    """Compile the stream that asks in one of the ways."""
    return plan_of(SPEC % WAYS[way], "events")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("counts", [(0, 1, 1, 4), (3, 3, 0, 1), (7, 0, 5), (1, 9)])
async def test_each_reading_goes_on_where_the_last_one_ended(way, counts):
    """What was read comes once more at most, whatever the pages are; nothing is left out."""
    log, plan = Log(0), plan_for(way)
    async with stage(Provider(log)) as on:
        for more in counts:
            log.grow(more)
            log.asked.clear()
            outcome = await on.sync(plan)

            assert (outcome.status, outcome.error) == (RunStatus.DONE, "")
            assert outcome.counts.added == more
            assert len(await on.rows(plan)) == len(log.rows)
            last = log.rows[-1]["id"] if log.rows else None
            assert await on.cursor(plan) == {"count": len(log.rows), "last": last}
            assert outcome.counts.unchanged <= (3 if way == "page" else 1)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fails", [1, 2, 3])
async def test_walk_that_broke_off_is_counted_once(way, fails):
    """The page that comes once more, after a failure or a growth, is not counted twice."""
    log, plan = Log(2), plan_for(way)
    async with stage(Provider(log)) as on:
        await on.sync(plan)
        log.grow(8)
        log.asked.clear()
        log.fails = {fails}
        assert (await on.sync(plan)).status is RunStatus.FAILED
        log.grow(2)
        while (await on.sync(plan)).status is not RunStatus.DONE:
            pass

        assert await on.cursor(plan) == {"count": 12, "last": "e12"}
        assert len(await on.rows(plan)) == 12


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (["e1", "e2", "e3"], "5 records were read, and the list has fewer now"),
        ([], "5 records were read, and the list has fewer now"),
        (
            ["e1", "e3", "e4", "e5", "e6", "e7"],
            "record 5 of the list was 'e5' and is 'e6' now, so the list is another one",
        ),
    ],
)
async def test_list_that_shrank_is_read_anew(way, rows, reason):
    """Also where as many came as went: it is read in full at once, and what is gone goes."""
    log, plan = Log(5), plan_for(way)
    async with stage(Provider(log)) as on:
        await on.sync(plan)
        log.rows = [{"id": name} for name in rows]
        outcome = await on.sync(plan)

        assert outcome.status is RunStatus.DONE
        assert sorted(await on.rows(plan)) == rows
        ended = [one for one in on.ear.heard if type(one).__name__ == "RunFinished"]
        assert [(one.status, one.error) for one in ended[1:]] == [
            ("stopped", f"incremental.count: {reason}"),
            ("done", ""),
        ]


async def test_record_that_cannot_be_named_or_mapped_counts():
    """It was read, and is set aside; the place behind it is the next one."""
    log, plan = Log(4), plan_for("offset")
    log.rows[3] = {"id": None}
    async with stage(Provider(log)) as on:
        outcome = await on.sync(plan)
        assert (outcome.counts.quarantined, await on.cursor(plan)) == (
            1,
            {"count": 4, "last": None},
        )
        log.grow(1)
        await on.sync(plan)

        assert sorted(await on.rows(plan)) == ["e1", "e2", "e3", "e5"]
        assert json.dumps(log.asked[-1]) == '{"skip": "5", "limit": "3"}'


@pytest.mark.parametrize("way", WAYS)
async def test_walk_that_broke_off_sees_that_the_list_is_another_one(way):
    """Nothing is left out where records went before the next run goes on."""
    log, plan = Log(9), plan_for(way)
    async with stage(Provider(log)) as on:
        log.fails = {3}
        assert (await on.sync(plan)).status is RunStatus.FAILED
        assert await on.cursor(plan) == {"count": 6, "last": "e6"}
        del log.rows[:2]
        log.fails = set()
        await on.sync(plan)

        assert sorted(await on.rows(plan)) == [f"e{number}" for number in range(3, 10)]
        assert await on.cursor(plan) == {"count": 7, "last": "e9"}


async def test_list_that_is_read_anew_is_counted_at_its_end():
    """Where that breaks off the next run begins it once more, as what is gone must go."""
    log, plan = Log(8), plan_for("offset")
    async with stage(Provider(log)) as on:
        await on.sync(plan)
        del log.rows[0]
        log.asked.clear()
        log.fails = {3}
        assert (await on.sync(plan)).status is RunStatus.FAILED
        assert await on.cursor(plan) is None
        log.fails = set()
        outcome = await on.sync(plan)

        assert (outcome.counts.deleted, outcome.counts.read) == (1, 7)
        assert await on.cursor(plan) == {"count": 7, "last": "e8"}


async def test_partitions_are_counted_each():
    """A list that shrank leads to a round of all of them, as only that can sweep."""
    logs = {"a": Log(4), "b": Log(2)}
    spec = (
        (SPEC % WAYS["offset"])
        .replace("/events", '"/{{ each.log }}"')
        .replace(
            "    key: id", "    for_each: {list: [a, b], as: log}\n    key: [var('each.log'), id]"
        )
    )
    plan = plan_of(spec, "events")

    def respond(line, headers):
        return logs[urlsplit(line.split(" ", 1)[1]).path[1:]](line, headers)

    async with stage(Provider(respond)) as on:
        await on.sync(plan)
        logs["a"].rows.pop(0)
        logs["b"].grow(1)
        outcome = await on.sync(plan)

        assert (outcome.status, outcome.counts.deleted) == (RunStatus.DONE, 1)
        assert len(await on.rows(plan)) == 6
        parts = await on.store.load_partitions(plan.tenant, plan.key)
        assert {name: state.cursor["count"] for name, state in parts.items() if name} == {
            "a": 3,
            "b": 3,
        }


async def test_first_round_that_broke_off_leaves_nothing_behind():
    """Its list is counted anew, so that what went meanwhile is only found by another round."""
    log, spec = Log(4), SPEC % WAYS["offset"]
    plan = plan_of(
        spec.replace("    key:", "    for_each: {list: [a], as: log}\n    key:"), "events"
    )
    asked = []

    def respond(line, headers):
        asked.append(line)
        return answer({}, status=429) if len(asked) == 2 else log(line, headers)

    async with stage(Provider(respond)) as on:
        assert (await on.sync(plan)).kind == "rate"
        log.rows.pop(0)
        for _ in range(2):
            assert (await on.sync(plan)).status is RunStatus.DONE

        assert sorted(await on.rows(plan)) == ["e2", "e3", "e4"]
