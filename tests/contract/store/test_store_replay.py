"""Quarantine seen from outside of readings: found, dropped, and mapped again."""

from datetime import timedelta

import pytest

from integrationd.errors import LeaseLostError
from integrationd.model.runs import Counts, Mode, RunStatus, Trigger
from integrationd.ports.quarantine import Mapped, QuarantineQuery, ReplayCommit, ReplayEnd
from integrationd.ports.store import ReadingState, RunStart, StreamKey

HOUR = timedelta(hours=1)
ITEMS = StreamKey("koha", "items")


async def begin(desk, run="replay"):
    """Begin a replay; returns its claim."""
    lease = await desk.claim()
    start = RunStart(
        id=run, key=desk.key, trigger=Trigger.REPLAY, mode=Mode.REPLAY, started_at=desk.now + HOUR
    )
    await desk.store.begin_replay(desk.tenant, start, lease)
    return lease


async def replay(desk, *results, run="replay", shape="s2"):
    """Replay what waits, each row with one of the results; returns the counts."""
    rows = await desk.waiting()
    lease = await begin(desk, run)
    mapped = [
        Mapped(row.id, row.last_at, result) for row, result in zip(rows, results, strict=True)
    ]
    counts = await commit(desk, run, lease, mapped, shape)
    end = ReplayEnd(
        run_id=run, key=desk.key, lease=lease, status=RunStatus.DONE, ended_at=desk.now + 2 * HOUR
    )
    await desk.store.finish_replay(desk.tenant, end)
    await desk.store.release(desk.tenant, lease)
    return counts


async def commit(desk, run, lease, mapped, shape="s2"):
    """Store one piece of a replay."""
    return await desk.store.commit_replay(
        desk.tenant,
        ReplayCommit(
            run_id=run,
            key=desk.key,
            entity=desk.entity,
            lease=lease,
            mapped=mapped,
            shape=shape,
            at=desk.now + HOUR,
            counts=Counts(cleaned=7),
            ids=[(900 + number).to_bytes(16, "big") for number in range(len(mapped))],
        ),
    )


async def test_good_ones_are_stored_and_bad_ones_wait_with_their_new_reason(desk):
    """Added, changed, deleted and still bad, in one transaction."""
    await desk.sync("run_1", desk.put("b", n=1), desk.put("c", n=1))
    bad = [desk.bad("a"), desk.bad("b"), desk.bad("c"), desk.bad("d")]
    await desk.sync("run_2", aside=bad, shape="s1", at=desk.now + HOUR / 2)

    counts = await replay(
        desk, desk.put("a", n=2), desk.put("b", n=2), desk.gone("c"), desk.bad("d", "no street")
    )

    assert counts == Counts(cleaned=7, read=4, added=1, changed=1, deleted=1, quarantined=1)
    assert await desk.alive() == {"a": {"n": 2}, "b": {"n": 2}}
    [row] = await desk.waiting()
    assert (row.fingerprint, row.reason, row.shape) == ("d", "no street", "s2")
    assert (row.first_at, row.last_at) == (desk.now + HOUR / 2, desk.now + HOUR / 2)


async def test_version_that_is_older_than_what_is_stored_is_let_go(desk):
    """Another stream has brought a newer one since: it stays, and nothing waits."""
    await desk.sync("run_1", aside=[desk.bad("a"), desk.bad("b")])
    await desk.sync("run_2", desk.put("a", n=9), key=ITEMS, at=desk.now + HOUR / 2)
    gone = [desk.gone("b")]
    await desk.sync("run_3", desk.put("b", n=1), key=ITEMS, at=desk.now + HOUR / 4)
    await desk.sync("run_4", removals=gone, key=ITEMS, at=desk.now + HOUR / 2)

    counts = await replay(desk, desk.put("a", n=1), desk.put("b", n=1))

    assert counts == Counts(cleaned=7, read=2, unchanged=2)
    assert await desk.alive() == {"a": {"n": 9}}
    assert await desk.waiting() == []


async def test_version_that_came_later_than_what_is_stored_takes_its_place(desk):
    """A quarantined version is newer than its stored predecessor."""
    await desk.sync("run_1", desk.put("a", n=1))
    await desk.sync("run_2", aside=[desk.bad("a")], at=desk.now + HOUR / 2)

    counts = await replay(desk, desk.put("a", n=2))

    assert (counts.changed, await desk.alive()) == (1, {"a": {"n": 2}})


