"""Quarantine mapped again: by hand, and by itself when the mapping changes."""

import asyncio

import pytest

from integrationd.engine.conductor import Conductor
from integrationd.engine.replay import replay_stream
from integrationd.errors import UsageError
from integrationd.model.runs import RunStatus
from integrationd.signals import QuarantineReplayed, RunFinished
from tests.support.fakes import answer, script
from tests.support.worlds import bundle_of, plan_of, stage

pytestmark = pytest.mark.looptime(start=0)

SHOP = """\
integration: shop
http: {base_url: "https://api.test", paginate: none}
streams:
  orders:
    get: /orders
    records: body
    key: id
    deleted: gone
    where: kind != 'draft'
    mapping: shop.order
"""
STRICT = "mapping: shop.order\nfields: {number: id, total: {path: total, type: integer}}\n"
LENIENT = STRICT.replace("integer", "text")
URL = "GET https://api.test/orders"


def plan(mapping=STRICT, spec=SHOP):
    """Build the stream."""
    return plan_of(spec, "orders", mapping=mapping)


async def waiting(on):
    """Return what waits, with its reason."""
    return {row.fingerprint: row.reason async for row in on.store.quarantine(None)}


BAD = [{"id": 1, "total": 5}, {"id": 2, "total": "5,0"}, {"id": 3, "total": "x"}, {"total": 1}]
REASON = "field 'total': expected a whole number"
NO_KEY = "key: found nothing, expected text, a whole number or true or false"


async def test_records_that_can_be_mapped_by_now_are_stored_without_asking():
    """The provider is asked nothing; what still cannot be mapped waits with its reason."""
    provider, used_up = script((URL, answer(BAD)))
    async with stage(provider) as on:
        await on.sync(plan())
        before = await waiting(on)
        outcome = await replay_stream(on.world, plan(LENIENT))
        rows = await on.rows(plan())

        assert list((await waiting(on)).values()) == [NO_KEY]
    assert sorted(before.values()) == sorted([REASON, REASON, NO_KEY])
    assert (outcome.status, outcome.counts.added, outcome.counts.quarantined) == (
        *(RunStatus.DONE, 2, 1),
    )
    assert rows["2"] == {"number": 2, "total": "5,0"}
    assert [told.run_id for told in on.ear.of(QuarantineReplayed)] == [outcome.run_id]
    assert len(on.ear.of(RunFinished)) == 1
    used_up()


async def test_only_those_that_are_named_are_mapped_again():
    """The others wait on."""
    provider, _ = script((URL, answer(BAD[:3])))
    async with stage(provider) as on:
        await on.sync(plan())
        ids = {row.fingerprint: row.id async for row in on.store.quarantine(None)}
        await replay_stream(on.world, plan(LENIENT), (ids["3"],))

        assert list(await waiting(on)) == ["2"]


async def test_whatever_the_spec_says_by_now_is_done():
    """One is filtered, one is deleted by its source: their predecessors become tombstones."""
    good = [{"id": 2, "total": 1}, {"id": 3, "total": 1}]
    bad = [{"id": 2, "total": "x", "kind": "draft"}, {"id": 3, "total": "x", "gone": True}]
    blind = SHOP.replace("    deleted: gone\n    where: kind != 'draft'\n", "")
    provider, _ = script((URL, answer(good)), (URL, answer(bad)))
    async with stage(provider) as on:
        await on.sync(plan(spec=blind))
        await on.sync(plan(spec=blind))
        outcome = await replay_stream(on.world, plan())

        assert (await on.rows(plan()), await waiting(on)) == ({}, {})
    assert (outcome.counts.deleted, outcome.counts.filtered) == (1, 1)


async def test_good_version_that_came_meanwhile_has_cleared_it():
    """There is nothing to replay, so there is no run."""
    provider, _ = script((URL, answer(BAD[1:2])), (URL, answer([{"id": 2, "total": 7}])))
    async with stage(provider) as on:
        await on.sync(plan())
        await on.sync(plan())
        outcome = await replay_stream(on.world, plan(LENIENT))
        rows = await on.rows(plan())
        runs = [run.id async for run in on.store.runs(None)]

    assert (outcome.run_id, outcome.status, rows["2"]["total"]) == ("", RunStatus.DONE, 7)
    assert len(runs) == 2


@pytest.mark.parametrize(
    ("page", "stored", "left"),
    [
        ([{"id": 2, "total": "x"}, {"id": 2, "total": 7}], 7, []),
        ([{"id": 2, "total": 7}, {"id": 2, "total": "x"}], 7, ["2"]),
    ],
)
async def test_of_two_versions_on_one_page_the_last_decides(page, stored, left):
    """A good one that follows a bad one leaves nothing behind; a bad one that follows waits."""
    provider, _ = script((URL, answer(page)))
    async with stage(provider) as on:
        await on.sync(plan())
        rows = await on.rows(plan())

        assert (rows["2"]["total"], list(await waiting(on))) == (stored, left)


async def test_records_with_other_names_by_now_are_not_replayed():
    """A changed key is for a person to confirm, here as well."""
    provider, _ = script((URL, answer(BAD[:2])))
    async with stage(provider) as on:
        await on.sync(plan())
        with pytest.raises(UsageError) as caught:
            await replay_stream(on.world, plan(LENIENT, SHOP.replace("key: id", "key: total")))

        assert list(await waiting(on)) == ["2"]
    assert str(caught.value).startswith("the key of shop/orders changed from 'id' to 'total'; ")


async def test_changed_mapping_is_tried_by_itself_once():
    """After the files were loaded; with the same shape again nothing is tried."""
    provider, used_up = script((URL, answer(BAD[:2])))
    async with stage(provider) as on:
        before = bundle_of(shop=SHOP, mapping=STRICT)
        conductor = Conductor(world=on.world, settings=on.settings, bundle=before)
        await on.sync(plan())
        counts = []
        for mapping in (STRICT, STRICT.replace("total}", "total }"), LENIENT, LENIENT):
            conductor.swap(bundle_of(shop=SHOP, mapping=mapping.replace("{path", "{ path")))
            await asyncio.gather(*conductor.retry(await on.store.streams(None)))
            counts.append(len(on.ear.of(QuarantineReplayed)))

        assert await waiting(on) == {}
    assert counts == [0, 0, 1, 1]
    used_up()


async def test_retry_that_fails_again_is_not_repeated_at_each_load():
    """What the new mapping refuses as well is noted as refused by it."""
    other = STRICT.replace("integer", "boolean")
    provider, _ = script((URL, answer(BAD[:2])))
    async with stage(provider) as on:
        conductor = Conductor(
            world=on.world, settings=on.settings, bundle=bundle_of(shop=SHOP, mapping=other)
        )
        await on.sync(plan())
        for _ in range(2):
            await asyncio.gather(*conductor.retry(await on.store.streams(None)))

        assert await waiting(on) == {"2": "field 'total': expected true or false"}
    assert len(on.ear.of(QuarantineReplayed)) == 1
