"""Quarantine: in once, out with the good version."""

from datetime import timedelta

from integrationd.model.runs import Counts
from integrationd.ports.quarantine import QuarantineQuery, QuarantineRow
from integrationd.ports.store import StreamKey


async def test_bad_record_waits_with_its_reason(desk):
    """What could not be mapped is kept with source, code, field, reason and run."""
    bad = [desk.bad("a", id=7, name=None)]

    counts = await desk.sync("run_1", aside=bad, shape="s1")

    assert counts == Counts(quarantined=1, pages=1)
    assert await desk.waiting() == [
        QuarantineRow(
            id=1,
            tenant="default",
            fingerprint="a",
            integration="koha",
            stream="patrons",
            source={"id": 7, "name": None},
            code="E310",
            field="name",
            reason="no name",
            run_id="run_1",
            shape="s1",
            first_at=desk.now,
            last_at=desk.now,
        )
    ]


async def test_same_bad_record_is_kept_once_and_as_it_is_now(desk):
    """Coming again it keeps when it first came, and shows its newest reason."""
    later = desk.now + timedelta(hours=1)
    await desk.sync("run_1", aside=[desk.bad("a", n=1)])

    await desk.sync("run_2", aside=[desk.bad("a", "no street", n=2)], at=later)

    [row] = await desk.waiting()
    assert (row.first_at, row.last_at, row.run_id) == (desk.now, later, "run_2")
    assert (row.reason, row.source) == ("no street", {"n": 2})


async def test_good_version_clears_it(desk):
    """A record that can be mapped again leaves quarantine, also when it is unchanged."""
    await desk.sync("run_1", desk.put("a", n=1))
    await desk.sync("run_2", aside=[desk.bad("a"), desk.bad("b")])

    counts = await desk.sync("run_3", desk.put("a", n=1))

    assert counts.unchanged == 1
    assert [row.fingerprint for row in await desk.waiting()] == ["b"]


async def test_deletion_clears_it(desk):
    """A record that the source deleted no longer waits for anybody."""
    await desk.sync("run_1", aside=[desk.bad("a")])

    await desk.sync("run_2", removals=[desk.gone("a")])

    assert await desk.waiting() == []


async def test_stored_predecessor_stays(desk):
    """Quarantine leaves the last good version as it was."""
    await desk.sync("run_1", desk.put("a", n=1))

    await desk.sync("run_2", aside=[desk.bad("a")])

    assert await desk.alive() == {"a": {"n": 1}}
    assert [op for _, op, _ in await desk.history()] == ["added"]


async def test_good_version_in_one_stream_leaves_the_others_quarantine(desk):
    """Quarantine belongs to a stream."""
    items = StreamKey("koha", "items")
    await desk.sync("run_1", aside=[desk.bad("a")])

    await desk.sync("run_2", desk.put("a"), key=items, entity="item", aside=[desk.bad("z")])

    assert [row.fingerprint for row in await desk.waiting()] == ["a", "z"]
    found = desk.store.quarantine(None, QuarantineQuery(integration="koha", stream="items"))
    assert [row.fingerprint async for row in found] == ["z"]


async def test_source_that_is_not_utf8_is_kept_as_well_as_it_can_be(desk):
    """A byte that is no text does not stop the page."""
    bad = desk.bad("a")
    broken = type(bad)(bad.fingerprint, b'{"n":"\xff"}', bad.code, bad.field, bad.reason)

    await desk.sync("run_1", aside=[broken])

    [row] = await desk.waiting()
    assert row.source == {"n": "\ufffd"}


async def test_a_nul_is_kept_wherever_it_stands(desk):
    """PostgreSQL takes none in its texts: records, keys and reasons keep theirs all the same."""
    await desk.sync("run_1", desk.put("k\0", name="a\0b"), aside=[desk.bad("b\0", "x\0y", n="\0")])

    [row] = await desk.waiting()
    assert (row.fingerprint, row.reason, row.source) == ("b\0", "x\0y", {"n": "\0"})
    assert await desk.alive() == {"k\0": {"name": "a\0b"}}
