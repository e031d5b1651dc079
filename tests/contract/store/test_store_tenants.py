"""Tenants never meet, whatever they call their things."""

from datetime import timedelta

from integrationd.model.runs import RunStatus
from integrationd.ports.store import ReadingState, StreamKey, Swept
from integrationd.ports.upkeep import Retention

A, B = "a", "b"


async def fill(desk):
    """Do the same in both tenants under the same names, with other data."""
    for tenant, number in ((A, 1), (B, 2)):
        await desk.sync("run_1", desk.put("x", n=number), desk.put("y", n=number), tenant=tenant)
        await desk.sync("run_2", tenant=tenant, aside=[desk.bad("q", tenant)])
        await desk.store.accept_event(desk.event("d", number=number, tenant=tenant))


async def test_records_and_feeds_are_apart(desk):
    """Each tenant has its own records and its own places in its own feed."""
    await fill(desk)

    assert await desk.alive(tenant=A) == {"x": {"n": 1}, "y": {"n": 1}}
    assert await desk.alive(tenant=B) == {"x": {"n": 2}, "y": {"n": 2}}
    assert [one.seq for one in await desk.records(tenant=B)] == [1, 2]
    assert await desk.records(tenant="c") == []


async def test_changes_and_removals_stay_inside(desk):
    """Changing and removing in one tenant leaves the other's record of that name."""
    await fill(desk)

    await desk.sync("run_3", desk.put("x", n=9), tenant=A, removals=[desk.gone("y")])

    assert await desk.alive(tenant=A) == {"x": {"n": 9}}
    assert await desk.alive(tenant=B) == {"x": {"n": 2}, "y": {"n": 2}}
    assert {row.tenant: row.records for row in await desk.store.streams(None)} == {A: 1, B: 2}


async def test_sweep_stays_inside(desk):
    """What one tenant's reading did not see goes only there, though runs have the same name."""
    await fill(desk)
    lease = await desk.begin("run_3", tenant=A)
    await desk.commit("run_3", lease, desk.put("x", n=1), tenant=A, track_seen=True)
    other = await desk.begin("run_3", tenant=B)
    await desk.commit("run_3", other, desk.put("y", n=2), tenant=B, track_seen=True)

    swept = await desk.sweep("run_3", lease, tenant=A)
    await desk.finish("run_3", lease, tenant=A)
    swept_too = await desk.sweep("run_3", other, tenant=B)

    assert (swept, swept_too) == (Swept(deleted=1, held=0, stored=2),) * 2
    assert list(await desk.alive(tenant=A)) == ["x"]
    assert list(await desk.alive(tenant=B)) == ["y"]


async def test_claims_are_apart(desk):
    """Both tenants can hold a claim of the same name, and release their own."""
    mine, theirs = await desk.claim(tenant=A), await desk.claim(tenant=B)

    await desk.store.release(A, mine)

    assert await desk.claim(tenant=B) is None
    assert (await desk.store.renew(B, theirs, now=desk.now, ttl=timedelta(1))).fence == 1


async def test_states_and_runs_are_apart(desk):
    """Progress, a run's end and a dead run belong to one tenant."""
    lease = await desk.begin("run_1", tenant=A)
    await desk.begin("run_1", tenant=B)
    state = ReadingState(cursor=1, fingerprint="f1")

    await desk.finish("run_1", lease, tenant=A, state=state, status=RunStatus.FAILED)

    assert await desk.store.load_state(A, desk.key, "") == state
    assert await desk.store.load_state(B, desk.key, "") == ReadingState()
    assert [row.status async for row in desk.store.runs(A)] == ["failed"]
    assert [row.status async for row in desk.store.runs(B)] == ["running"]
    assert [row.errors for row in await desk.store.streams(B)] == [0]
    assert [row.tenant async for row in desk.store.runs(None)] == [B, A]


async def test_quarantines_are_apart(desk):
    """A good version in one tenant leaves the other's quarantine."""
    await fill(desk)

    await desk.sync("run_3", desk.put("q"), tenant=A)

    assert await desk.waiting(tenant=A) == []
    assert [row.reason for row in await desk.waiting(tenant=B)] == [B]
    assert [row.reason for row in await desk.waiting(tenant=None)] == [B]


async def test_events_and_endpoints_are_apart(desk):
    """The same sender's id is an event of its own in each tenant, at a path of its own."""
    await fill(desk)

    assert [event.id async for event in desk.store.events(A)] == ["evt_1"]
    assert [event.id async for event in desk.store.events(None)] == ["evt_2", "evt_1"]
    assert await desk.store.event_counts(B) == {"shop/orders": 1}
    assert await desk.store.endpoint_path(A, "shop", "orders", fresh="pa") == "pa"
    assert await desk.store.endpoint_path(B, "shop", "orders", fresh="pb") == "pb"


async def test_lists_of_one_stream_name_only_their_tenant(desk):
    """Streams and runs of one name are asked for by tenant."""
    await fill(desk)
    key = StreamKey("koha", "patrons")

    assert [row.tenant for row in await desk.store.streams(A)] == [A]
    assert [row.tenant async for row in desk.store.runs(B, key=key)] == [B, B]


async def test_pruning_reaches_every_tenant(desk):
    """Upkeep is the database's, not a tenant's."""
    await fill(desk)
    zero = timedelta(0)
    retention = Retention(runs=zero, events=zero, history=zero)

    gone = await desk.store.prune(desk.now + timedelta(1), retention)

    assert gone == {"runs": 2, "events": 2, "changes": 4, "quarantine": 0}
