"""``page.first``: what is sent with the first page of a list alone, or with all but it."""

import pytest

from integrationd.engine.explaining import explain_stream
from integrationd.errors import UnavailableError
from integrationd.model.runs import RunStatus
from integrationd.ports.store import ReadingState
from tests.support.fakes import START, answer, script
from tests.support.worlds import bundle_of, plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SPEC = """\
integration: lists
http:
  base_url: https://api.test
  retries: 0
  paginate: {type: cursor, next: body.next, into: query.after}
streams:
  rows:
    get: /rows
    query:
      filter: "{{ 'open' if page.first else none }}"
      scroll: "{{ none if page.first else '1m' }}"
    headers: {x-count: "{{ 'yes' if page.first else none }}"}
    records: body.data
    key: id
    incremental: {field: at, into: query.since}
  posted:
    post: /posted
    json: {size: 2, query: "{{ 'all' if page.first else none }}"}
    encode: {nulls: omit}
    records: body.data
    key: id
  windows:
    get: /windows
    query: {kind: "{{ 'a' if page.first else none }}"}
    records: body.data
    key: id
    incremental: {field: at, into: query.since, start: "2025-12-30T00:00:00Z",
      window: {step: 1d, into: query.to}}
  counted:
    get: /counted
    paginate: {type: offset, into: query.at, size: {into: query.size, value: 2}}
    query: {total: "{{ 'true' if page.first else none }}"}
    records: body.data
    key: id
    incremental: {count: true}
  forms:
    first_of:
      - get: /new
        query: {v: "{{ 2 if page.first else none }}"}
        errors: [{when: "status == `404`", then: skip}]
      - {get: /old, query: {v: "{{ 1 if page.first else none }}"}}
    records: body.data
    key: id
  followed:
    get: /list
    records: body.data
    key: id
    incremental: {field: at, into: query.since}
    feed:
      get: /feed
      query: {types: "{{ 'all' if page.first else none }}"}
      records: body.data
      from: now
  exported:
    deferred:
      create: {post: /exports, id: body.id}
      poll: {get: "/exports/{{ job.id }}", every: 1s, done: body.done}
      download:
        get: "/exports/{{ job.id }}/rows"
        query: {head: "{{ 1 if page.first else none }}"}
    paginate: {type: cursor, next: body.next, into: query.after}
    records: body.data
    key: id
"""
ROWS = "GET https://api.test/rows"
GONE = UnavailableError("the connection was closed")


def page(number, following=None):
    """Return a page of one record."""
    return answer({"data": [{"id": number, "at": "2025-12-31T00:00:00Z"}], "next": following})


async def read(stream, *steps, times=1):
    """Read a stream so often, with these requests; returns the outcomes and what was sent."""
    provider, used_up = script(*steps)
    async with stage(provider) as on:
        outcomes = [await on.sync(plan_of(SPEC, stream)) for _ in range(times)]
    used_up()
    return outcomes, provider.sent


async def test_first_page_is_asked_otherwise_than_the_others():
    """In the query and in headers; a cursor that goes along is on all of them."""
    (outcome,), sent = await read(
        "rows",
        (f"{ROWS}?filter=open", page(1, "x")),
        (f"{ROWS}?scroll=1m&after=x", page(2, "y")),
        (f"{ROWS}?scroll=1m&after=y", page(3)),
    )

    assert outcome.error == ""
    assert [request.headers.get("x-count") for request in sent] == ["yes", None, None]


async def test_run_that_goes_on_asks_for_no_first_page():
    """It begins one page back, with the token of that page."""
    (broken, outcome), _ = await read(
        "rows",
        (f"{ROWS}?filter=open", page(1, "x")),
        (f"{ROWS}?scroll=1m&after=x", page(2, "y")),
        (f"{ROWS}?scroll=1m&after=y", GONE),
        (f"{ROWS}?scroll=1m&after=x", page(2, "y")),
        (f"{ROWS}?scroll=1m&after=y", page(3)),
        times=2,
    )

    assert (broken.status, outcome.error) == (RunStatus.FAILED, "")


