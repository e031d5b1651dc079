"""Calls against loopback servers: what is sent, what comes back, what is never followed."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_network

import pytest

from integrationd.errors import EgressError, RefusedError, UnavailableError
from integrationd.model.secret import Secret
from integrationd.ports.outside import Http, HttpPolicy
from integrationd.transport.egress import EgressPolicy
from integrationd.transport.http import AiohttpOpener
from integrationd.wire.messages import FormBody, JsonBody, MultipartBody, Request, TextBody

LOOPBACK = EgressPolicy(allow=(ip_network("127.0.0.0/8"),))
CANARY = "canary-7f3a"
Serve = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def listening(serving):
    """Return what opens a server that answers; see its inner function."""

    @asynccontextmanager
    async def open_server(serve: Serve) -> AsyncIterator[tuple[int, list[bytes]]]:
        """Answer each connection's first request; yields the port and the requests seen."""
        seen: list[bytes] = []

        async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            size = next((line[16:] for line in lines if line.startswith(b"content-length: ")), b"0")
            seen.append(head + await reader.readexactly(int(size)))
            await serve(head, writer)

        async with serving(meet) as port:
            yield port, seen

    return open_server


def answering(raw: bytes) -> Serve:
    """Write fixed bytes and close."""

    async def serve(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return serve


def reply(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return a whole HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def look_up(host: str) -> tuple[str, ...]:
    """Find every name on loopback."""
    return ("127.0.0.1",)


@asynccontextmanager
async def opened(
    hosts: tuple[str, ...] = ("erp.example",), *, opener: AiohttpOpener | None = None, **policy
) -> AsyncIterator[Http]:
    """Open a client with short patience."""
    given = {
        "connect_timeout": timedelta(milliseconds=300),
        "read_timeout": timedelta(milliseconds=300),
        "total_timeout": timedelta(milliseconds=600),
        "response_max_bytes": 100_000,
        **policy,
    }
    client = opener or AiohttpOpener(LOOPBACK, look_up)
    async with client.open(HttpPolicy(hosts=frozenset(hosts), **given)) as http:
        yield http


async def fault_of(listening, raw: bytes, **policy) -> str:
    """Return the message of a call that fails on an answer, whose URL and header are secret."""
    async with listening(answering(raw)) as (port, _), opened(**policy) as http:
        request = Request(
            method="GET",
            url=f"http://erp.example:{port}/students?key={CANARY}",
            headers={"x-api-key": Secret(CANARY)},
        )
        with pytest.raises((UnavailableError, RefusedError)) as caught:
            await http.send(request)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return str(caught.value).replace(str(port), "PORT")


async def test_answer_is_whole_and_its_headers_joined(listening):
    """Status, joined lower-case headers, unpacked body and a printable URL come back."""
    raw = reply(
        gzip.compress(b'{"ok":1}', mtime=0),
        "Content-Encoding: gzip",
        "X-A: 1",
        "x-a: 2",
        "Set-Cookie: session=1",
        status="404 Not Found",
    )
    async with listening(answering(raw)) as (port, seen), opened() as http:
        url = f"http://erp.example:{port}/a%2Fb?q=%20%7E&sig=a%2Bb%2f"
        first = await http.send(Request(method="GET", url=url))
        await http.send(Request(method="GET", url=url))

    assert (first.status, first.body) == (404, b'{"ok":1}')
    assert first.headers["x-a"] == "1, 2"
    assert first.url == f"http://erp.example:{port}/a%2Fb"
    assert 0 < first.took_s < 0.6
    lines = seen[1].split(b"\r\n")
    assert lines[0] == b"GET /a%2Fb?q=%20%7E&sig=a%2Bb%2f HTTP/1.1"
    assert sorted(line.partition(b":")[0].lower() for line in lines[1:-2]) == [
        b"accept",
        b"accept-encoding",
        b"host",
        b"user-agent",
    ]
    assert b"accept-encoding: gzip" in lines
    assert b"session" not in seen[1]


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (JsonBody({"a": Secret("é")}), '{"a":"é"}'.encode()),
        (FormBody((("a", "1"), ("a", "x y"))), b"a=1&a=x+y"),
        (
            MultipartBody((("a", Secret("é")),)),
            (
                b"--part-8382ae4c5a40f835c3314363f655fb8c\r\n"
                b'content-disposition: form-data; name="a"\r\n\r\n\xc3\xa9\r\n'
                b"--part-8382ae4c5a40f835c3314363f655fb8c--\r\n"
            ),
        ),
        (TextBody(Secret("<a>é</a>"), "application/xml"), "<a>é</a>".encode()),
    ],
)
async def test_body_is_sent_with_its_secrets(listening, body, sent):
    """Bodies go out as bytes, secrets revealed."""
    async with listening(answering(reply(b"ok"))) as (port, seen), opened() as http:
        await http.send(Request(method="POST", url=f"http://erp.example:{port}/", body=body))

    assert seen[0].endswith(b"\r\n\r\n" + sent)


async def test_secret_url_is_never_shown(listening):
    """A URL made with a secret is a placeholder in the answer and in errors."""
    async with listening(answering(reply(b"ok"))) as (port, _), opened() as http:
        secret = Secret(f"http://erp.example:{port}/bot{CANARY}/send")
        answer = await http.send(Request(method="GET", url=secret))
        with pytest.raises(UnavailableError) as caught:
            await http.send(Request(method="GET", url=Secret(f"http://erp.example:1/{CANARY}")))

    assert answer.url == "***"
    assert str(caught.value) == "GET ***: erp.example:1 refuses connections"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Same", "308 Same"])
