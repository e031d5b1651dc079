"""``status``: how everything stands."""

from __future__ import annotations

import asyncio

import click

from integrationd.cli.options import Common, common
from integrationd.cli.output import print_json
from integrationd.cli.remote import RemoteActions, is_running
from integrationd.model.json import Json


@click.command("status")
@common
def command(said: Common) -> int:
    """Show the daemon, the files and every integration."""
    status = asyncio.run(_status(said))
    if said.json:
        print_json(status)
    else:
        for line in lines(status):
            click.echo(line)
    return 0


async def _status(said: Common) -> Json:
    if is_running(said.paths.control):
        return await RemoteActions(said.paths.control).status()
    from integrationd.daemon.standing import offline_status  # noqa: PLC0415 - needs the database

    return await offline_status(said.paths)


def lines(status: Json) -> list[str]:
    """Lay the status out for people."""
    daemon = status["daemon"]
    told = [
        "daemon: not running"
        if daemon is None
        else f"daemon: running, process {daemon['pid']}, since {daemon['started_at']}"
    ]
    if status.get("master_key"):
        told.append(f"master key: {status['master_key']}")
    if status["paused"]:
        told.append("everything is paused; go on with: integrationd resume")
    files = status["files"]
    told.append("files: good" if files["ok"] else "files: with errors")
    told += [f"  {problem}" for problem in files["problems"]]
    if files["kept"]:
        told.append(f"  on their last good files: {', '.join(files['kept'])}")
    for integration in status["integrations"]:
        told += _integration_lines(integration)
    return told


def _integration_lines(integration: Json) -> list[str]:
    uses = f" ({integration['provider']})" if integration["provider"] else ""
    paused = ", paused" if integration["paused"] else ""
    told = [f"{integration['name']}{uses}: {integration['status']}{paused}"]
    if integration["last_error"]:
        told.append(f"  last error: {integration['last_error']}")
    consent = integration.get("consent")
    if consent and consent["given_at"]:
        told.append(f"  consent: given at {consent['given_at']}")
    if consent and consent["remark"]:
        told.append(f"    {consent['remark']}")
    for stream in integration["streams"]:
        told.append(f"  {_stream_line(stream)}")
        told += [
            f"    {advice}" for advice in _advice(f"{integration['name']}/{stream['name']}", stream)
        ]
    told += [
        f"  webhook {hook['name']}: {hook['events']} events" for hook in integration["webhooks"]
    ]
    return told


def _stream_line(stream: Json) -> str:
    parts = [f"{stream['records']} records"]
    if stream["quarantined"]:
        parts.append(f"{stream['quarantined']} quarantined")
    if stream["stale"]:
        parts.append(f"{stream['stale']} stale until the next full reading")
    run = stream["last_run"]
    if run is not None:
        parts.append(f"last run {run['status']} at {run['ended_at'] or run['started_at']}")
    if stream["next_run_at"]:
        parts.append(f"next at {stream['next_run_at']}")
    if stream["unfinished"]:
        parts.append("unfinished, the next run goes on")
    when = "off" if not stream["enabled"] else stream["schedule"]
    if stream["object"] and not stream["object"]["listed"]:
        when = f"not listed by {stream['object']['list']}"
    return f"{stream['name']} [{when}]: {', '.join(parts)}"


def _advice(name: str, stream: Json) -> list[str]:
    """Say what a person is to decide."""
    told = [stream["refused"]] if stream["refused"] else []
    told += stream["listing"]["remarks"] if stream["listing"] else []
    if stream["held"]:
        told.append(
            f"{stream['held']} deletions wait for a person; to let them go: "
            f"integrationd sync {name} --full --confirm"
        )
    return told
