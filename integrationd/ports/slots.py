"""Slots of schedules, which the store gives to one process each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from integrationd.ports.store import StreamKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A time of a stream's schedule, taken by whoever begins a run of it first."""

    at: datetime
    since: datetime
    """It is taken where the stream's last one lies from here,"""
    until: datetime
    """to here, both included. A later one came of a clock that was wrong."""
    goes_on: str = ""
    """The id of a run that broke off: while it is the stream's last, unless it was done after all,
    another one goes on for it without a slot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The schedule of a stream as it comes into force."""

    schedule: str
    had: datetime
    """The last of its slots that has come due: this one and those before are none that was missed.
    One that jitter still holds back is to come."""


class SlotStore(Protocol):
    """Where it is kept which slot each stream has had; it is taken by ``begin_run``."""

    async def open_calendars(
        self, tenant: str, openings: Mapping[StreamKey, Opening]
    ) -> Mapping[StreamKey, datetime]:
        """Note which schedules run, and return the last slot of each of these streams.

        Only for a stream that comes for the first time, or with another schedule, does it count
        what it has had.

        Args:
            tenant: Whose.
            openings: The streams with a calendar.
        """
        ...
