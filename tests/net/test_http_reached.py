"""Failures told apart: before anything was sent, and when something may have been done."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_network

import pytest
import trustme

from integrationd.engine.asking import Manner
from integrationd.engine.call import call_operation
from integrationd.errors import UnavailableError, UnreachedError
from integrationd.ports.outside import Http, HttpPolicy
from integrationd.spec.settings import Settings
from integrationd.transport.egress import EgressPolicy
from integrationd.transport.http import AiohttpOpener
from integrationd.wire.messages import JsonBody, Request
from tests.support.worlds import bundle_of, stage

LOOPBACK = EgressPolicy(allow=(ip_network("127.0.0.0/8"),))
SPEC = """\
integration: library
http: {base_url: "http://127.0.0.1:%d", retries: 1}
operations:
  hold: {post: /holds, json: {a: 1}}
  replace: {put: /holds/1, json: {a: 1}}
"""


async def look_up(host: str) -> tuple[str, ...]:
    """Find every name but one on loopback."""
    if host == "gone.example":
        raise OSError
    return ("127.0.0.1",)


@asynccontextmanager
async def opened(**policy) -> AsyncIterator[Http]:
    """Open a client with short patience."""
    given = {
        "hosts": frozenset({"erp.example", "gone.example"}),
        "connect_timeout": timedelta(milliseconds=300),
        "read_timeout": timedelta(milliseconds=300),
        "total_timeout": timedelta(milliseconds=600),
        "response_max_bytes": 1000,
        **policy,
    }
    async with AiohttpOpener(LOOPBACK, look_up).open(HttpPolicy(**given)) as http:
        yield http


async def fault_of(url: str, **policy) -> UnavailableError:
    """Return how a POST fails."""
    async with opened(**policy) as http:
        request = Request(method="POST", url=url, body=JsonBody({"a": 1}))
        with pytest.raises(UnavailableError) as caught:
            await http.send(request)
    return caught.value


async def read_request(reader: asyncio.StreamReader) -> None:
    """Read one request, its body included."""
    head = await reader.readuntil(b"\r\n\r\n")
    size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
    await reader.readexactly(size)


async def test_unknown_name_was_never_reached():
    """There was nobody to send anything to."""
    assert type(await fault_of("http://gone.example/")) is UnreachedError


async def test_refused_connection_was_never_reached():
    """No byte of the request left."""
    assert type(await fault_of("http://erp.example:1/")) is UnreachedError


async def test_refused_connection_to_a_proxy_was_never_reached():
    """Neither did any when the proxy is gone."""
    fault = await fault_of("http://erp.example/", proxy="http://127.0.0.1:1")

    assert type(fault) is UnreachedError


async def test_handshake_that_hangs_or_fails_was_never_reached(serving):
    """TLS comes before the request."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.5)

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")

    for meet in (hang, babble):
        async with serving(meet) as port:
            assert type(await fault_of(f"https://erp.example:{port}/")) is UnreachedError


async def test_certificate_that_is_not_accepted_was_never_reached(serving):
    """We broke off before sending."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("erp.example").configure_cert(context)

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(meet, context) as port:
        assert type(await fault_of(f"https://erp.example:{port}/")) is UnreachedError


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-",
        b"SSH-2.0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab",
    ],
    ids=["nothing", "half a head", "no HTTP", "half a body"],
)
async def test_request_that_was_read_may_have_been_done(serving, raw):
    """Whatever came back, or nothing."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(raw)

    async with serving(meet) as port:
        assert type(await fault_of(f"http://erp.example:{port}/")) is UnavailableError


async def test_silence_may_be_work(serving):
    """A server that read the request and says nothing may still be at it."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        await asyncio.sleep(0.5)

    async with serving(meet) as port:
        assert type(await fault_of(f"http://erp.example:{port}/")) is UnavailableError


async def test_reset_after_the_request_may_hide_work(serving):
    """A connection that is reset tells nothing of what was done before."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.transport.abort()

    async with serving(meet) as port:
        assert type(await fault_of(f"http://erp.example:{port}/")) is UnavailableError


async def call(serving, operation: str) -> tuple[str, bool, int]:
    """Call a server that reads each request and closes; returns error, whether known, requests."""
    seen = 0

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        await read_request(reader)
        seen += 1

    async with serving(meet) as port, stage(AiohttpOpener(LOOPBACK, look_up)) as on:
        integration = bundle_of(library=SPEC % port).integrations["library"]
        repeats = integration.operations[operation].may_repeat
        manner = Manner(settings=Settings(), budget=None, may_repeat=repeats)
        outcome = await call_operation(on.world, integration, operation, {}, manner)
    return outcome.error.replace(str(port), "PORT"), outcome.known, seen


async def test_write_that_was_read_and_not_answered_is_sent_once(serving):
    """One request, and the error says that nobody knows what became of it."""
    error, known, seen = await call(serving, "hold")

    assert error == (
        "POST http://127.0.0.1:PORT/holds: the connection was closed before an answer came; it "
        "may have been done or not, so it is not tried again: look there before you repeat it"
    )
    assert (known, seen) == (False, 1)


async def test_idempotent_write_that_was_not_answered_is_sent_again(serving):
    """PUT does the same the second time: one try and one more, as the file allows."""
    error, known, seen = await call(serving, "replace")

    assert error == (
        "PUT http://127.0.0.1:PORT/holds/1: the connection was closed before an answer came "
        "after 2 tries"
    )
    assert (known, seen) == (True, 2)
