"""A provider over real HTTP that lists its tables, and has rows of each; both change at will."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

PATIENCE_S = 60.0
SPEC = """\
integration: crm
http: {base_url: "%s", paginate: none, retries: 0}
streams:
  tables:
    get: /tables
    records: body.tables
    key: id
    schedule: %s
    discover:
      name: "{{ object.name }}"
      max: 5
      stream:
        steps:
        - {name: schema, get: "/schema/{{ object.id }}", output: body.fields}
        get: "/rows/{{ object.id }}"
        query: {fields: "{{ steps.schema | join(',') }}"}
        records: body.rows
        key: id
        schedule: 1h
      streams: {log: {enabled: false}}
"""


@dataclass
class Tables:
    """What is served, and what was asked for."""

    names: dict[str, str] = field(default_factory=dict)
    """Of the tables, by their ids."""
    failing: bool = False
    """Whether the list cannot be had."""
    url: str = ""
    asked: list[str] = field(default_factory=list)

    def answer(self, path: str) -> tuple[int, Any]:
        """Note a request, and return status and body."""
        self.asked.append(path)
        place, _, name = urlsplit(path).path.strip("/").partition("/")
        if place == "tables":
            listed = [{"id": key, "name": text} for key, text in self.names.items()]
            return (503, {}) if self.failing else (200, {"tables": listed})
        if place == "schema":
            return 200, {"fields": ["id", f"{name}_field"]}
        return 200, {"rows": [{"id": f"{name}-{number}", "table": name} for number in (1, 2)]}

    def wait(self, holds: Callable[[str], bool], *, since: int = 0) -> str:
        """Wait for a request."""
        deadline_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline_s:
            for path in self.asked[since:]:
                if holds(path):
                    return path
            time.sleep(0.01)
        message = f"nobody asked for it within {PATIENCE_S} s: {self.asked[-5:]}"
        raise AssertionError(message)

    def rows_asked(self) -> list[str]:
        """Return the tables of which rows were asked for, in order."""
        return [path for path in self.asked if path.startswith("/rows/")]


class _Server(ThreadingHTTPServer):
    """Does not tell of clients that were killed."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent."""


@contextmanager
def tables(**names: str) -> Iterator[Tables]:
    """Serve tables until the block ends."""
    served = Tables(dict(names))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, body = served.answer(self.path)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with _Server(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
