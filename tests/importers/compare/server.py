"""One local server for both sides: an HTTP proxy that answers every host itself, and records.

Neither side's URLs are changed: both are told of a proxy and of the authority that signs its
certificates, and for them it is the provider that answers.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import trustme

from tests.importers.compare.asked import Asked
from tests.importers.compare.cdk import TAG

CONTROL = "http://compare.test/"
"""Where a side says which stream comes now."""


class Server:
    """Answers by a function, and keeps what was asked."""

    def __init__(self, answer: Callable[[Asked, str], tuple[int, dict[str, str], bytes]]) -> None:
        """Take what answers: of a request and of the stream that is read, which may be empty."""
        self.answer = answer
        self.asked: dict[str, list[Asked]] = {}
        """By the stream that was read."""
        self.stream = ""
        self.lock = threading.Lock()
        self.authority = trustme.CA()
        self._contexts: dict[str, ssl.SSLContext] = {}
        self.port = 0

    @property
    def address(self) -> str:
        """Return it as a proxy is named."""
        return f"http://127.0.0.1:{self.port}"

    def context(self, host: str) -> ssl.SSLContext:
        """Return what speaks TLS for a host."""
        with self.lock:
            if host not in self._contexts:
                made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self.authority.issue_cert(host).configure_cert(made)
                self._contexts[host] = made
            return self._contexts[host]

    def take(self, asked: Asked) -> tuple[int, dict[str, str], bytes]:
        """Record a request and answer it."""
        if asked.url.startswith(CONTROL):
            self.stream = unquote(asked.url.removeprefix(CONTROL))
            return 204, {}, b""
        with self.lock:
            self.asked.setdefault(self.stream, []).append(asked)
        return self.answer(asked, self.stream)

    @contextmanager
    def serving(self, place: Path) -> Iterator[Path]:
        """Serve; yields the file with the authority's certificate."""
        authority = place / "authority.pem"
        self.authority.cert_pem.write_to_path(str(authority))
        outer = self

        class Handler(_Handler):
            server_of_all = outer

        served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        served.daemon_threads = False  # its end waits for them, and so for their sockets
        self.port = served.server_address[1]
        thread = threading.Thread(target=served.serve_forever, name="server of both", daemon=True)
        thread.start()
        try:
            yield authority
        finally:
            served.shutdown()
            served.server_close()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    """One connection, to a proxy and then perhaps through it."""

    server_of_all: Server
    protocol_version = "HTTP/1.1"
    timeout = 60
    _host = ""

    def do_CONNECT(self) -> None:
        """Become the host that is asked for."""
        self._host = self.path
        name = self.path.rpartition(":")[0].strip("[]")
        self.send_response(200)
        self.end_headers()
        self.connection = self.server_of_all.context(name).wrap_socket(
            self.connection, server_side=True
        )
        self.rfile = self.connection.makefile("rb", -1)
        self.wfile = _Unbuffered(self.connection)
        self.close_connection = False

    def finish(self) -> None:
        """Close the socket that took the place of the one that the server closes."""
        super().finish()
        if self.connection is not self.request:
            self.connection.close()

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length) if length else self._read_chunks()
        host = self._host.removesuffix(":443")
        url = f"https://{host}{self.path}" if self._host else self.path
        headers = tuple((name, value) for name, value in self.headers.items())
        tag = self.headers.get(TAG, "")
        status, said, answer = self.server_of_all.take(Asked(self.command, url, headers, body, tag))
        self.send_response(status)
        for name, value in said.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _answer  # noqa: N815

    def _read_chunks(self) -> bytes:
        if "chunked" not in self.headers.get("transfer-encoding", "").lower():
            return b""
        found = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            found += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return found

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""


class _Unbuffered:
    """Writes at once, as the base class expects it."""

    def __init__(self, connection: Any) -> None:
        """Take a socket."""
        self._connection = connection
        self.closed = False

    def write(self, data: bytes) -> int:
        """Write all."""
        self._connection.sendall(data)
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Leave the connection to its owner."""
        self.closed = True
