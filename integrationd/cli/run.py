"""``run``: the daemon, in the foreground."""

from __future__ import annotations

import asyncio
import os
import sys

import click

from integrationd.cli.options import Common, common


@click.command("run")
@common
def command(said: Common) -> int:
    """Run the daemon until it is told to stop (SIGTERM or Ctrl-C)."""
    from integrationd.daemon.app import run_daemon  # noqa: PLC0415 - needs everything
    from integrationd.daemon.settings import load_settings  # noqa: PLC0415
    from integrationd.telemetry import faults, logs  # noqa: PLC0415
    from integrationd.telemetry.redaction import Redactor  # noqa: PLC0415

    settings, redactor = load_settings(said.paths), Redactor()
    logs.configure(
        level=settings.log.level,
        format=settings.log.format,
        stream=sys.stderr,
        environ=os.environ,
        mask=redactor.mask,
    )
    faults.mask_crash(redactor.mask)
    asyncio.run(run_daemon(said.paths, settings, learn=redactor.learn))
    return 0
