"""``{{ now }}``: one time for a whole run, and for a walk that another run goes on with."""

import asyncio

import pytest

from integrationd.engine.asking import Manner
from integrationd.engine.call import call_operation
from integrationd.engine.explaining import explain_stream
from integrationd.errors import UnavailableError
from integrationd.model.runs import RunStatus
from integrationd.ports.store import ReadingState
from integrationd.spec.settings import Settings
from tests.support.fakes import START, answer, script
from tests.support.worlds import bundle_of, plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SPEC = """\
integration: clocks
http:
  base_url: https://api.test
  retries: 1
  paginate: {type: cursor, next: body.next, into: query.after}
streams:
  ticks:
    post: "/ticks/{{ now | format_time('date') }}"
    query: {until: "{{ now }}", from: "{{ now | shift_time('-1d') | format_time('unix') }}"}
    headers: {x-day: "{{ now | format_time('date') }}"}
    json: {range: {to: "{{ now | format_time('%d.%m.%Y') }}"}}
    records: body.data
    key: id
  plain: {get: /plain, records: body.data, key: id}
  split:
    for_each: {list: [a, b], as: side}
    get: "/{{ each.side }}"
    query: {until: "{{ now }}"}
    records: body.data
    key: id
  exported:
    deferred:
      create: {post: /exports, json: {until: "{{ now }}"}, id: body.id}
      poll: {get: "/exports/{{ job.id }}", every: 1s, done: body.done}
      download: {get: "/exports/{{ job.id }}/file", query: {at: "{{ now }}"}}
    records: body.data
    key: id
operations:
  report:
    steps:
      - {name: begin, post: /reports, json: {at: "{{ now }}"}, output: body.id}
      - {name: fetch, get: "/reports/{{ steps.begin }}", query: {at: "{{ now }}"}}
"""
GONE = UnavailableError("the connection was closed")


def url(stamp, unix, after=""):
    """Return the request of a page."""
    more = f"&after={after}" if after else ""
    return f"POST https://api.test/ticks/2026-01-01?until={stamp}&from={unix}{more}"


EARLY = ("2026-01-01T00%3A00%3A00Z", 1767139200)
LATE = ("2026-01-01T01%3A00%3A00Z", 1767142800)


def page(number, following=None):
    """Return a page of one record."""
    return answer({"data": [{"id": number}], "next": following})


async def test_all_pages_and_retries_of_a_run_ask_with_one_time():
    """A retry takes seconds, and the pages after it still ask for what the first one did."""
    provider, used_up = script(
        (url(*EARLY), page(1, "x")),
        (url(*EARLY, "x"), GONE),
        (url(*EARLY, "x"), page(2)),
    )
    async with stage(provider) as on:
        outcome = await on.sync(plan_of(SPEC, "ticks"))
        waited = on.world.clock.now() - START

    assert (outcome.error, outcome.counts.read) == ("", 2)
    assert waited.total_seconds() > 0
    assert {request.headers["x-day"] for request in provider.sent} == {"2026-01-01"}
    assert {str(request.body) for request in provider.sent} == {
        "JsonBody(value={'range': {'to': '01.01.2026'}})"
    }
    used_up()


async def test_next_run_asks_with_its_own_time():
    """The time is that of the run, not of the daemon's start."""
    provider, used_up = script((url(*EARLY), page(1)), (url(*LATE), page(1)))
    async with stage(provider) as on:
        await on.sync(plan_of(SPEC, "ticks"))
        await asyncio.sleep(3600)
        outcome = await on.sync(plan_of(SPEC, "ticks"))

    assert outcome.error == ""
    used_up()


async def test_run_that_goes_on_asks_with_the_time_of_the_walk():
    """A page token belongs to the question that it came from; the run after it asks anew."""
    provider, used_up = script(
        (url(*EARLY), page(1, "x")),
        (url(*EARLY, "x"), page(2, "y")),
        (url(*EARLY, "y"), GONE),
        (url(*EARLY, "y"), GONE),
        (url(*EARLY, "x"), page(2, "y")),
        (url(*EARLY, "y"), page(3)),
        (url("2026-01-01T02%3A00%3A00Z", 1767146400), page(1)),
    )
    async with stage(provider) as on:
        broken = await on.sync(plan_of(SPEC, "ticks"))
        await asyncio.sleep(3600 - (on.world.clock.now() - START).total_seconds())
        outcome = await on.sync(plan_of(SPEC, "ticks"))
        await asyncio.sleep(7200 - (on.world.clock.now() - START).total_seconds())
        anew = await on.sync(plan_of(SPEC, "ticks"))

    assert (broken.status, outcome.error, anew.error) == (RunStatus.FAILED, "", "")
    used_up()


