"""``runs list|show|revert``: the history, and undoing a part of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import click
import msgspec

from integrationd.cli.acting import acting
from integrationd.cli.main import EXIT_FAILED
from integrationd.cli.options import Common, common, listing
from integrationd.cli.output import print_json, print_rows
from integrationd.cli.told_runs import revert_texts, run_lines
from integrationd.daemon.looking import looking
from integrationd.daemon.names import refuse_unlisted
from integrationd.engine.rows import run_json
from integrationd.engine.run_details import describe_run
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.ports.actions import RevertWish
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
    """Show what was read, when, and how it ended; undo what a run wrote."""


@command.command("list")
@click.argument("name", metavar="[NAME[/STREAM]]", required=False)
@listing
@common
def list_runs(said: Common, name: str | None, *, style: str | None, limit: int | None) -> int:
    """Print runs, newest first."""
    integration, _, stream = (name or "").partition("/")
    key = StreamKey(integration, stream) if stream else integration or None
    return asyncio.run(_list(said, key, style, limit))


@command.command("show")
@click.argument("run_id", metavar="RUN")
@click.option(
    "--changes",
    "changes_max",
    type=click.IntRange(min=0),
    default=20,
    show_default=True,
    help="How many of its changes to show.",
)
@common
def show_run(said: Common, run_id: str, *, changes_max: int) -> int:
    """Print one run, and the first records that it changed."""
    return asyncio.run(_show(said, run_id, changes_max))


@command.command("revert")
@click.argument("run_id", metavar="RUN")
@click.option("--dry-run", is_flag=True, help="Only tell what would be done.")
@common
def revert_run(said: Common, run_id: str, *, dry_run: bool) -> int:
    """Undo what a run wrote; exits 1 where something was left alone, as it changed since."""
    return asyncio.run(_revert(said, RevertWish(run=run_id, dry_run=dry_run)))


async def _list(
    said: Common, key: StreamKey | str | None, style: str | None, limit: int | None
) -> int:
    async with looking(said.paths) as store:
        found = await print_rows(_rows(store, key, limit), COLUMNS, style=style, as_json=said.json)
        if not found and key is not None:
            names = (key.integration, key.stream) if isinstance(key, StreamKey) else (key,)
            await refuse_unlisted(said.paths, store, *names)
    return 0


async def _rows(
    store: SqlStore, key: StreamKey | str | None, limit: int | None
) -> AsyncIterator[dict[str, Json]]:
    async for run in store.runs(None, key=key, limit=limit):
        yield run_json(run)


async def _show(said: Common, run_id: str, changes_max: int) -> int:
    async with looking(said.paths) as store:
        details = await describe_run(store, run_id, changes_max)
    if details is None:
        raise UsageError(f"no run {run_id!r}; see: integrationd runs list")
    if said.json:
        print_json(details)
    else:
        for line in run_lines(details):
            click.echo(line)
    return 0


async def _revert(said: Common, wish: RevertWish) -> int:
    left = False
    async with acting(said.paths) as actions:
        async for line in actions.revert(wish):
            if said.json:
                click.echo(msgspec.json.encode(line))
            else:
                for text in revert_texts(line):
                    click.echo(text, err=line["event"] != "finished")
            left = left or line["event"] in ("conflict", "skipped")
            left = left or line.get("status", "done") != "done"
    return EXIT_FAILED if left else 0
