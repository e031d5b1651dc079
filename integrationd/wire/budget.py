"""A rate that is never exceeded: so many requests in any span of so long."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

from integrationd.config.units import Rate

LOG_MAX: Final = 1000
"""Most times that are remembered; a larger rate is cut into shorter spans that together keep it."""


class Budget:
    """A sliding log of the times at which requests may go; its clock is handed in.

    One budget belongs to one credential and is shared by whoever uses it. Not thread-safe: one
    event loop owns it.
    """

    __slots__ = ("_log", "_paused_until_s", "_per_s")

    def __init__(self, rate: Rate) -> None:
        """Begin with nothing used.

        A rate above :data:`LOG_MAX` is kept by parts: 6000 in a minute as 1000 in ten seconds,
        which is stricter about bursts and never looser.
        """
        parts = math.ceil(rate.count / LOG_MAX)
        self._per_s = rate.per.total_seconds() / parts
        self._log: deque[float] = deque(maxlen=rate.count // parts)
        self._paused_until_s = -math.inf

    def reserve(self, now_s: float) -> float:
        """Take the next free slot and return the seconds until it; 0 means go.

        The slot is taken whether or not it is used: a caller that gives up only leaves a gap.
        Later calls never get an earlier slot, also where the clock went back.
        """
        slot_s = max(now_s, self._paused_until_s)
        if self._log:
            slot_s = max(slot_s, self._log[-1])
            if len(self._log) == self._log.maxlen:
                slot_s = max(slot_s, self._log[0] + self._per_s)
        self._log.append(slot_s)
        return slot_s - now_s

    def paused_s(self, now_s: float) -> float:
        """Return for how many seconds more nobody may ask; 0 where no pause stands."""
        return max(self._paused_until_s - now_s, 0.0)

    def pause(self, until_s: float) -> None:
        """Give no slot before ``until_s``, as after a Retry-After; slots already taken stand."""
        self._paused_until_s = max(self._paused_until_s, until_s)
