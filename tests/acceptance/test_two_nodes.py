"""Two processes on one PostgreSQL: one reads at a time, and a late one writes nothing."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.postgres import schema_url

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.needs("postgres"),
]
LEASE_S = 3
PAGES = 60
LATENCY_S = 0.1


class Pages(BaseHTTPRequestHandler):
    """Sixty pages of five records, each answered after a tenth of a second.

    Those behind the second wait until they are let go, however long another process takes to start.
    """

    protocol_version = "HTTP/1.1"
    let_go = threading.Event()

    def do_GET(self) -> None:
        """Answer one page."""
        (page,) = parse_qs(urlsplit(self.path).query)["page"]
        first = (int(page) - 1) * 5
        items = [{"id": f"{number:04d}"} for number in range(first, first + 5)]
        body = json.dumps({"total": PAGES * 5, "items": items}).encode()
        time.sleep(LATENCY_S)
        assert int(page) <= 2 or self.let_go.wait(60)
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def source_url() -> Iterator[str]:
    """Provide the address of the list."""
    Pages.let_go.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@contextmanager
def syncing(installation: Any) -> Iterator[subprocess.Popen[str]]:
    """Begin to read and hand out the process, which is gone in the end."""
    with subprocess.Popen(
        installation.command("sync", "source/items", "--json"),
        env=installation.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def spoken(done: subprocess.CompletedProcess[str]) -> list[Any]:
    """Read the lines of a command, however it ended."""
    assert done.stdout, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def relieve(other):
    """Read in place of a process that was stopped; return what was said at last.

    If it was stopped within a transaction, the server ends that after its idle limit of 10 s.
    """
    for _ in range(20):
        said = spoken(other.run("sync", "source/items", "--json"))
        if said[-1]["event"] == "finished":
            break
        time.sleep(1)
    return said


def test_a_process_that_fell_silent_is_relieved_and_writes_nothing_more(installation, source_url):
    """While one reads the other may not; stopped past its lease it loses the stream for good."""
    with schema_url() as url:
        installation.write(
            "integrationd.yaml",
            "listen: 127.0.0.1:0\negress: {allow: [127.0.0.0/8]}\n"
            f"database: '{url}'\nlimits: {{lease: {LEASE_S}s}}\n",
        )
        installation.write(
            "integrations/source.yaml",
            "integration: source\n"
            "http:\n"
            f"  base_url: '{source_url}'\n"
            "  paginate: {type: page, into: query.page, total: body.total}\n"
            "streams: {items: {get: /items, records: body.items, key: id}}\n",
        )
        other = dataclasses.replace(installation, state_name="state-2")
        with syncing(installation) as first:
            while json.loads(first.stdout.readline())["event"] != "page":
                pass
            meanwhile = spoken(other.run("sync", "source/items", "--json"))
            Pages.let_go.set()
            os.kill(first.pid, signal.SIGSTOP)
            time.sleep(LEASE_S + 1)
            relieved = relieve(other)
            stored = other.run("records", "source/items", "--json").stdout
            os.kill(first.pid, signal.SIGCONT)
            told, _ = first.communicate(timeout=60)
        late = json.loads(told.splitlines()[-1])

        assert meanwhile[-1]["event"] == "skipped"
        assert (relieved[-1]["status"], len(stored.splitlines())) == ("done", PAGES * 5)
        assert late["status"] == "failed"
        assert late["error"].startswith(
            "the stream claim on source/items with fence 1 is no longer"
        )
        assert late["error"].endswith("; nothing was written")
        assert other.run("records", "source/items", "--json").stdout == stored
        runs = other.lines("runs", "list")
        assert [run["status"] for run in runs] == ["done", "failed"]
