"""Any history of a source, of failures and of resumed runs: nothing is lost or invented."""

import asyncio
import re
from dataclasses import dataclass, field

from hypothesis import example, given
from hypothesis import strategies as st

from integrationd.model.runs import RunStatus
from tests.support.fakes import Provider, answer
from tests.support.worlds import plan_of, stage

SPEC = """\
integration: shop
http:
  base_url: https://api.test
  retries: 0
  paginate: {type: offset, into: query.offset, size: {into: query.limit, value: 3}}
streams:
  orders:
    get: /orders
    records: body
    key: id
    incremental: {field: at, into: query.since, type: number%s}
"""


@dataclass
class Source:
    """Rows that answer by offset, filtered by an inclusive bound; fails where it is told to."""

    by_time: bool
    rows: dict[int, int] = field(default_factory=dict)
    fails_in: int | None = None
    status: int = 503

    def respond(self, line, _headers):
        """Answer one page."""
        if self.fails_in is not None:
            self.fails_in -= 1
            if self.fails_in < 0:
                return answer({}, status=self.status)
        since, offset = (
            int(found.group(1)) if (found := re.search(rf"{name}=(\d+)", line)) else 0
            for name in ("since", "offset")
        )
        kept = [{"id": key, "at": at} for key, at in self.rows.items() if at >= since]
        kept.sort(key=lambda row: (row["at"], row["id"]) if self.by_time else row["id"])
        return answer(kept[offset : offset + 3])


CHANGES = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), max_size=8)
"""Rows that are written before a run: an id, and how much later than all before."""
RUNS = st.lists(
    st.tuples(CHANGES, st.none() | st.integers(0, 4), st.sampled_from([503, 400])),
    min_size=1,
    max_size=6,
)


@given(runs=RUNS, order=st.sampled_from([(False, False), (True, False), (True, True)]))
@example(
    runs=[([(1, 0), (2, 0), (3, 0), (4, 0), (5, 1)], 1, 503), ([(0, 0)], None, 503)],
    order=(True, True),
)
def test_cursor_never_passes_a_row_that_was_not_stored(runs, order):
    """After every run, each row older than the cursor is stored as it was last written.

    The provider may or may not sort, the spec may or may not say so where it does, ties are cut by
    pages, and runs break off anywhere, for good or in passing.
    """
    by_time, says_sorted = order

    async def history():
        source = Source(by_time)
        plan = plan_of(SPEC % (", sorted: true" if says_sorted else ""), "orders")
        latest = 0
        async with stage(Provider(source.respond)) as on:
            for changes, fails_in, status in runs:
                for key, step in changes:
                    latest += step
                    source.rows.pop(key, None)
                    source.rows[key] = latest
                source.fails_in, source.status = fails_in, status
                await on.sync(plan)
                cursor, stored = await on.cursor(plan), await on.rows(plan)
                state = await on.store.load_state(plan.tenant, plan.key, "")
                if cursor is not None and state.fingerprint:
                    for key, at in source.rows.items():
                        assert at >= cursor or stored[str(key)] == {"id": key, "at": at}
            source.fails_in = None
            assert (await on.sync(plan)).status is RunStatus.DONE
            assert (await on.sync(plan)).status is RunStatus.DONE
            rows = await on.rows(plan)
        assert {int(key): row["at"] for key, row in rows.items()} == source.rows

    asyncio.run(history())


@given(
    sizes=st.lists(st.integers(0, 9), min_size=1, max_size=5),
    fails=st.lists(st.none() | st.integers(0, 3), min_size=5, max_size=5),
)
def test_full_readings_end_equal_to_the_source(sizes, fails):
    """Whatever broke off before, a complete full reading leaves exactly the source's rows."""

    async def history():
        source = Source(by_time=False)
        spec = re.sub(r"\n    incremental: .*", "", SPEC % "")
        plan = plan_of(spec, "orders")
        async with stage(Provider(source.respond)) as on:
            for size, fails_in in zip(sizes, fails, strict=False):
                source.rows = dict.fromkeys(range(size), size)
                source.fails_in = fails_in
                outcome = await on.sync(plan)
                if outcome.status is not RunStatus.DONE:
                    assert outcome.counts.deleted == 0
            source.fails_in = None
            await on.sync(plan)
            await on.sync(plan)
            rows = await on.rows(plan)
        assert {int(key): row["at"] for key, row in rows.items()} == source.rows

    asyncio.run(history())
