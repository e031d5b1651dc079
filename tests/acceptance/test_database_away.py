"""PostgreSQL goes away under a daemon and comes back: the daemon lives on and loses nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.daemons import Running
from tests.support.forwarder import Forwarder
from tests.support.pages import PagedList, paged
from tests.support.postgres import schema_url

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.needs("postgres"),
]
WHERE = "postgresql://"
"""How a message about the database begins."""
SETTINGS = """\
listen: 127.0.0.1:0
egress: {allow: [127.0.0.0/8]}
database: '%s'
limits: {lease: 3s}
"""
SOURCE = """\
integration: %s
http:
  base_url: '%s'
  paginate: {type: page, into: query.page, total: body.total}
streams: {items: {get: /%s, records: body.items, key: id, schedule: 1s}}
"""
SENDER = """\
integration: sender
secrets: {signing_key: {env: INTEGRATIOND_SECRET_KEY}}
streams: {orders: {key: id}}
webhooks:
  events:
    verify: {type: hmac, keys: ["{{ secrets.signing_key }}"], signature: {from: header.x-signature}}
    dedup: body.id
"""


class Sender:
    """Posts signed events and keeps those that were acknowledged."""

    def __init__(self, running: Running, path: str) -> None:
        self.running = running
        self.path = path
        self.acknowledged: list[str] = []
        self.sent = 0

    def post(self) -> tuple[int, str]:
        """Post the next event."""
        self.sent += 1
        name = f"e{self.sent}"
        body = json.dumps({"id": name}).encode()
        signature = hmac.new(b"k3y", body, hashlib.sha256).hexdigest()
        status, told = self.running.post(self.path, body, x_signature=signature)
        if status == 200:
            self.acknowledged.append(name)
        return status, told


@contextmanager
def reachable_through_a_line() -> Iterator[tuple[str, Forwarder]]:
    """Make a schema, and give a URL to it and the line that the URL goes through."""
    with schema_url() as url:
        parts = urlsplit(url)
        at = f"{parts.username}@" if parts.username else ""
        with Forwarder(parts.hostname or "127.0.0.1", parts.port or 5432) as line:
            through = parts._replace(netloc=f"{at}127.0.0.1:{line.port}")
            yield through.geturl(), line


@contextmanager
def daemon_behind_a_line(
    installation: Any, source: PagedList
) -> Iterator[tuple[Running, Forwarder]]:
    """Run a daemon that reads every second and has an endpoint."""
    with reachable_through_a_line() as (url, line):
        installation.env["INTEGRATIOND_SECRET_KEY"] = "k3y"
        installation.write("integrationd.yaml", SETTINGS % url)
        installation.write("integrations/source.yaml", SOURCE % ("source", source.url, "items"))
        installation.write("integrations/sender.yaml", SENDER)
        running = Running(installation)
        yield running, line
        assert running.stop() == 0


def until_ready(running: Running) -> None:
    """Wait until the daemon says that its store commits."""
    deadline_s = time.monotonic() + 20
    while (told := running.get("/readyz"))[0] != 200:
        assert time.monotonic() < deadline_s, told
        time.sleep(0.05)


def test_daemon_outlives_its_database(installation):
    """The run under way fails, senders are told to come again, and then all goes on."""
    with (
        paged(10, latency_s=0.05) as source,
        daemon_behind_a_line(installation, source) as (running, line),
    ):
        path = json.loads(installation.run("webhook", "url", "sender/events", "--json").stdout)
        sender = Sender(running, path["path"])
        running.wait("run.finished", integration="source", status="done")
        answers = [sender.post()]
        source.wait(lambda asked: asked.page == 5)
        line.cut()
        failed = running.wait("run.finished", integration="source")
        ready, alive = running.get("/readyz"), running.get("/livez")
        answers.append(sender.post())
        line.mend()
        until_ready(running)
        running.wait("run.finished", integration="source", status="done")
        answers.append(sender.post())
        rows = installation.rows("source/items")
        events = [event["dedup"] for event in installation.lines("events", "list")]
        runs = [run["status"] for run in installation.lines("runs", "list")]

    assert [answer[0] for answer in answers] == [200, 503, 200]
    assert (failed["status"], ready[0], alive) == ("failed", 503, (200, "ok\n"))
    assert failed["error"].startswith(WHERE)
    assert json.loads(ready[1])["detail"].startswith("not ready: the store does not commit: ")
    assert sorted(rows) == source.ids
    assert sorted(events) == sorted(sender.acknowledged) == ["e1", "e3"]
    assert runs.count("failed") == 1


def test_reload_without_the_database_is_refused_and_made_good(installation):
    """By signal and by command, and what was dropped meanwhile is taken up once it is back."""
    with paged(1) as source, daemon_behind_a_line(installation, source) as (running, line):
        running.wait("run.finished", integration="source", status="done")
        line.cut()
        running.process.send_signal(signal.SIGHUP)
        by_signal = running.wait("reload.refused")
        by_command = installation.run("reload", "--wait")
        installation.write("integrations/late.yaml", SOURCE % ("late", source.url, "late"))
        late = installation.run("reload", "--wait")
        time.sleep(2.5)  # the watcher has looked, too
        swaps_meanwhile = len(running.of("bundle.swapped"))
        line.mend()
        running.wait("bundle.swapped", added=["late"])
        running.wait("run.finished", integration="late", status="done")
        running.wait("run.finished", integration="source", status="done")
        again = installation.run("reload", "--wait")

    refusal = "integrationd: nothing was reloaded and what ran goes on, as the store is away: "
    assert by_signal["reason"].startswith(WHERE)
    for asked in (by_command, late):
        assert (asked.returncode, asked.stdout) == (69, "")
        assert asked.stderr.startswith(f"{refusal}{WHERE}")
    assert swaps_meanwhile == 1
    assert (again.returncode, again.stdout) == (0, "taken: 3 integrations run\n")
