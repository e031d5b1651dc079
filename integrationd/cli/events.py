"""``events list``: the webhooks that were verified and stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import click

from integrationd.cli.options import Common, common, listing
from integrationd.cli.output import print_rows
from integrationd.daemon.looking import looking
from integrationd.daemon.names import refuse_unlisted
from integrationd.engine.rows import format_time
from integrationd.model.events import StoredEvent
from integrationd.model.json import Json
from integrationd.store.sqlstore import SqlStore

COLUMNS = ("id", "integration", "endpoint", "event", "dedup", "status", "received_at")


@click.group("events")
def command() -> None:
    """Show inbound calls."""


@command.command("list")
@click.argument("integration", metavar="[NAME]", required=False)
@listing
@common
def list_events(
    said: Common, integration: str | None, *, style: str | None, limit: int | None
) -> int:
    """Print events, newest first."""
    return asyncio.run(_list(said, integration, style, limit))


async def _list(said: Common, integration: str | None, style: str | None, limit: int | None) -> int:
    async with looking(said.paths) as store:
        rows = _rows(store, integration, limit)
        if not await print_rows(rows, COLUMNS, style=style, as_json=said.json):
            await refuse_unlisted(said.paths, store, integration)
    return 0


async def _rows(
    store: SqlStore, integration: str | None, limit: int | None
) -> AsyncIterator[dict[str, Json]]:
    async for event in store.events(None, integration=integration, limit=limit):
        yield event_json(event)


def event_json(event: StoredEvent) -> dict[str, Json]:
    """Describe one event."""
    return {
        "id": event.id,
        "integration": event.integration,
        "endpoint": event.endpoint,
        "event": event.event,
        "dedup": event.dedup,
        "status": event.status,
        "received_at": format_time(event.received_at),
        "duplicates": event.duplicates,
    }
