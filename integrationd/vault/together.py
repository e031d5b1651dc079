"""One reading for all who ask for the same thing at the same time, none older than the question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Together(Generic[K, T]):
    """Reads for many at once.

    A reading that has begun may have missed what was stored just before somebody asks: whoever
    comes while it goes on waits, with all others who do, for the next one. So a question costs at
    most two readings of time, and a thousand of them a few readings of work.
    """

    def __init__(self, read: Callable[[K], Awaitable[T]]) -> None:
        """Take what reads."""
        self._read = read
        self._reading: dict[K, asyncio.Task[T]] = {}
        self._next: dict[K, asyncio.Task[T]] = {}

    async def ask(self, key: K) -> T:
        """Return what a reading finds that begins after now; its errors are everybody's."""
        waiting = self._next.get(key)
        if waiting is None:
            waiting = asyncio.create_task(self._read_next(key), name=f"read {key}")
            waiting.add_done_callback(_hear)
            self._next[key] = waiting
        # Who goes away must not take the answer from the others.
        return await asyncio.shield(waiting)

    async def _read_next(self, key: K) -> T:
        before = self._reading.get(key)
        if before is not None:
            await asyncio.wait([before])
        mine = self._reading[key] = self._next.pop(key)
        try:
            return await self._read(key)
        finally:
            if self._reading.get(key) is mine:
                del self._reading[key]


def _hear(task: asyncio.Task[T]) -> None:
    """Take note of an error that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
