"""Cursors that the provider itself gives in its answers, and what follows when one is too old."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
  orders: {get: /orders, records: body.data, key: id, incremental: {%s}}
"""
URL = "GET https://api.test/v1/orders"
TOKENS = "cursor: body.sync, into: query.since"


def synced(*rows, sync=None, then=None):
    """Answer with rows and a token of the provider's own."""
    data = [{"id": key, "at": at} for key, at in rows]
    return answer({"data": data, "next": then, "end": then is None, "sync": sync})


async def test_cursor_of_the_last_answer_is_sent_back():
    """It is kept as it came, over pages that have none, and an empty one does not replace it."""
    provider, used_up = script(
        (URL, synced((1, 1), then="a")),
        (f"{URL}?after=a", synced((2, 1), sync="t1")),
        (f"{URL}?since=t1", synced((2, 2), sync="")),
        (f"{URL}?since=t1", synced(sync=7)),
        (f"{URL}?since=7", synced()),
    )
    plan = plan_of(SHOP % TOKENS, "orders")
    async with stage(provider) as on:
        for _ in range(4):
            assert (await on.sync(plan)).error == ""

        assert (await on.cursor(plan), len(await on.rows(plan))) == (7, 2)
    used_up()


async def test_cursor_of_the_first_answer_outlives_a_broken_reading():
    """What changes while the list is read comes after it, so that the later ones do not count."""
    provider, used_up = script(
        (URL, synced((1, 1), sync="t1", then="a")),
        (f"{URL}?after=a", synced((2, 1), sync="t2", then="b")),
        (f"{URL}?after=b", UnavailableError("the line broke")),
        (f"{URL}?after=a", synced((2, 1), sync="t3", then="b")),
        (f"{URL}?after=b", synced((3, 1), sync="t4")),
    )
    plan = plan_of(SHOP % (TOKENS + ", page: first"), "orders")
    async with stage(provider) as on:
        await on.sync(plan)
        assert await on.cursor(plan) is None
        await on.sync(plan)

        assert await on.cursor(plan) == "t1"
    used_up()


async def test_cursor_that_is_too_old_is_followed_by_a_full_reading():
    """410 ends the run, and the next one begins at once, sweeps, and gets a new cursor."""
    provider, used_up = script(
        (URL, synced((1, 1), (2, 1), sync="t1")),
        (f"{URL}?since=t1", answer({}, status=410)),
        (URL, synced((2, 1), sync="t2")),
    )
    plan = plan_of(SHOP % TOKENS, "orders")
    async with stage(provider) as on:
        await on.sync(plan)
        outcome = await on.sync(plan)

        assert (outcome.status, outcome.counts.deleted) == (RunStatus.DONE, 1)
        assert await on.cursor(plan) == "t2"
        ended = [one for one in on.ear.heard if type(one).__name__ == "RunFinished"]
    assert [(one.status, one.error) for one in ended[1:]] == [
        ("stopped", "GET /v1/orders answered 410"),
        ("done", ""),
    ]
    used_up()


async def test_rule_may_say_that_a_cursor_is_too_old():
    """Once; a full reading that gets the same answer has failed."""
    gone = answer({"error": "expired"}, status=400)
    provider, used_up = script((URL, synced((1, 9))), (f"{URL}?since=9", gone), (URL, gone))
    spec = SHOP % "field: at, into: query.since, type: number"
    rules = "  errors: [{when: body.error == 'expired', then: restart}]\nstreams:"
    plan = plan_of(spec.replace("streams:", rules), "orders")
    async with stage(provider) as on:
        await on.sync(plan)
        outcome = await on.sync(plan)

        assert (outcome.status, outcome.error) == (
            RunStatus.FAILED,
            "GET /v1/orders answered 400",
        )
        assert len(await on.rows(plan)) == 1
    used_up()


