"""kill -9 at any moment of a sync: no half page is ever seen, and the end equals the source."""

from __future__ import annotations

import dataclasses
import json
import os
import random
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1200)]

KILLS = int(os.environ.get("INTEGRATIOND_TEST_KILLS", "10"))
PAGE_RECORDS = 40
PAGES = 100
RECORDS = {
    f"{number:05d}": {"id": f"{number:05d}", "title": f"Title {number}", "text": "x" * 200}
    for number in range(PAGE_RECORDS * PAGES)
}
PAGE_LATENCY_S = 0.01
POLL_S = 0.01


class Pages(BaseHTTPRequestHandler):
    """A list in pages, answered with a little latency."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer one page."""
        (page,) = parse_qs(urlsplit(self.path).query)["page"]
        start = (int(page) - 1) * PAGE_RECORDS
        records = list(RECORDS.values())[start : start + PAGE_RECORDS]
        body = json.dumps({"total": len(RECORDS), "items": records}).encode()
        time.sleep(PAGE_LATENCY_S)
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


class Server(ThreadingHTTPServer):
    """Does not tell of clients that were killed."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent."""


@pytest.fixture
def source_url() -> Iterator[str]:
    """Provide the address of the list."""
    with Server(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class Watcher:
    """Reads the database read-only every 10 ms and keeps whatever is not a whole page."""

    def __init__(self, database: os.PathLike[str]) -> None:
        """Take the file, which need not exist yet."""
        self.uri = f"file:{database}?mode=ro"
        self.looks = 0
        self.progress: set[int] = set()
        self.halves: list[tuple[int, bool, Any]] = []
        self.stopped = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look until the context ends."""
        thread = threading.Thread(target=self._watch)
        thread.start()
        try:
            yield
        finally:
            self.stopped.set()
            thread.join()

    def _watch(self) -> None:
        while not self.stopped.wait(POLL_S):
            # Before the first start there is no file or no table; that is not what is looked for.
            try:
                with closing(sqlite3.connect(self.uri, uri=True, timeout=5)) as database:
                    while not self.stopped.wait(POLL_S):
                        self._look(database)
            except sqlite3.OperationalError:
                continue

    def _look(self, database: sqlite3.Connection) -> None:
        # One statement is one snapshot: rows and progress as they were at the same moment.
        found = database.execute(
            "select (select count(*) from records where stream = 'items'), r.walking, r.page_token"
            " from readings r where r.stream = 'items'"
        ).fetchone()
        if found is None:
            (rows,) = database.execute("select count(*) from records").fetchone()
            found = (rows, False, None)
        rows, walking, token = found[0], bool(found[1]), json.loads(found[2] or "null")
        self.looks += 1
        self.progress.add(rows)
        if not _is_whole(rows, walking=walking, token=token):
            self.halves.append((rows, walking, token))


def _is_whole(rows: int, *, walking: bool, token: Any) -> bool:
    """Tell whether rows and progress say the same: the token is that of the page kept last."""
    if not walking:
        return rows in (0, len(RECORDS))
    page = 1 if token is None else token["page"]
    # A second reading begins at page 1 again, with all the rows of the first one there.
    return rows in (page * PAGE_RECORDS, len(RECORDS))


def run_for(installation: Any, seconds: float) -> bool:
    """Sync, and kill it when the time is up; True where it was done before."""
    with subprocess.Popen(
        installation.command("sync", "source/items"),
        env=installation.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            _, told = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return False
    assert process.returncode == 0, told
    return True


def test_killed_syncs_leave_whole_pages_and_the_source_in_the_end(installation, source_url):
    """Whenever a sync is killed, readers see whole pages only, and the end is the source."""
    installation.write(
        "integrations/source.yaml",
        "integration: source\n"
        "http:\n"
        f"  base_url: '{source_url}'\n"
        "  paginate: {type: page, into: query.page, total: body.total}\n"
        "streams: {items: {get: /items, records: body.items, key: id}}\n",
    )
    chance = random.Random(KILLS)
    kills = round_number = looks = 0
    partial: set[int] = set()

    while kills < KILLS:
        round_number += 1
        this = dataclasses.replace(installation, state_name=f"state-{round_number}")
        watcher = Watcher(this.database)
        with watcher.watching():
            done = False
            while not done and kills < KILLS:
                done = run_for(this, chance.uniform(0.4, 2.0))
                kills += not done
            counts = this.sync("source/items")

        assert watcher.halves == []
        assert this.rows("source/items") == RECORDS
        assert counts["quarantined"] == 0
        looks += watcher.looks
        partial |= watcher.progress - {0, len(RECORDS)}

    # Otherwise the kills fell where nothing was being written.
    assert looks > KILLS
    assert len(partial) >= 3
