"""``db upgrade``: the database brought to the schema that this version needs."""

from __future__ import annotations

import click

from integrationd.cli.options import Common, common
from integrationd.cli.output import print_json


@click.group("db")
def command() -> None:
    """Look after the database."""


@command.command("upgrade")
@common
def upgrade(said: Common) -> int:
    """Bring the database to the schema that this version needs; makes a copy first.

    The daemon has to be stopped. A process that is killed leaves the database as it was.
    """
    # Imported here: nothing else needs Alembic, which takes a second to load.
    from integrationd.daemon.upgrade import upgrade_database  # noqa: PLC0415

    done = upgrade_database(said.paths)
    if said.json:
        print_json(done)
    elif done["before"] == done["after"]:
        click.echo(f"{done['database']}: schema {done['after']} is the present one")
    else:
        click.echo(f"{done['database']}: schema {done['before']} is now {done['after']}")
        if done["backup"]:
            click.echo(f"the copy from before: {done['backup']}")
    return 0
