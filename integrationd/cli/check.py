"""``check [PATH…]``: all problems in all files, with neither network nor secrets."""

from __future__ import annotations

from pathlib import Path

import click

from integrationd.bundles.checking import check_paths, problem_json
from integrationd.bundles.shipped import shipped_dirs
from integrationd.cli.main import EXIT_CONFIG
from integrationd.cli.options import Common, common
from integrationd.cli.output import print_json
from integrationd.errors import UsageError


@click.command("check")
@click.argument("paths", metavar="[PATH…]", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("-v", "--verbose", is_flag=True, help="Tell which files were left out, and why.")
@common
def command(said: Common, paths: tuple[Path, ...], *, verbose: bool) -> int:
    """Check files, or the whole configuration; exits 78 where something has errors."""
    if not paths and not said.paths.config.is_dir():
        raise UsageError(f"there is no directory {said.paths.config}; say where with --config")
    report = check_paths(said.paths.config, paths, shipped=shipped_dirs())
    errors = sum(problem.is_error for problem in report.problems)
    if said.json:
        print_json([problem_json(problem) for problem in report.problems])
    else:
        for problem in report.problems:
            click.echo(problem)
        if verbose:
            for path, reason in report.ignored:
                click.echo(f"{path}: left out: {reason}", err=True)
        warnings = len(report.problems) - errors
        told = f"{report.files} files, {errors} errors, {warnings} warnings"
        click.echo(told, err=True)
    return EXIT_CONFIG if errors else 0
