"""``check --connect``: the probe of each integration."""

from __future__ import annotations

from collections.abc import Sequence

import click

from integrationd.cli.acting import acting
from integrationd.daemon.paths import Paths
from integrationd.errors import UsageError
from integrationd.model.json import Json


async def probe_all(paths: Paths, names: Sequence[str]) -> list[Json]:
    """Probe integrations one after the other; what runs is probed, not what is only checked."""
    told = []
    async with acting(paths) as actions:
        for name in names:
            try:
                told.append(await actions.calls.probe(name))
            except UsageError as unknown:
                told.append({"integration": name, "status": "failed", "error": str(unknown)})
    return told


def show_probe(probe: Json) -> None:
    """Print how one probe ended."""
    name = probe["integration"]
    if probe["status"] == "done":
        click.echo(f"{name}: ok, {probe['took_ms']} ms")
    else:
        word = "not probed" if probe["status"] == "none" else probe["status"]
        click.echo(f"{name}: {word}: {probe['error']}")
