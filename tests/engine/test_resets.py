"""Providers that give so many records for one question: the walk begins anew where they stopped."""

import asyncio
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrationd.model.runs import RunStatus
from tests.support.fakes import Provider, answer
from tests.support.worlds import plan_of, stage

SPEC = """\
integration: crm
http:
  base_url: https://api.test
  retries: 0
  paginate: {type: offset, into: query.from, size: {into: query.size, value: SIZE}PAGING}
streams:
  contacts:
    get: /contacts
    query: {sort: at}
    records: body.hits
    key: id
    incremental: {field: at, into: query.since, type: number, sorted: true, reset_after: LIMITMORE}
"""


def crm(limit=10, size=5, paging="", more=""):
    """Compile the stream."""
    spec = SPEC.replace("SIZE", str(size)).replace("LIMIT", str(limit))
    return plan_of(spec.replace("PAGING", paging).replace("MORE", more), "contacts")


class Capped:
    """A provider whose result window has an end; what lies behind it is refused, or not told of."""

    def __init__(self, *values, limit=10, refuses=True, order=1):
        self.rows = [{"id": number, "at": value} for number, value in enumerate(values)]
        self.limit, self.refuses, self.order = limit, refuses, order
        self.asked = []

    def __call__(self, line, _headers):
        """Answer one page."""
        since, start, size = (
            int(found.group(1)) if (found := re.search(rf"{name}=(-?\d+)", line)) else 0
            for name in ("since", "from", "size")
        )
        self.asked.append((since, start))
        kept = [row for row in self.rows if row["at"] >= since]
        kept.sort(key=lambda row: (self.order * row["at"], row["id"]))
        if start + size > self.limit and self.refuses and start:
            return answer({"error": "the result window is too large"}, status=400)
        shown = kept[: self.limit]
        return answer({"hits": shown[start : start + size], "total": len(shown)})


@pytest.mark.looptime(start=0)
async def test_walk_begins_anew_at_the_greatest_value():
    """Within one run, at that value itself, from the first page on."""
    api = Capped(*range(100, 123))
    async with stage(Provider(api)) as on:
        outcome = await on.sync(plan := crm())

        assert (outcome.status, outcome.error) == (RunStatus.DONE, "")
        assert len(await on.rows(plan)) == 23
        assert api.asked == [
            (0, 0), (0, 5), (109, 0), (109, 5), (118, 0), (118, 5),
        ]  # fmt: skip
        assert await on.cursor(plan) == 122


@pytest.mark.looptime(start=0)
async def test_full_reading_in_several_walks_still_deletes():
    """It saw everything, though no walk did."""
    api = Capped(*range(100, 123))
    async with stage(Provider(api)) as on:
        await on.sync(plan := crm())
        del api.rows[7]
        outcome = await on.sync(plan, full=True)

        assert (outcome.status, outcome.counts.deleted) == (RunStatus.DONE, 1)
        assert len(await on.rows(plan)) == 22


@pytest.mark.looptime(start=0)
async def test_walk_that_breaks_off_behind_a_reset_goes_on_from_there():
    """The cursor is where the last committed page ends, as at any provider that sorts."""
    api = Capped(*range(100, 123))
    calls = iter(range(99))

    def failing(line, headers):
        return answer({}, status=503) if next(calls) == 3 else api(line, headers)

    async with stage(Provider(failing)) as on:
        broken = await on.sync(plan := crm())
        assert (broken.status, await on.cursor(plan)) == (RunStatus.FAILED, 113)
        api.asked = []
        outcome = await on.sync(plan)

        assert (outcome.status, api.asked[0]) == (RunStatus.DONE, (113, 0))
        assert len(await on.rows(plan)) == 23


@pytest.mark.looptime(start=0)
async def test_reset_leaves_lookback_out():
    """It is for rows that turn up late; here it would read the same rows for ever."""
    api = Capped(*range(100, 115))
    async with stage(Provider(api)) as on:
        await on.sync(plan := crm(more=", lookback: 50"))
        api.asked = []
        outcome = await on.sync(plan)

        assert outcome.error == ""
        assert api.asked[0] == (63, 0)
        assert {since for since, _ in api.asked} == {63, 109}


@pytest.mark.looptime(start=0)
async def test_total_that_knows_only_the_window_does_not_end_the_walk():
    """Elasticsearch counts to 10,000 and no further unless it is asked to."""
    api = Capped(*range(100, 123))
    async with stage(Provider(api)) as on:
        outcome = await on.sync(plan := crm(paging=", total: body.total"))

        assert outcome.status is RunStatus.DONE
        assert len(await on.rows(plan)) == 23


@pytest.mark.looptime(start=0)
async def test_bound_that_lies_before_the_greatest_value_is_no_break_of_the_order():
    """Where only whole days can be asked for, the rest begins with rows that were read."""
    rows = [
        {"id": number, "at": f"2025-12-{10 + number // 4}T0{number % 4}:00:00Z"}
        for number in range(22)
    ]

    def days(line, _headers):
        since, start = re.search(r"/contacts\?(?:.*since=([^&]+))?.*from=(\d+)", line).groups()
        found = [row for row in rows if row["at"] >= (since or "")][:10]
        return answer({"hits": found[int(start) : int(start) + 5]})

    text = SPEC.replace("type: number", "format: date").replace("SIZE", "5").replace("LIMIT", "10")
    plan = plan_of(text.replace("PAGING", "").replace("MORE", ""), "contacts")
    async with stage(Provider(days)) as on:
        outcome = await on.sync(plan)
        state = await on.store.load_state(plan.tenant, plan.key, "")

        assert (outcome.status, outcome.error) == (RunStatus.DONE, "")
        assert (len(await on.rows(plan)), state.cursor) == (22, rows[-2]["at"])


