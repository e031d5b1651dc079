"""``check [PATH…]``: all problems in all files, with neither network nor, unless asked, secrets."""

from __future__ import annotations

from pathlib import Path

import click

from integrationd.bundles.checking import CheckReport, check_paths, problem_json
from integrationd.bundles.shipped import shipped_dirs
from integrationd.cli.main import EXIT_CONFIG, EXIT_FAILED
from integrationd.cli.options import Common, common
from integrationd.cli.output import print_json
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.spec.documents import Integration


@click.command("check")
@click.argument("paths", metavar="[PATH…]", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--env", "env", is_flag=True, help="Look for every secret and consent as well.")
@click.option(
    "--connect", metavar="[NAME]", is_flag=False, flag_value="*", help="Make each probe as well."
)
@click.option("-v", "--verbose", is_flag=True, help="Tell which files were left out, and why.")
@common
def command(
    said: Common, paths: tuple[Path, ...], *, env: bool, connect: str | None, verbose: bool
) -> int:
    """Check files, or the whole configuration; exits 78 where something has errors."""
    if not paths and not said.paths.config.is_dir():
        raise UsageError(f"there is no directory {said.paths.config}; say where with --config")
    report = check_paths(said.paths.config, paths, shipped=shipped_dirs())
    errors = sum(problem.is_error for problem in report.problems)
    secrets, consents = _find_missing(said, report) if env else ([], [])
    missing = [*secrets, *consents]
    if said.json:
        print_json([*map(problem_json, report.problems), *map(_missing_json, missing)])
    else:
        for problem in report.problems:
            click.echo(problem)
        for integration, message in missing:
            click.echo(f"{integration.path}: {message}")
        if verbose:
            for path, reason in report.ignored:
                click.echo(f"{path}: left out: {reason}", err=True)
        warnings = len(report.problems) - errors
        told = f"{report.files} files, {errors} errors, {warnings} warnings"
        told += f", {len(secrets)} secrets missing" if env else ""
        told += f", {len(consents)} consents missing" if consents else ""
        click.echo(told, err=True)
    failed = connect is not None and _connect(said, report, connect, paths)
    return EXIT_CONFIG if errors or missing else EXIT_FAILED if failed else 0


def _connect(said: Common, report: CheckReport, name: str, paths: tuple[Path, ...]) -> bool:
    """Make the probes and print them, with ``--json`` as a second list; True where one failed."""
    import asyncio  # noqa: PLC0415 - a check without this needs none of it

    from integrationd.cli.connecting import probe_all, show_probe  # noqa: PLC0415

    if paths:
        raise UsageError("--connect probes what is in place; leave the paths out")
    names = sorted(item.name for item in report.built) if name == "*" else [name]
    probes = asyncio.run(probe_all(said.paths, names))
    if said.json:
        print_json(probes)
    else:
        for probe in probes:
            show_probe(probe)
    return any(probe["status"] not in ("done", "none") for probe in probes)


def _find_missing(
    said: Common, report: CheckReport
) -> tuple[list[tuple[Integration, str]], list[tuple[Integration, str]]]:
    """Look for secrets and consents of all integrations that are good; a daemon is asked too."""
    import asyncio  # noqa: PLC0415 - a check without this needs none of it

    from integrationd.cli.remote import RemoteActions, is_running  # noqa: PLC0415
    from integrationd.daemon.environment import (  # noqa: PLC0415
        find_missing_consents,
        find_missing_secrets,
    )

    async def find() -> tuple[list[tuple[Integration, str]], list[tuple[Integration, str]]]:
        control = said.paths.control
        remote = RemoteActions(control) if is_running(control) else None
        known = [] if remote is None else await remote.secrets.show()
        status = None if remote is None else await remote.status()
        return (
            await find_missing_secrets(said.paths, report.built, known),
            await find_missing_consents(said.paths, report.built, status),
        )

    return asyncio.run(find())


def _missing_json(missing: tuple[Integration, str]) -> Json:
    integration, message = missing
    return {
        "file": integration.path,
        "line": integration.position.line,
        "column": integration.position.column,
        "code": None,
        "message": message,
    }
