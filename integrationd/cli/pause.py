"""``pause [NAME]``."""

from __future__ import annotations

import click

from integrationd.cli.options import Common, common
from integrationd.cli.switching import switch
from integrationd.model.switches import Switch


@click.command("pause")
@click.argument("name", metavar="[NAME]", required=False)
@common
def command(said: Common, name: str | None) -> int:
    """Stop an integration's schedules and deliveries, or everything's; kept over restarts."""
    return switch(said, name, Switch.PAUSED, on=True)
