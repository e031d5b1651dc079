"""When each stream is due first, so that a restart neither repeats nor forgets a reading."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from integrationd.model.runs import RunStatus
from integrationd.ports.store import StreamKey, StreamRow
from integrationd.spec.bundle import Bundle

SPREAD_MAX: Final = timedelta(seconds=30)
"""Streams that are all overdue at start begin within this time, each at its own moment."""
NEW_SPREAD_MAX: Final = timedelta(seconds=1)
"""One that was never read begins almost at once: somebody is waiting to see it work."""
_BROKEN_OFF: Final = frozenset({RunStatus.RUNNING, RunStatus.STOPPED})
"""A run that died stays marked as running."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """One stream on the timer."""

    key: StreamKey
    every: timedelta
    first_delay: timedelta


def appointments(
    bundle: Bundle, rows: Mapping[StreamKey, StreamRow], now: datetime
) -> Iterator[Appointment]:
    """Yield every enabled stream with an interval, and when it is due first.

    A stream that was never read, that broke off or that missed its time is due at once, but for a
    spread that is the same at every start; the others when their interval has passed.
    """
    for name, integration in bundle.integrations.items():
        for stream_name, stream in integration.streams.items():
            every = stream.schedule.every
            if every is None or not stream.enabled or not stream.is_read():
                continue
            key = StreamKey(name, stream_name)
            yield Appointment(
                key=key, every=every, first_delay=_first_delay(key, every, rows.get(key), now)
            )


def _first_delay(
    key: StreamKey, every: timedelta, row: StreamRow | None, now: datetime
) -> timedelta:
    if row is None or row.last_run is None:
        return _spread(key, min(every / 10, NEW_SPREAD_MAX))
    soon = _spread(key, min(every / 10, SPREAD_MAX))
    if row.walking or row.last_run.status in _BROKEN_OFF:
        return soon
    remaining = row.last_run.started_at + every - now
    # A clock that was set back must not put a stream off for longer than its interval.
    return min(max(remaining, soon), every)


def _spread(key: StreamKey, most: timedelta) -> timedelta:
    digest = hashlib.blake2b(f"{key.integration}/{key.stream}".encode(), digest_size=4).digest()
    return most * (int.from_bytes(digest, "big") / (1 << 32))
