"""When each stream is due first, so that a restart neither repeats nor forgets a reading."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from integrationd.model.runs import RunStatus
from integrationd.ports.slots import Opening, Slot
from integrationd.ports.store import RunRow, StreamKey, StreamRow
from integrationd.spec.bundle import Bundle
from integrationd.spec.schedule import Schedule
from integrationd.spec.slots import Beat, Calendar, Slots, due_after, latest_due
from integrationd.transform.zones import Zone

SPREAD_MAX: Final = timedelta(seconds=30)
"""Streams that are all overdue at start begin within this time, each at its own moment."""
NEW_SPREAD_MAX: Final = timedelta(seconds=1)
"""One that was never read begins almost at once: somebody is waiting to see it work."""
SKEW_MAX: Final = timedelta(seconds=10)
"""How far the clocks of two processes may lie apart."""
SET_BACK_MAX: Final = timedelta(days=2)
"""A clock that is set back by less waits until it is past what it had; by more, it was wrong."""
_NEARLY: Final = 0.9
"""Of an interval: two processes whose slots lie nearer than this mean the same one."""
_BROKEN_OFF: Final = frozenset({RunStatus.RUNNING, RunStatus.STOPPED})
"""A run that died stays marked as running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is known of all streams' readings."""

    rows: Mapping[StreamKey, StreamRow] = field(default_factory=dict)
    slots: Mapping[StreamKey, datetime] = field(default_factory=dict)
    """The last slot of each calendar."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """One stream on the timer."""

    key: StreamKey
    schedule: Schedule
    slots: Slots
    first: datetime
    goes_on: str = ""
    """The id of the run that broke off, where the first one goes on with it."""

    def following(self, moment: datetime) -> datetime | None:
        """Return when it is due next after a moment."""
        return due_after(self.slots, moment)

    def slot(self, now: datetime) -> Slot:
        """Return the slot that a run takes which begins now."""
        at = latest_due(self.slots, now) or now
        if isinstance(self.slots, Beat):
            every = self.slots.every
            skew = max(every * (1 - _NEARLY), SKEW_MAX)
            since = at - every * _NEARLY
            return Slot(at=at, since=since, until=now + skew, goes_on=self.goes_on)
        return Slot(at=at, since=at, until=now + SET_BACK_MAX, goes_on=self.goes_on)


def calendars(bundle: Bundle, zone: Zone, now: datetime) -> dict[str, dict[StreamKey, Opening]]:
    """Return the calendars that run, by tenant, as they would come into force now."""
    found: dict[str, dict[StreamKey, Opening]] = {}
    for tenant, key, schedule in _scheduled(bundle):
        calendar = schedule.calendar(zone, _name(key))
        if calendar is not None:
            text = f"{', '.join(calendar.crons)} {calendar.zone}"
            opening = Opening(schedule=text, had=latest_due(calendar, now) or now)
            found.setdefault(tenant, {})[key] = opening
    return found


def appointments(
    bundle: Bundle,
    past: Past,
    now: datetime,
    *,
    zone: Zone,
    closed: Collection[str] = frozenset(),
) -> Iterator[Appointment]:
    """Yield every enabled stream with a schedule, and when it is due first.

    A stream that broke off or that missed its time is due at once, but for a spread that is the
    same at every start, and so is one with an interval that was never read; the others at their
    next time.

    Args:
        bundle: What runs.
        past: Of the same tenants.
        now: The current time.
        zone: Of calendars that name none.
        closed: Integrations that are not to be read by schedule now.
    """
    for _, key, schedule in _scheduled(bundle):
        if key.integration in closed:
            continue
        row = past.rows.get(key)
        last = None if row is None else row.last_run
        broken = last if row is not None and _broke_off(row) else None
        calendar = schedule.calendar(zone, _name(key))
        slots: Slots
        if calendar is not None:
            first = _first_of_calendar(key, calendar, past, now)
            slots = calendar
        else:
            assert schedule.every is not None
            first = _whole_ms(now + _first_delay(key, schedule.every, row, now))
            beat = schedule.beat(first, _name(key))
            assert beat is not None
            slots = beat
        if first is not None:
            goes_on = "" if broken is None else broken.id
            yield Appointment(key=key, schedule=schedule, slots=slots, first=first, goes_on=goes_on)


def expected_times(
    bundle: Bundle,
    rows: Mapping[StreamKey, StreamRow],
    now: datetime,
    *,
    zone: Zone,
    closed: Collection[str] = frozenset(),
) -> dict[StreamKey, datetime]:
    """Return when each stream is due next, as a daemon that began now would have it.

    Only what one that runs knows is left out: a slot of a calendar that it has missed.
    """
    opened = calendars(bundle, zone, now).values()
    slots = {key: opening.had for openings in opened for key, opening in openings.items()}
    past = Past(rows=rows, slots=slots)
    return {
        item.key: item.first for item in appointments(bundle, past, now, zone=zone, closed=closed)
    }


def _scheduled(bundle: Bundle) -> Iterator[tuple[str, StreamKey, Schedule]]:
    """Yield the streams that a schedule reads, each with its tenant."""
    for name, integration in bundle.integrations.items():
        for stream_name, stream in integration.streams.items():
            if stream.enabled and stream.is_read() and not stream.schedule.is_manual():
                yield integration.tenant, StreamKey(name, stream_name), stream.schedule


def _first_of_calendar(
    key: StreamKey, calendar: Calendar, past: Past, now: datetime
) -> datetime | None:
    """Return when it is due first: its next slot, or at once for one that was missed."""
    row = past.rows.get(key)
    slot = latest_due(calendar, now)
    missed = slot is not None and slot > past.slots[key] and not _has_run_since(row, slot)
    if missed or (row is not None and _broke_off(row)):
        return now + _spread(key, SPREAD_MAX)
    return due_after(calendar, now)


def _has_run_since(row: StreamRow | None, slot: datetime) -> bool:
    """Whether a person has had it read after that time, so that nothing is missing."""
    last: RunRow | None = None if row is None else row.last_run
    return last is not None and last.started_at >= slot


def _first_delay(
    key: StreamKey, every: timedelta, row: StreamRow | None, now: datetime
) -> timedelta:
    if row is None or row.last_run is None:
        return _spread(key, min(every / 10, NEW_SPREAD_MAX))
    soon = _spread(key, min(every / 10, SPREAD_MAX))
    if _broke_off(row):
        return soon
    remaining = row.last_run.started_at + every - now
    # A clock that was set back must not put a stream off for longer than its interval.
    return min(max(remaining, soon), every)


def _whole_ms(moment: datetime) -> datetime:
    """Round down to what the store keeps, so that two processes have the same beat."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _broke_off(row: StreamRow) -> bool:
    return row.last_run is not None and (row.walking or row.last_run.status in _BROKEN_OFF)


def _spread(key: StreamKey, most: timedelta) -> timedelta:
    digest = hashlib.blake2b(_name(key).encode(), digest_size=4).digest()
    return most * (int.from_bytes(digest, "big") / (1 << 32))


def _name(key: StreamKey) -> str:
    return f"{key.integration}/{key.stream}"
