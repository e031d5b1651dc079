"""``auth login``: a person's consent, given in a browser or on another device."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import click

from integrationd.cli.acting import acting
from integrationd.cli.main import EXIT_FAILED
from integrationd.cli.options import Common, common
from integrationd.config.units import parse_duration
from integrationd.errors import UsageError
from integrationd.ports.consent import LoginWish


@click.group("auth")
def command() -> None:
    """Let a person give consent, where a provider wants one."""


@command.command("login")
@click.argument("name", metavar="NAME")
@click.option("--tenant", metavar="TENANT", help="Refuse an integration of another tenant.")
@click.option(
    "--no-listen",
    "no_listen",
    is_flag=True,
    help="Wait for no browser here; the address that it ends at is pasted.",
)
@click.option("--open", "opens", is_flag=True, help="Start a browser here.")
@click.option(
    "--timeout",
    "timeout",
    metavar="DURATION",
    default="10m",
    show_default=True,
    help="How long a person is waited for, at most 15m.",
)
@common
def login(
    said: Common,
    name: str,
    *,
    tenant: str | None,
    no_listen: bool,
    opens: bool,
    timeout: str,
) -> int:
    """Log in to an integration's provider: with OAuth2's authorization_code or device_code.

    Prints the address at which a person gives consent, then waits until the browser comes back to
    this machine. Where it runs on another one, the address that it ends at is pasted here. What
    comes of it is kept in the encrypted store, and a running daemon goes on with it at once.
    """
    from integrationd.cli.logging_in import Login, Manner  # noqa: PLC0415 - needs the listener

    patience = parse_duration(timeout)
    if patience is None or not timedelta(0) < patience <= timedelta(minutes=15):
        raise UsageError(f"--timeout is {timeout!r}, expected a duration up to 15m such as 10m")
    manner = Manner(
        as_json=said.json, listens=not no_listen, opens=opens, patience_s=patience.total_seconds()
    )

    async def perform() -> bool:
        async with acting(said.paths) as actions:
            wish = LoginWish(integration=name, tenant=tenant)
            return await Login(actions, wish, manner).perform()

    return 0 if asyncio.run(perform()) else EXIT_FAILED
