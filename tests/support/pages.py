"""A list in pages over real HTTP, which keeps who asked for which page and when."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PATIENCE_S = 60.0


@dataclass(frozen=True)
class Asked:
    """One request, as it came."""

    at_s: float
    path: str
    page: int
    who: str
    """What the header x-who said."""


@dataclass
class PagedList:
    """What is served, and what was asked for."""

    pages: int
    each: int = 5
    latency_s: float = 0.0
    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    at_once: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    """How many requests of each path were under way at the same time."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def ids(self) -> list[str]:
        """Return the ids of all records."""
        return [f"{number:05d}" for number in range(self.pages * self.each)]

    def wait(self, holds: Callable[[Asked], bool]) -> Asked:
        """Wait for a request that comes from now on."""
        seen, deadline_s = len(self.asked), time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            for asked in self.asked[seen:]:
                if holds(asked):
                    return asked
            time.sleep(0.005)
        message = f"nobody asked for it within {PATIENCE_S} s: {self.asked[-5:]}"
        raise AssertionError(message)

    def answer(self, asked: Asked) -> bytes:
        """Note a request, and return its page after a while."""
        with self._lock:
            self.asked.append(asked)
            self.at_once[asked.path] += 1
            self.most[asked.path] = max(self.most[asked.path], self.at_once[asked.path])
        time.sleep(self.latency_s)
        with self._lock:
            self.at_once[asked.path] -= 1
        first = (asked.page - 1) * self.each
        items = [{"id": name} for name in self.ids[first : first + self.each]]
        return json.dumps({"total": self.pages * self.each, "items": items}).encode()


class _Server(ThreadingHTTPServer):
    """Does not tell of clients that were killed."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent."""


@contextmanager
def paged(pages: int, latency_s: float = 0.0) -> Iterator[PagedList]:
    """Serve a list until the block ends."""
    listed = PagedList(pages, latency_s=latency_s)

    class Pages(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer one page."""
            parts = urlsplit(self.path)
            page = int(parse_qs(parts.query).get("page", ["1"])[0])
            who = self.headers.get("x-who", "")
            body = listed.answer(Asked(time.monotonic(), parts.path, page, who))
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with _Server(("127.0.0.1", 0), Pages) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        listed.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield listed
        finally:
            server.shutdown()
            thread.join()
