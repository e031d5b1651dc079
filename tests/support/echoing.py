"""A provider that repeats every secret that it is sent, in every place that an answer has."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar
from urllib.parse import quote, unquote, unquote_plus, urlsplit

WAYS = (
    *("ok", "status", "unauthorized", "forbidden", "reason", "redirect", "away", "busy", "wait"),
    *("next", "next_away", "link", "cursor", "loop", "shape", "broken", "text", "charset"),
    *("coding", "cut", "header", "line", "large", "close", "told"),
)
"""Each is the first step of a path, and what is answered there."""


class Echo(BaseHTTPRequestHandler):
    """Answers ``/WAY/…``."""

    heard: ClassVar[list[str]] = []
    """All that was sent, so that a test can see that it was."""
    granted: ClassVar[dict[str, str]] = {}
    """What ``/token`` gives."""

    def do_GET(self):
        """Answer as the path says."""
        self._respond()

    def do_POST(self):
        """Answer as the path says."""
        self._respond()

    def _respond(self) -> None:
        seen = self._seen()
        self.heard.append(seen)
        way = urlsplit(self.path).path.split("/")[1]
        getattr(self, f"_{way}", self._ok)(seen)

    def _seen(self) -> str:
        """Return all that could be secret: path, query, headers and body, also decoded."""
        length = int(self.headers.get("content-length", 0))
        body = self.rfile.read(length).decode("utf-8", "replace")
        parts = [unquote(self.path), unquote_plus(self.path), body, unquote_plus(body)]
        for value in self.headers.values():
            parts.append(value.encode("latin-1").decode("utf-8", "replace"))
            if value.startswith("Basic "):
                credentials = base64.b64decode(value[6:]).decode()
                parts += [credentials, unquote_plus(credentials)]
        with contextlib.suppress(ValueError):
            parts += json.loads(body)["x"]
        return " ".join(parts)

    def _send(self, body: object, status: int = 200, kind: str = "application/json", **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        with contextlib.suppress(OSError):  # who has read enough goes away
            self.wfile.write(data)

    @property
    def _own(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def _ok(self, _seen):
        self._send({"data": [{"id": 1}]})

    def _status(self, seen):
        self._send({"error": seen}, 500, X_Error=quote(seen), Set_Cookie=f"a={quote(seen)}")

    def _unauthorized(self, seen):
        digest = 'Digest realm="r", nonce="n", qop="auth"'
        told = f'Bearer error="{quote(seen)}", {digest}'
        self._send({"error": seen}, 401, WWW_Authenticate=told)

    def _forbidden(self, seen):
        self._send({"error": seen, "message": seen}, 403)

    def _reason(self, seen):
        self.wfile.write(b"HTTP/1.1 418 " + quote(seen).encode() + b"\r\n\r\n")

    def _redirect(self, seen):
        self._send({}, 302, Location=f"/ok?leak={quote(seen)}")

    def _away(self, seen):
        self._send({}, 302, Location=f"http://{quote(seen)[:40]}.test/{quote(seen)}")

    def _busy(self, seen):
        self._send({"error": seen}, 503, Retry_After=quote(seen))

    def _wait(self, seen):
        self._send({"error": seen}, 429, Retry_After="0", X_Reset=quote(seen))

    def _next(self, seen):
        self._send({"data": [{"id": 1}], "next": f"{self._own}/status?key={quote(seen)}"})

    def _next_away(self, seen):
        self._send({"data": [{"id": 1}], "next": f"http://127.0.0.2:9/{quote(seen)}"})

    def _link(self, seen):
        target = f"{self._own}/status/{quote(seen)}?key={quote(seen)}"
        self._send({"data": [{"id": 1}]}, Link=f'<{target}>; rel="next"')

    def _cursor(self, seen):
        self._send({"data": [{"id": 1}], "next": seen})

    def _loop(self, seen):
        self._send({"data": [{"id": 1}], "next": f"token {seen[-30:]}"})

    def _shape(self, seen):
        self._send({"data": seen, seen: None})

    def _broken(self, seen):
        self._send(b'{"data": "' + seen.encode() + b"\x00")

    def _text(self, seen):
        self._send(seen.encode(), kind="text/html")

    def _charset(self, seen):
        self._send({"data": seen}, kind=f"application/json; charset={quote(seen)}")

    def _coding(self, seen):
        self._send({"data": seen}, Content_Encoding=quote(seen))

    def _cut(self, seen):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + seen.encode())

    def _header(self, seen):
        line = quote(seen).encode()
        self.wfile.write(b"HTTP/1.1 200 OK\r\n" + line + b"\x01bad name: " + line + b"\r\n\r\n")

    def _line(self, seen):
        self.wfile.write(quote(seen).encode() + b" 200 OK\r\n\r\n")

    def _large(self, seen):
        self._send({"data": seen * 5000})

    def _close(self, _seen):
        """Answer nothing."""

    def _token(self, _seen):
        self._send({"token_type": "Bearer", "expires_in": 3600, **self.granted})

    def _kept(self, seen):
        self._send({"data": [{"id": 1, "echo": seen}]})

    def _told(self, seen):
        self._send({"error": {"message": seen}}, 422)

    def log_message(self, *_):
        """Say nothing."""


@contextmanager
def echoing() -> Iterator[int]:
    """Serve on a free port; gives it."""
    Echo.heard.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()