LIMIT = "reset_after: 10 records were read and the rest cannot be asked for"


@pytest.mark.looptime(start=0)
@pytest.mark.parametrize(
    ("api", "message"),
    [
        pytest.param(
            Capped(*[7] * 25),
            f"{LIMIT}, as the next walk would begin at 7 again; ask for less at once, by "
            "'for_each' or a filter",
            id="one-value",
        ),
        pytest.param(
            Capped(*range(25), order=-1),
            f"{LIMIT}, as they did not come in ascending order of 'at'; ask the provider to sort "
            "by it, in the request",
            id="not-sorted",
        ),
    ],
)
async def test_rest_that_cannot_be_asked_for_fails_the_run(api, message):
    """What was read is kept; a run that is not complete deletes nothing."""
    async with stage(Provider(api)) as on:
        outcome = await on.sync(plan := crm())

        assert (outcome.status, outcome.kind) == (RunStatus.FAILED, "permanent")
        assert outcome.error == message
        assert len(await on.rows(plan)) == 10


@given(
    values=st.lists(st.integers(0, 15), max_size=40),
    limit=st.integers(2, 9),
    size=st.integers(1, 4),
    refuses=st.booleans(),
    total=st.booleans(),
)
@example(values=list(range(12)), limit=5, size=2, refuses=True, total=False)
@example(values=[0, 1, 1, 1, 2], limit=3, size=1, refuses=True, total=False)
def test_no_row_is_lost_in_silence(values, limit, size, refuses, total):
    """Every row is stored, or so many share a value that the run fails."""
    size = min(size, limit // 2)
    api = Capped(*values, limit=limit, refuses=refuses)
    plan = crm(limit, size, paging=", total: body.total" if total else "")

    async def history():
        async with stage(Provider(api)) as on:
            outcome = await on.sync(plan)
            return outcome, len(await on.rows(plan))

    outcome, stored = asyncio.run(history())

    if outcome.status is RunStatus.DONE:
        assert stored == len(values)
    else:
        assert outcome.error.startswith("reset_after: ")
        # What a walk surely reads before it is cut.
        assert max(values.count(value) for value in values) > limit - 2 * size


@pytest.mark.looptime(start=0)
async def test_partitions_begin_anew_each_for_itself():
    """One that is cut is not done with the page at which it was cut."""
    api = Capped(*range(100, 123))
    calls = iter(range(99))

    def failing(line, headers):
        return answer({}, status=503) if next(calls) == 2 else api(line, headers)

    spec = "\n    for_each: {list: [north], as: region}\n    get: /contacts/{{ each.region }}"
    plan = plan_of(
        SPEC.replace("SIZE", "5").replace("LIMIT", "10").replace("PAGING", "").replace("MORE", "")
        .replace("\n    get: /contacts", spec),
        "contacts",
    )  # fmt: skip
    async with stage(Provider(failing)) as on:
        broken = await on.sync(plan)
        outcome = await on.sync(plan)

        assert (broken.status, outcome.status) == (RunStatus.FAILED, RunStatus.DONE)
        assert len(await on.rows(plan)) == 23


@pytest.mark.looptime(start=0)
async def test_window_that_is_cut_is_read_to_its_end_before_the_next():
    """The rest of a window keeps its upper bound."""
    rows = [
        {"id": number, "at": f"2025-12-{1 + number // 3:02d}T0{number % 3}:00:00Z"}
        for number in range(30)
    ]
    asked = []

    def bank(line, _headers):
        low, high, start = re.search(r"from=([^&]+)&to=([^&]+)&at=(\d+)", line).groups()
        low, high = low.replace("%3A", ":"), high.replace("%3A", ":")
        asked.append((low, high[:10], int(start)))
        found = [row for row in rows if low <= row["at"] <= high][:10]
        return answer(found[int(start) : int(start) + 5])

    plan = plan_of(
        "integration: bank\n"
        "http: {base_url: https://api.test}\n"
        "streams:\n"
        "  payments:\n"
        "    get: /payments\n"
        "    key: id\n"
        "    paginate: {type: offset, into: query.at, size: {into: query.n, value: 5}}\n"
        "    incremental:\n"
        "      {field: at, into: query.from, sorted: true, reset_after: 10, start: '2025-12-01',\n"
        "       window: {step: 16d, into: query.to}}\n",
        "payments",
    )
    async with stage(Provider(bank)) as on:
        outcome = await on.sync(plan)

        assert (outcome.status, outcome.error) == (RunStatus.DONE, "")
        assert len(await on.rows(plan)) == 30
    assert {high for low, high, _ in asked if low < "2025-12-11"} == {"2025-12-17"}
