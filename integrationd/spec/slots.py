"""The instants of a schedule: UTC in, UTC out; no clock is read.

A *slot* is an instant that the schedule names; it comes *due* at once or, with jitter, a little
later, always before the next one. Times of day follow Debian's cron: one that the clock skips in
spring is at the end of the gap, one that it repeats in autumn is the first of the two, and what
has ``*`` for its minutes or hours goes by real time through both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

_WINDOWS: Final = (
    *(timedelta(minutes=2) * 4**power for power in range(12)),
    timedelta(days=366 * 50),
)
"""How far back a slot is looked for; cronsim gives up after as many years ahead."""
_KEPT: Final = 1024
"""Answers that are kept: thousands of streams, all asked at one moment, have the schedules of a few
providers. The oldest go first; a moment does not come again."""


@dataclass(frozen=True, slots=True)
class Jitter:
    """How much later than its slot something may be due: always the same for one slot.

    Every process that knows the schedule works out the same delay.
    """

    most: timedelta
    seed: str
    """What tells this schedule from the others, ``acme/orders``."""

    def delay(self, slot: datetime, span: timedelta) -> timedelta:
        """Return the delay of one slot in whole ms, less than ``span``, the time to the next."""
        text = f"{self.seed} {slot.timestamp():.3f}"
        digest = hashlib.blake2b(text.encode(), digest_size=4).digest()
        most_ms = min(self.most, span) // _MS
        return _MS * (most_ms * int.from_bytes(digest, "big") >> 32)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Slots by the calendar: those of one or more cron expressions in one zone."""

    crons: tuple[str, ...]
    """Five fields each, such as :func:`check_cron` finds nothing wrong with."""
    zone: str
    jitter: Jitter | None = None

    def after(self, moment: datetime) -> datetime | None:
        """Return the first slot after a moment; None where none comes in fifty years."""
        found = (_first_after(cron, self.zone, moment) for cron in self.crons)
        return min((slot for slot in found if slot is not None), default=None)

    def latest(self, moment: datetime) -> datetime | None:
        """Return the last slot at or before a moment; None where none was in fifty years."""
        found = (_latest(cron, self.zone, moment) for cron in self.crons)
        return max((slot for slot in found if slot is not None), default=None)


@dataclass(frozen=True, slots=True)
class Beat:
    """Slots at a distance that stays: the anchor, and every so often before and after it."""

    every: timedelta
    anchor: datetime
    jitter: Jitter | None = None

    def after(self, moment: datetime) -> datetime:
        """Return the first slot after a moment."""
        return self.latest(moment) + self.every

    def latest(self, moment: datetime) -> datetime:
        """Return the last slot at or before a moment."""
        return self.anchor + (moment - self.anchor) // self.every * self.every


Slots: TypeAlias = Calendar | Beat
"""A schedule that is fixed in time."""


def due_after(slots: Slots, moment: datetime) -> datetime | None:
    """Return the first instant after a moment at which a slot comes due."""
    slot = slots.latest(moment)
    if slot is not None and slots.jitter is not None:
        due = _due(slots, slot)
        if due > moment:
            return due
    following = slots.after(moment)
    return None if following is None else _due(slots, following)


def latest_due(slots: Slots, moment: datetime) -> datetime | None:
    """Return the last slot that has come due at a moment, as the slot and not as when it was."""
    slot = slots.latest(moment)
    if slot is None or slots.jitter is None or _due(slots, slot) <= moment:
        return slot
    return slots.latest(slot - _TICK)


@cache
def shortest_gap(crons: tuple[str, ...], *, among: int) -> timedelta | None:
    """Return the least time between any of the first slots of a year without clock changes.

    Kept, as thousands of integrations have the schedules of a few providers.
    """
    plain = Calendar(crons, "UTC")
    slot, least = plain.after(_A_NEW_YEAR), None
    for _ in range(among):
        following = None if slot is None else plain.after(slot)
        if slot is None or following is None:
            break
        least = following - slot if least is None else min(least, following - slot)
        slot = following
    return least


@cache
def check_cron(text: str) -> str | None:
    """Return what was expected of a cron expression that cannot be used; None where it can."""
    fields = text.split()
    if len(fields) != _CRON_FIELDS or len(text) > _CRON_CHARS:
        return _FIVE_FIELDS
    try:
        sim = CronSim(text, _A_NEW_YEAR)
    except CronSimError as wrong:
        return _BAD_FIELDS.get(str(wrong), _FIVE_FIELDS)
    except ValueError:
        return _FIVE_FIELDS  # a number of thousands of digits
    return None if next(sim, None) is not None else _BAD_FIELDS["Bad day-of-month"]


def _due(slots: Slots, slot: datetime) -> datetime:
    jitter = slots.jitter
    if jitter is None or (isinstance(slots, Beat) and slot == slots.anchor):
        # The anchor is when somebody chose to begin.
        return slot
    following = slots.after(slot)
    return slot if following is None else slot + jitter.delay(slot, following - slot)


def _walk(cron: str, zone: str, moment: datetime) -> Iterator[datetime]:
    """Yield the slots after a moment, each later than the one before."""
    # Local time and not UTC goes in, but only real time counts: in a repeated hour cronsim would
    # go back to the first of the two.
    last = moment
    try:
        for local in CronSim(cron, moment.astimezone(ZoneInfo(zone))):
            slot = local.astimezone(UTC)
            if slot > last:
                yield slot
                last = slot
    except (OverflowError, ValueError):
        # The calendar ends with the year 9999.
        return


@lru_cache(maxsize=_KEPT)
def _first_after(cron: str, zone: str, moment: datetime) -> datetime | None:
    return next(_walk(cron, zone, moment), None)


@lru_cache(maxsize=_KEPT)
def _latest(cron: str, zone: str, moment: datetime) -> datetime | None:
    """Look back further and further, so that few slots are walked, however dense they are."""
    for window in _WINDOWS:
        found = None
        for slot in _walk(cron, zone, moment - window):
            if slot > moment:
                break
            found = slot
        if found is not None:
            return found
    return None


_A_NEW_YEAR: Final = datetime(2023, 12, 31, 23, 59, tzinfo=UTC)
"""Before a year with a 29th of February."""
_MS: Final = timedelta(milliseconds=1)
_TICK: Final = timedelta(microseconds=1)
_FIVE_FIELDS: Final = "five fields: minute, hour, day of the month, month and day of the week"
_BAD_FIELDS: Final = {
    "Bad minute": "a first field (minute) of 0 to 59",
    "Bad hour": "a second field (hour) of 0 to 23",
    "Bad day-of-month": "a third field (day of the month) of 1 to 31 that such a month has, or L",
    "Bad month": "a fourth field (month) of 1 to 12 or JAN to DEC",
    "Bad day-of-week": "a fifth field (day of the week) of 0 to 7 (Sunday is both) or SUN to SAT",
}
"""Beside single values each may hold *, lists, ranges and steps."""
_CRON_FIELDS: Final = 5
_CRON_CHARS: Final = 200
