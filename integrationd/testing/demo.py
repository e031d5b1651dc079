"""The demonstration: a played library and the daemon beside it, both by the installed commands.

    python -m integrationd.testing.demo [--once] [--dir DIR]

Without ``--once`` it tells what happens until Ctrl-C; with it, it checks what came of it and exits
with 0 or 1.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import re
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from integrationd.model.json import Json
from integrationd.testing.telling import lines_of

RECORDS: Final = 2000
BAD: Final = 5
LISTEN_PORT: Final = 8471
ONCE_TIMEOUT_S: Final = 120.0
POLL_S: Final = 3.0
END_TIMEOUT_S: Final = 30.0
"""Longer than the daemon's own ladder of shutdown."""
MARK: Final = "made-by-the-demo"
"""Only a directory with this file in it is emptied."""

_VALUE: Final = re.compile(r"\s*(?=\S)")
"""What stands before the next value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Where everything is."""

    root: Path
    listen: str
    provider_port: int

    def command(self, *arguments: str) -> list[str]:
        """Return a command of the program that was installed with this module."""
        places = ["--config", str(self.root / "config"), "--state", str(self.root / "state")]
        return [sys.executable, "-m", "integrationd", *places, *arguments]

    def shown(self, *arguments: str) -> str:
        """Return a command as a person types it."""
        beside = Path(sys.executable).with_name("integrationd")
        name = os.path.relpath(beside) if beside.exists() else "integrationd"
        places = f"--config {self.root / 'config'} --state {self.root / 'state'}"
        return " ".join([name, places, *arguments])

    def environment(self) -> dict[str, str]:
        """Return the caller's environment with the secrets that the played library accepts."""
        secrets = {
            "INTEGRATIOND_SECRET_DEMO__API_KEY": "play-api-key",
            "INTEGRATIOND_SECRET_DEMO__WEBHOOK_SECRET": "play-webhook-secret",
        }
        return {**os.environ, **secrets, "PYTHONUNBUFFERED": "1"}

    def write(self) -> None:
        """Write the configuration, in place of that of an earlier demonstration."""
        if self.root.exists() and any(self.root.iterdir()) and not (self.root / MARK).exists():
            sys.exit(f"demo: {self.root} holds other files; choose another directory: --dir DIR")
        shutil.rmtree(self.root, ignore_errors=True)
        integrations = self.root / "config" / "integrations"
        integrations.mkdir(parents=True)
        (self.root / MARK).touch()
        (self.root / "config" / "integrationd.yaml").write_text(
            f"listen: {self.listen}\n"
            "egress: {allow: [127.0.0.0/8]}    # the played library is on this machine\n"
            "log: {format: console}\n"
        )
        (integrations / "demo.yaml").write_text(
            "# Change a line while the daemon runs, and see what it says.\n"
            "integration: demo\n"
            "uses: demo-library\n"
            f"config: {{base_url: http://127.0.0.1:{self.provider_port}}}\n"
            "streams:\n"
            "  items: {schedule: 10s}\n"
            "  patrons: {schedule: 10s}\n"
        )


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What was heard so far."""

    changed: dict[str, str] = field(default_factory=dict)
    """For a stream, the external id of a record that changed."""
    posted: set[str] = field(default_factory=set)
    """Ids of events that were answered with success."""

    def hear(self, told: Mapping[str, Json]) -> None:
        """Take one thing that the played library told."""
        if told["event"] == "changed":
            self.changed.setdefault(told["stream"], told["changed"][0])
        elif told["event"] == "posted" and told.get("status", 0) // 100 == 2:  # noqa: PLR2004 - 2xx
            self.posted.add(f"evt_{told['number']:06d}")


def main() -> int:
    """Run the demonstration; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m integrationd.testing.demo")
    parser.add_argument("--once", action="store_true", help="check the outcome and end")
    parser.add_argument("--dir", type=Path, default=Path(".demo"), help="where its files go")
    said = parser.parse_args()
    listen = f"127.0.0.1:{_free_port(LISTEN_PORT)}"
    scene = Scene(root=said.dir, listen=listen, provider_port=_free_port(0))
    scene.write()
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        return asyncio.run(_run(scene, once=said.once))
    return 0


async def _run(scene: Scene, *, once: bool) -> int:
    this = asyncio.current_task()
    assert this is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    found = await ask(scene, "webhook", "url", "demo/events")
    if not found:
        _say(f"FAIL {scene.shown('webhook', 'url', 'demo/events')}: see what it says")
        return 1
    outcome = Outcome()
    playing = [
        *("play", "demo-library", "--json", "--port", str(scene.provider_port)),
        *("--records", str(RECORDS), "--bad", str(BAD), "--rate", "20/s", "--changes", "4s"),
        *("--webhook", found[0]["url"], "--webhook-every", "7s"),
    ]
    async with (
        _started(scene, "library", playing, outcome),
        _started(scene, "daemon", ["run"], None),
    ):
        _introduce(scene, found[0]["url"])
        if once:
            return await _check(scene, outcome)
        await asyncio.Event().wait()
    return 0


