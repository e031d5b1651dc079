"""``call NAME OPERATION key=value…``: one operation."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from integrationd.cli.acting import acting
from integrationd.cli.main import EXIT_FAILED
from integrationd.cli.options import Common, common, read_values
from integrationd.cli.output import print_json
from integrationd.errors import PageShapeError, UsageError
from integrationd.model.json import Json
from integrationd.ports.calls import CallWish
from integrationd.wire.decoding import decode_bytes


@click.command("call")
@click.argument("name", metavar="NAME")
@click.argument("operation", metavar="OPERATION")
@click.argument("values", metavar="[KEY=VALUE…]", nargs=-1)
@click.option("--input", "file", metavar="FILE", help="A JSON object of values; - is stdin.")
@click.option("--dry-run", is_flag=True, help="Only print the request, secrets masked.")
@common
def command(said: Common, name: str, operation: str, **given: Json) -> int:
    """Call an operation of an integration and print its output; exits 1 where it failed."""
    wish = CallWish(
        integration=name,
        operation=operation,
        input=_read_file(given["file"]),
        texts=read_values(given["values"]),
        dry_run=given["dry_run"],
    )
    return asyncio.run(_call(said, wish))


def _read_file(file: str | None) -> dict[str, Json]:
    if file is None:
        return {}
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        value = decode_bytes(data)
    except OSError as failed:
        raise UsageError(f"--input {file}: {(failed.strerror or 'unreadable').lower()}") from None
    except PageShapeError as wrong:
        raise UsageError(f"--input {file} is not JSON: {wrong}") from None
    if not isinstance(value, dict):
        raise UsageError(f"--input {file} holds no JSON object, expected one of values by name")
    return value


async def _call(said: Common, wish: CallWish) -> int:
    async with acting(said.paths) as actions:
        told = await actions.calls.call(wish)
    if wish.dry_run:
        _show_request(told, as_json=said.json)
        return 0
    if said.json:
        print_json(told)
    elif told["status"] == "done":
        print_json(told["output"])
    failed = told["status"] != "done"
    end = f": {told['error']}" if failed else ", from memory" if told["cached"] else ""
    click.echo(f"{wish.integration}/{wish.operation}: {told['status']}{end}", err=True)
    return EXIT_FAILED if failed else 0


def _show_request(told: Json, *, as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    for part in told.get("requests", [told]):
        if "name" in part:
            click.echo(f"# {part['name']}{': ' if part['why'] else ''}{part['why']}")
        if part["request"] is not None:
            _print_request(part["request"])
    click.echo("nothing was sent", err=True)


def _print_request(request: Json) -> None:
    click.echo(f"{request['method']} {request['url']}")
    for header, value in request["headers"].items():
        click.echo(f"{header}: {value}")
    if request["body"] is not None:
        click.echo(f"\n{request['body']}")
