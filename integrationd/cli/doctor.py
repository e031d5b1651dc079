"""``doctor``: what is wrong with the installation, and what to do about it."""

from __future__ import annotations

import asyncio
from dataclasses import asdict

import click

from integrationd.cli.main import EXIT_FAILED
from integrationd.cli.options import Common, common
from integrationd.cli.output import print_json
from integrationd.cli.remote import RemoteActions, is_running
from integrationd.daemon.doctor.examine import Asked, examine
from integrationd.daemon.doctor.finding import Finding, Level
from integrationd.errors import IntegrationError


@click.command("doctor")
@common
def command(said: Common) -> int:
    """Look at everything that the daemon needs; exits 1 where something is bad."""
    findings = asyncio.run(_examine(said))
    count = {level: sum(one.level is level for one in findings) for level in Level}
    if said.json:
        told = [asdict(finding) for finding in findings]
        print_json({"ok": not count[Level.BAD], "findings": told})
    else:
        click.echo(f"{count[Level.BAD]} bad, {count[Level.WARN]} to be looked at", err=True)
    return EXIT_FAILED if count[Level.BAD] else 0


async def _examine(said: Common) -> list[Finding]:
    findings = []
    async for finding in examine(said.paths, await _ask(said)):
        findings.append(finding)
        if not said.json:
            _print(finding)
    return findings


async def _ask(said: Common) -> Asked:
    """Ask the daemon what only it can know; one that fails to answer counts as none."""
    if not is_running(said.paths.control):
        return Asked()
    remote = RemoteActions(said.paths.control)
    try:
        return Asked(status=await remote.status(), secrets=await remote.secrets.show())
    except IntegrationError:
        return Asked()


def _print(finding: Finding) -> None:
    click.echo(f"{finding.level:<4}  {finding.about}: {finding.told}")
    if finding.advice:
        click.echo(f"      {finding.advice}")
