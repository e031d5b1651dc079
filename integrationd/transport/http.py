"""Calls over HTTP by aiohttp: one session, pool, TLS context and egress check per integration."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    DummyCookieJar,
    encode_basic_auth,
)
from yarl import URL

from integrationd import __version__
from integrationd.errors import EgressError, ProviderError, RefusedError, UnreadableError
from integrationd.ports.outside import HttpPolicy
from integrationd.transport.connect import CheckedConnector, Lookup, check_address, read_addresses
from integrationd.transport.decompress import Unpacker
from integrationd.transport.egress import (
    EgressPolicy,
    canonical,
    find_host_fault,
    parse_address,
)
from integrationd.transport.failures import Explainer
from integrationd.transport.tls import load_context
from integrationd.wire.encoding import EncodedRequest, encode
from integrationd.wire.messages import Answer, Request

_HEADER_BYTES_MAX: Final = 32_768
"""Of one line of the answer's head: long ``Link`` headers pass aiohttp's 8 kB, floods do not."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where calls go instead of to their target."""

    url: URL
    """Without credentials."""
    headers: Mapping[str, str] = field(repr=False)
    """Its credentials; aiohttp renames the header and shows it to nobody but the proxy."""

    @classmethod
    def parse(cls, text: str) -> Proxy:
        """Read ``http://USER:PASSWORD@HOST:PORT``.

        Raises:
            RefusedError: It is something else.
        """
        try:
            url = URL(text)
        except ValueError:
            url = URL()
        if url.scheme != "http" or not url.raw_host or url.path != "/" or url.query_string:
            raise RefusedError("http.proxy cannot be used, expected http://HOST:PORT")
        if url.user is None:
            return cls(url, {})
        credentials = encode_basic_auth(url.user.replace(":", ""), url.password or "")
        return cls(url.with_user(None), {"authorization": credentials})


@dataclass(frozen=True, slots=True)
class AiohttpOpener:
    """Opens a client for each integration; nothing is shared between them."""

    egress: EgressPolicy = EgressPolicy()  # noqa: RUF009 - frozen
    lookup: Lookup = read_addresses
    """How host names are resolved."""

    @asynccontextmanager
    async def open(self, policy: HttpPolicy) -> AsyncIterator[AiohttpHttp]:
        """Open a client with its own pool, TLS context and egress check.

        Raises:
            RefusedError: The CA file or the proxy cannot be used.
            SecretError: The client's certificate or key cannot be used.
        """
        proxy = None if policy.proxy is None else Proxy.parse(policy.proxy)
        # Reading the system's certificates takes some 20 ms.
        context = await asyncio.to_thread(load_context, policy)
        connector = CheckedConnector(
            egress=self.egress,
            lookup=self.lookup,
            context=context,
            concurrency=policy.concurrency,
        )
        async with ClientSession(
            connector=connector,
            cookie_jar=DummyCookieJar(),
            timeout=_timeout(policy),
            auto_decompress=False,
            trust_env=False,
            max_line_size=_HEADER_BYTES_MAX,
            max_field_size=_HEADER_BYTES_MAX,
        ) as session:
            # The library repeats a PUT or GET by itself that was not answered: uncounted, beside
            # the rate, and whatever the file says. It has no public word against that.
            session._retry_connection = False  # noqa: SLF001
            yield AiohttpHttp(session, policy=policy, egress=self.egress, proxy=proxy)


class AiohttpHttp:
    """Calls to one integration's hosts; made by :class:`AiohttpOpener`."""

    def __init__(
        self,
        session: ClientSession,
        *,
        policy: HttpPolicy,
        egress: EgressPolicy,
        proxy: Proxy | None,
    ) -> None:
        self._session = session
        self._policy = policy
        self._egress = egress
        self._proxy = proxy
        # Waiting for the pool would count as connecting; a call that waits here has not begun.
        self._slots = asyncio.Semaphore(policy.concurrency)

    async def send(self, request: Request) -> Answer:
        """Perform one call; see :class:`integrationd.ports.outside.Http`."""
        encoded = encode(request)
        # Built from the text as it is: a signature or a cursor may depend on every escape.
        url = URL(encoded.url, encoded=True)
        async with self._slots:
            try:
                self._check_target(url)
                return await self._perform(encoded, url)
            except ProviderError as fault:
                error = fault
            except (ClientError, OSError, ValueError) as fault:
                error = self._explainer(url).explain(fault)
        # Raised outside, so that no library's exception hangs on it: those hold whole URLs.
        raise type(error)(f"{encoded.shown}: {error}", status=error.status)

    def _check_target(self, url: URL) -> None:
        host = url.raw_host or ""
        fault = find_host_fault(host, self._policy.hosts)
        if fault is not None:
            raise EgressError(fault)
        # Literal addresses pass the resolver by.
        for called in (url, self._proxy.url) if self._proxy else (url,):
            literal = canonical(called.raw_host or "")
            if parse_address(literal) is not None:
                check_address(literal, literal, self._egress)

    async def _perform(self, encoded: EncodedRequest, url: URL) -> Answer:
        started = time.monotonic()
        defaults = {"accept-encoding": "gzip", "user-agent": f"integrationd/{__version__}"}
        async with self._session.request(
            encoded.method,
            url,
            headers={**defaults, **encoded.headers},
            data=encoded.body,
            allow_redirects=False,
            proxy=None if self._proxy is None else self._proxy.url,
            proxy_headers=None if self._proxy is None else self._proxy.headers,
        ) as response:
            try:
                body = await self._read(response)
            except UnreadableError as unusable:
                raise UnreadableError(str(unusable), status=response.status) from None
            return Answer(
                status=response.status,
                headers=_join_headers(response),
                body=body,
                url=encoded.shown.partition(" ")[2],
                took_s=time.monotonic() - started,
                room_bytes=self._policy.response_max_bytes,
            )

    async def _read(self, response: ClientResponse) -> bytes:
        unpacker = Unpacker(
            encoding=", ".join(response.headers.getall("content-encoding", ())),
            max_bytes=self._policy.response_max_bytes,
        )
        if response.method != "HEAD":
            unpacker.expect(response.content_length)
        async for piece in response.content.iter_any():
            unpacker.feed(piece)
        return unpacker.finish()

    def _explainer(self, url: URL) -> Explainer:
        proxy = self._proxy
        return Explainer(
            policy=self._policy,
            peer=_peer(url),
            proxy=None if proxy is None else _peer(proxy.url),
        )


def _peer(url: URL) -> str:
    host = url.raw_host or ""
    return f"[{host}]:{url.port}" if ":" in host else f"{host}:{url.port}"


def _join_headers(response: ClientResponse) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in response.headers.items():
        lower = name.lower()
        joined[lower] = f"{joined[lower]}, {value}" if lower in joined else value
    return joined


def _timeout(policy: HttpPolicy) -> ClientTimeout:
    def seconds(value: timedelta) -> float:
        return value.total_seconds()

    return ClientTimeout(
        total=seconds(policy.total_timeout),
        connect=seconds(policy.connect_timeout),
        sock_read=seconds(policy.read_timeout),
    )
