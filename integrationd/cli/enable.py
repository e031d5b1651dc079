"""``enable NAME``."""

from __future__ import annotations

import click

from integrationd.cli.options import Common, common
from integrationd.cli.switching import switch
from integrationd.model.switches import Switch


@click.command("enable")
@click.argument("name")
@common
def command(said: Common, name: str) -> int:
    """Let an integration that is disabled be read again; what was missed is read once."""
    return switch(said, name, Switch.DISABLED, on=False)
