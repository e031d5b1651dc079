"""``sync NAME[/STREAM]``: one reading now."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import click
import msgspec

from integrationd.cli.acting import acting
from integrationd.cli.main import EXIT_FAILED
from integrationd.cli.options import Common, common, narrowing, read_values
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.ports.actions import SyncWish

PROGRESS_EVERY_S = 0.1
_HOW = {"full": "full", "incremental": "what changed", "input": "what was asked for"}
"""How people call what a run does."""


@click.command("sync")
@click.argument("name", metavar="NAME[/STREAM]")
@click.option("--full", is_flag=True, help="Read everything, not only what changed.")
@click.option("--confirm", is_flag=True, help="Agree to a deletion that is held for a person.")
@click.option(
    "--record",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Keep what is asked and answered as a case; store nothing.",
)
@narrowing
@common
def command(
    said: Common,
    name: str,
    *,
    full: bool,
    confirm: bool,
    record: Path | None,
    values: tuple[str, ...],
) -> int:
    """Read an integration's streams, or one of them, now; exits 1 where one of them failed.

    With --record a stream is read from its beginning, as if nothing was stored, nothing is stored
    then either, and FILE is a file of cases, scrubbed, that `integrationd test` takes.
    """
    integration, slash, stream = name.partition("/")
    wish = SyncWish(
        integration=integration,
        streams=(stream,) if slash else (),
        full=full,
        confirmed=confirm,
        texts=read_values(values, "since=2026-01-01"),
    )
    if record is not None:
        from integrationd.cli.recording import record_case  # noqa: PLC0415 - only this needs it

        if full or confirm:
            raise UsageError("--record reads everything anew; leave --full and --confirm out")
        return record_case(said, wish, record)
    return asyncio.run(_sync(said, wish))


async def _sync(said: Common, wish: SyncWish) -> int:
    show = _print_line if said.json else Progress().show
    failed = False
    async with acting(said.paths) as actions:
        async for line in actions.sync(wish):
            show(line)
            failed = failed or line["event"] == "skipped" or line.get("status", "done") != "done"
    return EXIT_FAILED if failed else 0


def _print_line(line: Json) -> None:
    click.echo(msgspec.json.encode(line))


class Progress:
    """Tells a person what happens: one line that moves on a terminal, and one for each outcome."""

    def __init__(self) -> None:
        """Look whether there is a terminal."""
        self._moving = sys.stderr.isatty()
        self._read = 0
        self._began_s = 0.0
        self._shown_s = 0.0

    def show(self, line: Json) -> None:
        """Show one thing that happened."""
        where = f"{line['integration']}/{line['stream']}"
        match line["event"]:
            case "started":
                self._read, self._began_s = 0, time.monotonic()
                how = _HOW[line["mode"]]
                again = ", going on where the last one broke off" if line["resumed"] else ""
                click.echo(f"{where}: reading ({how}{again})", err=True)
            case "page":
                self._read += line["counts"]["read"]
                self._page(where, line)
            case "finished":
                self._clear()
                click.echo(f"{where}: {_outcome(line)}")
            case "skipped":
                click.echo(f"{where}: skipped, {line['error']}", err=True)

    def _page(self, where: str, line: dict[str, Any]) -> None:
        now_s = time.monotonic()
        if not self._moving or now_s - self._shown_s < PROGRESS_EVERY_S:
            return
        self._shown_s = now_s
        of = f" of {line['total']}" if line["total"] else ""
        speed = self._read / max(now_s - self._began_s, 0.001)
        click.echo(f"\r\033[K{where}: {self._read}{of} records, {speed:.0f}/s", err=True, nl=False)

    def _clear(self) -> None:
        if self._moving:
            click.echo("\r\033[K", err=True, nl=False)


def _outcome(line: dict[str, Any]) -> str:
    counts = line["counts"]
    names = ("added", "changed", "unchanged", "deleted", "filtered", "quarantined")
    told = [f"{counts[name]} {name}" for name in names if counts[name]]
    parts = [f"{line['status']}, {counts['read']} read"]
    if told:
        parts.append(f" ({', '.join(told)})")
    if counts["cleaned"] or counts["dropped"]:
        parts.append(f"; {counts['cleaned']} values cleaned, {counts['dropped']} dropped as unfit")
    if counts["held"]:
        name = f"{line['integration']}/{line['stream']}"
        parts.append(
            f"; {counts['held']} deletions wait for a person; to let them go: "
            f"integrationd sync {name} --full --confirm"
        )
    if line["error"]:
        parts.append(f": {line['error']}")
    return "".join((*parts, *(f"\n  {remark}" for remark in line.get("remarks", ()))))
