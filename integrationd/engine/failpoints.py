"""Named points at which a test lets the process die; outside of tests nothing happens there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from typing_extensions import override

POINTS: Final = (
    "run.begun",
    "page.fetched",
    "page.committed",
    "run.read",
    "run.swept",
    "run.settled",
    "replay.begun",
    "replay.committed",
    "replay.settled",
)
"""In the order in which a run comes by; the two in the middle of a walk once for each page."""


class Unarmed:
    """What stands at the points of a program that is not under test."""

    def reach(self, point: str) -> None:
        """Do nothing."""


@dataclass(slots=True)
class Armed(Unarmed):
    """One point that does something when it is reached for the n-th time."""

    point: str
    nth: int
    act: Callable[[], None]
    """Does not come back, or raises."""
    reached: Counter[str] = field(default_factory=Counter)

    @override
    def reach(self, point: str) -> None:
        """Count, and act where it is time."""
        self.reached[point] += 1
        if point == self.point and self.reached[point] == self.nth:
            self.act()


UNARMED: Final = Unarmed()
