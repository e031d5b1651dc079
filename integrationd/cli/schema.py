"""``schema``: what editors read to help with files."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from integrationd.cli.options import Common, common
from integrationd.errors import IntegrationError, UsageError
from integrationd.spec.files import FILES, build_schema

SCHEMA_DIR = ".schema"
"""Inside the configuration directory; hidden, so that it is not read as files of ours."""


@click.command("schema")
@click.argument("kind", required=False, type=click.Choice(list(FILES)))
@click.option("-o", "--output", metavar="DIR", type=click.Path(path_type=Path), help="Write here.")
@common
def command(said: Common, kind: str | None, *, output: Path | None) -> None:
    """Print the JSON Schema of one kind of file, or write that of every kind into a directory.

    With neither a kind nor a directory they go into the configuration directory's .schema.
    """
    if kind is not None and output is None:
        click.echo(encode_schema(kind))
        return
    if output is None and not said.paths.config.is_dir():
        raise UsageError(f"there is no directory {said.paths.config}; say where with --config")
    place = output or said.paths.config / SCHEMA_DIR
    for path in write_schemas(place, [kind] if kind else list(FILES)):
        click.echo(path)


def encode_schema(kind: str) -> str:
    """Return a schema as text."""
    return msgspec.json.format(msgspec.json.encode(build_schema(kind)), indent=1).decode()


def write_schemas(place: Path, kinds: list[str]) -> list[Path]:
    """Write schemas into a directory, which is made; returns their paths."""
    written = []
    try:
        place.mkdir(parents=True, exist_ok=True)
        for kind in kinds:
            path = place / f"{kind}.json"
            path.write_text(encode_schema(kind) + "\n")
            written.append(path)
    except OSError as failed:
        raise IntegrationError(f"{place}: cannot be written: {failed.strerror}") from None
    return written
