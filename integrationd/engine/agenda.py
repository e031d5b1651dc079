"""The streams on the timer: what is due begins, what was missed begins once, and no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from integrationd.engine.appointments import Appointment, Past, appointments, calendars
from integrationd.engine.conductor import Conductor, Run
from integrationd.engine.status import read_streams
from integrationd.engine.sync import Declined, RunOutcome, RunWish
from integrationd.engine.world import World
from integrationd.errors import StoreError
from integrationd.model.runs import Trigger
from integrationd.model.switches import Switches
from integrationd.ports.outside import Timer
from integrationd.ports.store import StreamKey
from integrationd.spec.bundle import Bundle
from integrationd.spec.slots import Beat, Calendar
from integrationd.transform.zones import Zone

LOOK_AGAIN: Final = timedelta(seconds=60)
"""After a stream could not be read at its time, or the store went away under it. As long as a
claim lasts, so that what a process that died held is free by then."""


@dataclass(frozen=True, slots=True)
class _Outlook:
    """What the store knows of a bundle's streams."""

    bundle: Bundle
    switches: Switches
    past: Past

    def closed(self) -> set[str]:
        """Return the integrations that people have switched off."""
        return {
            name
            for name, integration in self.bundle.integrations.items()
            if self.switches.stops_schedules(integration.tenant, name)
        }


@dataclass(slots=True, kw_only=True)
class Agenda:
    """Keeps every stream that has a schedule on the timer."""

    world: World
    conductor: Conductor
    timer: Timer
    zone: Zone
    """Of calendars that name none."""
    _booked: dict[str, Appointment] = field(default_factory=dict)
    _put_off: set[str] = field(default_factory=set)
    """Due, and told that they could not begin."""
    _booking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def book(self, *, anew: bool = False) -> None:
        """Put what the conductor's bundle schedules on the timer, and is not switched off.

        Args:
            anew: Also what has not changed, as the clock was set.

        Raises:
            StoreError: The store does not answer; everything stays as it was.
        """
        async with self._booking:
            self._put(await self._look(self.conductor.bundle), anew=anew)

    @asynccontextmanager
    async def booking(self, bundle: Bundle) -> AsyncIterator[Callable[[], None]]:
        """Look up all that another bundle needs; what is yielded books it, and cannot fail.

        Raises:
            StoreError: On entering: the store does not answer; everything stays as it was.
        """
        async with self._booking:
            outlook = await self._look(bundle)
            yield lambda: self._put(outlook)

    async def _look(self, bundle: Bundle) -> _Outlook:
        store = self.world.store
        switches = await store.switches()
        rows = await read_streams(store, bundle)
        slots: dict[StreamKey, datetime] = {}
        for tenant, openings in calendars(bundle, self.zone, self.world.clock.now()).items():
            slots.update(await store.open_calendars(tenant, openings))
        return _Outlook(bundle, switches, Past(rows=rows, slots=slots))

    def _put(self, seen: _Outlook, *, anew: bool = False) -> None:
        self.conductor.switches = seen.switches
        now, closed = self.world.clock.now(), seen.closed()
        found = appointments(seen.bundle, seen.past, now, zone=self.zone, closed=closed)
        wanted = {f"{item.key.integration}/{item.key.stream}": item for item in found}
        for name in self._booked.keys() - wanted.keys():
            self.timer.remove(name)
        self._booked = {
            name: self._keep_or_set(name, item, anew=anew) for name, item in wanted.items()
        }

    def close(self) -> None:
        """Take everything off the timer."""
        for name in self._booked:
            self.timer.remove(name)
        self._booked = {}

    def next_runs(self) -> dict[StreamKey, datetime]:
        """Return when each stream is due next."""
        times = {item.key: self.timer.next_at(name) for name, item in self._booked.items()}
        return {key: at for key, at in times.items() if at is not None}

    def _keep_or_set(self, name: str, item: Appointment, *, anew: bool) -> Appointment:
        kept = self._booked.get(name)
        if kept is not None and kept.schedule == item.schedule and not anew:
            return kept
        self._set(name, item, item.first)
        return item

    def _set(self, name: str, item: Appointment, first: datetime) -> None:
        self.timer.set(name, first=first, following=item.following, callback=self._due)

    def _due(self, name: str) -> None:
        item = self._booked[name]
        wish = RunWish(trigger=Trigger.SCHEDULE, slot=item.slot)
        told = name in self._put_off
        run = self.conductor.due(item.key.integration, item.key.stream, wish, told=told)
        self._put_off.discard(name)
        if run is not None:
            run.add_done_callback(lambda ended: self._ended(name, ended))
        elif isinstance(item.slots, Calendar):
            self._put_off.add(name)
            self._look_again(name, item)

    def _ended(self, name: str, run: Run) -> None:
        item = self._booked.get(name)
        if item is None or run.cancelled():
            return
        if (error := run.exception()) is not None:
            # The store did not answer: the slot is still owed.
            if isinstance(error, StoreError):
                self._look_again(name, item)
            return
        match run.result():
            case Declined(None):
                # Whoever reads it has taken the slot; but should it die, somebody must go on.
                self._look_again(name, item)
            case Declined(datetime() as taken) if isinstance(item.slots, Beat):
                # Another process keeps the beat: fall in with it.
                beat = replace(item.slots, anchor=taken + item.slots.every)
                first = max(beat.anchor, beat.after(self.world.clock.now()))
                self._booked[name] = item = replace(item, slots=beat)
                self._set(name, item, first)
            case RunOutcome(broke_off=True):
                self._look_again(name, item)
            case _:
                pass

    def _look_again(self, name: str, item: Appointment) -> None:
        now = self.world.clock.now()
        following = item.following(now)
        if following is None or following > now + LOOK_AGAIN:
            self._set(name, item, now + LOOK_AGAIN)
