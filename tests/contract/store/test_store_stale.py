"""What a changed spec leaves behind: stale records, held deletions, other entities."""

from integrationd.model.records import DeleteReason
from integrationd.model.runs import Counts, Mode
from integrationd.ports.store import ReadingState, StreamKey, Swept

MARKED = ReadingState(
    cursor=7,
    high_water=9,
    sure=8,
    mode=Mode.FULL,
    fingerprint="progress",
    identity='{"key": ["id"]}',
    shape="shape",
)


async def stale(desk):
    """Return the stale records and how many the stream says that it has."""
    [row] = await desk.store.streams(None)
    return [record.external_id for record in await desk.records() if record.stale], row.stale


async def mark(desk, *, stale=True):
    """Mark the stream, or take the mark away."""
    await desk.store.mark_stale(desk.tenant, desk.key, stale=stale)


async def test_fingerprints_and_marks_are_kept_with_the_state(desk):
    """What the progress belongs to comes back as it was, and stands in the stream's row."""
    lease = await desk.begin("run_1")

    await desk.commit("run_1", lease, state=MARKED)

    assert await desk.store.load_state(desk.tenant, desk.key, "") == MARKED
    [row] = await desk.store.streams(None)
    assert (row.identity, row.shape) == ('{"key": ["id"]}', "shape")


async def test_marked_records_are_stale_until_they_are_written(desk):
    """A changed or added record is fresh, an unchanged one waits for the end of the reading."""
    await desk.sync("run_1", desk.put("a", n=1), desk.put("b", n=1))
    await mark(desk)
    lease = await desk.begin("run_2")

    await desk.commit("run_2", lease, desk.put("a", n=2), desk.put("b", n=1), desk.put("c"))
    between = await stale(desk)
    await desk.finish("run_2", lease, rewritten=True)

    assert (between, await stale(desk)) == ((["b"], 1), ([], 0))


async def test_marking_again_moves_nothing(desk):
    """What was written since the first mark stays fresh."""
    await desk.sync("run_1", desk.put("a", n=1), desk.put("b", n=1))
    await mark(desk)
    await desk.sync("run_2", desk.put("a", n=2))

    await mark(desk)

    assert await stale(desk) == (["b"], 1)


async def test_mark_can_be_taken_away(desk):
    """Then every record is as it should be."""
    await desk.sync("run_1", desk.put("a"))
    await mark(desk)

    await mark(desk, stale=False)

    assert await stale(desk) == ([], 0)


async def test_tombstones_and_other_streams_are_not_stale(desk):
    """The mark is one stream's, and what is deleted has no shape."""
    items = StreamKey("koha", "items")
    await desk.sync("run_1", desk.put("a"), desk.put("b"))
    await desk.sync("run_2", desk.put("z"), key=items, entity="item")
    await desk.sync("run_3", removals=[desk.gone("b", DeleteReason.SOURCE)])

    await mark(desk)

    assert [record.external_id for record in await desk.records() if record.stale] == ["a"]
    assert [row.stale for row in await desk.store.streams(None)] == [0, 1]


async def test_held_deletions_are_those_of_the_last_complete_reading(desk):
    """A reading that was not complete says nothing about them."""
    held = []
    for run, complete, count in (("r1", True, 5), ("r2", False, 0), ("r3", True, 0)):
        lease = await desk.begin(run)
        await desk.finish(run, lease, complete=complete, counts=Counts(held=count))
        await desk.store.release(desk.tenant, lease)
        held += [row.held for row in await desk.store.streams(None)]

    assert held == [5, 5, 0]


async def test_sweep_of_every_entity_takes_those_that_the_stream_had_before(desk):
    """Records of another entity go as well, those of another stream stay."""
    items = StreamKey("koha", "items")
    await desk.sync("run_1", desk.put("a"), desk.put("b"), entity="person")
    await desk.sync("run_2", desk.put("z"), key=items, entity="person")
    lease = await desk.begin("run_3")
    await desk.commit("run_3", lease, desk.put("a"), track_seen=True)

    swept = await desk.sweep("run_3", lease, entity=None, confirmed=True)

    assert (swept.deleted, swept.held) == (2, 0)
    living = [(one.entity, one.external_id) for one in await desk.records() if not one.deleted]
    assert living == [("patron", "a"), ("person", "z")]


async def test_sweep_of_every_entity_of_nothing_is_nothing(desk):
    """A stream without records has no entity to look through."""
    lease = await desk.begin("run_1")

    assert await desk.sweep("run_1", lease, entity=None) == Swept(deleted=0, held=0, stored=0)
