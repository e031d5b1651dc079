"""kill -9 at any moment of a list and of the feed that follows it: the end equals the source."""

from __future__ import annotations

import json
import random
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.acceptance.test_kill import LOOPBACK, SilentServer

pytestmark = pytest.mark.acceptance

PAGE_ROWS = 20
WANTED = 3
"""Kills in lists, and as many in feeds."""
TRIES_MAX = 60
ANY_DELETION = "deletions: {percent: 100}\n"
"""Between two kills so much goes that a person would be asked."""
SPEC = """\
integration: source
http:
  base_url: '%s'
  paginate: {type: cursor, next: body.next, into: query.after}
  retries: 0
streams:
  items:
    get: /items
    records: body.items
    key: id
    incremental: {cursor: body.token, into: query.since}
    feed:
      get: /changes
      records: body.changes
      deleted: gone
      from: {get: /start, cursor: body.token}
"""


class Source:
    """Rows that change all the time, and the log of their changes."""

    def __init__(self) -> None:
        self.rng = random.Random(7)
        self.lock = threading.Lock()
        self.rows: dict[int, int] = {}
        self.log: list[tuple[int, int | None]] = []
        self.oldest = 0
        """The first place of the log that is still there."""
        self.asked: list[str] = []
        self.kill_at = 0
        self.reached = threading.Event()
        """So many requests were made since that was set."""
        self.still = False
        self.change(600)

    def change(self, count: int) -> None:
        """Add, change and take away rows."""
        for _ in range(count):
            name, version = self.rng.randrange(800), len(self.log)
            if name in self.rows and self.rng.random() < 0.3:
                del self.rows[name]
                self.log.append((name, None))
            else:
                self.rows[name] = version
                self.log.append((name, version))

    def answer(self, target: str) -> tuple[int, Any]:
        """Answer one request; while somebody reads, things change."""
        url = urlsplit(target)
        query = {name: int(values[0]) for name, values in parse_qs(url.query).items()}
        with self.lock:
            self.asked.append(url.path)
            if len(self.asked) == self.kill_at:
                self.reached.set()
            if not self.still:
                self.change(2)
            if url.path == "/start":
                return 200, {"token": len(self.log)}
            if url.path == "/items":
                return 200, self._list(query.get("after", -1))
            if query["since"] < self.oldest:
                return 410, {}
            return 200, self._tell(query.get("after", query["since"]))

    def _list(self, after: int) -> Any:
        names = sorted(name for name in self.rows if name > after)
        items = [{"id": name, "v": self.rows[name]} for name in names[:PAGE_ROWS]]
        return {"items": items, "next": names[PAGE_ROWS - 1] if names[PAGE_ROWS:] else None}

    def _tell(self, place: int) -> Any:
        page = self.log[place : place + PAGE_ROWS]
        changes = [{"id": name, "v": version, "gone": version is None} for name, version in page]
        end = place + len(page)
        following = end if end < len(self.log) else None
        return {"changes": changes, "next": following, "token": end}


def run_until(installation: Any, source: Source, count: int) -> bool:
    """Sync, and kill it with the answer to a request; True where it was done before."""
    source.asked.clear()
    source.reached.clear()
    source.kill_at = count
    with subprocess.Popen(
        installation.command("sync", "source/items"),
        env=installation.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while process.poll() is None and not source.reached.wait(0.01):
            pass
        if process.poll() is None:
            process.kill()
    return process.returncode == 0


@pytest.fixture
def served() -> Iterator[tuple[Source, str]]:
    """Provide the source and its address."""
    source = Source()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer one request."""
            status, told = source.answer(self.path)
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with SilentServer(("127.0.0.1", 0), Handler) as api:
        thread = threading.Thread(target=api.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield source, f"http://127.0.0.1:{api.server_address[1]}"
        finally:
            api.shutdown()
            thread.join()


def test_killed_feeds_lose_nothing_and_keep_nothing_that_is_gone(installation, served):
    """Between kills the source goes on, and now and then it forgets what a cursor needs."""
    source, url = served
    place = installation
    place.write("integrationd.yaml", f"{LOOPBACK}{ANY_DELETION}")
    place.write("integrations/source.yaml", SPEC % url)
    chance, killed = random.Random(3), {"/items": 0, "/changes": 0}

    for number in range(TRIES_MAX):
        if min(killed.values()) >= WANTED:
            break
        with source.lock:
            source.change(300)
            if killed["/items"] < WANTED and killed["/changes"] >= WANTED // 2:
                source.oldest = len(source.log)
        # After a refused cursor the list counts only where it was read in one go.
        done = run_until(
            place, source, TRIES_MAX**2 if number % 3 == 2 else chance.randrange(2, 25)
        )
        with source.lock:
            last = source.asked[-1]
        if not done and last in killed:
            killed[last] += 1
    assert min(killed.values()) >= WANTED, killed

    source.still = True
    for _ in range(3):
        place.sync("source/items")
    held = {name: row["v"] for name, row in place.rows("source/items").items()}
    assert held == {str(name): version for name, version in source.rows.items()}
