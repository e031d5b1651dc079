"""``runs list|show``: the history."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import click

from integrationd.cli.options import Common, common, listing
from integrationd.cli.output import print_json, print_rows
from integrationd.daemon.looking import looking
from integrationd.engine.rows import run_json
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.ports.store import StreamKey
from integrationd.store.sqlstore import SqlStore

COLUMNS = (
    "id",
    "integration",
    "stream",
    "trigger",
    "mode",
    "status",
    "started_at",
    "counts",
    "error",
)


@click.group("runs")
def command() -> None:
    """Show what was read, when, and how it ended."""


@command.command("list")
@click.argument("name", metavar="[NAME/STREAM]", required=False)
@listing
@common
def list_runs(said: Common, name: str | None, *, style: str | None, limit: int | None) -> int:
    """Print runs, newest first."""
    key = None
    if name is not None:
        integration, _, stream = name.partition("/")
        key = StreamKey(integration, stream)
    return asyncio.run(_list(said, key, style, limit))


@command.command("show")
@click.argument("run_id", metavar="RUN")
@common
def show_run(said: Common, run_id: str) -> int:
    """Print one run."""
    return asyncio.run(_show(said, run_id))


async def _list(said: Common, key: StreamKey | None, style: str | None, limit: int | None) -> int:
    async with looking(said.paths) as store:
        await print_rows(_rows(store, key, limit), COLUMNS, style=style, as_json=said.json)
    return 0


async def _rows(
    store: SqlStore, key: StreamKey | None, limit: int | None
) -> AsyncIterator[dict[str, Json]]:
    async for run in store.runs(None, key=key, limit=limit):
        yield run_json(run)


async def _show(said: Common, run_id: str) -> int:
    async with looking(said.paths) as store:
        async for run in store.runs(None):
            if run.id == run_id:
                print_json(run_json(run))
                return 0
    raise UsageError(f"no run {run_id!r}; see: integrationd runs list")
