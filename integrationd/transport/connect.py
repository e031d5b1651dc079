"""Connections that only go where the egress policy lets them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ssl import SSLContext
from typing import TypeAlias

from aiohttp import ClientRequest, ClientTimeout, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import Connection
from aiohttp.tracing import Trace
from typing_extensions import override

from integrationd.errors import EgressError
from integrationd.transport.egress import EgressPolicy, parse_address

Lookup: TypeAlias = Callable[[str], Awaitable[tuple[str, ...]]]
"""Finds the addresses of a host name; raises OSError where there are none."""


async def read_addresses(host: str) -> tuple[str, ...]:
    """Ask the system's resolver for all addresses of a host."""
    found = await asyncio.get_running_loop().getaddrinfo(
        host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
    )
    return tuple(str(sockaddr[0]) for _, _, _, _, sockaddr in found)


def check_address(text: str, host: str, egress: EgressPolicy) -> None:
    """Check one address.

    Raises:
        EgressError: It must not be called.
    """
    address = parse_address(text)
    if address is None:
        fault: str | None = f"the address of {host!r} cannot be read"
    else:
        fault = egress.find_fault(address, host)
    if fault is not None:
        raise EgressError(fault)


@dataclass(frozen=True, slots=True)
class CheckedResolver(AbstractResolver):
    """Resolves once for each connection; one bad answer among good ones refuses them all.

    What is connected to is the checked address, never the name, so that a name server that answers
    differently the second time gains nothing.
    """

    egress: EgressPolicy
    lookup: Lookup

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the checked addresses of a host."""
        found = await self.lookup(host)
        if not found:
            raise OSError("no address")
        for text in found:
            check_address(text, host, self.egress)
        return [
            ResolveResult(
                hostname=host,
                host=text,
                port=port,
                family=socket.AF_INET6 if ":" in text else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for text in found
        ]

    @override
    async def close(self) -> None:
        """Nothing is held."""


class CheckedConnector(TCPConnector):
    """Looks at who was connected to, before a byte of the request is sent."""

    def __init__(
        self, *, egress: EgressPolicy, lookup: Lookup, context: SSLContext, concurrency: int
    ) -> None:
        super().__init__(
            ssl=context,
            resolver=CheckedResolver(egress, lookup),
            use_dns_cache=False,
            limit=concurrency,
        )
        self._egress = egress

    @override
    async def connect(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> Connection:
        """Connect, or take a kept connection, and check the peer.

        Raises:
            EgressError: The peer is one that must not be called.
        """
        connection = await super().connect(req, traces, timeout)
        transport = connection.transport
        peer = None if transport is None else transport.get_extra_info("peername")
        host = (req.proxy or req.url).raw_host or ""
        try:
            check_address("" if peer is None else str(peer[0]), host, self._egress)
        except EgressError:
            connection.close()
            raise
        return connection
