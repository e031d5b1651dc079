"""``new KIND NAME``: a first file of a kind, with comments, to be filled in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import click

from integrationd.cli.options import Common, common
from integrationd.cli.schema import SCHEMA_DIR, write_schemas
from integrationd.config.decode import Keys
from integrationd.config.problems import nearest, shorten
from integrationd.daemon.inputs import build_library
from integrationd.daemon.paths import Paths
from integrationd.daemon.settings import load_settings
from integrationd.errors import IntegrationError, UsageError
from integrationd.spec.documents import DOTTED_NAME, SYSTEM_NAME, WORD_NAME, ProviderDocument
from integrationd.spec.firsts import (
    PLACES,
    first_entity,
    first_integration,
    first_mapping,
    first_provider,
)

_NAMES: Final[dict[str, Keys]] = {
    "provider": SYSTEM_NAME,
    "integration": SYSTEM_NAME,
    "mapping": DOTTED_NAME,
    "entity": WORD_NAME,
}


@click.command("new")
@click.argument("kind", type=click.Choice(list(PLACES)))
@click.argument("name")
@click.option("--uses", metavar="PROVIDER", help="With an integration: the provider.")
@common
def command(said: Common, kind: str, name: str, *, uses: str | None) -> None:
    """Write a first file into the configuration directory; one that is there is left alone."""
    keys = _NAMES[kind]
    if not re.fullmatch(keys.pattern, name):
        raise UsageError(f"{kind} is {shorten(name)}, expected {keys.what}")
    if uses is not None and kind != "integration":
        raise UsageError(f"--uses goes with an integration, not with a {kind}")
    if not said.paths.config.is_dir():
        raise UsageError(f"there is no directory {said.paths.config}; say where with --config")
    text = _write_text(said.paths, kind, name, uses)
    write_schemas(said.paths.config / SCHEMA_DIR, [kind])
    path = said.paths.config / PLACES[kind] / f"{name}.yaml"
    _write(path, f"# yaml-language-server: $schema=../{SCHEMA_DIR}/{kind}.json\n{text}")
    click.echo(path)
    click.echo(f"then: integrationd check {path}", err=True)


def _write_text(paths: Paths, kind: str, name: str, uses: str | None) -> str:
    match kind:
        case "provider":
            return first_provider(name)
        case "mapping":
            return first_mapping(name)
        case "entity":
            return first_entity(name)
        case _:
            return first_integration(name, None if uses is None else _find_provider(paths, uses))


def _find_provider(paths: Paths, name: str) -> ProviderDocument:
    library = build_library(paths, load_settings(paths), read_only=True)
    providers = library.load().bundle.providers
    if name not in providers:
        raise UsageError(f"no provider {name!r} without errors{nearest(name, providers)}")
    return providers[name]


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("x") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already; take another name or edit it") from None
    except OSError as failed:
        raise IntegrationError(f"{path}: cannot be written: {failed.strerror}") from None
