"""Pages: what is written, what is not, and what the history keeps."""

import random
from datetime import timedelta
from string import ascii_lowercase
from uuid import UUID

import pytest

from integrationd.errors import LeaseLostError, StoreError
from integrationd.model.records import KEY_BYTES_MAX, DeleteReason, StoredRecord, key_bytes
from integrationd.model.runs import Counts
from integrationd.ports.store import StreamKey
from integrationd.store import tables


async def test_new_records_are_added_with_their_fresh_ids(desk):
    """A record that is new has the id that came with it, and its place in the feed."""
    counts = await desk.sync("run_1", desk.put("b", n=2), desk.put("a", n=1))

    assert counts == Counts(read=2, added=2, pages=1)
    assert await desk.records() == [
        StoredRecord(
            external_id="a",
            id=str(UUID(int=2)),
            entity="patron",
            data={"n": 1},
            deleted=None,
            seq=2,
            changed_at=desk.now,
        ),
        StoredRecord(
            external_id="b",
            id=str(UUID(int=1)),
            entity="patron",
            data={"n": 2},
            deleted=None,
            seq=1,
            changed_at=desk.now,
        ),
    ]


async def test_unchanged_records_are_not_rewritten(desk):
    """An equal digest leaves row, time and feed as they were."""
    await desk.sync("run_1", desk.put("a", n=1))
    before = await desk.rows(tables.records)

    counts = await desk.sync("run_2", desk.put("a", n=1), at=desk.now + timedelta(hours=1))

    assert counts == Counts(read=1, unchanged=1, pages=1)
    assert await desk.rows(tables.records) == before
    assert await desk.history() == [(1, "added", None)]


async def test_changed_record_keeps_its_id_and_leaves_its_old_data(desk):
    """A change overwrites data, time and place, never the id; the history has the old data."""
    later = desk.now + timedelta(hours=1)
    await desk.sync("run_1", desk.put("a", n=1))

    counts = await desk.sync("run_2", desk.put("a", n=2), at=later)

    [record] = await desk.records()
    assert counts == Counts(read=1, changed=1, pages=1)
    assert (record.id, record.data, record.seq) == (str(UUID(int=1)), {"n": 2}, 2)
    assert record.changed_at == later
    assert await desk.history() == [(1, "added", None), (2, "changed", '{"n": 1}')]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (DeleteReason.SOURCE, Counts(deleted=1, pages=1)),
        (DeleteReason.FILTERED, Counts(filtered=1, pages=1)),
    ],
)
async def test_removal_makes_a_tombstone(desk, reason, expected):
    """A removed record loses its data, keeps its id and says why; the history has the data."""
    await desk.sync("run_1", desk.put("a", n=1))

    counts = await desk.sync("run_2", removals=[desk.gone("a", reason)])

    [record] = await desk.records()
    assert counts == expected
    assert (record.id, record.data, record.deleted) == (str(UUID(int=1)), None, reason.value)
    assert await desk.history() == [(1, "added", None), (2, "deleted", '{"n": 1}')]
    assert await desk.records(deleted=False) == []


async def test_removal_of_an_unknown_or_dead_record_is_nothing(desk):
    """Removing what is not alive counts nothing and writes no history."""
    await desk.sync("run_1", desk.put("a", n=1))
    await desk.sync("run_2", removals=[desk.gone("a")])

    again = await desk.sync("run_3", removals=[desk.gone("a"), desk.gone("never")])

    assert again == Counts(pages=1)
    assert len(await desk.history()) == 2


async def test_record_lives_again_after_a_tombstone(desk):
    """The same data after a deletion counts as added, under the id it always had."""
    await desk.sync("run_1", desk.put("a", n=1))
    await desk.sync("run_2", removals=[desk.gone("a")])

    counts = await desk.sync("run_3", desk.put("a", n=1))

    [record] = await desk.records()
    assert counts == Counts(read=1, added=1, pages=1)
    assert (record.id, record.data, record.deleted) == (str(UUID(int=1)), {"n": 1}, None)
    assert [op for _, op, _ in await desk.history()] == ["added", "deleted", "added"]
    [stream] = await desk.store.streams(None)
    assert stream.records == 1


async def test_one_page_can_do_everything_at_once(desk):
    """Added, changed, unchanged, back, deleted and aside in one page are counted apart."""
    await desk.sync("run_1", *(desk.put(name, n=1) for name in "abcd"))
    await desk.sync("run_2", removals=[desk.gone("d")])
    upserts = [desk.put("a", n=1), desk.put("b", n=2), desk.put("d", n=3), desk.put("e", n=1)]

    counts = await desk.sync("run_3", *upserts, removals=[desk.gone("c")], aside=[desk.bad("f")])

    assert counts == Counts(
        read=4, added=2, changed=1, unchanged=1, deleted=1, quarantined=1, pages=1
    )
    assert await desk.alive() == {"a": {"n": 1}, "b": {"n": 2}, "d": {"n": 3}, "e": {"n": 1}}
    seqs = [seq for seq, _, _ in await desk.history()]
    assert seqs == list(range(1, len(seqs) + 1))
    assert sorted(record.seq for record in await desk.records()) == [1, 6, 7, 8, 9]
    [stream] = await desk.store.streams(None)
    assert (stream.records, stream.quarantined) == (4, 1)