async def ask(scene: Scene, *arguments: str) -> list[Json]:
    """Run a command and return the JSON values that it prints; none where it did not succeed."""
    process = await asyncio.create_subprocess_exec(
        *scene.command(*arguments, "--json"),
        env=scene.environment(),
        stdout=asyncio.subprocess.PIPE,
        # While things begin, there is nothing to look at yet, and the commands say so.
        stderr=asyncio.subprocess.DEVNULL,
    )
    output, _ = await process.communicate()
    return list(read_values(output.decode())) if process.returncode == 0 else []


def read_values(text: str) -> Iterator[Json]:
    """Yield JSON values that stand one after the other, on a line each or on several."""
    decoder, place = json.JSONDecoder(), 0
    while found := _VALUE.match(text, place):
        value, place = decoder.raw_decode(text, found.end())
        yield value


@asynccontextmanager
async def _started(
    scene: Scene, name: str, arguments: list[str], outcome: Outcome | None
) -> AsyncIterator[None]:
    """Keep a command running, and relay what it says; at the end it is ended, whatever happened."""
    process = await asyncio.create_subprocess_exec(
        *scene.command(*arguments),
        env=scene.environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        # Ctrl-C reaches this program alone, which then ends the others in order.
        start_new_session=True,
    )
    assert process.stdout is not None
    relaying = asyncio.create_task(_relay(process.stdout, name, outcome), name=f"relay {name}")
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), END_TIMEOUT_S)
            except TimeoutError:
                process.kill()
                await process.wait()
        await relaying


async def _relay(stream: asyncio.StreamReader, name: str, outcome: Outcome | None) -> None:
    while line := await stream.readline():
        text = line.decode(errors="replace").rstrip()
        lines = [text]
        if outcome is not None and text.startswith("{"):
            told = json.loads(text)
            outcome.hear(told)
            # What an integration needs to say is in the file that was written for it.
            lines = list(itertools.takewhile(lambda line: "needs:" not in line, lines_of(told)))
        for shown in lines:
            _say(f"{name:>7} | {shown}")


def _introduce(scene: Scene, webhook_url: str) -> None:
    _say("")
    _say("A library is played, and the daemon reads it every ten seconds. Look at it:")
    _say(f"  {scene.shown('status')}")
    _say(f"  {scene.shown('records', 'demo/items', '--limit', '3')}")
    _say(f"  {scene.shown('runs', 'list', '--limit', '5')}")
    _say(f"  {scene.shown('events', 'list', '--limit', '5')}")
    _say(f"  http://{scene.listen}/readyz   http://{scene.listen}/metrics")
    _say(f"  {webhook_url} takes the library's webhooks")
    _say(f"  {scene.root / 'config'} holds the files; change one while the daemon runs")
    _say("Ctrl-C ends both.")
    _say("")


async def _check(scene: Scene, outcome: Outcome) -> int:
    """Wait until everything has happened, or the time is up, and tell what did."""
    ends_at_s = time.monotonic() + ONCE_TIMEOUT_S
    checks: dict[str, bool] = {}
    while time.monotonic() < ends_at_s:
        checks = await _look(scene, outcome)
        if all(checks.values()):
            break
        await asyncio.sleep(POLL_S)
    for text, came_true in checks.items():
        _say(f"{'ok  ' if came_true else 'FAIL'} {text}")
    return 0 if checks and all(checks.values()) else 1


async def _look(scene: Scene, outcome: Outcome) -> dict[str, bool]:
    checks: dict[str, bool] = {}
    for stream in ("items", "patrons"):
        runs = [
            run for run in await ask(scene, "runs", "list", f"demo/{stream}") if run["ended_at"]
        ]
        first = runs[-1]["counts"] if runs else {}
        text = f"{stream}: the first reading stored {RECORDS - BAD} and set {BAD} aside"
        checks[text] = (first.get("added"), first.get("quarantined")) == (RECORDS - BAD, BAD)
        text = f"{stream}: a later change arrived"
        checks[text] = await _has_change(scene, stream, runs, outcome.changed.get(stream))
    status = await ask(scene, "status")
    healthy = bool(status) and status[0]["files"]["ok"] and status[0]["daemon"] is not None
    checks["the daemon runs, and its files are good"] = healthy
    stored = {event["dedup"] for event in await ask(scene, "events", "list", "demo")}
    checks["a signed webhook was answered with success and is stored"] = bool(
        outcome.posted & stored
    )
    return checks


async def _has_change(scene: Scene, stream: str, runs: list[Json], changed: str | None) -> bool:
    """Tell whether the store has a change of a record that the library says it changed."""
    if changed is None or len(runs) < 2:  # noqa: PLR2004 - a first reading and a later one
        return False
    rows = await ask(scene, "records", f"demo/{stream}")
    found = [row["changed_at"] for row in rows if row["external_id"] == changed]
    return bool(found) and found[0] > runs[-1]["ended_at"]


def _free_port(wanted: int) -> int:
    """Return a port that nobody listens on: the wanted one where that is so."""
    for port in (wanted, 0):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)) as found:
            free: int = found.getsockname()[1]
            return free
    sys.exit("demo: there is no free port on 127.0.0.1")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
