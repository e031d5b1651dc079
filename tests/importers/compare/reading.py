"""One manifest, read by both sides."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from integrationd.importers.airbyte.parts import ManifestError
from tests.importers.compare import cdk
from tests.importers.compare.answers import Cast
from tests.importers.compare.asked import Asked, Difference, Epoch, compare, show
from tests.importers.compare.configs import build_config
from tests.importers.compare.ours import Installation, add_undeclared, install, our_name
from tests.importers.compare.server import Server

PATIENCE_S = 180
LOGIN = "(logins)"


@dataclass(frozen=True)
class Told:
    """What became of one stream."""

    manifest: str
    stream: str
    difference: Difference | None = None
    theirs_failed: str = ""
    ours_failed: str = ""
    left_out: bool = False
    """Whether the importer says that it could not translate it."""

    @property
    def is_same(self) -> bool:
        """Tell whether both asked for the same."""
        return self.difference is not None and self.difference.is_none and not self.ours_failed

    def __str__(self) -> str:
        """Print a line, and what differs below it."""
        lines = [f"{self.manifest}/{self.stream}: {self._word()}"]
        if self.difference is not None and not self.difference.is_none:
            lines += [f"    {line}" for line in str(self.difference).split("\n")]
        return "\n".join(lines)

    def _word(self) -> str:
        if self.left_out:
            return f"left out{_behind(self.theirs_failed)}"
        if self.theirs_failed:
            return f"airbyte-cdk failed: {self.theirs_failed}"
        if self.ours_failed:
            return f"failed here: {self.ours_failed}"
        assert self.difference is not None
        same, again = self.difference.same, self.difference.again
        more = f"; {again} of them again by airbyte-cdk" if again else ""
        if self.difference.is_none:
            return f"same, {same} requests{more}"
        return f"differs, {same} the same{more}"


def _behind(text: str) -> str:
    return f" ({text})" if text else ""


def compare_manifest(
    path: Path, python: Path, *, only: str = "", optional: bool = True
) -> Iterator[Told]:
    """Compare all streams of a manifest."""
    text = path.read_text()
    said = yaml.safe_load(text)
    spec = (said.get("spec") or {}).get("connection_specification") or {}
    config = build_config(spec, text, optional=optional)
    add_undeclared(config, text.encode(), path.name)
    with tempfile.TemporaryDirectory(prefix="compare-") as place:
        yield from _Pair(Path(place), path, python, config).compare(only)


class _Pair:
    """Both sides of one manifest."""

    def __init__(self, place: Path, manifest: Path, python: Path, config: dict[str, Any]) -> None:
        self.place, self.manifest, self.python, self.config = place, manifest, python, config

    def compare(self, only: str) -> Iterator[Told]:
        name = self.manifest.stem
        server = Server(lambda _asked, _stream: (503, {}, b""))
        with server.serving(self.place) as authority, self._theirs(server, authority) as their:
            resolved = their.ask(self.config)
            if "refused" in resolved:
                yield Told(name, "", theirs_failed=resolved["refused"])
                return
            cast = Cast(resolved, self.config)
            server.answer = cast.answer
            names = [each.name for each in cast.own if only in each.name and each.can_be_played]
            began = datetime.now(UTC)
            failed = their.read(names)
            theirs, server.asked, cast.count = server.asked, {}, 0
            try:
                installed = install(
                    self.place, self.manifest, self.config, server.address, authority
                )
            except ManifestError as why:
                yield Told(name, "", ours_failed=str(why))
                return
            failed_here = asyncio.run(self._read_ours(installed, server, cast, names))
            epoch = Epoch(began, datetime.now(UTC))
        asked = (theirs, server.asked)
        for stream in names:
            yield self._judge(stream, installed, cast, asked, (failed, failed_here), epoch)
        logins = [
            {show(each, epoch): each for each in _flat(side) if cast.find(each, "") is None}
            for side in asked
        ]
        if any(logins) and not any(failed.values()):
            yield Told(name, LOGIN, compare(logins[0].values(), logins[1].values(), epoch))

    @contextmanager
    def _theirs(self, server: Server, authority: Path) -> Iterator[_Theirs]:
        bundle = {"REQUESTS_CA_BUNDLE": str(authority), "SSL_CERT_FILE": str(authority)}
        proxies = {"HTTPS_PROXY": server.address, "HTTP_PROXY": server.address, "NO_PROXY": ""}
        lower = {name.lower(): value for name, value in proxies.items()}
        with subprocess.Popen(
            [self.python, Path(cdk.__file__), self.manifest.absolute()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=self.place,
            env={**os.environ, **bundle, **proxies, **lower},
        ) as process:
            slow = threading.Timer(PATIENCE_S, process.kill)
            slow.start()
            try:
                yield _Theirs(process)
            finally:
                slow.cancel()
                process.kill()

    async def _read_ours(
        self, installed: Installation, server: Server, cast: Cast, names: list[str]
    ) -> dict[str, str]:
        failed: dict[str, str] = {}
        for name in names:
            cast.count = 0
            if our_name(name) not in installed.imported.streams:
                continue
            proxy = _Naming(server, name)
            failed[name] = await installed.read(our_name(name), proxy)
        return failed

    def _judge(
        self,
        stream: str,
        installed: Installation,
        cast: Cast,
        asked: tuple[dict[str, list[Asked]], dict[str, list[Asked]]],
        failed: tuple[dict[str, str], dict[str, str]],
        epoch: Epoch,
    ) -> Told:
        name = self.manifest.stem
        theirs_failed = failed[0].get(stream, "")
        if our_name(stream) not in installed.imported.streams:
            return Told(name, stream, theirs_failed=theirs_failed, left_out=True)
        own = [
            [each for each in side.get(stream, []) if _is_of(cast, each, stream)] for side in asked
        ]
        difference = compare(own[0], own[1], epoch)
        return Told(name, stream, difference, theirs_failed, failed[1].get(stream, ""))


def _flat(side: dict[str, list[Asked]]) -> Iterator[Asked]:
    for several in side.values():
        yield from several


def _is_of(cast: Cast, asked: Asked, stream: str) -> bool:
    played = cast.find(asked, stream)
    return played is not None and played.name == stream


@dataclass(frozen=True)
class _Theirs:
    """The other side's process."""

    process: subprocess.Popen[str]

    def ask(self, config: Any) -> dict[str, Any]:
        """Hand the configuration in; returns the manifest as they understand it."""
        assert self.process.stdout is not None
        self._say(config)
        line = self.process.stdout.readline()
        return json.loads(line) if line else {"refused": "it ended without a word"}

    def read(self, names: list[str]) -> dict[str, str]:
        """Have streams read; returns why each could not be, empty where it was."""
        assert self.process.stdout is not None
        self._say(names)
        told = dict.fromkeys(names, "it ended, or took too long")
        for line in self.process.stdout:
            if line.startswith('{"stream"'):
                said = json.loads(line)
                told[said["stream"]] = said["error"]
        return told

    def _say(self, what: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()


class _Naming:
    """Says to the server which stream is read, by the source's name."""

    def __init__(self, server: Server, name: str) -> None:
        self._server, self._name = server, name

    @property
    def stream(self) -> str:
        return self._name

    @stream.setter
    def stream(self, _ours: str) -> None:
        self._server.stream = self._name
