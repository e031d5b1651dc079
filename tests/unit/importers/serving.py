"""A local API that notes what it is asked, and commands that are run against it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from integrationd.cli.main import cli, run_command

SETTINGS = "listen: 127.0.0.1:0\negress: {allow: [127.0.0.0/8]}\n"


@contextmanager
def serving(respond) -> Iterator[tuple[str, list]]:
    """Serve what a function of path and query gives; yields the address and what was asked."""
    asked: list = []

    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            asked.append((self.command, self.path, dict(self.headers.items()), body))
            address = urlsplit(self.path)
            given = respond(address.path, parse_qs(address.query))
            data = json.dumps(given).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_parts) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def run(*words) -> int:
    """Run a command line in this process; returns the exit code."""
    return run_command(
        lambda: cli.main(list(map(str, words)), prog_name="integrationd", standalone_mode=False)
    )
