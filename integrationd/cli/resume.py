"""``resume [NAME]``."""

from __future__ import annotations

import click

from integrationd.cli.options import Common, common
from integrationd.cli.switching import switch
from integrationd.model.switches import Switch


@click.command("resume")
@click.argument("name", metavar="[NAME]", required=False)
@common
def command(said: Common, name: str | None) -> int:
    """Let an integration that is paused go on, or everything; what was missed is read once."""
    return switch(said, name, Switch.PAUSED, on=False)
