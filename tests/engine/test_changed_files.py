"""What a changed file does to a stream: other names, other requests, another shape."""

import pytest

from integrationd.engine.reshaping import mark_stale
from integrationd.errors import UnavailableError
from integrationd.model.runs import RunStatus
from integrationd.ports.store import RecordQuery
from integrationd.signals import RunSkipped
from tests.support.fakes import answer, script
from tests.support.worlds import bundle_of, plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SHOP = """\
integration: shop
http:
  base_url: https://api.test/v1
  retries: 0
  paginate: {type: cursor, next: body.next, into: query.after}
streams:
  orders:
    get: /orders
    records: body.data
    key: id
    mapping: shop.order
    incremental: {field: at, into: query.since, type: number}
"""
MAPPING = "mapping: shop.order\nentity: order\nfields: {number: id, name: name}\n"
URL = "GET https://api.test/v1/orders"


def page(*rows, then=None):
    """Answer with rows of (id, at, uuid)."""
    data = [{"id": key, "at": at, "uuid": f"u{key}", "name": f"n{key}"} for key, at in rows]
    return answer({"data": data, "next": then})


def plan(*changes, mapping=MAPPING):
    """Build the stream after changes of its text."""
    text = SHOP
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return plan_of(text, "orders", mapping=mapping)


BY_UUID = ("key: id", "key: uuid")
CHANGED = (
    "the key of shop/orders changed from 'id' to 'uuid'; what is stored has other names now, so "
    "nothing is read until a person agrees to read it all anew; run: "
    "integrationd sync shop/orders --full --confirm"
)


@pytest.mark.parametrize("wish", [{}, {"full": True}, {"confirmed": True}])
async def test_changed_key_is_refused_until_confirmed(wish):
    """Neither the schedule nor a full reading alone reads it: nothing is asked or written."""
    provider, used_up = script((URL, page((1, 5))))
    async with stage(provider) as on:
        await on.sync(plan())
        outcome = await on.sync(plan(BY_UUID), **wish)
        rows = await on.rows(plan())
        runs = [run async for run in on.store.runs(None)]

        assert await on.cursor(plan()) == 5
    assert (outcome.status, outcome.error, outcome.run_id) == (RunStatus.FAILED, CHANGED, "")
    assert [(told.stream, told.reason) for told in on.ear.of(RunSkipped)] == [("orders", CHANGED)]
    assert (list(rows), len(runs)) == (["1"], 1)
    used_up()


async def test_confirmed_reading_gives_other_names_and_buries_the_old_ones():
    """What is called by the old key becomes tombstones, however many they are."""
    many = [(key, 5) for key in range(60)]
    provider, used_up = script(
        (URL, page(*many)), (URL, page(*many)), (f"{URL}?since=5", page((1, 5)))
    )
    async with stage(provider) as on:
        await on.sync(plan())
        outcome = await on.sync(plan(BY_UUID), full=True, confirmed=True)
        rows = await on.rows(plan())
        again = await on.sync(plan(BY_UUID))

    assert (outcome.counts.added, outcome.counts.deleted, outcome.counts.held) == (60, 60, 0)
    assert sorted(rows) == sorted(f"u{key}" for key, _ in many)
    assert again.status is RunStatus.DONE
    used_up()


async def test_changed_entity_buries_what_the_old_one_has():
    """Records of the entity before go, though the key is the same."""
    provider, _ = script((URL, page((1, 5), (2, 5))), (URL, page((1, 5), (2, 5))))
    sale = plan(mapping=MAPPING.replace("entity: order", "entity: sale"))
    async with stage(provider) as on:
        await on.sync(plan())
        refused = await on.sync(sale)
        outcome = await on.sync(sale, full=True, confirmed=True)
        query = RecordQuery(integration="shop", stream="orders")
        rows = [
            (row.entity, row.external_id, row.deleted)
            async for row in on.store.records("default", query)
        ]

    assert refused.error.startswith("the entity of shop/orders changed from 'order' to 'sale'; ")
    assert outcome.counts.deleted == 2
    assert rows == [
        ("order", "1", "swept"),
        ("order", "2", "swept"),
        ("sale", "1", None),
        ("sale", "2", None),
    ]


async def test_stream_that_never_sweeps_gives_up_the_old_names_all_the_same():
    """``sweep: false`` is about what a list leaves out, not about what it calls otherwise."""
    kept = ("key: id\n", "key: id\n    sweep: false\n")
    provider, _ = script((URL, page((1, 5))), (URL, page((1, 5))))
    async with stage(provider) as on:
        await on.sync(plan(kept))
        await on.sync(plan(kept, BY_UUID), full=True, confirmed=True)

        assert list(await on.rows(plan())) == ["u1"]


