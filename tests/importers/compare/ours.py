"""Our side: the imported files read by the program itself, one stream after the other."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from integrationd.daemon.offline import offline
from integrationd.daemon.paths import Paths
from integrationd.importers.airbyte.parts import Manifest, Part
from integrationd.importers.airbyte.provider import import_manifest, read_tree
from integrationd.importers.airbyte.supplies import read_supplies
from integrationd.importers.naming import to_word
from integrationd.importers.report import Imported, Report
from integrationd.ports.actions import SyncWish

NAME = "compared"
_MASTER_KEY = base64.b64encode(bytes(range(32))).decode()
_SETTINGS = """\
egress: {allow: [127.0.0.1/32]}
limits: {response: 64MB}
"""


@dataclass
class Installation:
    """A directory with the imported provider and one integration of it."""

    place: Path
    imported: Imported
    provider: Mapping[str, Any]

    def chain(self, stream: str) -> list[str]:
        """Return a stream of ours behind all that it needs, each once."""
        found: list[str] = []
        self._add(stream, found)
        return found

    def _add(self, stream: str, found: list[str]) -> None:
        for parent in self._parents(stream):
            self._add(parent, found)
        if stream not in found:
            found.append(stream)

    def _parents(self, stream: str) -> Iterator[str]:
        several = self.provider["streams"].get(stream, {}).get("for_each") or []
        for dimension in several if isinstance(several, list) else [several]:
            names = dimension.get("stream") or []
            yield from [names] if isinstance(names, str) else names

    async def read(self, stream: str, proxy: Any) -> str:
        """Read a stream in a state of its own; returns why it could not be read, or nothing."""
        os.environ["INTEGRATIOND_MASTER_KEY"] = _MASTER_KEY
        state = self.place / f"state-{stream}"
        state.mkdir()
        async with offline(Paths(self.place / "config", state)) as actions:
            problems = (await actions.reload())["problems"]
            if problems:
                return "; ".join(problems)
            for each in self.chain(stream):
                proxy.stream = stream
                wish = SyncWish(integration=NAME, streams=(each,), full=False, confirmed=False)
                async for line in actions.sync(wish):
                    if line["event"] == "skipped" or line.get("status", "done") != "done":
                        return f"{each}: {line.get('error')}"
        return ""


def install(
    place: Path, manifest: Path, config: Mapping[str, Any], proxy: str, authority: Path
) -> Installation:
    """Import a manifest and write an integration with the configuration of the other side."""
    data = manifest.read_bytes()
    imported = import_manifest(data, file=manifest.name, name="imported")
    for name, text in imported.files.items():
        target = place / "config" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    provider = yaml.safe_load(imported.files["specs/imported.yaml"])
    said: dict[str, Any] = {
        "integration": NAME,
        "uses": "imported",
        "http": {"proxy": proxy, "tls": {"ca": str(authority)}, "limits": None, "retries": 0},
    }
    supplies = _supply(data, manifest.name, config)
    said["config"] = {
        name: value
        for (kind, name), value in supplies.items()
        if kind == "config" and name in provider.get("config", {})
    }
    for (kind, name), value in supplies.items():
        if kind == "secrets" and name in provider.get("secrets", {}):
            variable = f"INTEGRATIOND_SECRET_{NAME.upper()}__{name.upper()}"
            os.environ[variable] = str(value)
    target = place / "config" / "integrations" / f"{NAME}.yaml"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(yaml.safe_dump(said, sort_keys=False))
    (place / "config" / "integrationd.yaml").write_text(_SETTINGS)
    return Installation(place, imported, provider)


def _supply(data: bytes, file: str, config: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    """Return the values by where they stand in ours."""
    report = Report()
    manifest = Manifest(read_tree(data, file, report), report)
    source = Part(manifest, manifest.root, "DeclarativeSource", "")
    supplies = read_supplies(source, source.child("spec"))
    found: dict[tuple[str, str], Any] = {}
    for path, place in supplies.names.items():
        here: Any = config
        for step in path:
            here = here.get(step) if isinstance(here, dict) else None
        if here is not None:
            found[place] = here
    return found


def add_undeclared(config: dict[str, Any], data: bytes, file: str) -> None:
    """Add the credentials that templates use and the specification does not declare."""
    report = Report()
    manifest = Manifest(read_tree(data, file, report), report)
    source = Part(manifest, manifest.root, "DeclarativeSource", "")
    supplies = read_supplies(source, source.child("spec"))
    for path, (kind, name) in supplies.names.items():
        *outer, last = path
        here: Any = config
        for step in outer:
            here = here.get(step) if isinstance(here, dict) else None
        if kind == "secrets" and isinstance(here, dict) and not outer:
            here.setdefault(last, f"{name}-undeclared")


def our_name(name: str) -> str:
    """Return what a stream of the source is called here, unless that name is taken."""
    return to_word(name, "stream")
