"""Switching integrations, or everything, off and on again."""

from __future__ import annotations

from integrationd.daemon.composition import Composition
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.model.switches import Switch, Switches
from integrationd.ports.actions import SwitchWish
from integrationd.signals import SwitchThrown


async def throw_switch(parts: Composition, wish: SwitchWish) -> Json:
    """Throw a switch; see :meth:`integrationd.ports.actions.Actions.throw`."""
    store, switches = parts.store, await parts.store.switches()
    name = wish.integration or ""
    changed = False
    for tenant in _tenants(parts, wish, switches):
        at = parts.world.clock.now()
        changed |= await store.throw_switch(tenant, name, wish.switch, on=wish.on, at=at)
    if changed:
        parts.broadcast.emit(SwitchThrown(integration=name, switch=wish.switch, on=wish.on))
    now = await store.switches()
    ways = {switch for _, found, switch in now.thrown if found == name}
    return {
        "integration": wish.integration,
        "changed": changed,
        "paused": Switch.PAUSED in ways,
        "disabled": Switch.DISABLED in ways,
        "all_paused": now.paused,
    }


def _tenants(parts: Composition, wish: SwitchWish, switches: Switches) -> list[str]:
    """Return whose integration it is; one without a file can still be switched on again.

    Raises:
        UsageError: There is no such integration.
    """
    if wish.integration is None:
        return [""]
    found = parts.loaded.bundle.integrations.get(wish.integration)
    kept = [tenant for tenant, name, _ in switches.thrown if name == wish.integration]
    if not wish.on and kept:
        return sorted({*kept, *([found.tenant] if found else [])})
    try:
        return [parts.conductor.integration(wish.integration).tenant]
    except UsageError as unknown:
        raise UsageError(f"{unknown}; nothing was switched") from unknown
