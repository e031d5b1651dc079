"""A daemon as a process: its log read as JSON lines, its listener asked."""

from __future__ import annotations

import json
import queue
import signal
import threading
import time
import urllib.error
import urllib.request
from typing import Any

PATIENCE_S = 60.0


class Running:
    """A daemon under test; its log is read beside it, so that it never waits for us."""

    def __init__(self, installation: Any) -> None:
        """Start it and wait until it is ready."""
        self.installation = installation
        self.process = installation.start("run")
        self.lines: list[dict[str, Any]] = []
        """What of the log was read so far."""
        self._told: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read_all, name="log of a daemon", daemon=True)
        self._reader.start()
        self.address = self.wait("daemon.started")["listen"]

    def read(self, patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """Read one line; the daemon must still be there."""
        line = self._told.get(timeout=patience_s)
        assert line, f"the daemon ended with {self.process.wait()}: {self.lines[-5:]}"
        self.lines.append(json.loads(line))
        return self.lines[-1]

    def wait(self, event: str, **fields: object) -> dict[str, Any]:
        """Read on until an event with these fields comes."""
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            line = self.read(deadline_s - time.monotonic())
            if line["event"] == event and fields.items() <= line.items():
                return line

    def of(self, event: str) -> list[dict[str, Any]]:
        """Return what was said of an event up to now."""
        while not self._told.empty():
            self.read()
        return [line for line in self.lines if line["event"] == event]

    def get(self, path: str) -> tuple[int, str]:
        """Ask the listener."""
        return answer_of(urllib.request.Request(f"http://{self.address}{path}"))

    def post(self, path: str, body: bytes, **headers: str) -> tuple[int, str]:
        """Post to the listener."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"http://{self.address}{path}"
        return answer_of(urllib.request.Request(url, data=body, headers=named, method="POST"))

    def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code: int = self.process.wait(timeout=30)
        self._reader.join()
        while line := self._told.get():
            self.lines.append(json.loads(line))
        return code

    def _read_all(self) -> None:
        for line in self.process.stdout:
            self._told.put(line)
        self._told.put("")


def answer_of(request: urllib.request.Request) -> tuple[int, str]:
    """Return the status and the text of an answer, whatever its status."""
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()
