"""Certificates and keys of senders, fetched once and kept for a while."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from integrationd.errors import ProviderError, SignatureError, UnavailableError
from integrationd.ports.outside import Clock, HttpOpener, HttpPolicy
from integrationd.wire.messages import Request

KEPT_S: Final = 3600.0
"""How long what was fetched is believed: a key that was taken back is refused after that."""
FAILED_S: Final = 30.0
"""How long a failure is told again without asking."""
ADDRESSES_MAX: Final = 100
"""Most addresses that are kept; callers choose them, within what files allow."""
ASKED_MAX: Final = 4
"""Most addresses that are asked at the same time."""
CONNECT: Final = timedelta(seconds=3)
WHOLE: Final = timedelta(seconds=5)
ANSWER_MAX_BYTES: Final = 65_536
OK: Final = 200
OF_SERVERS: Final = 500
"""From this status on a failure is theirs and passes."""


_Failure: TypeAlias = ProviderError | SignatureError


@dataclass(frozen=True, slots=True)
class _Kept:
    """What came of the requests to one address."""

    found: bytes | None
    """What lay there last; a failure since then does not take it away."""
    found_s: float
    failure: _Failure | None = None
    failed_s: float = 0.0

    def tell(self, now_s: float, younger_than_s: float) -> bytes | _Failure | None:
        """Return what need not be asked again; None where it has to be."""
        if self.found is not None and now_s - self.found_s < younger_than_s:
            return self.found
        is_fresh = now_s - self.failed_s < FAILED_S
        return self.failure if is_fresh else None


@dataclass(slots=True)
class _Turn:
    """Those who ask one address one after the other."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


@dataclass(slots=True)
class FetchedKeys:
    """What lies at the addresses that senders name; many calls at once ask once."""

    _kept: OrderedDict[str, _Kept] = field(default_factory=OrderedDict)
    """By address, the one that was used last at the end."""
    _turns: dict[str, _Turn] = field(default_factory=dict)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(ASKED_MAX))

    async def get(
        self, address: str, http: HttpOpener, clock: Clock, *, younger_than_s: float = KEPT_S
    ) -> bytes:
        """Return what lies at an address; whether it is allowed was seen before.

        Raises:
            SignatureError: Nothing lies there.
            ProviderError: It cannot be had now: the sender has to try again.
        """
        turn = self._turns.setdefault(address, _Turn())
        turn.users += 1
        try:
            async with turn.lock:
                kept = self._kept.get(address)
                found = None if kept is None else kept.tell(clock.monotonic(), younger_than_s)
                if found is None:
                    found = await self._ask(address, http, clock)
        finally:
            # Also of a call that was given up: strangers choose the addresses.
            turn.users -= 1
            if not turn.users:
                del self._turns[address]
        if isinstance(found, Exception):
            raise found.with_traceback(None)
        self._kept.move_to_end(address)
        return found

    async def _ask(self, address: str, http: HttpOpener, clock: Clock) -> bytes | _Failure:
        try:
            async with self._slots:
                found: bytes | _Failure = await _fetch(address, http)
        except (ProviderError, SignatureError) as failed:
            found = failed
        now_s = clock.monotonic()
        if isinstance(found, bytes):
            self._keep(address, _Kept(found, now_s))
            return found
        old = self._kept.get(address)
        if old is None or now_s - old.found_s >= KEPT_S:
            old = _Kept(None, now_s)
        self._keep(address, replace(old, failure=found, failed_s=now_s))
        return found

    def _keep(self, address: str, kept: _Kept) -> None:
        self._kept[address] = kept
        self._kept.move_to_end(address)
        if len(self._kept) > ADDRESSES_MAX:
            # Those where nothing lay go first, so that made-up ones push out no keys.
            empty = (name for name, one in self._kept.items() if one.found is None)
            del self._kept[next(empty, next(iter(self._kept)))]


async def _fetch(address: str, http: HttpOpener) -> bytes:
    host = urlsplit(address).hostname or ""
    policy = HttpPolicy(
        hosts=frozenset({host}),
        connect_timeout=CONNECT,
        read_timeout=WHOLE,
        total_timeout=WHOLE,
        response_max_bytes=ANSWER_MAX_BYTES,
    )
    async with http.open(policy) as client:
        answer = await client.send(Request(method="GET", url=address))
    if answer.status == OK:
        return answer.body
    message = f"GET {answer.url} answered {answer.status}, expected the sender's keys"
    # A redirect is an answer of its own: it is not followed.
    if answer.status >= OF_SERVERS:
        raise UnavailableError(message, status=answer.status)
    raise SignatureError(message)
