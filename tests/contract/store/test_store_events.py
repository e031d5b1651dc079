"""The inbox: once each, and durable before the answer."""

import asyncio

from integrationd.model.events import StoredEvent
from integrationd.ports.store import Accepted
from integrationd.store import tables


async def listed(desk, tenant=None, **query):
    """Return the events' ids, newest first."""
    return [event.id async for event in desk.store.events(tenant, **query)]


async def test_event_is_stored_with_all_that_came(desk):
    """The line shows what it is; headers and body are kept exactly."""
    accepted = await desk.store.accept_event(desk.event("d1"))

    assert accepted == Accepted("evt_1", duplicate=False)
    assert [event async for event in desk.store.events(desk.tenant)] == [
        StoredEvent(
            id="evt_1",
            integration="shop",
            endpoint="orders",
            event="order.paid",
            dedup="d1",
            status="stored",
            received_at=desk.now,
            duplicates=0,
        )
    ]
    assert await desk.rows(tables.events, "headers", "body") == [
        ('{"content-type":"application/json"}', b'{"id": 1}')
    ]


async def test_duplicate_is_recognised_and_counted(desk):
    """The same sender's id again gives the first event's id and stores nothing new."""
    await desk.store.accept_event(desk.event("d1"))

    again = await desk.store.accept_event(desk.event("d1", number=2))

    assert again == Accepted("evt_1", duplicate=True)
    [event] = [event async for event in desk.store.events(None)]
    assert (event.id, event.duplicates) == ("evt_1", 1)


async def test_twenty_at_once_are_one_event(desk):
    """Concurrent duplicates store one event; nineteen learn its id."""
    events = [desk.event("d1", number=number) for number in range(20)]

    accepted = await asyncio.gather(*(desk.store.accept_event(event) for event in events))

    [first] = [one.id for one in accepted if not one.duplicate]
    assert [one.id for one in accepted] == [first] * 20
    [event] = [event async for event in desk.store.events(None)]
    assert (event.id, event.duplicates) == (first, 19)


async def test_same_id_at_another_endpoint_is_another_event(desk):
    """Senders' ids are unique only at their endpoint."""
    await desk.store.accept_event(desk.event("d1"))
    await desk.store.accept_event(desk.event("d1", number=2, endpoint="refunds"))
    await desk.store.accept_event(desk.event("d2", number=3))

    assert await listed(desk) == ["evt_3", "evt_2", "evt_1"]
    assert await desk.store.event_counts(None) == {"shop/orders": 2, "shop/refunds": 1}


async def test_events_are_narrowed_by_integration_and_limit(desk):
    """The newest come first; an unknown integration has none."""
    for number in range(3):
        await desk.store.accept_event(desk.event(f"d{number}", number=number))

    assert await listed(desk, limit=2) == ["evt_2", "evt_1"]
    assert await listed(desk, integration="shop", limit=1) == ["evt_2"]
    assert await listed(desk, integration="other") == []


async def test_endpoint_keeps_its_path(desk):
    """The first path stays for ever; another endpoint has its own."""
    ask = desk.store.endpoint_path

    assert await ask("default", "shop", "orders", fresh="p1") == "p1"
    assert await ask("default", "shop", "orders", fresh="p2") == "p1"
    assert await ask("default", "shop", "refunds", fresh="p3") == "p3"
