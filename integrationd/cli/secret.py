"""``secret set|list|remove|rotate``: credentials in the encrypted store."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import click

from integrationd.cli.acting import acting
from integrationd.cli.options import Common, common, listing
from integrationd.cli.output import print_json, print_rows
from integrationd.cli.remote import RemoteActions, is_running
from integrationd.errors import IntegrationError, UsageError
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.ports.vault import SecretActions

COLUMNS = ("integration", "name", "found", "key", "updated_at")


@click.group("secret")
def command() -> None:
    """Keep credentials in the encrypted store."""


@command.command("set")
@click.argument("integration", metavar="INTEGRATION")
@click.argument("name", metavar="NAME")
@click.argument("source", metavar="[-]", required=False)
@common
def set_secret(said: Common, integration: str, name: str, source: str | None) -> int:
    """Keep a secret that a file declares; it is asked for without echo, or read from a pipe.

    One newline at the end of what is piped is not part of it.
    """
    if source not in {None, "-"}:
        raise UsageError(
            "a secret is not given on the command line, where others see it; leave it out to be "
            "asked for it, or pipe it in: … | integrationd secret set INTEGRATION NAME -"
        )
    value = _read_value(integration, name, piped=source == "-")
    told = asyncio.run(_ask(said, lambda secrets: secrets.put(integration, name, value)))
    return _tell(said, told, f"kept: secret {name} of {integration}")


@command.command("list")
@click.argument("integration", metavar="[INTEGRATION]", required=False)
@listing
@common
def list_secrets(
    said: Common, integration: str | None, *, style: str | None, limit: int | None
) -> int:
    """Print where every secret is found, or that it is missing; never what it is."""
    rows = asyncio.run(_list(said, integration))
    told = _each(rows if limit is None else rows[:limit])
    asyncio.run(print_rows(told, COLUMNS, style=style, as_json=said.json))
    return 0


@command.command("remove")
@click.argument("integration", metavar="INTEGRATION")
@click.argument("name", metavar="NAME")
@common
def remove_secret(said: Common, integration: str, name: str) -> int:
    """Forget a secret that is kept, also one that no file declares any more."""
    told = asyncio.run(_ask(said, lambda secrets: secrets.remove(integration, name)))
    return _tell(said, told, f"removed: secret {name} of {integration}")


@command.command("rotate")
@click.option(
    "--master-key-file",
    "file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Exchange the master key for the one in FILE.",
)
@common
def rotate(said: Common, file: Path | None) -> int:
    """Seal everything under new keys; what was interrupted is finished by the next call.

    With --master-key-file the values stay as they are, and the ring of keys is sealed anew.
    """
    key = None if file is None else _read_key(file)
    told = asyncio.run(_ask(said, lambda secrets: secrets.rotate(key)))
    if said.json:
        print_json(told)
    elif file is not None:
        click.echo(f"the key ring ({told['keys']} keys) opens with the master key in {file} now")
        click.echo(
            f"put it ({told['master']}) in place of the old one before the daemon starts again",
            err=True,
        )
    else:
        done = "finished what was interrupted" if told["finished"] else f"{told['keys']} new keys"
        click.echo(f"{done}: {told['secrets']} secrets sealed anew")
    if told["left"]:
        message = f"{told['left']} secrets cannot be opened and stay under their old keys"
        raise IntegrationError(f"{message}; see: integrationd secret list")
    return 0


def _read_value(integration: str, name: str, *, piped: bool) -> Secret:
    if sys.stdin.isatty() and not piped:
        text = click.prompt(f"{name} of {integration}", hide_input=True, err=True)
        return Secret(text)
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise UsageError("what was given is not UTF-8 text") from None
    text = text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")
    if not text:
        raise UsageError("nothing was given, and an empty secret is none")
    return Secret(text)


def _read_key(file: Path) -> Secret:
    """Read a new master key as the person who asks can, and see that it is one."""
    from integrationd.vault.master import read_key_file  # noqa: PLC0415 - seldom needed

    return read_key_file(file)


async def _ask(said: Common, ask: Callable[[SecretActions], Awaitable[Json]]) -> Json:
    async with acting(said.paths) as actions:
        return await ask(actions.secrets)


async def _list(said: Common, integration: str | None) -> list[Json]:
    if is_running(said.paths.control):
        return await RemoteActions(said.paths.control).secrets.show(integration)
    from integrationd.daemon.standing import offline_secrets  # noqa: PLC0415 - needs the database

    return await offline_secrets(said.paths, integration)


async def _each(rows: list[Json]) -> AsyncIterator[Json]:
    for row in rows:
        yield row


def _tell(said: Common, told: Json, done: str) -> int:
    if said.json:
        print_json(told)
        return 0
    click.echo(done)
    for line in told["problem"].splitlines():
        click.echo(line, err=True)
    return 0
