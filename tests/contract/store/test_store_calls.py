"""Calls and probes in the history: what they leave, and what they leave alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrationd.model.runs import Counts
from integrationd.ports.calls import PROBE
from integrationd.ports.store import RunRow, StreamKey
from integrationd.ports.upkeep import Retention

pytestmark = pytest.mark.contract


def noted(desk, number=1, **said):
    """Build a call that is over."""
    fields = {
        "id": f"run_{number}",
        "tenant": desk.tenant,
        "integration": "koha",
        "stream": "patrons",
        "trigger": "manual",
        "mode": "call",
        "status": "done",
        "resumed": False,
        "started_at": desk.now,
        "ended_at": desk.now + timedelta(seconds=1),
        "counts": Counts(requests=2, retries=1, waited_ms=750),
        "error": "",
        "kind": "",
        **said,
    }
    return RunRow(**fields)


async def history(desk, key=None):
    """Return the runs, newest first."""
    return [run async for run in desk.store.runs(desk.tenant, key=key)]


async def test_call_is_in_the_history_as_it_was_noted(desk):
    """Every field comes back."""
    run = noted(desk, status="failed", error="POST /x answered 400", kind="permanent")

    await desk.store.note_call(run)

    assert await history(desk) == [run]
    assert await history(desk, StreamKey("koha", "patrons")) == [run]


async def test_call_does_not_touch_a_stream_of_its_name(desk):
    """An operation may be called as a stream is: progress, counts and outcome stay."""
    await desk.sync("r1", desk.put("1", name="a"))
    before = await desk.store.streams(desk.tenant)

    await desk.store.note_call(noted(desk, status="failed", error="no"))

    assert await desk.store.streams(desk.tenant) == before
    assert await desk.alive() == {"1": {"name": "a"}}


async def test_running_stream_is_not_ended_by_a_call(desk):
    """A reading of the same name goes on, and is settled by itself."""
    lease = await desk.begin("r1")
    await desk.store.note_call(noted(desk))

    await desk.finish("r1", lease)

    assert [(run.id, run.status) for run in await history(desk)] == [
        ("run_1", "done"),
        ("r1", "done"),
    ]


async def test_probe_stands_for_its_integration(desk):
    """Failures are counted until one is done; the last one is shown."""
    bad = {"stream": PROBE, "mode": "probe", "status": "failed", "error": "answered 401"}
    good = {"stream": PROBE, "mode": "probe"}
    await desk.store.note_call(noted(desk, 1, **good))
    await desk.store.note_call(noted(desk, 2, **bad))
    await desk.store.note_call(noted(desk, 3, **bad))
    (failed,) = await desk.store.streams(desk.tenant)
    await desk.store.note_call(noted(desk, 4, **good))
    (done,) = await desk.store.streams(desk.tenant)

    assert (failed.key, failed.errors) == (StreamKey("koha", PROBE), 2)
    assert failed.last_run == noted(desk, 3, **bad)
    assert failed.last_done_at == desk.now + timedelta(seconds=1)
    assert (done.errors, done.last_run) == (0, noted(desk, 4, **good))


async def test_probe_that_was_stopped_changes_nothing_that_is_counted(desk):
    """It says nothing of the provider."""
    await desk.store.note_call(noted(desk, stream=PROBE, mode="probe", status="stopped"))

    (row,) = await desk.store.streams(desk.tenant)

    assert (row.errors, row.last_done_at) == (0, None)


async def test_another_tenants_calls_are_not_seen(desk):
    """Not in the history, nor where probes stand."""
    await desk.store.note_call(noted(desk, 1, tenant="south", stream=PROBE, mode="probe"))

    assert await history(desk) == []
    assert await desk.store.streams(desk.tenant) == []


async def test_calls_are_pruned_and_the_last_probe_stays(desk):
    """What status shows is kept however old it is."""
    await desk.store.note_call(noted(desk, 1))
    await desk.store.note_call(noted(desk, 2, stream=PROBE, mode="probe"))
    keep = timedelta(days=1)

    await desk.store.prune(
        desk.now + timedelta(days=2), Retention(runs=keep, events=keep, history=keep)
    )

    assert [run.id for run in await history(desk)] == ["run_2"]
