"""Egress on real sockets: name servers that lie, addresses that are closed, proxies."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_network
from typing import ClassVar

import pytest

from integrationd.errors import EgressError, ProviderError, RefusedError, UnavailableError
from integrationd.ports.outside import HttpPolicy
from integrationd.transport.connect import read_addresses
from integrationd.transport.egress import Address, EgressPolicy
from integrationd.transport.http import AiohttpOpener
from integrationd.wire.messages import Answer, Request

CLOSED = EgressPolicy()
LOOPBACK = EgressPolicy(allow=(ip_network("127.0.0.0/8"),))
ADVICE = "open it in the settings: egress.allow"


class Names:
    """A name server that answers what it is told, one answer after the other."""

    def __init__(self, *answers: tuple[str, ...] | OSError) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def look_up(self, host: str) -> tuple[str, ...]:
        """Give the next answer."""
        self.asked.append(host)
        answer = self.answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer


@pytest.fixture
def listening(serving):
    """Return what opens a server that answers; see its inner function."""

    @asynccontextmanager
    async def open_server(*replies: bytes) -> AsyncIterator[tuple[int, list[bytes]]]:
        """Answer requests in turn; yields the port and what came, connections without bytes too."""
        seen: list[bytes] = []
        left = list(replies)

        async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(b"")
            while left:
                seen[-1] += await reader.readuntil(b"\r\n\r\n")
                writer.write(left.pop(0))

        async with serving(meet) as port:
            yield port, seen

    return open_server


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


async def call(
    url: str, *, egress: EgressPolicy, names: Names, proxy: str | None = None, times: int = 1
) -> list[Answer]:
    """Call a URL, whose host is declared, some times with one client."""
    policy = HttpPolicy(
        hosts=frozenset({"erp.example", "127.0.0.1", "::1", "127.1", "169.254.169.254"}),
        connect_timeout=timedelta(milliseconds=300),
        read_timeout=timedelta(milliseconds=300),
        total_timeout=timedelta(milliseconds=600),
        response_max_bytes=1000,
        proxy=proxy,
    )
    async with AiohttpOpener(egress, names.look_up).open(policy) as http:
        return [await http.send(Request(method="GET", url=url)) for _ in range(times)]


async def fault_of(url: str, kind: type[ProviderError] = EgressError, **given) -> str:
    """Return what a call that fails says."""
    with pytest.raises(kind) as caught:
        await call(url, **given)
    return str(caught.value)


async def test_private_answer_is_refused_with_advice():
    """A name that stands for a private address is not called; the message says what to open."""
    fault = await fault_of("http://erp.example/x?y=1", egress=CLOSED, names=Names(("10.1.2.3",)))

    assert fault == (
        f"GET http://erp.example/x: 10.1.2.3 (erp.example) is a private address; {ADVICE}"
    )


@pytest.mark.parametrize("place", range(5))
async def test_one_bad_answer_among_five_refuses_all(listening, place):
    """No address is tried if any of them is closed."""
    found = ["192.0.2.1"] * 5
    found[place] = "127.0.0.1"
    open_but_one = EgressPolicy(allow=(ip_network("192.0.2.0/24"),))
    async with listening(OK) as (port, seen):
        fault = await fault_of(
            f"http://erp.example:{port}/", egress=open_but_one, names=Names(tuple(found))
        )

    assert fault.endswith(f": 127.0.0.1 (erp.example) is a loopback address; {ADVICE}")
    assert seen == []


async def test_rebinding_name_server_gains_nothing(listening):
    """Each connection goes to the answer that was checked for it, and to no other."""
    names = Names(("127.0.0.1",), ("127.0.0.2",))
    only_one = EgressPolicy(allow=(ip_network("127.0.0.1/32"),))
    async with listening(OK, OK) as (port, seen):
        fault = await fault_of(f"http://erp.example:{port}/", egress=only_one, names=names, times=2)

    assert fault.endswith(f": 127.0.0.2 (erp.example) is a loopback address; {ADVICE}")
    assert names.asked == ["erp.example", "erp.example"]
    assert len(seen) == 1


async def test_name_is_resolved_once_for_a_connection(listening):
    """A kept connection is not resolved again, and one look-up serves check and connection."""
    names = Names(("127.0.0.1",))
    kept = OK.replace(b"Connection: close\r\n", b"")
    async with listening(kept, kept, OK) as (port, _):
        answers = await call(f"http://erp.example:{port}/", egress=LOOPBACK, names=names, times=3)

    assert [answer.body for answer in answers] == [b"ok"] * 3
    assert names.asked == ["erp.example"]


@pytest.mark.parametrize(
    ("host", "fault"),
    [
        ("127.0.0.1", f"127.0.0.1 is a loopback address; {ADVICE}"),
        ("[::1]", f"::1 is a loopback address; {ADVICE}"),
        ("①②⑦.⓪.⓪.①", f"127.0.0.1 is a loopback address; {ADVICE}"),
        ("127.0.0.1.", f"127.0.0.1 is a loopback address; {ADVICE}"),
        ("127.1", "host '127.1' is a number; write an address as 192.0.2.1"),
    ],
)
async def test_literal_address_is_checked_without_a_look_up(listening, host, fault):
    """An address in the URL meets the same table, though no name is resolved."""
    names = Names()
    async with listening(OK) as (port, seen):
        url = f"http://{host}:{port}/"
        assert await fault_of(url, egress=CLOSED, names=names) == f"GET {url}: {fault}"

    assert seen == []
    assert names.asked == []


class ClosingPolicy(EgressPolicy):
    """Lets the look-up pass and refuses the peer, as if the connection ended elsewhere."""

    asked: ClassVar[list[str]] = []

    def find_fault(self, address: Address, host: str) -> str | None:
        """Pass once."""
        self.asked.append(f"{address} {host}")
        return None if len(self.asked) == 1 else f"{address} ({host}) is closed"


async def test_peer_is_checked_after_connecting(listening):
    """A connection that ends at a closed peer is left before a byte of the request is sent."""
    async with listening(OK) as (port, seen):
        url = f"http://erp.example:{port}/"
        fault = await fault_of(url, egress=ClosingPolicy(), names=Names(("127.0.0.1",)))

    assert fault == f"GET {url}: 127.0.0.1 (erp.example) is closed"
    assert ClosingPolicy.asked == ["127.0.0.1 erp.example"] * 2
    assert seen == [b""]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
            "no such host name",
        ),
        (socket.gaierror(socket.EAI_AGAIN, "canary"), "the name server does not answer"),
        ((), "no such host name"),
    ],
)
async def test_unknown_name_is_told(error, message):
    """A name without an address is worth another try, and tells whose fault it is."""
    fault = await fault_of(
        "http://erp.example/", UnavailableError, egress=CLOSED, names=Names(error)
    )

    assert fault == f"GET http://erp.example/: no address for 'erp.example': {message}"


async def test_system_resolver_finds_loopback():
    """The default look-up asks the system."""
    assert set(await read_addresses("localhost")) <= {"127.0.0.1", "::1"}


async def test_proxy_gets_the_call_and_the_credentials_are_its_own(listening):
    """A plain call goes to the proxy in absolute form; only the proxy's name is resolved."""
    names = Names(("127.0.0.1",))
    async with listening(OK) as (port, seen):
        proxy = f"http://us%20er:canary@proxy.example:{port}"
        answers = await call("http://erp.example/a", egress=LOOPBACK, names=names, proxy=proxy)

    assert answers[0].body == b"ok"
    assert seen[0].startswith(b"GET http://erp.example/a HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic dXMgZXI6Y2FuYXJ5" in seen[0]
    assert names.asked == ["proxy.example"]


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (407, RefusedError, "; look at http.proxy and its user name"),
        (502, UnavailableError, ""),
    ],
)
async def test_proxy_that_says_no_is_told(listening, status, kind, message):
    """A tunnel that is refused names the proxy, not its credentials."""
    refusal = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()
    async with listening(refusal) as (port, seen):
        fault = await fault_of(
            "https://erp.example/a?key=canary",
            kind,
            egress=LOOPBACK,
            names=Names(("127.0.0.1",)),
            proxy=f"http://user:canary@proxy.example:{port}",
        )

    assert fault == (
        f"GET https://erp.example/a: the proxy proxy.example:{port} answered {status} "
        f"and lets nothing through{message}"
    )
    assert seen[0].startswith(b"CONNECT erp.example:443 HTTP/1.1\r\n")


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:3128", "http://proxy.example:3128"])
async def test_proxys_address_is_checked(proxy):
    """A proxy is called like anything else: its address must be open."""
    fault = await fault_of(
        "http://erp.example/", egress=CLOSED, names=Names(("127.0.0.1",)), proxy=proxy
    )

    shown = "127.0.0.1" if "127" in proxy else "127.0.0.1 (proxy.example)"
    assert fault == f"GET http://erp.example/: {shown} is a loopback address; {ADVICE}"


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("http://169.254.169.254/", f"169.254.169.254 is a link-local address; {ADVICE}"),
        (
            "http://other.example/",
            (
                "host 'other.example' is not declared, only "
                "127.0.0.1, 127.1, 169.254.169.254, ::1, erp.example; add it to http.hosts"
            ),
        ),
    ],
)
async def test_target_behind_a_proxy_is_checked(listening, url, fault):
    """A proxy is no way around the declared hosts or the table."""
    async with listening(OK) as (port, seen):
        proxy = f"http://127.0.0.1:{port}"
        found = await fault_of(url, egress=LOOPBACK, names=Names(), proxy=proxy)

    assert found == f"GET {url}: {fault}"
    assert seen == []


async def test_proxy_that_refuses_connections_is_named(listening):
    """The proxy, not the target, is who could not be reached."""
    async with listening() as (port, _):
        pass
    fault = await fault_of(
        "http://erp.example/",
        UnavailableError,
        egress=LOOPBACK,
        names=Names(),
        proxy=f"http://127.0.0.1:{port}",
    )

    assert fault == f"GET http://erp.example/: 127.0.0.1:{port} refuses connections"


@pytest.mark.parametrize(
    "proxy", ["socks5://canary:1", "https://canary:1", "canary:3128", "http://", "http://canary/x"]
)
async def test_odd_proxy_is_refused_without_showing_it(proxy):
    """A proxy may hold a password, so a bad one is not repeated."""
    fault = await fault_of(
        "http://erp.example/", RefusedError, egress=CLOSED, names=Names(), proxy=proxy
    )

    assert fault == "http.proxy cannot be used, expected http://HOST:PORT"
