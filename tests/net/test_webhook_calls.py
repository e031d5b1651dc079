"""Calls as they come from outside: odd, broken and hostile ones, and what expressions see."""

import asyncio

import pytest

from integrationd.spec.settings import Listen, Settings
from tests.support.inboxes import PATH, opened, signature
from tests.support.rawhttp import head, post, problem_of

BODY = b'{"id": "e1"}'


def reading(expression):
    """Write an endpoint whose event name is read by an expression."""
    return f"    event: '{expression}'"


@pytest.mark.parametrize(
    ("expression", "lines", "seen"),
    [
        pytest.param('headers."x-a"', ("X-A: 1", "x-a: 2", "X-a:  3 "), "1, 2, 3", id="repeated"),
        pytest.param('headers."x-a"', ("X-A: a,b",), "a,b", id="list in one"),
        pytest.param('headers."x-a"', ("X-A: \u00e4",), "\u00e4", id="UTF-8"),
        pytest.param('headers."x-a"', ("X-A: a\udcffb",), "a\ufffdb", id="no UTF-8"),
        pytest.param("headers.host", (), "hooks.test", id="host"),
        pytest.param("method", (), "POST", id="method"),
    ],
)
async def test_headers_are_joined_and_readable(expression, lines, seen):
    """Of a repeated header all values are there in order; bytes that are no text are marked."""
    async with opened(endpoint=reading(expression)) as on:
        reply = await on.send(post(PATH, BODY, signature(BODY), *lines))

    assert reply.status == 200
    assert [event.event for event in on.inbox.events] == [seen]


async def test_kept_headers_can_be_stored():
    """Also a header that is no text can be written down."""
    async with opened() as on:
        line = "X-Request-Id: \udcff\udcfe"
        await on.send(post(PATH, BODY, signature(BODY), line, "Authorization: Basic canary"))

    (event,) = on.inbox.events
    assert event.headers == {"x-request-id": "\ufffd\ufffd"}
    assert event.headers["x-request-id"].encode()


@pytest.mark.parametrize(
    ("expression", "target", "seen"),
    [
        ("path", "/hooks/abc?a=1", "/hooks/abc"),
        ("url", "/hooks/abc?a=%41&b=%2F+x", "https://hooks.test/hooks/abc?a=%41&b=%2F+x"),
        ("query.a", "/hooks/abc?a=1&a=2", "1"),
        ("query.a", "/hooks/abc?a=x%20y+z", "x y z"),
        ("query.a", "/hooks/abc?a=%FF", "\ufffd"),
        ("query.a", "/hooks/abc?b=1", ""),
    ],
)
async def test_target_is_seen_as_the_sender_wrote_it(expression, target, seen):
    """The public URL stands in front, whatever the Host header says."""
    async with opened(endpoint=reading(expression)) as on:
        await on.send(post(target, BODY, signature(BODY)))

    assert [event.event for event in on.inbox.events] == [seen]


async def test_without_a_public_url_the_listeners_own_is_seen():
    """The port belongs to it."""
    settings = Settings(listen=Listen("127.0.0.1", 8471))
    async with opened(endpoint=reading("url"), settings=settings) as on:
        await on.send(post(PATH, BODY, signature(BODY)))

    assert [event.event for event in on.inbox.events] == ["http://127.0.0.1:8471/hooks/abc"]


async def test_sender_that_hangs_up_is_no_fault_of_ours(caplog):
    """A connection that ends inside the body stores nothing and alarms nobody."""
    request = post(PATH, BODY, signature(BODY))
    async with opened() as on:
        _, writer = await asyncio.open_connection("127.0.0.1", on.port)
        writer.write(request[:-3])
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()
        await writer.wait_closed()
        for _ in range(100):
            await asyncio.sleep(0.01)
            if on.refused:
                break

    assert on.refused == [(400, "Connection lost")]
    assert on.inbox.events == []
    assert caplog.records == []


async def test_broken_chunks_are_no_event(caplog):
    """What cannot be framed is waited for until its time is over, and is no fault of ours."""
    start = head("POST", PATH, "Transfer-Encoding: chunked", signature(b"{}"))
    async with opened() as on:
        reply = await on.send(start, b"zz\r\n{}\r\n0\r\n\r\n", pause_s=0.05)

    assert reply.status == 503
    assert on.inbox.events == []
    assert caplog.records == []


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(b"GET /livez\r\n\r\n", id="HTTP/0.9"),
        pytest.param(b"GET /livez HTTP/3.0\r\n\r\n", id="HTTP/3"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="preface of HTTP/2"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", id="TLS"),
        pytest.param(b"GET /livez HTTP/1.1\r\nHost: a\r\n x: y\r\n\r\n", id="folded header"),
        pytest.param(b"GET /livez HTTP/1.1\r\nHost a\r\n\r\n", id="header without a colon"),
        pytest.param(b"GET /livez HTTP/1.1\r\nA: " + b"x" * 20_000 + b"\r\n\r\n", id="long header"),
        pytest.param(
            b"POST /hooks/abc HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
            id="two framings",
        ),
        pytest.param(
            b"POST /hooks/abc HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            id="two lengths",
        ),
        pytest.param(b"POST /hooks/abc HTTP/1.1\r\nContent-Length: -2\r\n\r\n", id="below 0"),
    ],
)
async def test_what_is_no_request_is_refused(caplog, request_bytes):
    """An answer of 4xx or none, no event, and no alarm that somebody outside can raise."""
    async with opened() as on:
        reply = await on.send(request_bytes)

    assert reply.status in (0, 400, 431, 505)
    assert on.inbox.events == []
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("version", ["HTTP/2.0", "HTTP/0.9"])
@pytest.mark.parametrize("path", ["/livez", PATH, "/nothing"])
async def test_other_protocols_are_refused(path, version):
    """A request line of another protocol is no call, wherever it goes."""
    async with opened() as on:
        reply = await on.send(head("POST", path, signature(b""), version=version))

    assert reply.problem == problem_of(505, "HTTP Version Not Supported", "HTTP/1.1 is spoken here")
    assert on.inbox.events == []


async def test_http_1_0_is_spoken():
    """Old senders and simple probes get their answer."""
    async with opened() as on:
        start = f"POST {PATH} HTTP/1.0\r\nContent-Length: {len(BODY)}\r\n{signature(BODY)}\r\n\r\n"
        reply = await on.send(start.encode() + BODY)

    assert reply.status == 200
