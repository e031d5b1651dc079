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
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests.support.postgres import schema_url

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1200)]

KILLS = int(os.environ.get("INTEGRATIOND_TEST_KILLS", "10"))
LOOPBACK = "listen: 127.0.0.1:0\negress: {allow: [127.0.0.0/8]}\n"
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


class SilentServer(ThreadingHTTPServer):
    """Does not tell of clients that were killed."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent."""


@pytest.fixture
def source_url() -> Iterator[str]:
    """Provide the address of the list."""
    with SilentServer(("127.0.0.1", 0), Pages) as api:
        thread = threading.Thread(target=api.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{api.server_address[1]}"
        finally:
            api.shutdown()
            thread.join()


@dataclass(frozen=True)
class Embedded:
    """One round's own SQLite file, looked at read-only."""

    installation: Any
    settings: str = LOOPBACK
    # Before the first start there is no file or no table; that is not what is looked for.
    not_yet: type[Exception] = sqlite3.OperationalError

    def connect(self) -> sqlite3.Connection:
        """Connect a reader."""
        uri = f"file:{self.installation.database}?mode=ro"
        return sqlite3.connect(uri, uri=True, timeout=5)


@dataclass(frozen=True)
class Server:
    """One round's own schema on PostgreSQL."""

    url: str
    not_yet: type[Exception] = psycopg.errors.UndefinedTable

    @property
    def settings(self) -> str:
        """Lead the program there."""
        return f"{LOOPBACK}database: '{self.url}'\n"

    def connect(self) -> psycopg.Connection:
        """Connect a reader."""
        return psycopg.connect(self.url, autocommit=True)


@contextmanager
def embedded(installation: Any) -> Iterator[Embedded]:
    """Give a database in the state directory."""
    yield Embedded(installation)


@contextmanager
def server(_installation: Any) -> Iterator[Server]:
    """Give a schema that is gone afterwards."""
    with schema_url() as url:
        yield Server(url)


class Watcher:
    """Reads the database every 10 ms and keeps whatever is not a whole page."""

    def __init__(self, place: Embedded | Server) -> None:
        """Take where to look; nothing need be there yet."""
        self.place = place
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
            try:
                with closing(self.place.connect()) as database:
                    while not self.stopped.wait(POLL_S):
                        self._look(database)
            except self.place.not_yet:
                continue

    def _look(self, database: Any) -> None:
        # One statement is one snapshot: rows and progress as they were at the same moment.
        found = database.execute(
            "select (select count(*) from records where stream = 'items'),"
            " (select walking from readings where stream = 'items'),"
            " (select page_token from readings where stream = 'items')"
        ).fetchone()
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


def run_for(installation: Any, seconds: float, *, begun: bool) -> bool:
    """Sync, and kill it when the time is up; True where it was done before.

    Args:
        installation: What is run.
        seconds: How long it may live.
        begun: They count from when the reading began; else from when the process did.
    """
    with subprocess.Popen(
        installation.command("sync", "source/items", "--json"),
        env=installation.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        if begun:
            process.stdout.readline()
        try:
            _, told = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return False
    assert process.returncode == 0, told
    return True


@pytest.mark.parametrize(
    ("on", "kills_wanted"),
    [
        pytest.param(embedded, KILLS, id="sqlite"),
        pytest.param(
            server, max(3, KILLS // 3), id="postgres", marks=pytest.mark.needs("postgres")
        ),
    ],
)
def test_killed_syncs_leave_whole_pages_and_the_source_in_the_end(
    installation, source_url, on, kills_wanted
):
    """Whenever a sync is killed, readers see whole pages only, and the end is the source."""
    installation.write(
        "integrations/source.yaml",
        "integration: source\n"
        "http:\n"
        f"  base_url: '{source_url}'\n"
        "  paginate: {type: page, into: query.page, total: body.total}\n"
        "streams: {items: {get: /items, records: body.items, key: id}}\n",
    )
    chance = random.Random(kills_wanted)
    kills = round_number = looks = 0
    partial: set[int] = set()

    while kills < kills_wanted:
        round_number += 1
        this = dataclasses.replace(installation, state_name=f"state-{round_number}")
        with on(this) as place:
            this.write("integrationd.yaml", place.settings)
            watcher = Watcher(place)
            with watcher.watching():
                done = False
                while not done and kills < kills_wanted:
                    # However slow a start is here: of three kills two fall into the reading.
                    done = run_for(this, chance.uniform(0.1, 0.8), begun=kills % 3 > 0)
                    kills += not done
                counts = this.sync("source/items")

            assert watcher.halves == []
            assert this.rows("source/items") == RECORDS
        assert counts["quarantined"] == 0
        looks += watcher.looks
        partial |= watcher.progress - {0, len(RECORDS)}

    # Otherwise the kills fell where nothing was being written.
    assert looks > kills_wanted
    assert len(partial) >= 3
