"""``disable NAME``."""

from __future__ import annotations

import click

from integrationd.cli.options import Common, common
from integrationd.cli.switching import switch
from integrationd.model.switches import Switch


@click.command("disable")
@click.argument("name")
@common
def command(said: Common, name: str) -> int:
    """Have an integration read no more, not even by 'sync'; kept over restarts."""
    return switch(said, name, Switch.DISABLED, on=True)
