"""Pausing and disabling: what stops, what goes on, and what is made up for afterwards."""

import asyncio
from datetime import UTC, datetime

import pytest

from integrationd.engine.calls import Calls
from integrationd.engine.sync import RunWish
from integrationd.errors import SettingsError
from integrationd.model.runs import RunStatus, Trigger
from integrationd.model.switches import Switch
from integrationd.signals import RunFinished
from tests.support.nodes import SPEC, Log, running, sleep_until
from tests.support.worlds import bundle_of, stage

pytestmark = pytest.mark.looptime(start=0)

NIGHTLY = '{at: "02:00"}'
MANUAL = RunWish(trigger=Trigger.MANUAL)
AT = datetime(2026, 1, 1, tzinfo=UTC)
WAYS = pytest.mark.parametrize(
    ("place", "switch"),
    [
        pytest.param(("default", "shop"), Switch.PAUSED, id="paused"),
        pytest.param(("default", "shop"), Switch.DISABLED, id="disabled"),
        pytest.param(("", ""), Switch.PAUSED, id="everything paused"),
    ],
)


async def throw(on, node, place=("default", "shop"), switch=Switch.PAUSED, *, off=True):
    """Throw a switch, as the daemon does."""
    await on.store.throw_switch(*place, switch, on=off, at=AT)
    await node.agenda.book()


@WAYS
async def test_what_is_off_has_no_schedule_and_makes_up_for_it_once(place, switch):
    """Three nights off are one run when it goes on, and then as usual."""
    async with stage(log := Log()) as on, running(on, NIGHTLY) as node:
        await sleep_until("01 12:00")
        await throw(on, node, place, switch)
        times = node.agenda.next_runs()
        await sleep_until("04 12:00")
        await throw(on, node, place, switch, off=False)
        await sleep_until("05 12:00")

    assert log.days() == ["01 02:00", "04 12:00", "05 02:00"]
    assert times == {}


@WAYS
async def test_what_is_off_stays_off_over_a_restart(place, switch):
    """It is kept in the store, and so is the way back."""
    async with stage(log := Log()) as on:
        async with running(on, "1h") as node:
            await sleep_until("01 00:30")
            await throw(on, node, place, switch)
        async with running(on, "1h") as node:
            await sleep_until("01 05:30")
            await throw(on, node, place, switch, off=False)
        async with running(on, "1h"):
            await sleep_until("01 07:00")

    assert log.days() == ["01 00:00", "01 05:30", "01 06:30"]


async def test_run_under_way_finishes():
    """Nobody is interrupted."""
    async with stage(Log(takes_s=600)) as on, running(on, NIGHTLY) as node:
        await sleep_until("01 02:05")
        await throw(on, node)
        await sleep_until("01 03:00")

    assert [signal.status for signal in on.ear.of(RunFinished)] == ["done"]


async def test_run_that_waits_for_its_turn_does_not_begin():
    """What was due before the pause and had no place is not read during it."""
    streams = "".join(f"  s{n}: {{get: /{n}, key: id, schedule: 1h}}\n" for n in range(60))
    text = SPEC.partition("streams:")[0] + "streams:\n" + streams
    async with stage(log := Log(takes_s=60)) as on, running(on, "manual") as node:
        await node.take_up(text)
        await asyncio.sleep(5)
        await throw(on, node)
        await sleep_until("01 01:30")

    assert len(log.times) == on.settings.limits.runs


async def test_paused_integration_is_read_when_somebody_asks():
    """A pause is for what nobody watches."""
    async with stage(log := Log()) as on, running(on, NIGHTLY) as node:
        await throw(on, node)
        outcome = await node.conductor.sync("shop", "orders", MANUAL)

    assert outcome.status is RunStatus.DONE
    assert len(log.times) == 1


async def test_disabled_integration_is_not_read_whoever_asks():
    """And the answer says what to do first; the others are read."""
    async with stage(log := Log()) as on, running(on, NIGHTLY) as node:
        other = (SPEC % "manual").replace("shop", "other")
        node.conductor.swap(bundle_of(shop=SPEC % NIGHTLY, other=other))
        await throw(on, node, switch=Switch.DISABLED)
        with pytest.raises(SettingsError) as caught:
            await node.conductor.sync("shop", "orders", MANUAL)
        with pytest.raises(SettingsError):
            node.conductor.preview("shop", "orders", RunWish(trigger=Trigger.MANUAL))
        outcome = await node.conductor.sync("other", "orders", MANUAL)

    assert str(caught.value) == ("integration 'shop' is disabled; first: integrationd enable shop")
    assert outcome.status is RunStatus.DONE
    assert len(log.times) == 1


async def test_operation_of_a_disabled_integration_is_not_called():
    """Nothing is asked of its provider."""
    text = SPEC % "manual" + "operations:\n  note: {post: /notes}\n"
    async with stage(log := Log()) as on, running(on, "manual") as node:
        await node.take_up(text)
        await throw(on, node, switch=Switch.DISABLED)
        with pytest.raises(SettingsError):
            await Calls(conductor=node.conductor).call("shop", "note", {})

    assert log.times == []


async def test_switch_of_another_tenant_is_another_one():
    """The name alone does not stop an integration."""
    async with stage(log := Log()) as on, running(on, NIGHTLY) as node:
        await throw(on, node, ("north", "shop"), Switch.DISABLED)
        await sleep_until("01 12:00")

    assert log.days() == ["01 02:00"]


async def test_both_switches_have_to_be_thrown_back():
    """An integration that is paused by itself stays so when everything goes on."""
    async with stage(log := Log()) as on, running(on, "1h") as node:
        await throw(on, node)
        await throw(on, node, ("", ""))
        await throw(on, node, ("", ""), off=False)
        await sleep_until("01 05:00")
        before = len(log.times)
        await throw(on, node, off=False)
        await sleep_until("01 05:30")

    assert (before, len(log.times)) == (0, 1)
