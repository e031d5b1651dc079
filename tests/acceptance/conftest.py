"""A configuration directory, and the installed command run as a user runs it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

# A development dependency, not a program on the path: where it is installed, its tests run.
if importlib.util.find_spec("localstripe") is not None:
    os.environ.setdefault("INTEGRATIOND_TEST_LOCALSTRIPE", "1")

LOOPBACK_SETTINGS = "listen: 127.0.0.1:0\negress: {allow: [127.0.0.0/8]}\n"


@dataclass
class Installation:
    """One configuration and one state directory, and the command that uses them."""

    root: Path
    state_name: str = "state"
    env: dict[str, str] = field(default_factory=dict)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def config(self) -> Path:
        """Where the files lie."""
        return self.root / "config"

    @property
    def state(self) -> Path:
        """Where the database lies."""
        return self.root / self.state_name

    @property
    def database(self) -> Path:
        """The embedded database; it is there once something ran."""
        return self.state / "integrationd.db"

    def write(self, path: str, text: str) -> Path:
        """Write one file under the configuration directory."""
        target = self.config / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def command(self, *arguments: str) -> list[str]:
        """Return what to start."""
        places = ["--config", str(self.config), "--state", str(self.state)]
        return [sys.executable, "-m", "integrationd", *places, *arguments]

    def environment(self) -> dict[str, str]:
        """Return the caller's environment without our own settings, and the secrets."""
        own = {
            key: value for key, value in os.environ.items() if not key.startswith("INTEGRATIOND_")
        }
        return own | self.env

    def run(self, *arguments: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def lines(self, *arguments: str) -> list[Any]:
        """Run a command that must succeed, and read the JSON of each line that it prints."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return [json.loads(line) for line in done.stdout.splitlines()]

    def sync(self, name: str, *arguments: str) -> Mapping[str, int]:
        """Sync one stream and return the counts that its last line tells."""
        return self.lines("sync", name, *arguments)[-1]["counts"]

    def rows(self, name: str) -> dict[str, Any]:
        """Return the living records of a stream by their external id."""
        lines = self.lines("records", name, "--living")
        return {line["external_id"]: line["data"] for line in lines}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command that goes on; it is ended with the test."""
        process = subprocess.Popen(
            self.command(*arguments),
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(process)
        return process


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """Provide an installation that may call the loopback."""
    made = Installation(tmp_path)
    made.write("integrationd.yaml", LOOPBACK_SETTINGS)
    yield made
    for process in made.started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@dataclass(frozen=True)
class Api:
    """A JSON API that tests prepare and compare with."""

    base_url: str
    headers: Mapping[str, str]

    def call(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> Any:
        """Make one call and return its decoded answer."""
        headers = dict(self.headers) | ({"content-type": kind} if kind else {})
        request = urllib.request.Request(
            self.base_url + path, data=body, headers=headers, method=method
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text.strip() else None


@pytest.fixture
def open_api() -> type[Api]:
    """Provide the class, as test directories import nothing from each other."""
    return Api
