"""HTTP as bytes: what exactly was sent, and what exactly came back."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from integrationd.model.json import Json


@dataclass(frozen=True)
class Reply:
    """One answer, read to the end of its connection."""

    line: str
    headers: dict[str, str]
    body: bytes

    @property
    def status(self) -> int:
        """Return the status; 0 where there was no answer."""
        return int(self.line.split(" ")[1]) if self.line else 0

    @property
    def json(self) -> Json:
        """Return the body, decoded."""
        return json.loads(self.body)

    @property
    def problem(self) -> tuple[int, str, Json]:
        """Return the status, the content type and the decoded body of an error."""
        return self.status, self.headers["content-type"], self.json


def problem_of(status: int, title: str, detail: str) -> tuple[int, str, Json]:
    """Return what :attr:`Reply.problem` is for an error that is told as it should be."""
    body = {"title": title, "status": status, "detail": detail}
    return status, "application/problem+json", body


def head(method: str, path: str, *lines: str, version: str = "HTTP/1.1") -> bytes:
    """Return the bytes of a request without its body; the connection is for it alone."""
    first = f"{method} {path} {version}".rstrip()
    text = "\r\n".join([first, "Host: hooks.test", "Connection: close", *lines, "", ""])
    return text.encode("utf-8", "surrogateescape")


def post(path: str, body: bytes, *lines: str, method: str = "POST") -> bytes:
    """Return the bytes of a request with a body."""
    return head(method, path, f"Content-Length: {len(body)}", *lines) + body


async def exchange(where: int | str, *pieces: bytes, pause_s: float = 0) -> Reply:
    """Send the pieces, with a pause after each, and read until the other side closes."""
    opened = (
        asyncio.open_unix_connection(where)
        if isinstance(where, str)
        else asyncio.open_connection("127.0.0.1", where)
    )
    reader, writer = await opened
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)
        raw = await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()
        # Who closes first is the server's choice; both are fine.
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
    start, _, rest = raw.partition(b"\r\n\r\n")
    line, *headers = start.decode().split("\r\n")
    pairs = (header.partition(": ") for header in headers)
    return Reply(line, {name.lower(): value for name, _, value in pairs}, rest)
