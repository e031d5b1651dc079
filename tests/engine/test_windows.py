"""Windows: a reading goes through time step by step, and the cursor moves with each of them."""

from datetime import datetime, timedelta
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.engine.progress import plan_reading
from integrationd.engine.windows import legs_of
from integrationd.errors import UnavailableError
from integrationd.model.runs import RunStatus
from integrationd.ports.store import ReadingState
from tests.support.fakes import START, Provider, answer
from tests.support.worlds import plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

BANK = """\
integration: bank
config: {since: "2025-12-01"}
http:
  base_url: https://api.test
  retries: 0
  paginate: {type: cursor, next: body.next, into: query.after}
streams:
  payments:
    get: /payments
    records: body.data
    key: id
    incremental:
      field: at
      into: query.from
      %s
"""
MONTH = 'start: "{{ config.since }}", window: {step: 10d, into: query.to, granularity: 1s}'
BY_MONTH = MONTH.replace(", window", "\n      window")


class Bank:
    """A provider that gives payments between two times, and fails where it is told to."""

    def __init__(self, *rows):
        self.rows = [{"id": number, "at": at} for number, at in enumerate(rows)]
        self.asked = []
        self.fails_at = None
        self.wrong = UnavailableError("gone")

    def __call__(self, line, headers):
        """Answer one call."""
        query = {key: values[0] for key, values in parse_qs(urlsplit(line).query).items()}
        self.asked.append((query.get("from"), query.get("to")))
        if self.fails_at is not None and query["from"] == self.fails_at:
            return self.wrong
        found = [
            row
            for row in self.rows
            if query.get("from", "") <= row["at"] <= query.get("to", "9999")
        ]
        return answer({"data": found, "next": None})


def bank(more=BY_MONTH):
    """Compile the stream."""
    return plan_of(BANK % more, "payments")


async def test_first_reading_goes_from_the_start_to_now():
    """START is the first of January 2026; each window ends before the next one begins."""
    api = Bank("2025-12-05T00:00:00Z", "2025-12-11T00:00:00Z")
    async with stage(Provider(api)) as on:
        outcome = await on.sync(plan := bank())

        assert (outcome.status, outcome.counts.added) == (RunStatus.DONE, 2)
        assert api.asked == [
            ("2025-12-01T00:00:00Z", "2025-12-10T23:59:59Z"),
            ("2025-12-11T00:00:00Z", "2025-12-20T23:59:59Z"),
            ("2025-12-21T00:00:00Z", "2025-12-30T23:59:59Z"),
            ("2025-12-31T00:00:00Z", "2026-01-01T00:00:00Z"),
        ]
        assert await on.cursor(plan) == "2025-12-31T00:00:00+00:00"

        api.asked = []
        await on.sync(plan)
        assert api.asked == [("2025-12-31T00:00:00Z", "2026-01-01T00:00:00Z")]


async def test_reading_that_broke_off_goes_on_with_its_window():
    """What was read before it is not asked for again."""
    api = Bank("2025-12-05T00:00:00Z", "2025-12-25T00:00:00Z")
    api.fails_at = "2025-12-21T00:00:00Z"
    async with stage(Provider(api)) as on:
        broken = await on.sync(plan := bank())
        assert (broken.status, await on.cursor(plan)) == (
            RunStatus.FAILED,
            "2025-12-21T00:00:00+00:00",
        )
        api.fails_at, api.asked = None, []
        outcome = await on.sync(plan)

        assert [start for start, _ in api.asked] == ["2025-12-21T00:00:00Z", "2025-12-31T00:00:00Z"]
        assert (outcome.counts.added, outcome.counts.deleted) == (1, 0)
        assert len(await on.rows(plan)) == 2


async def test_start_without_windows_is_the_first_bound():
    """A duration counts back from now, and what lies before it is not swept."""
    api = Bank("2025-12-31T12:00:00Z")
    async with stage(Provider(api)) as on:
        await on.sync(plan := bank("start: 7d"))
        api.rows = []
        outcome = await on.sync(plan, full=True)

    assert api.asked == [("2025-12-25T00:00:00Z", None)] * 2
    assert outcome.counts.deleted == 0


async def test_windows_are_written_as_records_are_and_go_on_from_either():
    """The cursor is a window's end, ours, or a record's value, the provider's; both are read."""
    form = "%d.%m.%Y %H:%M %z"
    asked = []

    def respond(line, _headers):
        query = {key: values[0] for key, values in parse_qs(urlsplit(line).query).items()}
        asked.append((query["from"], query["to"]))
        rows = [{"id": len(asked), "at": "31.12.2025 23:30 +0200"}] if len(asked) == 2 else []
        return answer({"data": rows, "next": None})

    words = f'read: "{form}", bound: exclusive, start: "2025-12-11T00:00:00+02:00"\n'
    words = words.replace(", ", "\n      ") + "      window: {step: 20d, into: query.to}"
    async with stage(Provider(respond)) as on:
        await on.sync(plan := bank(words))
        assert await on.cursor(plan) == "31.12.2025 23:30 +0200"
        await on.sync(plan)

    assert asked == [
        ("10.12.2025 21:59 +0000", "30.12.2025 22:00 +0000"),
        ("30.12.2025 21:59 +0000", "01.01.2026 00:00 +0000"),
        ("31.12.2025 21:29 +0000", "01.01.2026 00:00 +0000"),
    ]


