"""``reload [--wait]``: have the daemon read its files again."""

from __future__ import annotations

import asyncio
import os
import signal

import click

from integrationd.cli.main import EXIT_CONFIG
from integrationd.cli.options import Common, common
from integrationd.cli.output import print_json
from integrationd.cli.remote import RemoteActions, is_running
from integrationd.errors import IntegrationError


@click.command("reload")
@click.option("--wait", is_flag=True, help="Wait, and exit 78 where a file was refused.")
@common
def command(said: Common, *, wait: bool) -> int:
    """Have the daemon read its files now; it does so by itself when they change."""
    if not is_running(said.paths.control):
        raise IntegrationError(
            f"no daemon answers on {said.paths.control}; start it with: integrationd run"
        )
    if not wait:
        os.kill(int(said.paths.lock.read_text()), signal.SIGHUP)
        if said.json:
            print_json({"asked": True})
        return 0
    told = asyncio.run(RemoteActions(said.paths.control).reload())
    if said.json:
        print_json(told)
    else:
        for problem in told["problems"]:
            click.echo(problem, err=True)
        kept = f"; on their last good files: {', '.join(told['kept'])}" if told["kept"] else ""
        word = "taken" if told["taken"] else "refused in part"
        click.echo(f"{word}: {told['integrations']} integrations run{kept}")
    return 0 if told["taken"] else EXIT_CONFIG
