"""``explain NAME/STREAM``: the request that would be sent next, and what it is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

import click
import msgspec

from integrationd.cli.main import EXIT_FAILED
from integrationd.cli.options import Common, common
from integrationd.cli.output import print_json
from integrationd.errors import UsageError
from integrationd.model.json import Json


@click.command("explain")
@click.argument("name", metavar="NAME/STREAM")
@click.option("--full", is_flag=True, help="As a reading of everything, not only what changed.")
@common
def command(said: Common, name: str, *, full: bool) -> int:
    """Print the first request of a stream's next reading, secrets masked, and what made it.

    Nothing is sent, and no secret is shown. For an operation see: call NAME OPERATION --dry-run.
    """
    integration, slash, stream = name.partition("/")
    if not slash:
        raise UsageError(f"{name!r} names no stream; write NAME/STREAM, as in shop/orders")
    from integrationd.daemon.explaining import explain  # noqa: PLC0415 - needs the database

    told = asyncio.run(explain(said.paths, integration, stream, full=full))
    if said.json:
        print_json(told)
    else:
        for line in lines(told):
            click.echo(line)
    return EXIT_FAILED if told["error"] else 0


def lines(told: Mapping[str, Json]) -> Iterator[str]:
    """Lay it out for people."""
    request = told["request"]
    if request is None:
        yield f"no request: {told['error']}"
    else:
        yield f"{request['method']} {request['url']}"
        for header, value in request["headers"].items():
            yield f"{header}: {value}"
        if request["body"] is not None:
            yield ""
            yield request["body"]
    yield ""
    reading = told["reading"]
    resumed = ", going on where the last one broke off" if reading["resumed"] else ""
    yield f"reading: {reading['mode']}{resumed}, from cursor {_text(reading['cursor'])}"
    if reading["waits"]:
        yield f"waits: {reading['waits']}"
    for key in ("paginate", "incremental", "records", "key", "mapping", "entity", "schedule"):
        if told[key] is not None:
            yield f"{key}: {_text(told[key])}"
    for secret in told["secrets"]:
        yield f"secret {secret['name']}: {secret['problem'] or secret['found']}"
    yield f"files: {', '.join(told['files'])}"


def _text(value: Json) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