async def test_row_that_changed_or_went_meanwhile_is_left_alone(desk):
    """A newer bad version came, and a person dropped another one."""
    await desk.sync("run_1", aside=[desk.bad("a"), desk.bad("b")])
    rows = await desk.waiting()
    await desk.sync("run_2", aside=[desk.bad("a", "worse")], at=desk.now + HOUR / 2)
    await desk.store.drop_quarantined([rows[1].id])
    lease = await begin(desk)
    stale = [Mapped(row.id, row.last_at, desk.put(row.fingerprint)) for row in rows]

    counts = await commit(desk, "replay", lease, stale)

    assert (counts, await desk.alive()) == (Counts(cleaned=7), {})
    assert [row.reason for row in await desk.waiting()] == ["worse"]


async def test_replay_without_the_claim_writes_nothing(desk):
    """The fence holds here as well."""
    await desk.sync("run_1", aside=[desk.bad("a")])
    [row] = await desk.waiting()
    lease = await begin(desk)
    await desk.store.release(desk.tenant, lease)
    await desk.claim(holder="n2:b")

    with pytest.raises(LeaseLostError):
        await commit(desk, "replay", lease, [Mapped(row.id, row.last_at, desk.put("a"))])

    assert (await desk.alive(), len(await desk.waiting())) == ({}, 1)


async def test_replay_is_a_run_but_no_reading(desk):
    """It stands in the history; the stream's last run, errors and progress are as they were."""
    state = ReadingState(cursor=7, walking=True, page_token="p", mode=Mode.FULL, fingerprint="f1")
    lease = await desk.begin("run_1")
    await desk.commit("run_1", lease, aside=[desk.bad("a")], state=state)
    await desk.finish("run_1", lease, state=state, status=RunStatus.FAILED)
    await desk.store.release(desk.tenant, lease)
    [before] = await desk.store.streams(None)

    await replay(desk, desk.put("a"))

    [after] = await desk.store.streams(None)
    assert (after.last_run, after.errors, after.last_done_at) == (before.last_run, 1, None)
    assert await desk.store.load_state(desk.tenant, desk.key, "") == state
    first, _ = [run async for run in desk.store.runs(None)]
    assert (first.id, first.mode, first.trigger, first.status) == (
        *("replay", "replay", "replay", "done"),
    )
    assert first.counts == Counts(cleaned=7, read=1, added=1)
    assert first.ended_at == desk.now + 2 * HOUR


async def test_run_that_died_is_ended_by_a_replay(desk):
    """A reading that nobody settled counts as one that failed; a replay that died does not."""
    lease = await desk.begin("run_1")
    await desk.store.release(desk.tenant, lease)
    lease = await begin(desk, "replay_1")
    await desk.store.release(desk.tenant, lease)

    await begin(desk, "replay_2")

    runs = {run.id: run.status async for run in desk.store.runs(None)}
    [row] = await desk.store.streams(None)
    assert runs == {"replay_2": "running", "replay_1": "failed", "run_1": "failed"}
    assert row.errors == 1


async def test_stream_says_which_specs_refused_what_waits(desk):
    """By their shape, so that a changed one is noticed."""
    await desk.sync("run_1", aside=[desk.bad("a"), desk.bad("b")], shape="s1")
    await desk.sync("run_2", aside=[desk.bad("b")], shape="s2")

    [row] = await desk.store.streams(None)

    assert (row.quarantined, row.refused_by) == (2, frozenset({"s1", "s2"}))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["a", "b", "z"]),
        ({"integration": "koha"}, ["a", "b", "z"]),
        ({"integration": "koha", "stream": "items"}, ["z"]),
        ({"stream": "patrons", "limit": 1}, ["a"]),
        ({"ids": (2, 3, 99)}, ["b", "z"]),
        ({"ids": (2, 3), "stream": "items"}, ["z"]),
        ({"integration": "other"}, []),
    ],
)
async def test_quarantine_is_found_by_name_and_id(desk, query, expected):
    """What is not given is anything."""
    await desk.sync("run_1", aside=[desk.bad("a"), desk.bad("b")])
    await desk.sync("run_2", key=ITEMS, entity="item", aside=[desk.bad("z")])

    found = desk.store.quarantine(None, QuarantineQuery(**query))

    assert [row.fingerprint async for row in found] == expected


async def test_dropping_counts_what_was_there(desk):
    """Also of more than one statement may name."""
    await desk.sync("run_1", aside=[desk.bad(f"r{number}") for number in range(600)])
    rows = await desk.waiting()

    dropped = await desk.store.drop_quarantined([*(row.id for row in rows[1:]), 99999])

    assert dropped == 599
    assert [row.fingerprint for row in await desk.waiting()] == ["r0"]
    assert await desk.store.drop_quarantined([]) == 0
