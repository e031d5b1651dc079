"""``sync --record FILE``: a case made of what a real provider answers."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import click

from integrationd.cli.main import EXIT_FAILED
from integrationd.cli.options import Common
from integrationd.cli.output import print_json
from integrationd.cli.remote import is_running
from integrationd.daemon.offline import offline_parts
from integrationd.daemon.recording import Learned, record
from integrationd.errors import IntegrationError, UsageError
from integrationd.model.json import Json
from integrationd.ports.actions import SyncWish


def record_case(said: Common, wish: SyncWish, file: Path) -> int:
    """Read a stream and write a case; returns the exit code.

    Raises:
        UsageError: The file is there already, or the daemon is running.
        IntegrationError: The case would not hold, or the file cannot be written.
    """
    if os.path.lexists(file):
        raise UsageError(f"{file} is there already; name another file, nothing is overwritten")
    if is_running(said.paths.control):
        raise UsageError(
            "the daemon is running, and its credentials are not to be had beside it; record while "
            "it is stopped"
        )
    told, text = asyncio.run(_record(said, wish))
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as failed:
        raise IntegrationError(f"{file}: cannot be written: {failed.strerror}") from None
    if said.json:
        print_json({**told, "file": str(file)})
    else:
        click.echo(f"{file}: {told['exchanges']} exchanges, {told['counts']['read']} records read")
        click.echo("look through it for names and numbers of people before you share it", err=True)
    return EXIT_FAILED if told["status"] != "done" and told["exchanges"] == 0 else 0


async def _record(said: Common, wish: SyncWish) -> tuple[dict[str, Json], str]:
    learned = Learned()
    async with offline_parts(said.paths, learned.learn) as parts:
        told, text = await record(said.paths, parts, learned, wish)
    assert isinstance(told, dict)
    return told, text
