"""Certificates and keys of senders, fetched once and kept for a while."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
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


@dataclass(frozen=True, slots=True)
class _Kept:
    """What came of one request."""

    at_s: float
    found: bytes | ProviderError | SignatureError

    def lasts(self, now_s: float, younger_than_s: float) -> bool:
        """Tell whether it need not be asked again."""
        longest_s = younger_than_s if isinstance(self.found, bytes) else FAILED_S
        return now_s - self.at_s < longest_s


@dataclass(slots=True)
class FetchedKeys:
    """What lies at the addresses that senders name; many calls at once ask once."""

    _kept: OrderedDict[str, _Kept] = field(default_factory=OrderedDict)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    _slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(ASKED_MAX))

    async def get(
        self, address: str, http: HttpOpener, clock: Clock, *, younger_than_s: float = KEPT_S
    ) -> bytes:
        """Return what lies at an address; whether it is allowed was seen before.

        Raises:
            SignatureError: Nothing lies there.
            ProviderError: It cannot be had now: the sender has to try again.
        """
        async with self._locks.setdefault(address, asyncio.Lock()):
            kept = self._kept.get(address)
            if kept is None or not kept.lasts(clock.monotonic(), younger_than_s):
                kept = await self._ask(address, http, clock)
        if isinstance(kept.found, Exception):
            raise kept.found.with_traceback(None)
        return kept.found

    async def _ask(self, address: str, http: HttpOpener, clock: Clock) -> _Kept:
        try:
            async with self._slots:
                found: bytes | ProviderError | SignatureError = await _fetch(address, http)
        except (ProviderError, SignatureError) as failed:
            found = failed
        kept = _Kept(clock.monotonic(), found)
        self._kept[address] = kept
        self._kept.move_to_end(address)
        while len(self._kept) > ADDRESSES_MAX:
            oldest, _ = self._kept.popitem(last=False)
            self._locks.pop(oldest, None)
        return kept


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
