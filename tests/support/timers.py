"""The timer's twin on the event loop's own calls, which virtual time drives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self

from integrationd.ports.outside import Clock


@dataclass
class LoopTimer:
    """Implements the port; what is late is called once."""

    clock: Clock
    _calls: dict[str, tuple[datetime, asyncio.TimerHandle]] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        """Begin; calls are made as soon as they are set."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Call no more."""
        for key in list(self._calls):
            self.remove(key)

    def set(
        self,
        key: str,
        *,
        first: datetime,
        following: Callable[[datetime], datetime | None],
        callback: Callable[[str], None],
    ) -> None:
        """Call ``callback(key)`` again and again."""

        def call() -> None:
            now = self.clock.now()
            if now < at:
                self.set(key, first=at, following=following, callback=callback)
                return
            again = following(now)
            del self._calls[key]
            if again is not None:
                self.set(key, first=again, following=following, callback=callback)
            callback(key)

        at = first
        self.remove(key)
        wait_s = max(0.0, (at - self.clock.now()).total_seconds())
        self._calls[key] = (at, asyncio.get_running_loop().call_later(wait_s, call))

    def remove(self, key: str) -> None:
        """Call no more."""
        if key in self._calls:
            self._calls.pop(key)[1].cancel()

    def next_at(self, key: str) -> datetime | None:
        """Return when a key is called next."""
        return self._calls[key][0] if key in self._calls else None

    def keys(self) -> frozenset[str]:
        """Return what is set."""
        return frozenset(self._calls)