PLACES = """\
integration: bank
http:
  base_url: https://api.test
  retries: 0
  paginate: {type: page, into: query.page, stop_when: body.end}
  errors: [{when: "status == `404`", then: skip}]
streams:
  payments:
    get: /payments
    records: body.data
    key: id
    incremental:
      field: at
      into: query.from
      start: "2025-12-01T00:00:00Z"
      window: {step: 10d, into: query.to}
"""


async def test_rows_that_moved_up_in_a_window_are_read_by_the_next_run():
    """A row that changes leaves its window; the one behind it is stepped over, and not lost."""
    rows = {1: "2025-12-02T00:00:00Z", 2: "2025-12-03T00:00:00Z", 3: "2025-12-04T00:00:00Z"}

    def respond(line, headers):
        query = {key: values[0] for key, values in parse_qs(urlsplit(line).query).items()}
        number = int(query.get("page", 1))
        found = sorted((at, key) for key, at in rows.items() if query["from"] <= at <= query["to"])
        page = [{"id": key, "at": at} for at, key in found[number - 1 : number]]
        if number == 1 and rows[1].startswith("2025-12"):
            rows[1] = "2026-01-01T00:00:00Z"
        return answer({"data": page, "end": number >= len(found)})

    plan = plan_of(PLACES, "payments")
    async with stage(Provider(respond)) as on:
        await on.sync(plan)
        assert sorted(await on.rows(plan)) == ["1", "3"]
        await on.sync(plan)
        assert sorted(await on.rows(plan)) == ["1", "2", "3"]
        await on.sync(plan)
        assert await on.cursor(plan) > "2025-12-30"


async def test_window_that_was_skipped_is_asked_for_again():
    """Also where the run died after it."""
    asked = []

    def respond(line, headers):
        query = {key: values[0] for key, values in parse_qs(urlsplit(line).query).items()}
        asked.append(query["from"])
        if failing and query["from"].startswith("2025-12-11"):
            return answer({}, status=404)
        if len(failing) > 1 and query["from"].startswith("2025-12-21"):
            return UnavailableError("gone")
        return answer({"data": [], "end": True})

    plan = plan_of(PLACES, "payments")
    async with stage(Provider(respond)) as on:
        for failing in (["skipped"], ["skipped", "died"], []):  # noqa: B007 - respond looks
            asked.clear()
            await on.sync(plan)
        assert asked == ["2025-12-21T00:00:00Z", "2025-12-31T00:00:00Z"]
        await on.sync(plan)
        assert asked[2:] == ["2025-12-11T00:00:00Z", *asked[:2]]


async def test_changed_shape_is_read_in_full_however_often_it_breaks_off():
    """Nothing stays stale because the cursor moved with the windows."""
    api = Bank("2025-12-05T00:00:00Z", "2025-12-25T00:00:00Z")
    api.fails_at = None
    other = BANK.replace("key: id", "key: id\n    where: id > `0`")
    async with stage(Provider(api)) as on:
        await on.sync(bank())
        plan = plan_of(other % BY_MONTH, "payments")
        api.fails_at, api.wrong = "2025-12-21T00:00:00Z", answer({}, status=400)
        await on.sync(plan)
        api.fails_at = None
        await on.sync(plan)
        state = await on.store.load_state("default", plan.key, "")

        assert state.shape == plan.prints.shape
        assert list(await on.rows(plan)) == ["1"]


@given(
    days=st.floats(0, 400),
    step=st.timedeltas(timedelta(minutes=1), timedelta(days=90)),
    lookback=st.timedeltas(timedelta(), timedelta(days=3)),
)
@pytest.mark.looptime(enabled=False)
def test_windows_meet_and_cover_all(days, step, lookback):
    """From the cursor, less the lookback, to now: each begins where the last one ends."""
    step = max(step, timedelta(days=days) / 200)
    cursor = (START - timedelta(days=days)).isoformat()
    words = f"start: 1d\n      lookback: {lookback // timedelta(seconds=1)}s\n"
    words += f"      window: {{step: {step // timedelta(milliseconds=1)}ms}}"
    plan = bank(words)
    state = ReadingState(cursor=cursor, fingerprint=plan.prints.progress)
    reading = plan_reading(state, prints=plan.prints, incremental=True, full=False)
    legs = list(legs_of(plan, reading, START))
    spans = [(leg.window.begin, leg.window.end) for leg in legs]

    assert spans[0][0] == datetime.fromisoformat(cursor) - timedelta(
        seconds=lookback // timedelta(seconds=1)
    )
    assert spans[-1][1] == START
    assert all(one[1] == two[0] for one, two in pairwise(spans))
    assert [leg.following for leg in legs] == [leg.window for leg in legs[1:]] + [None]