async def test_redirect_is_an_answer_and_not_followed(listening, status):
    """Where a redirect points to is not called, so nothing secret reaches it."""
    request = {"x-api-key": Secret(CANARY), "authorization": Secret(CANARY)}
    async with listening(answering(reply(b"gotcha"))) as (elsewhere, leaked):
        target = f"Location: http://127.0.0.1:{elsewhere}/"
        serve = answering(reply(b"", target, status=status))
        async with listening(serve) as (port, _), opened(("erp.example", "127.0.0.1")) as http:
            url = f"http://erp.example:{port}/"
            answer = await http.send(Request(method="GET", url=url, headers=request))

    assert answer.status == int(status[:3])
    assert leaked == []


BROKEN = {
    "nothing": (b"", "the connection was closed before an answer came"),
    "half-head": (
        b"HTTP/1.1 200 OK\r\nContent-",
        "the connection was closed before an answer came",
    ),
    "garbage": (b"SSH-2.0-OpenSSH_9\r\n\r\n", "the answer is not valid HTTP"),
    "short": (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "the answer ended early"),
    "half-chunk": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "the answer ended early",
    ),
    "long-head": (
        b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 40_000 + b"\r\n\r\n",
        "the answer is not valid HTTP",
    ),
    "cut-gzip": (
        reply(gzip.compress(b"abc", mtime=0)[:-4], "Content-Encoding: gzip"),
        "the answer's gzip data ended early",
    ),
    "announced": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 100001\r\n\r\n",
        "the answer is larger than 100kB; raise http.max_response",
    ),
    "endless": (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + b"a" * 100_001,
        "the answer is larger than 100kB; raise http.max_response",
    ),
    "bomb": (
        reply(gzip.compress(b"a" * 9_000_000, mtime=0), "Content-Encoding: gzip"),
        "the answer is larger than 100kB; raise http.max_response",
    ),
    "brotli": (
        reply(b"abc", "Content-Encoding: br"),
        "the answer is encoded as br, expected gzip, deflate or none",
    ),
    "twice": (
        reply(b"abc", "Content-Encoding: gzip", "Content-Encoding: gzip"),
        "the answer is encoded in an unknown way, expected gzip, deflate or none",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_answer_is_one_clear_line(listening, name):
    """Each kind of broken answer has its own message, without query, header or body."""
    raw, message = BROKEN[name]

    assert await fault_of(listening, raw) == f"GET http://erp.example:PORT/students: {message}"


async def test_silent_server_is_told_with_the_seconds(listening):
    """A server that accepts and then says nothing runs into the read timeout."""

    async def hang(head: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.5)

    async with listening(hang) as (port, _), opened() as http:
        with pytest.raises(UnavailableError) as caught:
            await http.send(Request(method="GET", url=f"http://erp.example:{port}/a"))

    assert str(caught.value) == (
        f"GET http://erp.example:{port}/a: erp.example:{port} sent nothing for 300ms"
    )


async def test_dripping_server_runs_into_the_total_timeout(listening):
    """A server that always sends a little is stopped by the whole call's limit."""

    async def drip(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"a")
            await asyncio.sleep(0.1)

    async with listening(drip) as (port, _), opened() as http:
        with pytest.raises(UnavailableError) as caught:
            await http.send(Request(method="GET", url=f"http://erp.example:{port}/a"))

    assert str(caught.value) == (f"GET http://erp.example:{port}/a: no whole answer within 600ms")


async def test_waiting_for_a_free_slot_is_not_connecting(listening):
    """Calls beyond the concurrency wait without their timeouts running."""
    running, most = 0, 0

    async def work(head: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.1)
        running -= 1
        writer.write(reply(b"ok"))

    async with listening(work) as (port, _), opened(concurrency=2) as http:
        request = Request(method="GET", url=f"http://erp.example:{port}/")
        answers = await asyncio.gather(*(http.send(request) for _ in range(16)))

    assert [answer.status for answer in answers] == [200] * 16
    assert most == 2


@pytest.mark.parametrize(
    "url",
    [
        "ftp://erp.example/",
        "file:///etc/passwd",
        "//erp.example/",
        "http://user@erp.example/",
        "http://user:pw@erp.example/",
        "http://erp.example:99999/",
        "http://",
    ],
)
async def test_odd_url_is_refused(url):
    """Only http and https, a host and no user name."""
    async with opened() as http:
        with pytest.raises(RefusedError):
            await http.send(Request(method="GET", url=url))


async def test_undeclared_host_is_not_called(listening):
    """A host that is not declared gets nothing, whatever a provider's page says."""
    async with listening(answering(reply(b"ok"))) as (port, seen), opened() as http:
        with pytest.raises(EgressError) as caught:
            await http.send(Request(method="GET", url=f"http://evil.example:{port}/x?y=1"))

    assert str(caught.value) == (
        f"GET http://evil.example:{port}/x: host 'evil.example' is not declared, "
        "only erp.example; add it to http.hosts"
    )
    assert seen == []


async def test_ca_file_that_is_missing_or_empty_is_told(tmp_path):
    """A CA file that cannot be used is told before any call."""
    empty = tmp_path / "ca.pem"
    empty.write_text("")
    for path, fault in [
        (str(empty), "holds no certificate in PEM form"),
        ("/nonexistent/ca.pem", "cannot be read: No such file or directory"),
    ]:
        with pytest.raises(RefusedError) as caught:
            async with opened(ca_file=path):
                pass
        assert str(caught.value) == f"http.tls.ca {path!r} {fault}"