async def test_renaming_that_breaks_off_is_begun_anew_and_never_half_accepted():
    """It stays refused and deletes nothing; the next confirmed one begins at the first page."""
    down = UnavailableError("the line broke")
    provider, used_up = script(
        (URL, page((1, 5), (2, 5))),
        (URL, page((1, 5), then="a")),
        (f"{URL}?after=a", down),
        (URL, page((1, 5), then="a")),
        (f"{URL}?after=a", page((2, 5))),
    )
    async with stage(provider) as on:
        await on.sync(plan())
        broken = await on.sync(plan(BY_UUID), full=True, confirmed=True)
        refused = await on.sync(plan(BY_UUID))
        between = await on.rows(plan())
        await on.sync(plan(BY_UUID), full=True, confirmed=True)
        rows = await on.rows(plan())

    assert (broken.status, broken.counts.deleted) == (RunStatus.FAILED, 0)
    assert refused.error == CHANGED
    assert sorted(between) == ["1", "2", "u1"]
    assert sorted(rows) == ["u1", "u2"]
    used_up()


async def test_key_that_is_changed_back_is_read_in_full():
    """A renaming that broke off and was taken back leaves nothing behind."""
    provider, used_up = script(
        (URL, page((1, 5))),
        (URL, page((1, 5), then="a")),
        (f"{URL}?after=a", UnavailableError("the line broke")),
        (URL, page((1, 5))),
    )
    async with stage(provider) as on:
        await on.sync(plan())
        await on.sync(plan(BY_UUID), full=True, confirmed=True)
        outcome = await on.sync(plan())

        assert (outcome.counts.deleted, list(await on.rows(plan()))) == (1, ["1"])
    used_up()


async def test_other_request_is_read_in_full_and_nothing_is_stale():
    """Stored records are as the spec says; only what was asked for is another thing."""
    other = ("get: /orders", "get: /orders\n    query: {all: 1}")
    provider, used_up = script((URL, page((1, 5))), (f"{URL}?all=1", page((1, 5))))
    async with stage(provider) as on:
        await on.sync(plan())
        await mark_stale(on.store, bundle_of(shop=SHOP.replace(*other), mapping=MAPPING))
        [row] = await on.store.streams(None)
        await on.sync(plan(other))

    assert row.stale == 0
    used_up()


SHORTER = MAPPING.replace(", name: name", "")


async def stale_rows(on):
    """Return the external ids of stale records, and how many there are said to be."""
    query = RecordQuery(integration="shop", stream="orders")
    [row] = await on.store.streams(None)
    rows = on.store.records("default", query)
    return [record.external_id async for record in rows if record.stale], row.stale


async def test_other_shape_makes_records_stale_until_they_are_written_anew():
    """From the reload on they are marked; each page makes some fresh, the last one all."""
    provider, used_up = script(
        (URL, page((1, 5), (2, 5))),
        (URL, page((1, 5), then="a")),
        (f"{URL}?after=a", UnavailableError("the line broke")),
        (URL, page((1, 5), then="a")),
        (f"{URL}?after=a", page((2, 5))),
    )
    async with stage(provider) as on:
        await on.sync(plan())
        before = await stale_rows(on)
        await mark_stale(on.store, bundle_of(shop=SHOP, mapping=SHORTER))
        marked = await stale_rows(on)
        await on.sync(plan(mapping=SHORTER))
        between = await stale_rows(on)
        await on.sync(plan(mapping=SHORTER))
        after = await stale_rows(on)

    assert (before, marked) == (([], 0), (["1", "2"], 2))
    assert (between, after) == ((["2"], 1), ([], 0))
    used_up()


async def test_shape_that_is_changed_back_leaves_nothing_stale():
    """What nothing was written by in between is as it was."""
    provider, used_up = script((URL, page((1, 5))), (f"{URL}?since=5", page()))
    async with stage(provider) as on:
        await on.sync(plan())
        await mark_stale(on.store, bundle_of(shop=SHOP, mapping=SHORTER))
        await mark_stale(on.store, bundle_of(shop=SHOP, mapping=MAPPING))
        outcome = await on.sync(plan())

        assert await stale_rows(on) == ([], 0)
    assert outcome.status is RunStatus.DONE
    used_up()


async def test_held_deletions_are_remembered_over_incremental_readings():
    """They wait until a complete reading deletes them or sees the records again."""
    many, few = [(key, 5) for key in range(100)], [(key, 5) for key in range(40)]
    provider, _ = script(
        (URL, page(*many)),
        (URL, page(*few)),
        (f"{URL}?since=5", page()),
        (URL, page(*few)),
    )
    async with stage(provider) as on:
        held = []
        for wish in ({}, {"full": True}, {}, {"full": True, "confirmed": True}):
            await on.sync(plan(), **wish)
            held += [row.held for row in await on.store.streams(None)]

    assert held == [0, 60, 60, 0]