@pytest.mark.parametrize(
    ("found", "error"),
    [
        ({"a": 1}, "incremental.cursor: expected text or a number"),
        ("sesame", "incremental.cursor: holds a secret, which is kept nowhere"),
    ],
)
async def test_cursor_that_cannot_be_kept_fails_the_page(found, error):
    """Neither an object nor a secret is stored."""
    provider, used_up = script((f"{URL}?key=sesame", synced((1, 1), sync=found)))
    spec = (SHOP % TOKENS).replace(
        "streams:",
        '  auth: {type: api_key, into: query.key, value: "{{ secrets.key }}"}\n'
        "secrets: {key: {}}\nstreams:",
    )
    plan = plan_of(spec, "orders")
    async with stage(provider, key="sesame") as on:
        outcome = await on.sync(plan)

        assert (outcome.status, outcome.error) == (RunStatus.FAILED, error)
    used_up()


BY_CALENDAR = """\
integration: agenda
http: {base_url: https://api.test, retries: 0, paginate: none}
streams:
  events:
    for_each: {list: [a, b], as: calendar}
    get: "/{{ each.calendar }}"
    records: body.data
    key: id
    incremental: {cursor: body.sync, into: query.since}
"""


async def test_one_old_cursor_of_many_reads_all_in_full():
    """What is gone can only be told when every part was read whole in one run."""
    asked = []

    def respond(line, _headers):
        asked.append(line.removeprefix("GET https://api.test"))
        name = asked[-1][1]
        if asked[-1] == "/b?since=b":
            return answer({}, status=410)
        rows = [(name, 1)] if len(asked) > 2 else [(name, 1), (f"{name}2", 1)]
        return synced(*rows, sync=name)

    plan = plan_of(BY_CALENDAR, "events")
    async with stage(Provider(respond)) as on:
        await on.sync(plan)
        outcome = await on.sync(plan)

        assert (outcome.status, sorted(await on.rows(plan))) == (RunStatus.DONE, ["a", "b"])
    assert sorted(asked[-2:]) == ["/a", "/b"]


class Calendar:
    """A provider that tells what changed since a token, and forgets old tokens."""

    def __init__(self):
        self.rows, self.log, self.kept_from = {}, [], 0

    def change(self, key, value):
        """Write an event, or take it away."""
        if value is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = value
        self.log.append(key)

    def respond(self, line, _headers):
        """Answer one page of two events; the token stands on the last one."""
        query = {key: values[0] for key, values in parse_qs(urlsplit(line).query).items()}
        since, after = int(query.get("since", -1)), int(query.get("after", 0))
        if 0 <= since < self.kept_from:
            return answer({}, status=410)
        keys = self.rows if since < 0 else dict.fromkeys(self.log[since:])
        found = [
            {"id": key, "at": self.rows.get(key), "gone": key not in self.rows}
            for key in sorted(keys)
        ]
        more = len(found) > after + 2
        body = {"data": found[after : after + 2], "next": after + 2 if more else None}
        return answer(body if more else {**body, "sync": len(self.log)})


WRITES = st.lists(st.tuples(st.integers(0, 6), st.none() | st.integers(0, 3)), max_size=6)


@given(runs=st.lists(st.tuples(WRITES, st.booleans()), min_size=1, max_size=6))
@pytest.mark.looptime(enabled=False)
def test_store_equals_a_calendar_that_forgets_its_tokens(runs):
    """Events that were taken away while a token grew too old are gone here too."""

    async def history():
        calendar = Calendar()
        spec = SHOP % TOKENS
        plan = plan_of(spec.replace("key: id,", "key: id, deleted: gone,"), "orders")
        async with stage(Provider(calendar.respond)) as on:
            for writes, forgets in runs:
                for key, value in writes:
                    calendar.change(key, value)
                calendar.kept_from = len(calendar.log) if forgets else calendar.kept_from
                assert (await on.sync(plan)).status is RunStatus.DONE
                rows = await on.rows(plan)
                assert {int(key): row["at"] for key, row in rows.items()} == calendar.rows

    asyncio.run(history())
