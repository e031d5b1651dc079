"""The page that a browser comes back to: what it shows, and what it makes of everything else."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from integrationd.errors import IntegrationError
from integrationd.web.callback import Shown, awaiting_browser, bind_loopback

GOOD = Shown("Logged in", "integrationd may now ask for <b>acme</b> & more.")


@asynccontextmanager
async def page(shown=GOOD):
    """Serve it; yields the port and what was brought."""
    brought = []

    async def take(query):
        brought.append(query)
        return shown

    sockets = bind_loopback(0)
    async with awaiting_browser(sockets, "/callback", take):
        yield sockets[0].getsockname()[1], brought


async def ask(port, request, host="127.0.0.1"):
    """Send bytes and return status and text of the answer."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request)
        await writer.drain()
        answer = await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()
    head, _, body = answer.decode().partition("\r\n\r\n")
    return head, body


def get(target, method="GET"):
    """Build a request as a browser makes it."""
    return f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()


async def test_browser_is_shown_a_plain_page():
    """Everything is escaped, nothing is loaded or kept, and no address is told to others."""
    async with page() as (port, brought):
        head, body = await ask(port, get("/callback?code=c%2B%2541&state=s"))

    assert brought == ["code=c%2B%2541&state=s"]
    assert head.startswith("HTTP/1.1 200 ")
    for line in (
        "Content-Type: text/html; charset=utf-8",
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy: no-referrer",
        "Cache-Control: no-store",
    ):
        assert line in head.splitlines()
    assert body == (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Logged in</title>'
        "</head>\n<body><h1>Logged in</h1><p>integrationd may now ask for &lt;b&gt;acme&lt;/b&gt; "
        "&amp; more.</p></body></html>\n"
    )


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (get("/favicon.ico"), 404),
        (get("/"), 404),
        (get("/callback/x?code=c&state=s"), 404),
        (get("//callback?code=c&state=s"), 404),
        (get("/callback?code=c&state=s", "POST"), 405),
        (get("/callback?code=c&state=s", "DELETE"), 405),
        (get("/callback?" + "x" * 20_000), 400),
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"GET / HTTP/1.1\r\nbroken\r\n\r\n", 400),
    ],
    ids=["favicon", "root", "below", "doubled", "post", "delete", "long", "tls", "broken"],
)
async def test_junk_is_no_answer(request_, status, caplog):
    """A favicon, another path, another protocol: the login waits on, and nothing is logged."""
    async with page() as (port, brought):
        head, _ = await ask(port, request_)
        _, good = await ask(port, get("/callback?x"))

    assert head.split(" ")[1] == str(status)
    assert brought == ["x"]
    assert "Logged in" in good
    assert caplog.text == ""


async def test_it_is_reached_on_both_addresses_of_the_loopback():
    """`localhost` may be either."""
    async with page() as (port, brought):
        await ask(port, get("/callback?four"))
        if socket.has_ipv6 and len(bind_loopback_families(port)) > 1:
            await ask(port, get("/callback?six"), host="::1")

    assert brought[0] == "four"


def bind_loopback_families(port):
    """Return the families on which the port is taken."""
    found = []
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as probe:
            if probe.connect_ex((host, port)) == 0:
                found.append(family)
    return found


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_port_that_is_taken_is_told(host):
    """With what to do instead; `localhost` may be either, and another one would get the code."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as other:
        try:
            other.bind((host, 0))
        except OSError:
            pytest.skip("there is no IPv6 here")
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(IntegrationError) as caught:
            bind_loopback(port)

    assert str(caught.value) == (
        f"port {port} of {host}, which the redirect names, cannot be used: Address already in "
        "use; free it, or add --no-listen and paste what the browser shows"
    )
