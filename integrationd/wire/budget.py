"""Rates that are never exceeded: so many requests in any span of so long."""

from __future__ import annotations

import math
from collections import deque
from typing import Final, NamedTuple

from integrationd.config.units import Rate
from integrationd.wire.limits import Allowance, Charge

LOG_MAX: Final = 1000
"""About how many times each rate remembers; of a larger one those near each other become one."""
SAME_RESET_S: Final = 2.0
"""Answers that name moments so near each other speak of one span: they are in whole seconds."""


class Window:
    """A sliding log of the times at which requests may go, for one rate."""

    __slots__ = ("_grain_s", "_log", "_max", "_per_s", "_used")

    def __init__(self, rate: Rate) -> None:
        """Begin with nothing used.

        Above :data:`LOG_MAX` in a span, those within a thousandth of it count as one, made when
        the last of them was: stricter, and never looser.
        """
        self._max = rate.count
        self._per_s = rate.per.total_seconds()
        self._grain_s = self._per_s / LOG_MAX if rate.count > LOG_MAX else 0.0
        self._log: deque[tuple[float, float, int]] = deque()
        """When its first and its last request go, and what they cost."""
        self._used = 0

    def earliest(self, at_s: float, cost: int) -> float:
        """Return when a request may go, ``at_s`` or later; what is over by then is forgotten.

        Every later time will do too, while nothing else is taken.
        """
        cost = min(cost, self._max)
        while self._log and self._log[0][1] + self._per_s <= at_s:
            self._used -= self._log.popleft()[2]
        over = self._used + cost - self._max
        for _, last_s, used in self._log:
            if over <= 0:
                break
            over -= used
            at_s = last_s + self._per_s
        return at_s

    def take(self, at_s: float, cost: int) -> None:
        """Count a request at a time that :meth:`earliest` gave, never before the one before."""
        cost = min(cost, self._max)
        self._used += cost
        if self._log and at_s - self._log[-1][0] < self._grain_s:
            first_s, _, used = self._log.pop()
            self._log.append((first_s, at_s, used + cost))
        else:
            self._log.append((at_s, at_s, cost))


class Turn(NamedTuple):
    """What is said to somebody who wants to ask."""

    wait_s: float
    """How long to wait, 0 for not at all."""
    taken: bool = True
    """Whether to go then; otherwise that is when to ask for a turn again."""
    mark: int = 0
    """What had been spent by then, this request's own cost included."""


class Budget:
    """What a credential may still ask; its clock is handed in.

    One budget belongs to one credential and is shared by whoever uses it. Not thread-safe: one
    event loop owns it.
    """

    __slots__ = ("_all", "_lanes", "_last_s", "_left", "_left_until_s", "_paused_until_s", "_spent")

    def __init__(self, *rates: Rate) -> None:
        """Begin with nothing used; all the rates hold together."""
        self._all = tuple(Window(rate) for rate in rates)
        self._lanes: dict[tuple[str, Rate], Window] = {}
        self._last_s = self._paused_until_s = self._left_until_s = -math.inf
        self._left = math.inf
        self._spent = 0

    def reserve(self, now_s: float, cost: int = 1) -> float:
        """Take the next free slot and return the seconds until it; 0 means go.

        The slot is taken whether or not it is used: a caller that gives up only leaves a gap.
        Later calls never get an earlier slot, also where the clock went back.
        """
        slot_s = max(now_s, self._paused_until_s, self._last_s)
        slot_s = max((one.earliest(slot_s, cost) for one in self._all), default=slot_s)
        if self._left < cost:
            slot_s = max(slot_s, self._left_until_s)
        if slot_s >= self._left_until_s:
            self._left = math.inf
        self._left -= cost
        self._spent += cost
        self._last_s = slot_s
        for one in self._all:
            one.take(slot_s, cost)
        return slot_s - now_s

    def turn(self, now_s: float, charge: Charge) -> Turn:
        """Take a slot for a request whose path may have rates of its own.

        One that its path holds back takes nothing yet, so that others may go before it.
        """
        lanes = [self._lane(*one) for one in charge.lanes]
        wait_s = max((lane.earliest(now_s, charge.cost) - now_s for lane in lanes), default=0.0)
        if wait_s > 0:
            return Turn(wait_s, taken=False)
        wait_s = self.reserve(now_s, charge.cost)
        for lane in lanes:
            lane.take(now_s + wait_s, charge.cost)
        return Turn(wait_s, mark=self._spent)

    def paused_s(self, now_s: float) -> float:
        """Return for how many seconds more nobody may ask; 0 where no pause stands."""
        until_s = self._paused_until_s
        if self._left < 1:
            until_s = max(until_s, self._left_until_s)
        return max(until_s - now_s, 0.0)

    def pause(self, until_s: float) -> None:
        """Give no slot before ``until_s``, as after a Retry-After; slots already taken stand."""
        self._paused_until_s = max(self._paused_until_s, until_s)

    def learn(self, now_s: float, allowance: Allowance, mark: int) -> None:
        """Keep to what a provider says is left.

        Args:
            now_s: The current time.
            allowance: How much is left, and for how long.
            mark: Of the turn of the request that was answered: what was spent since then, the
                provider may not have counted yet.
        """
        until_s = now_s + allowance.reset_s
        left = allowance.left - (self._spent - mark)
        same = abs(until_s - self._left_until_s) <= SAME_RESET_S and now_s < self._left_until_s
        self._left = min(self._left, left) if same else left
        self._left_until_s = max(until_s, self._left_until_s) if same else until_s

    def _lane(self, name: str, rate: Rate) -> Window:
        return self._lanes.setdefault((name, rate), Window(rate))
