"""What the commands that switch things off and on share."""

from __future__ import annotations

import asyncio

import click

from integrationd.cli.acting import acting
from integrationd.cli.options import Common
from integrationd.cli.output import print_json
from integrationd.model.json import Json
from integrationd.model.switches import Switch
from integrationd.ports.actions import SwitchWish


def switch(said: Common, name: str | None, way: Switch, *, on: bool) -> int:
    """Throw a switch and tell what that means now."""
    done = asyncio.run(_throw(said, SwitchWish(integration=name, switch=way, on=on)))
    if said.json:
        print_json(done)
    else:
        click.echo(describe(done, way, on=on))
    return 0


async def _throw(said: Common, wish: SwitchWish) -> Json:
    async with acting(said.paths) as actions:
        return await actions.throw(wish)


def describe(done: Json, way: Switch, *, on: bool) -> str:
    """Say what stands now, what still works and how to go back."""
    name = done["integration"]
    what = name or "everything"
    already = "" if done["changed"] else " already"
    back = f" {name}" if name else ""
    match way, on:
        case Switch.PAUSED, True:
            return (
                f"{what} is paused{already}: schedules and deliveries stop; webhooks are still "
                f"stored, and 'sync' still works\ngo on with: integrationd resume{back}"
            )
        case Switch.DISABLED, True:
            return (
                f"{what} is disabled{already}: neither its schedules nor 'sync' read it; webhooks "
                f"are still stored\nback with: integrationd enable{back}"
            )
        case _:
            return _describe_on(done, what)


def _describe_on(done: Json, what: str) -> str:
    name = done["integration"]
    if done["disabled"]:
        return f"{what} is still disabled\nback with: integrationd enable {name}"
    if name and done["paused"]:
        return f"{what} is still paused\ngo on with: integrationd resume {name}"
    if name and done["all_paused"]:
        return f"{what} runs when everything does, which is paused\ngo on with: integrationd resume"
    if not done["changed"]:
        return f"{what} runs, as before"
    return f"{what} runs again; what was missed is read once"