async def test_partition_that_broke_off_keeps_its_time_and_the_others_get_the_new_one():
    """Each walk belongs to the time at which it was begun."""
    early, late = "until=2026-01-01T00%3A00%3A00Z", "until=2026-01-01T01%3A00%3A00Z"
    provider, used_up = script(
        (f"GET https://api.test/a?{early}", page(1, "x")),
        (
            f"GET https://api.test/a?{early}&after=x",
            answer({}, status=429, headers={"retry-after": "3000"}),
        ),
        (f"GET https://api.test/b?{late}", page(3)),
        (f"GET https://api.test/a?{early}", page(1, "x")),
        (f"GET https://api.test/a?{early}&after=x", page(2)),
    )
    text = SPEC.replace("retries: 1", "retries: 0\n  limits: {concurrency: 1}")
    async with stage(provider) as on:
        broken = await on.sync(plan_of(text, "split"))
        await asyncio.sleep(3600)
        outcome = await on.sync(plan_of(text, "split"))

    assert (broken.kind, outcome.error) == ("rate", "")
    used_up()


async def test_work_that_was_begun_keeps_its_time():
    """What was asked for is downloaded as it was asked for, by another run too."""
    export = "https://api.test/exports"
    file = f"GET {export}/7/file?at=2026-01-01T00%3A00%3A00Z"
    provider, used_up = script(
        (f"POST {export}", answer({"id": 7})),
        (f"GET {export}/7", GONE),
        (f"GET {export}/7", GONE),
        (f"GET {export}/7", answer({"done": True})),
        (file, page(1)),
    )
    async with stage(provider) as on:
        broken = await on.sync(plan_of(SPEC, "exported"))
        await asyncio.sleep(3600)
        outcome = await on.sync(plan_of(SPEC, "exported"))

    assert (broken.status, outcome.error) == (RunStatus.FAILED, "")
    used_up()


async def test_stream_without_it_keeps_plain_tokens():
    """What is stored of other streams is as it was."""
    provider, _ = script(
        ("GET https://api.test/plain", page(1, "x")),
        ("GET https://api.test/plain?after=x", GONE),
        ("GET https://api.test/plain?after=x", GONE),
    )
    plan = plan_of(SPEC, "plain")
    async with stage(provider) as on:
        await on.sync(plan)
        state = await on.store.load_state(plan.tenant, plan.key, "")

    assert (state.walking, state.page_token) == (True, None)


async def test_steps_of_a_call_share_one_time():
    """A call is one moment, however long it takes."""
    provider, used_up = script(
        ("POST https://api.test/reports", answer({"id": 5})),
        ("GET https://api.test/reports/5?at=2026-01-01T00%3A00%3A00Z", answer({"ok": True})),
    )
    integration = bundle_of(clocks=SPEC).integrations["clocks"]
    async with stage(provider) as on:
        manner = Manner(settings=Settings(), budget=None)
        outcome = await call_operation(on.world, integration, "report", {}, manner)

    assert (outcome.error, outcome.output) == ("", {"ok": True})
    assert str(provider.sent[0].body) == "JsonBody(value={'at': '2026-01-01T00:00:00Z'})"
    used_up()


def test_explain_shows_the_time_of_a_walk_that_broke_off():
    """What is asked next is what is shown: the run that goes on asks with the older time."""
    integration = bundle_of(clocks=SPEC).integrations["clocks"]
    prints = plan_of(SPEC, "ticks").prints
    held = {"now": "2025-12-31T00:00:00Z", "token": "x"}
    broken = ReadingState(
        walking=True,
        mode="full",
        page_token=held,
        fingerprint=prints.progress,
        identity=prints.identity,
    )

    shown = [
        explain_stream(integration, "ticks", state, now=START, full=False)["request"]["url"]
        for state in (ReadingState(), broken)
    ]

    assert shown == [
        "https://api.test/ticks/2026-01-01?until=2026-01-01T00%3A00%3A00Z&from=1767139200",
        "https://api.test/ticks/2025-12-31?until=2025-12-31T00%3A00%3A00Z&from=1767052800&after=x",
    ]
