"""What people have switched off: by integration and way, kept."""

import asyncio
from datetime import UTC, datetime

import pytest

from integrationd.model.switches import Switch, Switches
from integrationd.store import SqlStore

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


async def throw(desk, name, switch=Switch.PAUSED, *, on=True, tenant="default"):
    """Throw a switch; tells whether that changed anything."""
    return await desk.store.throw_switch(tenant, name, switch, on=on, at=NOW)


async def test_nothing_is_off_at_first(desk):
    """A new database runs everything."""
    assert await desk.store.switches() == Switches()


async def test_switch_is_thrown_once_and_back_once(desk):
    """The second time changes nothing, and says so."""
    changed = [await throw(desk, "shop", on=on) for on in (True, True, False, False)]

    assert changed == [True, False, True, False]
    assert await desk.store.switches() == Switches()


async def test_ways_integrations_and_tenants_are_apart(desk):
    """Each switch is one integration's, of one tenant, in one way."""
    await throw(desk, "shop")
    await throw(desk, "shop", Switch.DISABLED)
    await throw(desk, "shop", tenant="north")
    await throw(desk, "other", Switch.DISABLED)
    await throw(desk, "shop", on=False)

    assert await desk.store.switches() == Switches(
        frozenset(
            {
                ("default", "shop", Switch.DISABLED),
                ("north", "shop", Switch.PAUSED),
                ("default", "other", Switch.DISABLED),
            }
        )
    )


async def test_everything_has_a_switch_of_its_own(desk):
    """It is nobody's integration, and no integration's switch touches it."""
    await throw(desk, "", tenant="")
    await throw(desk, "shop", on=False)

    found = await desk.store.switches()

    assert found.paused
    assert found.stops_schedules("default", "shop")
    assert not found.is_thrown("default", "shop", Switch.PAUSED)


async def test_two_who_throw_at_once_agree(desk):
    """One of them changed it."""
    changed = await asyncio.gather(*(throw(desk, "shop") for _ in range(2)))

    assert sorted(changed) == [False, True]


async def test_switches_outlive_the_process(path):
    """They are in the database and not in memory."""
    async with SqlStore(path) as store:
        await store.throw_switch("default", "shop", Switch.PAUSED, on=True, at=NOW)
    async with SqlStore(path, read_only=True) as store:
        found = await store.switches()

    assert found == Switches(frozenset({("default", "shop", Switch.PAUSED)}))


@pytest.mark.parametrize(
    ("thrown", "stops", "disabled"),
    [
        (set(), False, False),
        ({("default", "shop", Switch.PAUSED)}, True, False),
        ({("default", "shop", Switch.DISABLED)}, True, True),
        ({("", "", Switch.PAUSED)}, True, False),
        ({("default", "other", Switch.PAUSED)}, False, False),
        ({("north", "shop", Switch.DISABLED)}, False, False),
    ],
)
def test_what_a_switch_means(thrown, stops, disabled):
    """A pause stops schedules alone, a disabled integration is not read at all."""
    switches = Switches(frozenset(thrown))

    assert switches.stops_schedules("default", "shop") is stops
    assert switches.is_disabled("default", "shop") is disabled
