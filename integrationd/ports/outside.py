"""Clock, randomness, HTTP and timer: what the engine needs from the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.signals import Signal
from integrationd.wire.messages import Answer, Request


class Clock(Protocol):
    """The only clock below ``daemon``; waiting is ``asyncio.sleep``."""

    def now(self) -> datetime:
        """Return the current time in UTC, aware."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...


class Randomness(Protocol):
    """The only source of chance."""

    def fraction(self) -> float:
        """Return a number from 0 up to 1."""
        ...

    def token(self, size_bytes: int) -> bytes:
        """Return bytes that nobody can guess."""
        ...


class Signals(Protocol):
    """Where rooms say what happened."""

    def emit(self, signal: Signal) -> None:
        """Take one signal; never raises, never waits."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """By what a client is known in TLS itself; both as PEM."""

    certificate: Secret
    """Its own first, then those between it and an authority."""
    key: Secret
    """The private key, without a passphrase."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpPolicy:
    """What one integration may call, and how patiently."""

    hosts: frozenset[str]
    """Host names that may be called, lower case; ``*.example.org`` covers every name under it."""
    connect_timeout: timedelta
    read_timeout: timedelta
    total_timeout: timedelta
    response_max_bytes: int
    """After decompression; a larger answer is refused while it is read."""
    ca_file: str | None = None
    identity: Identity | None = None
    proxy: str | None = None
    concurrency: int = 4


class Http(Protocol):
    """Calls to one integration's hosts. Follows no redirect; keeps no cookie."""

    async def send(self, request: Request) -> Answer:
        """Perform one call and return the whole answer, whatever its status.

        Raises:
            UnreachedError: Nothing was sent: no address, no connection, no TLS.
            UnavailableError: No answer in time, or a broken one: worth another try, unless what
                was asked must not be done twice.
            EgressError: The host, address or port is one that must not be called.
            UnreadableError: The answer is larger than allowed, or its encoding unknown.
            RefusedError: The request cannot be sent as it is.
        """
        ...


class HttpOpener(Protocol):
    """Makes the clients."""

    def open(self, policy: HttpPolicy) -> AbstractAsyncContextManager[Http]:
        """Open a client with its own pool, TLS context and egress check.

        Raises:
            RefusedError: On entering: the CA file or the proxy cannot be used.
            SecretError: On entering: the client's certificate or key cannot be used.
        """
        ...


class SecretSource(Protocol):
    """Looks secrets up; see design decision 8 for the order."""

    async def resolve(
        self, tenant: str, integration: str, references: Mapping[str, Json]
    ) -> Mapping[str, Json]:
        """Return a :class:`Secret` for each name.

        Args:
            tenant: Whose integration it is.
            integration: Its name, for the look-ups that are made of it.
            references: Declared names; each has a reference (``{env: X}``, ``{file: P}``,
                ``{credential: C}``, ``{store: N}``) or None where none was given.

        Raises:
            SecretError: All the missing ones at once, and where each was looked for.
        """
        ...


class Timer(Protocol):
    """Says when something is due; what that means is the caller's matter."""

    def set(
        self,
        key: str,
        *,
        first: datetime,
        following: Callable[[datetime], datetime | None],
        callback: Callable[[str], None],
    ) -> None:
        """Call ``callback(key)`` at a time of the wall clock and then again and again.

        A key that is set already begins anew. The callback runs on the event loop and returns at
        once. A call that comes late comes once, however many were missed.

        Args:
            key: What is due, ``acme/orders``.
            first: When it is due first; a time that has passed is now.
            following: Gives the time after a moment at which it is due next; None is never.
            callback: Told the key.
        """
        ...

    def remove(self, key: str) -> None:
        """Call no more; a key that is not set is none that is called."""
        ...

    def next_at(self, key: str) -> datetime | None:
        """Return when a key is called next; None where it never is."""
        ...

    def keys(self) -> frozenset[str]:
        """Return what is set."""
        ...
