"""Partitions: progress of their own, and what parent records give to child streams."""

import json

from integrationd.model.records import DeleteReason, Relay, Removal
from integrationd.model.runs import Mode, Trigger
from integrationd.ports.partitions import Relayed
from integrationd.ports.store import ReadingState, RunStart

from .conftest import KEY, NOW, TENANT

CHILD = "enrolments/0"


def give(key, *values, child=CHILD, source=b"s" * 16):
    """Return what one parent record gives."""
    data = json.dumps({"values": values}).encode()
    return Relay(child, key, data, source)


async def given(desk, child=CHILD, *, after=0, tenant=TENANT):
    """Return the values that a child is given, and the greatest place."""
    found = [row async for row in desk.store.relays(tenant, KEY.integration, child, after=after)]
    return [row.data["values"] for row in found], max((row.seq for row in found), default=0)


async def read(desk, run, *keys, relays=(), **parts):
    """Read a page of parent records and what they give."""
    return await desk.sync(run, *(desk.put(key) for key in keys), relays=relays, **parts)


async def test_each_partition_has_progress_of_its_own(desk):
    """All of it comes at once, and what is stored is what is given back."""
    lease = await desk.begin("run_1")
    states = {
        "": ReadingState(walking=True, mode=Mode.FULL, round="run_1", fingerprint="f"),
        "5": ReadingState(cursor=7, round="run_1", fingerprint="f"),
        "7": ReadingState(walking=True, page_token="t", window=["a", "b"], mode=Mode.FULL),
    }
    for name, state in states.items():
        await desk.commit("run_1", lease, partition=name, state=state)

    assert await desk.store.load_partitions(TENANT, KEY) == states
    assert await desk.store.load_state(TENANT, KEY, "7") == states["7"]
    assert await desk.store.load_partitions("north", KEY) == {}


async def test_run_notes_the_progress_that_it_begins_with(desk):
    """In one transaction with the run; a process that dies then goes on with its round."""
    state = ReadingState(walking=True, mode=Mode.FULL, round="run_1", fingerprint="f")
    start = RunStart(
        id="run_1", key=KEY, trigger=Trigger.MANUAL, mode=Mode.FULL, started_at=NOW, state=state
    )
    await desk.store.begin_run(TENANT, start, await desk.claim())

    assert await desk.store.load_state(TENANT, KEY, "") == state


async def test_progress_of_partitions_that_are_no_more_is_forgotten(desk):
    """At the end of a round; without one nothing is."""
    lease = await desk.begin("run_1")
    await desk.commit("run_1", lease, partition="5", state=ReadingState(cursor=1, round="old"))
    await desk.commit("run_1", lease, partition="7", state=ReadingState(cursor=2, round="new"))
    await desk.finish("run_1", lease)
    assert set(await desk.store.load_partitions(TENANT, KEY)) == {"", "5", "7"}

    await desk.begin("run_2", lease=lease)
    await desk.finish("run_2", lease, round="new")

    assert set(await desk.store.load_partitions(TENANT, KEY)) == {"", "7"}


async def test_living_parents_give_in_the_order_they_came(desk):
    """One that is gone gives nothing; one that comes back gives again."""
    await read(desk, "run_1", "2", "1", relays=[give("2", "b"), give("1", "a", "c")])
    assert (await given(desk))[0] == [["b"], ["a", "c"]]

    gone = Removal("2", DeleteReason.SOURCE)
    await desk.sync("run_2", removals=[gone])
    assert (await given(desk))[0] == [["a", "c"]]

    await read(desk, "run_3", "2", relays=[give("2", "d")])
    assert (await given(desk))[0] == [["d"], ["a", "c"]]


async def test_children_and_tenants_are_given_apart(desk):
    """Each by its own name."""
    relays = [give("1", "a"), give("1", "x", child="marks/0")]
    await read(desk, "run_1", "1", relays=relays)

    assert (await given(desk))[0] == [["a"]]
    assert (await given(desk, "marks/0"))[0] == [["x"]]
    assert (await given(desk, "marks/1"))[0] == []
    assert (await given(desk, tenant="north"))[0] == []


async def test_place_grows_with_each_change_of_the_source(desk):
    """What did not change is not given to whoever asks for what came later."""
    same = give("1", "a")
    await read(desk, "run_1", "1", "2", relays=[same, give("2", "b")])
    _, mark = await given(desk)

    await read(desk, "run_2", "1", "2", relays=[same, give("2", "b", source=b"t" * 16)])
    assert (await given(desk, after=mark))[0] == [["b"]]
    _, mark = await given(desk)

    await read(desk, "run_3", "1", "2", relays=[same, give("2", "z", source=b"t" * 16)])
    assert (await given(desk, after=mark))[0] == [["z"]]
    assert len((await given(desk))[0]) == 2


async def test_many_parents_come_in_pieces(desk):
    """More than are read at once."""
    keys = [str(number) for number in range(1200)]
    for start in range(0, len(keys), 400):
        some = keys[start : start + 400]
        await read(desk, f"run_{start}", *some, relays=[give(key, key) for key in some])

    values, _ = await given(desk)
    assert [value for (value,) in values] == keys


async def test_stored_value_is_the_given_one(desk):
    """The whole of it."""
    data = {"values": ["ä", 12345678901234567890], "carry": {"a": None}, "each": {"b": {"c": 1}}}
    await read(desk, "run_1", "1", relays=[Relay(CHILD, "1", json.dumps(data).encode(), b"s" * 16)])

    found = [row async for row in desk.store.relays(TENANT, KEY.integration, CHILD)]
    assert found == [Relayed(data, found[0].seq)]
