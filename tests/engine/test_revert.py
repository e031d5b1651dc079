"""Undoing a run in the engine: how it begins and ends, what it tells, what the next run does."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from integrationd.engine.claims import claim_stream
from integrationd.engine.conductor import Conductor
from integrationd.engine.revert import Undoing, revert_run
from integrationd.errors import HistoryError, LeaseLostError, StoreBrokenError, StoreError
from integrationd.model.runs import RunStatus
from integrationd.ports.store import StreamKey
from integrationd.ports.undo import Undone
from integrationd.ports.upkeep import Retention
from integrationd.signals import RunFinished, RunReverted, RunSkipped
from integrationd.spec.settings import Settings
from tests.support.fakes import Provider, answer
from tests.support.worlds import bundle_of, plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

FULL = """\
integration: shop
http: {base_url: "https://api.test", paginate: {type: none}}
streams:
  orders: {get: /orders, records: body, key: id}
"""
NEWER = """\
integration: shop
http: {base_url: "https://api.test", paginate: {type: none}}
streams:
  orders:
    get: /orders
    records: body
    key: id
    incremental: {field: at, into: query.since, type: number}
"""
KEY = StreamKey("shop", "orders")


class Shop(Provider):
    """Answers what its list holds now, from a lower bound on where one is asked for."""

    def __init__(self, *rows):
        super().__init__(self._answer)
        self.rows = list(rows)

    def _answer(self, line, _headers):
        since = int(line.partition("since=")[2] or 0)
        return answer([row for row in self.rows if row["at"] >= since])


def row(key, at):
    """Build a source record."""
    return {"id": key, "at": at}


async def revert(on, outcome, tell=lambda _: None, store=None):
    """Undo a run."""
    details = await on.store.find_run(outcome.run_id)
    world = on.world if store is None else replace(on.world, store=store)
    return await revert_run(world, details, tell)


async def test_run_is_undone_and_it_is_told(looptime):
    """A run of its own undoes it; one signal says by whom, what and how much, no reading ended."""
    async with stage(shop := Shop(row(1, 1), row(2, 1))) as on:
        plan = plan_of(FULL, "orders")
        await on.sync(plan)
        before = await on.rows(plan)
        shop.rows = [row(1, 2), row(3, 2)]
        read = await on.sync(plan)
        pieces = []
        outcome = await revert(on, read, pieces.append)
        after = await on.rows(plan)

    assert after == before
    assert pieces == [Undone(gone=1, restored=1, revived=1)]
    assert (outcome.status, outcome.error) == (RunStatus.DONE, "")
    assert outcome.undoing == Undoing(gone=1, restored=1, revived=1)
    [told] = on.ear.of(RunReverted)
    assert told == RunReverted(
        tenant="default",
        integration="shop",
        stream="orders",
        run_id=outcome.run_id,
        reverts=read.run_id,
        status="done",
        gone=1,
        restored=1,
        revived=1,
        conflicts=0,
        took_s=0.0,
    )
    assert len(on.ear.of(RunFinished)) == 2


@pytest.mark.parametrize(
    ("others", "error"),
    [
        (1, "1 record was changed since and stays as it is"),
        (2, "2 records were changed since and stay as they are"),
    ],
)
async def test_what_was_left_alone_is_noted_with_the_run(looptime, others, error):
    """Conflicts do not fail the run, and its line in the history says how many there were."""
    async with stage(shop := Shop(row(1, 1), row(2, 1), row(3, 1))) as on:
        plan = plan_of(FULL, "orders")
        first = await on.sync(plan)
        shop.rows = [row(1, 2), row(2, 1 if others == 1 else 2), row(3, 1)]
        await on.sync(plan)
        outcome = await revert(on, first)
        noted = (await on.store.find_run(outcome.run_id)).run

    assert (noted.status, noted.error, noted.mode) == ("done", error, "revert")
    assert outcome.undoing.conflicts == others


async def test_cursor_stays_and_a_full_reading_reads_what_was_undone(looptime):
    """The next reading by the cursor leaves undone what is undone; a full one takes all again."""
    async with stage(shop := Shop(row(1, 1), row(2, 5))) as on:
        plan = plan_of(NEWER, "orders")
        read = await on.sync(plan)
        await revert(on, read)
        shop.rows.append(row(3, 9))
        cursor = await on.cursor(plan)
        await on.sync(plan)
        newer = await on.rows(plan)
        await on.sync(plan, full=True)
        every = await on.rows(plan)

    assert cursor == 5
    assert sorted(newer) == ["2", "3"]
    assert sorted(every) == ["1", "2", "3"]


async def test_broken_walk_begins_anew_after_a_revert(looptime):
    """What a broken run had stored is undone, and the next run reads those pages once more."""
    spec = FULL.replace(
        "paginate: {type: none}",
        "retries: 0, paginate: {type: cursor, next: body.next, into: query.page}",
    ).replace("records: body,", "records: body.rows,")

    def respond(line, _headers):
        if "page=2" not in line:
            return answer({"rows": [row(1, 1)], "next": "2"})
        return answer({}, status=503) if broken else answer({"rows": [row(2, 1)]})

    async with stage(Provider(respond)) as on:
        plan, broken = plan_of(spec, "orders"), True
        read = await on.sync(plan)
        assert (read.status, await on.rows(plan)) == (RunStatus.FAILED, {"1": row(1, 1)})
        await revert(on, read)
        broken = False
        assert await on.rows(plan) == {}
        await on.sync(plan)

        assert sorted(await on.rows(plan)) == ["1", "2"]


async def test_pruned_run_is_refused_before_anything_is_noted(looptime):
    """No run is begun for what cannot be done."""
    async with stage(Shop(row(1, 1))) as on:
        read = await on.sync(plan_of(FULL, "orders"))
        keep = Retention(runs=timedelta(9), events=timedelta(9), history=timedelta(1))
        await on.store.prune(on.world.clock.now() + timedelta(2), keep)
        with pytest.raises(HistoryError) as caught:
            await revert(on, read)
        runs = [run.id async for run in on.store.runs(None)]

    assert str(caught.value) == (
        f"run {read.run_id} cannot be undone: what it wrote over is older than retention.history "
        "keeps and has been removed"
    )
    assert runs == [read.run_id]


async def test_stream_that_another_process_reads_is_not_undone(looptime):
    """One writes at a time."""
    async with stage(Shop(row(1, 1))) as on:
        read = await on.sync(plan_of(FULL, "orders"))
        await claim_stream(replace(on.world, holder="other:boot"), "default", KEY)

        assert await revert(on, read) is None


class Breaking:
    """A store whose undoing breaks after the first piece."""

    def __init__(self, store, error):
        self._store, self._error = store, error

    def __getattr__(self, name):
        return getattr(self._store, name)

    async def undo(self, tenant, reverts, *, by):
        """Undo one piece, then break or take for ever."""
        async for piece in self._store.undo(tenant, reverts, by=by):
            yield piece
        if self._error is None:
            await asyncio.sleep(1e6)
        raise self._error


@pytest.mark.parametrize("error", [StoreError("disk full"), LeaseLostError("taken")])
async def test_store_that_fails_is_an_outcome_and_the_next_one_goes_on(looptime, error):
    """What was stored stays; it cannot be settled, so the next undoing ends it and goes on."""
    async with stage(Shop(row(1, 1))) as on:
        read = await on.sync(plan_of(FULL, "orders"))
        outcome = await revert(on, read, store=Breaking(on.store, error))
        again = await revert(on, read)
        noted = (await on.store.find_run(outcome.run_id)).run

    assert (outcome.status, outcome.error, outcome.kind) == ("failed", str(error), "temporary")
    assert (noted.status, noted.error) == ("failed", "the process ended during the run")
    assert again.undoing == Undoing(already=1)


async def test_history_that_goes_meanwhile_fails_the_run(looptime):
    """It is settled with the reason."""
    async with stage(Shop(row(1, 1))) as on:
        read = await on.sync(plan_of(FULL, "orders"))
        gone = HistoryError("the history was pruned meanwhile; what is left cannot be undone")
        outcome = await revert(on, read, store=Breaking(on.store, gone))
        noted = (await on.store.find_run(outcome.run_id)).run

    assert (noted.status, noted.error, noted.kind) == ("failed", str(gone), "permanent")


async def test_broken_store_ends_the_daemon(looptime):
    """Nothing is guessed about what is on the disk: it is raised, and the claim is given back."""
    async with stage(Shop(row(1, 1))) as on:
        read = await on.sync(plan_of(FULL, "orders"))
        with pytest.raises(StoreBrokenError):
            await revert(on, read, store=Breaking(on.store, StoreBrokenError("fsync")))


async def test_end_of_the_daemon_stops_an_undoing(looptime):
    """Cancelled late, it is settled as stopped, keeps its claim alive until then and frees it."""
    async with stage(Shop(row(1, 1))) as on:
        plan = plan_of(FULL, "orders")
        read = await on.sync(plan)
        conductor = Conductor(
            world=on.world, settings=Settings(), bundle=bundle_of(integration=FULL)
        )
        slow = Breaking(on.store, None)
        work = asyncio.create_task(
            conductor.instead("shop", "orders", lambda: revert(on, read, store=slow))
        )
        await asyncio.sleep(300)
        conductor.due("shop", "orders")
        taken = await claim_stream(replace(on.world, holder="other:boot"), "default", KEY)
        late = await conductor.drain(25)
        [ended] = await asyncio.gather(work, return_exceptions=True)
        newest = await anext(on.store.runs(None, limit=1))
        free = await claim_stream(replace(on.world, holder="other:boot"), "default", KEY)

    assert (taken, late, type(ended)) == (None, 1, asyncio.CancelledError)
    assert [signal.stream for signal in on.ear.of(RunSkipped)] == ["orders"]
    assert (newest.mode, newest.status) == ("revert", "stopped")
    assert free is not None


async def test_undoing_waits_for_the_reading_under_way(looptime):
    """The reading ends first, then the run is undone."""
    order = []

    async def respond_late():
        await asyncio.sleep(5)
        order.append("read")

    async def undo():
        order.append("undone")

    async with stage(Shop()) as on:
        conductor = Conductor(
            world=on.world, settings=Settings(), bundle=bundle_of(integration=FULL)
        )
        reading = asyncio.create_task(conductor.instead("shop", "orders", respond_late))
        await asyncio.sleep(1)
        await conductor.instead("shop", "orders", undo)
        await reading

    assert order == ["read", "undone"]
