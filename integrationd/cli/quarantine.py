"""``quarantine list|show|replay|drop``: records that could not be mapped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import click
import msgspec

from integrationd.cli.acting import acting
from integrationd.cli.main import EXIT_FAILED
from integrationd.cli.options import Common, common, listing
from integrationd.cli.output import print_json, print_rows
from integrationd.daemon.looking import looking
from integrationd.daemon.names import refuse_unlisted
from integrationd.engine.quarantined import quarantine_json
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.ports.actions import QuarantineWish
from integrationd.ports.quarantine import QuarantineQuery
from integrationd.store.sqlstore import SqlStore

COLUMNS = (
    *("id", "integration", "stream", "fingerprint", "code", "field", "reason"),
    *("first_at", "last_at"),
)


def _which(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the name and ``--id``."""
    with_name = click.argument("name", metavar="[NAME[/STREAM]]", required=False)
    with_ids = click.option(
        "--id", "ids", type=click.IntRange(min=1), multiple=True, help="Of one; may be repeated."
    )
    return with_name(with_ids(command))


@click.group("quarantine")
def command() -> None:
    """Show records that could not be mapped, map them again, or let them go."""


@command.command("list")
@_which
@listing
@common
def list_quarantine(
    said: Common, name: str | None, ids: tuple[int, ...], *, style: str | None, limit: int | None
) -> int:
    """Print what waits, oldest first."""
    wish = _wish(name, ids)
    query = QuarantineQuery(
        integration=wish.integration, stream=wish.stream, ids=wish.ids, limit=limit
    )
    return asyncio.run(_list(said, query, style))


@command.command("show")
@_which
@common
def show_quarantine(said: Common, name: str | None, ids: tuple[int, ...]) -> int:
    """Print what waits with the records as the provider sent them, each as JSON."""
    wish = _wish(name, ids)
    query = QuarantineQuery(integration=wish.integration, stream=wish.stream, ids=wish.ids)
    return asyncio.run(_show(said, query))


@command.command("replay")
@_which
@common
def replay_quarantine(said: Common, name: str | None, ids: tuple[int, ...]) -> int:
    """Map records again by the files as they are; exits 1 where that failed."""
    return asyncio.run(_replay(said, _wish(name, ids)))


@command.command("drop")
@_which
@common
def drop_quarantine(said: Common, name: str | None, ids: tuple[int, ...]) -> int:
    """Forget records that wait; the source is asked for them again by a full reading only."""
    if name is None and not ids:
        raise UsageError("nothing is named; give NAME, NAME/STREAM or --id")
    return asyncio.run(_drop(said, _wish(name, ids)))


def _wish(name: str | None, ids: tuple[int, ...]) -> QuarantineWish:
    integration, _, stream = (name or "").partition("/")
    return QuarantineWish(integration=integration or None, stream=stream or None, ids=ids)


async def _list(said: Common, query: QuarantineQuery, style: str | None) -> int:
    async with looking(said.paths) as store:
        if not await print_rows(_rows(store, query), COLUMNS, style=style, as_json=said.json):
            await refuse_unlisted(said.paths, store, query.integration, query.stream)
    return 0


async def _rows(store: SqlStore, query: QuarantineQuery) -> AsyncIterator[dict[str, Json]]:
    async for row in store.quarantine(None, query):
        yield quarantine_json(row)


async def _show(said: Common, query: QuarantineQuery) -> int:
    found = 0
    async with looking(said.paths) as store:
        async for row in store.quarantine(None, query):
            found += 1
            told = quarantine_json(row, source=True)
            if said.json:
                click.echo(msgspec.json.encode(told))
            else:
                print_json(told)
        if not found:
            await refuse_unlisted(said.paths, store, query.integration, query.stream)
    if query.ids and found < len(set(query.ids)):
        raise UsageError("nothing waits under some of these ids; see: integrationd quarantine list")
    return 0


async def _replay(said: Common, wish: QuarantineWish) -> int:
    left = False
    async with acting(said.paths) as actions:
        async for line in actions.replay(wish):
            click.echo(msgspec.json.encode(line) if said.json else replay_text(line))
            left = left or line["event"] == "skipped" or line["status"] != "done"
    return EXIT_FAILED if left else 0


async def _drop(said: Common, wish: QuarantineWish) -> int:
    async with acting(said.paths) as actions:
        told = await actions.drop(wish)
    if said.json:
        print_json(told)
    else:
        click.echo(f"{told['dropped']} dropped")
    return 0


def replay_text(line: Json) -> str:
    """Say what became of one stream's quarantine."""
    where = f"{line['integration']}/{line['stream']}"
    if line["event"] == "skipped":
        return f"{where}: skipped, {line['error']}"
    counts = line["counts"]
    names = ("added", "changed", "unchanged", "deleted", "filtered")
    told = [f"{counts[name]} {name}" for name in names if counts[name]]
    told.append(f"{counts['quarantined']} still wait")
    error = f": {line['error']}" if line["error"] else ""
    return f"{where}: {line['status']}, {', '.join(told)}{error}"
