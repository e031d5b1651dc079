"""``explain NAME/STREAM``: what would be asked next, when, and what it is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Final

import click
import msgspec

from integrationd.cli.main import EXIT_FAILED
from integrationd.cli.options import Common, common
from integrationd.cli.output import print_json
from integrationd.errors import UsageError
from integrationd.model.json import Json


@click.command("explain")
@click.argument("name", metavar="NAME[/STREAM|/OPERATION]")
@click.option("--full", is_flag=True, help="As a reading of everything, not only what changed.")
@common
def command(said: Common, name: str, *, full: bool) -> int:
    """Print the first request of a stream's next reading, secrets masked, when and what made it.

    An operation is shown as it is written, with what it takes and gives; NAME alone lists streams
    and operations. Nothing is sent, and no secret is shown.
    """
    integration, slash, part = name.partition("/")
    if slash and not part:
        raise UsageError(f"{name!r} names no stream; write NAME/STREAM, as in shop/orders")
    from integrationd.daemon.explaining import explain  # noqa: PLC0415 - needs the database

    told = asyncio.run(explain(said.paths, integration, part, full=full))
    if said.json:
        print_json(told)
    else:
        for line in lines(told):
            click.echo(line)
    return EXIT_FAILED if told["error"] else 0


def lines(told: Mapping[str, Json]) -> Iterator[str]:
    """Lay it out for people."""
    if "stream" in told:
        yield from _stream_lines(told)
    elif "operation" in told:
        yield from _operation_lines(told)
    else:
        yield from _list_lines(told)
    for secret in told["secrets"]:
        yield f"secret {secret['name']}: {secret['problem'] or secret['found']}"
    consent = told["consent"]
    if consent is not None:
        yield f"consent: {consent['problem'] or _given(consent)}"
    yield f"files: {', '.join(told['files'])}"


def _given(consent: Mapping[str, Json]) -> str:
    remark = f"; {consent['remark']}" if consent["remark"] else ""
    return f"given at {consent['given_at']}{remark}"


def _list_lines(told: Mapping[str, Json]) -> Iterator[str]:
    for stream in told["streams"]:
        yield f"stream {stream['name']}: {_when(stream)}"
    for operation in told["operations"]:
        takes = ", ".join(operation["input"])
        about = f"; {operation['description']}" if operation["description"] else ""
        asked = ", ".join(f"{one['method']} {one['path']}" for one in operation["requests"])
        yield f"operation {operation['name']}({takes}): {asked}{about}"


def _operation_lines(told: Mapping[str, Json]) -> Iterator[str]:
    if told["first_of"]:
        yield "the first that finds something of:"
    for request in told["requests"]:
        name = f"{request['name']}: " if request["name"] else ""
        when = f" when {request['when']}" if request["when"] else ""
        yield f"{name}{request['method']} {request['path']}{when}"
        for part in ("query", "headers", "json", "form"):
            if request[part]:
                yield f"{part}: {_text(request[part])}"
    yield ""
    if told["description"]:
        yield told["description"]
    for name, schema in told["input"].items():
        yield f"input {name}: {_text(schema)}"
    yield f"output: {_text(told['output'])}"
    if told["cache"]:
        yield f"cache: {told['cache']}"
    again = "may be asked again" if told["may_repeat"] else "not asked again"
    yield f"where the outcome is not known: {again}"


def _when(stream: Mapping[str, Json]) -> str:
    if not stream["enabled"]:
        return f"{stream['schedule']}, not enabled"
    at = stream["next_run_at"]
    return stream["schedule"] if at is None else f"{stream['schedule']}, due {at}"


def _stream_lines(told: Mapping[str, Json]) -> Iterator[str]:
    yield from _asked_lines(told)
    reading = told["reading"]
    resumed = ", going on where the last one broke off" if reading["resumed"] else ""
    yield f"reading: {reading['mode']}{resumed}, from cursor {_text(reading['cursor'])}"
    if reading["waits"]:
        yield f"waits: {reading['waits']}"
    for key in _PARTS:
        if told[key] not in (None, {}):
            yield f"{key}: {_text(told[key])}"
    yield f"schedule: {_when(told)}"


_PARTS: Final = (
    *("for_each", "input", "paginate", "incremental", "feed"),
    *("records", "key", "mapping", "entity"),
)
"""What is told of a stream's file, where it says it."""


def _asked_lines(told: Mapping[str, Json]) -> Iterator[str]:
    if told["request"] is None:
        yield f"no request: {told['error']}"
        yield ""
    for step in told["steps"]:
        yield f"before it, {_how_often(step)}, {step['name']}{_condition(step)}:"
        yield from _request_lines(step["request"])
    if told["first_of"]:
        yield "the first that finds something of:"
    for form in told["first_of"]:
        if form["when"]:
            yield f"when {form['when']}:"
        yield from _request_lines(form["request"])
    if told["request"] is not None and not told["first_of"]:
        yield from _request_lines(told["request"])


def _request_lines(request: Mapping[str, Json]) -> Iterator[str]:
    yield f"{request['method']} {request['url']}"
    for header, value in request["headers"].items():
        yield f"{header}: {value}"
    if request["body"] is not None:
        yield ""
        yield request["body"]
    yield ""


def _how_often(step: Mapping[str, Json]) -> str:
    return {"run": "once a run", "each": "for each value", "walk": "for each walk"}[
        step["made_for"]
    ]


def _condition(step: Mapping[str, Json]) -> str:
    return f" when {step['when']}" if step["when"] else ""


def _text(value: Json) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
