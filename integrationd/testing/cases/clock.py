"""Time that passes only where somebody waits for it: a case with a wait of an hour takes none."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from typing_extensions import override

NOW: Final = datetime(2030, 1, 1, tzinfo=UTC)
"""The present time of a case that says none: later than what people write into answers, as a cursor
that is more than a day ahead is taken for a broken clock."""


RESOLUTION_S: Final = 1e-6
"""What the clock tells apart for a century."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer as soon as nothing else is to be done.

    Nothing may run in threads beside it: that would be no reason for it to wait.
    """

    def __init__(self) -> None:
        """Begin at second 0."""
        self._now_s = 0.0
        super().__init__(_Jumping(self.jump))
        # A timer is due when it is nearer than this. After some months a float of seconds tells no
        # nanoseconds apart any more, and a timer that is due would never be.
        self._clock_resolution = RESOLUTION_S

    @override
    def time(self) -> float:
        """Return the virtual seconds."""
        return self._now_s

    def jump(self, span_s: float) -> None:
        """Let time pass."""
        self._now_s += span_s


class _Jumping(selectors.BaseSelector):
    """Waits for nothing but what is there already."""

    def __init__(self, jump: Callable[[float], None]) -> None:
        self._inner = selectors.DefaultSelector()
        self._jump = jump

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = self._inner.select(0)
        if not ready and timeout is None:
            return self._inner.select(None)
        if not ready and timeout is not None and timeout > 0:
            self._jump(timeout)
        return ready

    @override
    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    @override
    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    @override
    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.modify(fileobj, events, data)

    @override
    def close(self) -> None:
        self._inner.close()

    @override
    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._inner.get_map()


@dataclass(slots=True)
class CaseClock:
    """The wall clock of one case: where it begins, and what has passed since."""

    start: datetime
    began_s: float

    def now(self) -> datetime:
        """Return the current time."""
        return self.start + timedelta(seconds=self.monotonic() - self.began_s)

    def monotonic(self) -> float:
        """Return the loop's seconds."""
        return asyncio.get_running_loop().time()


@dataclass(slots=True)
class Steady:
    """Chance that is the same in every run: waits are no longer than they must be."""

    generator: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - ids

    def fraction(self) -> float:
        """Return none."""
        return 0.0

    def token(self, size_bytes: int) -> bytes:
        """Return bytes that are spread as real ones are."""
        return self.generator.randbytes(size_bytes)
