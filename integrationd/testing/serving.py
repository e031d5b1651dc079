"""A small HTTP/1.1 server for a played provider: strict, on the loopback, nothing shared.

It exists because a player must answer as badly as real providers do, and must not need the
libraries of the listener. It reads what clients send to an API; whatever else comes is refused.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from integrationd.testing.faults import Broken, Played
from integrationd.wire.messages import Answer, Call

Respond: TypeAlias = Callable[[Call], Awaitable[Played]]
"""Makes the answer to one call; the server asks for one at a time for each client."""

HEAD_MAX_BYTES: Final = 32_768
BODY_MAX_BYTES: Final = 16_000_000
HANG_S: Final = 300.0
"""How long a call is left without an answer where that is wished."""
IDLE_S: Final = 75.0
"""How long a client may be silent between two calls, as the usual servers allow."""

_REQUEST_LINE = re.compile(r"([A-Z]{1,20}) ([\x21-\x7e]+) HTTP/1\.1")
_HEADER_LINE = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+):[ \t]*(.*?)[ \t]*")


class _BadCallError(Exception):
    """What came is not HTTP as this server reads it; carries the status to answer."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


def bind(port: int = 0, host: str = "127.0.0.1") -> socket.socket:
    """Listen on the loopback or where one is told to; port 0 takes any free one.

    Raises:
        OSError: The port is taken.
    """
    return socket.create_server((host, port))


def origin_of(listening: socket.socket) -> str:
    """Return the URL that a socket from :func:`bind` is reached at, without a slash at its end."""
    host, port = listening.getsockname()[:2]
    return f"http://{host}:{port}"


@asynccontextmanager
async def serve(listening: socket.socket, respond: Respond) -> AsyncIterator[None]:
    """Answer calls while the context is open; at its end every client is cut off."""
    clients: set[asyncio.Task[None]] = set()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        this = asyncio.current_task()
        assert this is not None
        clients.add(this)
        try:
            await _converse(reader, writer, respond)
        finally:
            clients.discard(this)
            writer.close()

    server = await asyncio.start_server(attend, sock=listening, limit=HEAD_MAX_BYTES)
    try:
        yield
    finally:
        server.close()
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, respond: Respond
) -> None:
    """Read one call after the other until the client closes, asks for it or breaks the rules."""
    # A client may vanish or be cut off at any moment; for a player that is nothing to tell.
    with suppress(
        ConnectionError, TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError
    ):
        stays = True
        while stays:
            try:
                async with asyncio.timeout(IDLE_S):
                    call = await _read_call(reader)
            except _BadCallError as bad:
                await _write(
                    writer, Answer(status=bad.status, headers={}, body=b"", url=""), stays=False
                )
                return
            if call is None:
                return
            stays = call.headers.get("connection", "").lower() != "close"
            answer = await respond(call)
            if isinstance(answer, Broken):
                await _break_off(writer, answer)
                return
            await _write(writer, answer, stays=stays)


async def _read_call(reader: asyncio.StreamReader) -> Call | None:
    """Read one call, None where the client closed before it began another."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        if not end.partial:
            return None
        raise
    except asyncio.LimitOverrunError:
        raise _BadCallError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE) from None
    first = _parse_head(head)
    size = first.headers.get("content-length", "0")
    if "transfer-encoding" in first.headers:
        raise _BadCallError(HTTPStatus.LENGTH_REQUIRED)
    if not (size.isascii() and size.isdigit()):
        raise _BadCallError(HTTPStatus.BAD_REQUEST)
    if int(size) > BODY_MAX_BYTES:
        raise _BadCallError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return first.with_body(await reader.readexactly(int(size)))


@dataclass(frozen=True, slots=True)
class _Head:
    """A call before its body."""

    method: str
    target: str
    headers: Mapping[str, str]

    def with_body(self, body: bytes) -> Call:
        """Return the whole call."""
        parts = urlsplit(self.target)
        return Call(
            method=self.method,
            url=f"http://{self.headers['host']}{self.target}",
            path=unquote(parts.path),
            query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
            headers=self.headers,
            body=body,
        )


def _parse_head(head: bytes) -> _Head:
    """Parse the request line and the headers.

    Source:
        RFC 9112 sections 3 and 5: no folded lines, exactly one Host.
    """
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    request = _REQUEST_LINE.fullmatch(first)
    headers: dict[str, str] = {}
    for line in lines:
        found = _HEADER_LINE.fullmatch(line)
        if found is None:
            raise _BadCallError(HTTPStatus.BAD_REQUEST)
        name = found.group(1).lower()
        if name in headers and name in ("host", "content-length"):
            raise _BadCallError(HTTPStatus.BAD_REQUEST)
        headers[name] = f"{headers[name]}, {found.group(2)}" if name in headers else found.group(2)
    if request is None or not request.group(2).startswith("/") or "host" not in headers:
        raise _BadCallError(HTTPStatus.BAD_REQUEST)
    return _Head(request.group(1), request.group(2), headers)


async def _break_off(writer: asyncio.StreamWriter, how: Broken) -> None:
    """Begin an answer and end the connection in the middle of it, or be silent."""
    if how is Broken.HANG:
        await asyncio.sleep(HANG_S)
        return
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9999")
    writer.write(b'\r\n\r\n{"cut')
    await writer.drain()


async def _write(writer: asyncio.StreamWriter, answer: Answer, *, stays: bool) -> None:
    headers = {
        **answer.headers,
        "content-length": str(len(answer.body)),
        "connection": "keep-alive" if stays else "close",
    }
    phrase = HTTPStatus(answer.status).phrase
    lines = [f"HTTP/1.1 {int(answer.status)} {phrase}"]
    lines.extend(f"{name}: {value}" for name, value in headers.items())
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body)
    await writer.drain()
