"""The player's server over real sockets: what it reads, what it refuses, and how it ends."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from integrationd.testing.serving import BODY_MAX_BYTES, HEAD_MAX_BYTES, bind, origin_of, serve
from integrationd.wire.messages import Answer, Call


class Listener:
    """Keeps the calls and echoes their bodies."""

    def __init__(self) -> None:
        """Start with none."""
        self.calls: list[Call] = []

    async def respond(self, call: Call) -> Answer:
        """Answer with what came."""
        self.calls.append(call)
        return Answer(status=200, headers={"x-method": call.method}, body=call.body, url=call.url)


@asynccontextmanager
async def serving():
    """Serve a listener on a free port; gives it and the address."""
    heard, listening = Listener(), bind()
    address = listening.getsockname()
    async with serve(listening, heard.respond):
        yield heard, address


async def exchange(address, data: bytes) -> bytes:
    """Send bytes, close our side and return all that comes back."""
    reader, writer = await asyncio.open_connection(*address)
    try:
        writer.write(data)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()
        await writer.wait_closed()


async def test_call_arrives_whole():
    """Method, decoded path, query, lower-case headers and the body's own bytes."""
    async with serving() as (heard, address):
        answered = await exchange(
            address,
            b"POST /a%20b/c?x=1&y=%C3%A9&x=2 HTTP/1.1\r\nHost: h:1\r\nX-Key:  v \r\nx-key: w\r\n"
            b"Content-Length: 4\r\nConnection: close\r\n\r\n\x00\xff{}",
        )

    assert heard.calls == [
        Call(
            method="POST",
            url="http://h:1/a%20b/c?x=1&y=%C3%A9&x=2",
            path="/a b/c",
            query=(("x", "1"), ("y", "é"), ("x", "2")),
            headers={
                "host": "h:1",
                "x-key": "v, w",
                "content-length": "4",
                "connection": "close",
            },
            body=b"\x00\xff{}",
        )
    ]
    assert answered == (
        b"HTTP/1.1 200 OK\r\nx-method: POST\r\ncontent-length: 4\r\nconnection: close\r\n\r\n"
        b"\x00\xff{}"
    )


async def test_one_client_may_call_again_and_again():
    """Calls that follow each other on one line are answered in order, also without a pause."""
    async with serving() as (heard, address):
        line = b"GET /%d HTTP/1.1\r\nhost: h\r\n\r\n"
        answered = await exchange(address, line % 1 + line % 2 + line % 3)

    assert [call.path for call in heard.calls] == ["/1", "/2", "/3"]
    assert answered.count(b"HTTP/1.1 200 OK") == 3
    assert answered.count(b"connection: keep-alive") == 3


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(b"GET / HTTP/1.0\r\nhost: h\r\n\r\n", b"400 Bad Request", id="old"),
        pytest.param(b"get / HTTP/1.1\r\nhost: h\r\n\r\n", b"400 Bad Request", id="method"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", b"400 Bad Request", id="no-host"),
        pytest.param(
            b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", b"400 Bad Request", id="hosts"
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nhost: h\r\n x: y\r\n\r\n", b"400 Bad Request", id="folded"
        ),
        pytest.param(b"GET / HTTP/1.1\r\nhost : h\r\n\r\n", b"400 Bad Request", id="blank"),
        pytest.param(b"GET x HTTP/1.1\r\nhost: h\r\n\r\n", b"400 Bad Request", id="target"),
        pytest.param(
            b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: -1\r\n\r\n",
            b"400 Bad Request",
            id="negative",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\n",
            b"400 Bad Request",
            id="lengths",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n",
            b"411 Length Required",
            id="chunked",
        ),
        pytest.param(
            b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n" % (BODY_MAX_BYTES + 1),
            b"413 Request Entity Too Large",
            id="large",
        ),
        pytest.param(
            b"GET / HTTP/1.1\r\nhost: h\r\nx: " + b"y" * (2 * HEAD_MAX_BYTES) + b"\r\n\r\n",
            b"431 Request Header Fields Too Large",
            id="head",
        ),
    ],
)
async def test_what_is_not_strict_http_is_refused(data, status):
    """One answer says why, and the line is closed."""
    async with serving() as (heard, address):
        answered = await exchange(address, data)

    assert heard.calls == []
    assert answered == b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "data", [b"", b"GET / HT", b"POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nab"]
)
async def test_client_that_breaks_off_is_no_call(data):
    """A call that never became whole is not answered, and the server goes on."""
    async with serving() as (heard, address):
        assert await exchange(address, data) == b""
        assert b"200 OK" in await exchange(address, b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")

    assert len(heard.calls) == 1


async def test_end_cuts_off_whoever_waits():
    """Leaving the context ends open lines and frees the port."""
    async with serving() as (_, address):
        reader, writer = await asyncio.open_connection(*address)

    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    await writer.wait_closed()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address)


def test_origin_is_the_address():
    """A socket says where it is reached, and only this machine reaches it."""
    with bind() as listening:
        host, port = listening.getsockname()

        assert host == "127.0.0.1"
        assert origin_of(listening) == f"http://127.0.0.1:{port}"
        assert listening.family is socket.AF_INET