async def test_run_that_broke_off_behind_the_first_page_asks_for_that_again():
    """One page back is the first one then."""
    (broken, outcome), _ = await read(
        "rows",
        (f"{ROWS}?filter=open", page(1, "x")),
        (f"{ROWS}?scroll=1m&after=x", GONE),
        (f"{ROWS}?filter=open", page(1, "x")),
        (f"{ROWS}?scroll=1m&after=x", page(2)),
        times=2,
    )

    assert (broken.status, outcome.error) == (RunStatus.FAILED, "")


async def test_member_of_a_body_goes_with_the_first_page_alone():
    """With nulls left out, as a parameter's are."""
    _, sent = await read(
        "posted",
        ("POST https://api.test/posted", page(1, "x")),
        ("POST https://api.test/posted?after=x", page(2)),
    )

    assert [request.body.value for request in sent] == [{"size": 2, "query": "all"}, {"size": 2}]


async def test_each_window_has_a_first_page():
    """It is a list of its own."""
    base = "GET https://api.test/windows"
    one = "since=2025-12-30T00%3A00%3A00Z&to=2025-12-31T00%3A00%3A00Z"
    two = "since=2025-12-31T00%3A00%3A00Z&to=2026-01-01T00%3A00%3A00Z"
    (outcome,), _ = await read(
        "windows",
        (f"{base}?kind=a&{one}", page(1, "x")),
        (f"{base}?{one}&after=x", page(2)),
        (f"{base}?kind=a&{two}", page(3)),
    )

    assert outcome.error == ""


async def test_walk_that_begins_at_a_place_begins_with_its_first_page():
    """Where a count says how far the list is known, that page is the first of the walk."""
    base = "GET https://api.test/counted"
    rows = [{"id": number} for number in range(5)]
    (first, second), _ = await read(
        "counted",
        (f"{base}?total=true&at=0&size=2", answer({"data": rows[:2]})),
        (f"{base}?at=2&size=2", answer({"data": rows[2:3]})),
        (f"{base}?total=true&at=2&size=2", answer({"data": rows[2:4]})),
        (f"{base}?at=4&size=2", answer({"data": rows[4:]})),
        times=2,
    )

    assert (first.error, second.error) == ("", "")


async def test_each_form_of_a_request_has_its_own():
    """The one that is found asks for the later pages as it says."""
    (outcome,), _ = await read(
        "forms",
        ("GET https://api.test/new?v=2", answer({}, status=404)),
        ("GET https://api.test/old?v=1", page(1, "x")),
        ("GET https://api.test/old?after=x", page(2)),
    )

    assert outcome.error == ""


async def test_feed_has_a_first_page():
    """Its pages are a list as well."""
    feed = "GET https://api.test/feed"
    since = "since=2026-01-01T00%3A00%3A00Z"
    (_, outcome), _ = await read(
        "followed",
        ("GET https://api.test/list", page(1)),
        (f"{feed}?types=all&{since}", page(2, "x")),
        (f"{feed}?{since}&after=x", page(3)),
        times=2,
    )

    assert outcome.error == ""


async def test_download_has_a_first_page():
    """What was made for us may come in pages."""
    file = "GET https://api.test/exports/7/rows"
    (outcome,), _ = await read(
        "exported",
        ("POST https://api.test/exports", answer({"id": 7})),
        ("GET https://api.test/exports/7", answer({"done": True})),
        (f"{file}?head=1", page(1, "x")),
        (f"{file}?after=x", page(2)),
    )

    assert outcome.error == ""


def test_explain_shows_the_page_that_is_asked_next():
    """A walk that broke off in its midst does not go on with a first page."""
    prints = plan_of(SPEC, "rows").prints
    own = {
        "walking": True,
        "mode": "full",
        "fingerprint": prints.progress,
        "identity": prints.identity,
    }
    states = (ReadingState(), ReadingState(**own), ReadingState(**own, page_token="x"))

    shown = [
        explain_stream(
            bundle_of(lists=SPEC).integrations["lists"], "rows", state, now=START, full=False
        )["request"]["url"]
        for state in states
    ]

    assert shown == [
        "https://api.test/rows?filter=open",
        "https://api.test/rows?filter=open",
        "https://api.test/rows?scroll=1m&after=x",
    ]
