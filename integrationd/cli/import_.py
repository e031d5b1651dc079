"""``import FORMAT FILE``: others' descriptions as files of ours, with a report of what is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from integrationd.cli.main import EXIT_FAILED
from integrationd.cli.options import Common, common
from integrationd.cli.output import print_json
from integrationd.errors import IntegrationError, UsageError
from integrationd.importers.report import Imported

FILE_BYTES_MAX = 32 * 1024 * 1024
"""No description of others' is larger; what is, is something else."""


@click.group("import")
def command() -> None:
    """Write files of ours from others' descriptions, and tell every line that was lost."""


def _options(does: Callable[..., int]) -> Callable[..., Any]:
    """Give a command what all of them take."""
    for option in (
        common,
        click.option("--force", is_flag=True, help="Write over files that are there."),
        click.option("--name", help="Of the provider; the source's by default."),
        click.option(
            "-o",
            "--output",
            metavar="DIR",
            required=True,
            type=click.Path(path_type=Path),
            help="Where to.",
        ),
        click.argument("file", type=click.Path(path_type=Path, allow_dash=True)),
    ):
        does = option(does)
    return does


@command.command("airbyte")
@_options
def airbyte(said: Common, file: Path, output: Path, *, name: str | None, force: bool) -> int:
    """Read a manifest of Airbyte's low-code language and write DIR/specs/NAME.yaml.

    Each line that could not be said is told with its place and why; exits 1 where there is one.
    """
    from integrationd.importers.airbyte.provider import (  # noqa: PLC0415 - no other needs it
        import_manifest,
    )

    imported = import_manifest(_read(file), file=_shown(file), name=name)
    return _finish(imported, output, force=force, as_json=said.json)


@command.command("openapi")
@_options
def openapi(said: Common, file: Path, output: Path, *, name: str | None, force: bool) -> int:
    """Read an OpenAPI document and write a provider and its mappings.

    Versions 2.0 and 3.x, as YAML or JSON. Lists become streams, other calls operations. What was
    chosen by names is told as a note, each line that could not be said with its place and why;
    exits 1 where there is one.
    """
    from integrationd.importers.openapi.provider import (  # noqa: PLC0415 - no other needs it
        import_openapi,
    )

    imported = import_openapi(_read(file), file=_shown(file), name=name)
    return _finish(imported, output, force=force, as_json=said.json)


@command.command("nango")
@click.option("--block", metavar="NAME", help="Which block, where the file has several.")
@_options
def nango(
    said: Common, file: Path, output: Path, *, name: str | None, force: bool, block: str | None
) -> int:
    """Read a provider's block of Nango's providers.yaml and write a provider without streams.

    It says how to log in, where calls go, how lists are walked and when to wait. Each line that
    could not be said is told with its place and why; exits 1 where there is one.
    """
    from integrationd.importers.nango.provider import (  # noqa: PLC0415 - no other needs it
        import_nango,
    )

    imported = import_nango(_read(file), file=_shown(file), name=name, block=block)
    return _finish(imported, output, force=force, as_json=said.json)


@command.command("curl")
@_options
def curl(said: Common, file: Path, output: Path, *, name: str | None, force: bool) -> int:
    """Read a command line of curl, `-` for standard input, and write a provider.

    It has one stream or one operation. Secrets of the command stand in no file and no message:
    each is told by the name under which it is to be set. Exits 1 where an option cannot be said.
    """
    from integrationd.importers.curl.provider import (  # noqa: PLC0415 - no other needs it
        import_curl,
    )

    imported = import_curl(_read(file), file=_shown(file), name=name)
    return _finish(imported, output, force=force, as_json=said.json)


def _shown(file: Path) -> str:
    return "standard input" if str(file) == "-" else str(file)


def _read(file: Path) -> bytes:
    """Read a file, or standard input."""
    try:
        with click.open_file(str(file), "rb") as stream:
            data: bytes = stream.read(FILE_BYTES_MAX + 1)
    except OSError as failed:
        raise UsageError(f"{file}: cannot be read: {failed.strerror}") from None
    if len(data) > FILE_BYTES_MAX:
        most = FILE_BYTES_MAX // 1024**2
        raise IntegrationError(f"{_shown(file)} has more than {most} MB, which is too large")
    return data


def _finish(imported: Imported, output: Path, *, force: bool, as_json: bool) -> int:
    _write(imported, output, force=force)
    _tell(imported, output, as_json=as_json)
    return EXIT_FAILED if imported.losses else 0


def _write(imported: Imported, output: Path, *, force: bool) -> None:
    """Write all files or none of them."""
    paths = {output / name: text for name, text in imported.files.items()}
    there = [path for path in paths if path.exists()]
    if there and not force:
        raise UsageError(f"{there[0]} is there already; take another directory, or say --force")
    for path, text in paths.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        except OSError as failed:
            raise IntegrationError(f"{path}: cannot be written: {failed.strerror}") from None


def _tell(imported: Imported, output: Path, *, as_json: bool) -> None:
    """Print the report on stdout, and what was written on stderr."""
    if as_json:
        print_json([finding.to_json() for finding in imported.findings])
    else:
        for finding in imported.findings:
            click.echo(finding)
    for name in imported.files:
        click.echo(f"wrote {output / name}", err=True)
    notes = len(imported.findings) - len(imported.losses)
    made = f"{len(imported.streams)} streams"
    if imported.operations:
        made += f", {len(imported.operations)} operations"
    told = f"{made}, {len(imported.losses)} lines unsaid, {notes} notes"
    click.echo(f"{told}; then: integrationd --config {output} check", err=True)
