"""``webhook url NAME/ENDPOINT``: where a sender posts to."""

from __future__ import annotations

import asyncio

import click

from integrationd.cli.acting import acting
from integrationd.cli.options import Common, common
from integrationd.cli.output import print_json
from integrationd.errors import UsageError


@click.group("webhook")
def command() -> None:
    """Webhook endpoints."""


@command.command("url")
@click.argument("name", metavar="NAME/ENDPOINT")
@common
def url(said: Common, name: str) -> int:
    """Print where a sender posts to: a random path, made once and kept."""
    integration, slash, endpoint = name.partition("/")
    if not slash or not endpoint:
        raise UsageError(f"{name!r} names no endpoint, expected NAME/ENDPOINT such as shop/events")
    return asyncio.run(_url(said, integration, endpoint))


async def _url(said: Common, integration: str, endpoint: str) -> int:
    async with acting(said.paths) as actions:
        found = await actions.webhook_url(integration, endpoint)
    if said.json:
        print_json(found)
    else:
        click.echo(found["url"])
    return 0