@pytest.mark.parametrize("external_id", ["", "a'b\"c", "Ünï😀", "nul\0led", "nul", '["x"]', "%_"])
async def test_any_text_is_an_external_id(desk, external_id):
    """No text is special: it is stored, found again, quarantined, cleared and removed."""
    await desk.sync("run_1", desk.put(external_id, n=1), desk.put("other", n=1))
    await desk.sync("run_2", aside=[desk.bad(external_id)])

    again = await desk.sync("run_3", desk.put(external_id, n=1))
    gone = await desk.sync("run_4", removals=[desk.gone(external_id)])

    assert (again.unchanged, gone.deleted) == (1, 1)
    assert await desk.waiting() == []
    assert list(await desk.alive()) == ["other"]


async def test_whole_numbers_keep_every_digit(desk):
    """An id of 24 digits comes back as it went in."""
    await desk.sync("run_1", desk.put("a", n=123456789012345678901234))

    assert await desk.alive() == {"a": {"n": 123456789012345678901234}}


async def test_entities_are_apart(desk):
    """The same external id under two entities is two records, each found by its entity."""
    await desk.sync("run_1", desk.put("a", n=1))
    await desk.sync("run_2", desk.put("a", n=2), entity="item")

    assert await desk.alive(entity="patron") == {"a": {"n": 1}}
    assert await desk.alive(entity="item") == {"a": {"n": 2}}
    assert [one.entity for one in await desk.records()] == ["item", "patron"]


async def test_records_can_be_asked_for_by_stream_and_with_a_limit(desk):
    """A query by stream gives what that stream brought; a limit cuts, also to nothing."""
    other = type(desk.key)("koha", "items")
    await desk.sync("run_1", desk.put("a"), desk.put("b"), desk.put("c"))
    await desk.sync("run_2", desk.put("x"), key=other, entity="item")

    assert list(await desk.alive(stream="patrons")) == ["a", "b", "c"]
    assert list(await desk.alive(stream="items")) == ["x"]
    assert list(await desk.alive(stream="patrons", limit=2)) == ["a", "b"]
    assert list(await desk.alive(stream="patrons", limit=0)) == []


async def test_late_holder_writes_nothing(desk):
    """A page under a fence that another holder has passed is refused as a whole."""
    late = await desk.begin("run_1")
    await desk.store.release(desk.tenant, late)
    fresh = await desk.claim(holder="n2:b")
    assert fresh is not None

    with pytest.raises(LeaseLostError) as caught:
        await desk.commit("run_1", late, desk.put("a", n=1))

    assert str(caught.value) == (
        "the run claim on koha/patrons with fence 1 is no longer held by n1:a; nothing was written"
    )
    assert await desk.records() == []
    assert await desk.rows(tables.readings) == []


async def test_claim_that_ran_out_but_was_not_taken_still_writes(desk):
    """Time alone loses no work: only another holder does."""
    lease = await desk.begin("run_1")

    counts = await desk.commit("run_1", lease, desk.put("a"), at=desk.now + timedelta(days=1))

    assert counts.added == 1


async def test_page_of_a_run_that_never_began_is_refused(desk):
    """A page without a run writes nothing."""
    lease = await desk.claim()

    with pytest.raises(StoreError) as caught:
        await desk.commit("run_9", lease, desk.put("a"))

    assert str(caught.value) == (
        "run run_9 is not known; a run must begin before it can store anything"
    )
    assert await desk.records() == []


async def test_failure_inside_a_page_undoes_all_of_it(desk):
    """A page with too few ids fails after its first statements, and nothing of it stays."""
    lease = await desk.begin("run_1")

    with pytest.raises(IndexError):
        await desk.commit("run_1", lease, desk.put("a"), desk.put("b"), ids=[bytes(16)])

    assert await desk.records() == []
    assert (await desk.commit("run_1", lease, desk.put("a"))).added == 1


@pytest.mark.parametrize("alphabet", ["ascii", "wide", "controls"])
async def test_the_longest_keys_are_kept(desk, alphabet):
    """Beside the longest names, and with signs that no index can pack."""
    chance = random.Random(1)
    signs = {
        "ascii": [chr(sign) for sign in range(33, 127)],
        "wide": [chr(sign) for sign in range(0x1F300, 0x1F600)],
        "controls": ["\0", "\1"],
    }[alphabet]
    size = KEY_BYTES_MAX // key_bytes(signs[0])
    name, other = ("".join(chance.choices(signs, k=size)) for _ in range(2))
    key = StreamKey(*("".join(chance.choices(ascii_lowercase, k=63)) for _ in range(2)))
    tenant, word = ("".join(chance.choices(ascii_lowercase, k=63)) for _ in range(2))

    await desk.sync(
        "run_1",
        desk.put(name, n=1),
        key=key,
        tenant=tenant,
        entity=f"{key.integration}.{word}",
        aside=[desk.bad(other)],
    )

    assert key_bytes(name) == KEY_BYTES_MAX
    assert [
        row.external_id for row in await desk.records(tenant=tenant, integration=key.integration)
    ] == [name]
    assert [row.fingerprint for row in await desk.waiting(tenant=tenant)] == [other]
