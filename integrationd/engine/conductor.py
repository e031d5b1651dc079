"""Which runs are under way: one for each stream, as many at once as the settings allow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Sequence,
)
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar

from integrationd.config.problems import nearest
from integrationd.config.units import Rate
from integrationd.engine.calling import WAIT_IN_RUN_MAX_S
from integrationd.engine.plans import StreamPlan, build_plan
from integrationd.engine.preview import preview_stream
from integrationd.engine.replay import ReplayOutcome, replay_stream
from integrationd.engine.reshaping import retriable
from integrationd.engine.sync import Declined, RunOutcome, RunWish, refuse, sync_stream
from integrationd.engine.world import World
from integrationd.errors import (
    IntegrationError,
    SettingsError,
    StoreBrokenError,
    StoreError,
    UsageError,
)
from integrationd.model.json import Json
from integrationd.model.runs import RunStatus, Trigger
from integrationd.model.switches import NOTHING_OFF, Switches
from integrationd.ports.store import StreamKey, StreamRow
from integrationd.signals import RunSkipped
from integrationd.spec.bundle import Bundle
from integrationd.spec.discovered import tell_unknown
from integrationd.spec.documents import Integration
from integrationd.spec.families import parents_first
from integrationd.spec.settings import Settings
from integrationd.wire.budget import Budget
from integrationd.wire.limits import rates_of

T = TypeVar("T")

BESIDE_MAX: Final = 50
"""Calls at the same time; the others wait."""

Run: TypeAlias = asyncio.Task[RunOutcome | Declined]
SCHEDULED: Final = RunWish(trigger=Trigger.SCHEDULE)
_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Conductor:
    """Starts runs and knows which are under way. Entered by the daemon, which waits for its end."""

    world: World
    settings: Settings
    bundle: Bundle
    switches: Switches = NOTHING_OFF
    """What people have switched off, as it was looked at last."""
    listed: Callable[[str], Awaitable[None]] | None = None
    """Called with an integration of which a list that discovers was read."""
    running: dict[tuple[str, str], asyncio.Task[Any]] = field(default_factory=dict)
    failed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the store failed under a run: the daemon has to end."""
    _plans: dict[tuple[str, str], StreamPlan] = field(default_factory=dict)
    _budgets: dict[str, tuple[tuple[Rate, ...], Budget]] = field(default_factory=dict)
    _slots: asyncio.Semaphore | None = None
    _retries: set[asyncio.Task[None]] = field(default_factory=set)
    _beside: asyncio.Semaphore | None = None
    _closed: bool = False

    def swap(self, bundle: Bundle) -> None:
        """Take up new files; runs under way finish on the old ones."""
        self.bundle = bundle
        self._plans.clear()

    def integration(self, name: str) -> Integration:
        """Return an integration by name; raises UsageError with the nearest one."""
        found = self.bundle.integrations.get(name)
        if found is None and name in self.bundle.refused:
            raise SettingsError(
                f"integration {name!r} has errors in its files, see: integrationd check"
            )
        if found is None:
            raise UsageError(f"no integration {name!r}{nearest(name, self.bundle.integrations)}")
        return found

    def streams_of(self, name: str, wanted: tuple[str, ...] = ()) -> list[str]:
        """Return the streams to be read: those wanted, else all that are read and enabled."""
        integration = self.integration(name)
        readable = [key for key, stream in integration.streams.items() if stream.is_read()]
        for stream in wanted:
            if stream not in integration.streams:
                raise UsageError(tell_unknown(integration, "stream", stream, readable))
            if stream not in readable:
                raise UsageError(f"stream {name}/{stream} makes no request, only webhooks fill it")
        every = parents_first(integration.streams, readable)
        return [
            key for key in every if (key in wanted if wanted else integration.streams[key].enabled)
        ]

    def open_streams_of(self, name: str, wanted: tuple[str, ...] = ()) -> list[str]:
        """Return the streams to be read, unless the integration is disabled."""
        found = self.streams_of(name, wanted)
        self.refuse_disabled(name)
        objects = self.integration(name).objects
        for stream in wanted:
            if stream in objects and not objects[stream].listed:
                where = f"{name}/{objects[stream].of} does not list it any more"
                raise SettingsError(f"stream {name}/{stream} is not read, as {where}")
        return found

    async def read_lists(self, name: str, wanted: tuple[str, ...]) -> None:
        """Read the lists of an integration that were never read, where a stream is unknown.

        Raises:
            UsageError: One cannot be read, so that it is not known whether there is such a stream.
        """
        integration = self.integration(name)
        unknown = [stream for stream in wanted if stream not in integration.streams]
        for stream in integration.moulds if unknown else ():
            key = StreamKey(name, stream)
            if (await self.world.store.load_state(integration.tenant, key, "")).shape:
                continue
            self.open_streams_of(name, (stream,))
            outcome = await self.sync(name, stream, RunWish(trigger=Trigger.CHILD))
            if outcome is None or outcome.status is not RunStatus.DONE:
                why = "another process is reading it" if outcome is None else outcome.error
                told = tell_unknown(integration, "stream", unknown[0], integration.streams)
                raise UsageError(f"{told}, which could not be read: {why}")

    def refuse_disabled(self, name: str) -> None:
        """Raise SettingsError where nothing is to be asked of an integration's provider."""
        if self.switches.is_disabled(self.integration(name).tenant, name):
            message = f"integration {name!r} is disabled; first: integrationd enable {name}"
            raise SettingsError(message)

    def due(
        self, name: str, stream: str, wish: RunWish = SCHEDULED, *, told: bool = False
    ) -> Run | None:
        """Start a scheduled run, unless one is under way or the stream is not read any more.

        Args:
            name: The integration.
            stream: Its stream.
            wish: What is to be read.
            told: It was told before that the run cannot begin.

        Returns:
            The run; None where none begins.
        """
        integration = self.bundle.integrations.get(name)
        found = None if integration is None else integration.streams.get(stream)
        if integration is None or found is None or not found.is_read() or self._closed:
            return None
        skipped = None
        if (name, stream) in self.running:
            skipped = RunSkipped(integration=name, stream=stream)
        elif self._is_paused(integration, found.auth):
            reason = "the provider asked for a time without requests"
            skipped = RunSkipped(integration=name, stream=stream, reason=reason)
        if skipped is None:
            return self._start(name, stream, wish)
        if not told:
            self.world.signals.emit(skipped)
        return None

    async def sync(self, name: str, stream: str, wish: RunWish) -> RunOutcome | None:
        """Run now and wait for the outcome; None where another process reads the stream.

        A reading of the stream that is under way is waited for first.
        """
        await self._wait_for_turn(name, stream)
        self.open_streams_of(name, (stream,))  # while we waited, files may have changed
        outcome = await asyncio.shield(self._start(name, stream, wish))
        return outcome if isinstance(outcome, RunOutcome) else None

    async def instead(
        self, name: str, stream: str, work: Callable[[], Coroutine[Any, Any, T]]
    ) -> T:
        """Run something that must not meet a reading of the stream, and wait for its end.

        A reading under way is waited for first; one that becomes due meanwhile is skipped. Whoever
        asked may go away: the work goes on, and the daemon's end waits for it.
        """
        await self._wait_for_turn(name, stream)
        task = self._track(name, stream, self._guarded(self._then_look(name, stream, work())))
        return await asyncio.shield(task)

    async def beside(self, name: str, what: str, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run something that readings need not wait for, and wait for its end.

        Whoever asked may go away: the work goes on, and the daemon's end waits for it.

        Args:
            name: The integration.
            what: No name of a stream; tells this piece of work from all others under way.
            work: It begins when fewer than :data:`BESIDE_MAX` such pieces are under way.
        """
        if self._closed:
            raise IntegrationError("the daemon is stopping")
        return await asyncio.shield(self._track(name, what, self._guarded(self._in_turn(work))))

    async def _in_turn(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if self._beside is None:
            self._beside = asyncio.Semaphore(BESIDE_MAX)
        async with self._beside:
            return await work()

    def preview(self, name: str, stream: str, wish: RunWish) -> AsyncIterator[Json]:
        """Tell what the next reading would change; see :mod:`integrationd.engine.preview`."""
        [found] = self.open_streams_of(name, (stream,))
        plan = self._plan(name, found)
        return preview_stream(
            self.world, plan, wish, settings=self.settings, budget=self._budget(plan)
        )

    async def replay(self, name: str, stream: str, ids: Sequence[int]) -> ReplayOutcome | None:
        """Map again what waits of a stream, all or some; None where another process reads it.

        Raises:
            UsageError: No such stream any more, or its records have other names by now.
        """
        self.streams_of(name, (stream,))
        return await self.instead(
            name, stream, lambda: replay_stream(self.world, self._plan(name, stream), ids)
        )

    def retry(self, rows: Iterable[StreamRow]) -> list[asyncio.Task[None]]:
        """Map again what was refused by specs of another shape; called after files were loaded.

        Returns what is begun; nobody has to wait for it.
        """
        begun = []
        for name, stream in retriable(rows, self.bundle):
            again = asyncio.create_task(self._retry(name, stream), name=f"retry {name}/{stream}")
            self._retries.add(again)
            again.add_done_callback(self._retries.discard)
            begun.append(again)
        return begun

    async def _retry(self, name: str, stream: str) -> None:
        try:
            await self.replay(name, stream, ())
        except IntegrationError as refused:
            _log.info("quarantine of %s/%s is not mapped again: %s", name, stream, refused)

    async def drain(self, patience_s: float) -> int:
        """Start nothing more, wait for what runs, cancel the late; returns how many those were."""
        self._closed = True
        runs = list(self.running.values())
        if not runs:
            return 0
        _, late = await asyncio.wait(runs, timeout=patience_s)
        for run in late:
            run.cancel()
        if late:
            await asyncio.wait(late)
        return len(late)

    def _start(self, name: str, stream: str, wish: RunWish) -> Run:
        run = self._run(self._plan(name, stream), wish)
        return self._track(name, stream, self._guarded(self._then_look(name, stream, run)))

    async def _then_look(self, name: str, stream: str, work: Coroutine[Any, Any, T]) -> T:
        """Do something with a stream; where that is a list, there may be other streams then."""
        done = await work
        integration = self.bundle.integrations.get(name)
        if self.listed is not None and integration is not None and stream in integration.moulds:
            try:
                await self.listed(name)
            except StoreBrokenError:
                raise
            except StoreError as away:
                _log.warning("what %s/%s lists waits to be taken up: %s", name, stream, away)
        return done

    async def _wait_for_turn(self, name: str, stream: str) -> None:
        while (under_way := self.running.get((name, stream))) is not None:
            await asyncio.wait([under_way])
        if self._closed:
            raise IntegrationError("the daemon is stopping")

    def _track(self, name: str, stream: str, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name=f"sync {name}/{stream}")
        self.running[name, stream] = task
        task.add_done_callback(lambda ended: self._ended(name, stream, ended))
        return task

    def _ended(self, name: str, stream: str, run: asyncio.Task[Any]) -> None:
        self.running.pop((name, stream), None)
        if not run.cancelled() and (error := run.exception()) is not None:
            # Whoever waits for the run is told as well; a scheduled one has nobody.
            _log.error("reading %s/%s: %s", name, stream, error)

    async def _guarded(self, run: Coroutine[Any, Any, T]) -> T:
        """Let a failed store end the daemon only where going on would be guessing."""
        try:
            return await run
        except StoreBrokenError:
            self.failed.set()
            raise

    async def _run(self, plan: StreamPlan, wish: RunWish) -> RunOutcome | Declined:
        missing = await self._read_parents(plan, wish)
        if missing is not None:
            return missing
        if self._slots is None:
            self._slots = asyncio.Semaphore(self.settings.limits.runs)
        async with self._slots:
            off = self.switches.stops_schedules(plan.tenant, plan.key.integration)
            if off and wish.trigger is Trigger.SCHEDULE:
                return Declined(None)  # while it waited for its turn
            return await sync_stream(
                self.world, plan, wish, settings=self.settings, budget=self._budget(plan)
            )

    async def _read_parents(self, plan: StreamPlan, wish: RunWish) -> RunOutcome | None:
        """Read first what a stream's parents have not given yet, or give by no schedule.

        Returns:
            Why the stream cannot be read, where a parent could not be.
        """
        name, rule = plan.integration.name, plan.stream.for_each
        for parent in () if rule is None else dict.fromkeys(map(str, rule.parents)):
            while (under_way := self.running.get((name, parent))) is not None:
                await asyncio.wait([under_way])
            above, stream = self._plan(name, parent), plan.integration.streams[parent]
            stored = await self.world.store.load_state(plan.tenant, above.key, "")
            waits = stored.shape != above.prints.shape
            unscheduled = not stream.enabled or stream.schedule.is_manual()
            if waits or (unscheduled and wish.trigger is Trigger.SCHEDULE):
                outcome = await self.sync(name, parent, RunWish(trigger=Trigger.CHILD))
                if waits and (outcome is None or outcome.status is not RunStatus.DONE):
                    why = "another process is reading it" if outcome is None else outcome.error
                    reason = f"it is read for each of {name}/{parent}, of which nothing is known"
                    return refuse(self.world, plan.key, f"{reason}: {why or 'it was stopped'}")
        return None

    def _plan(self, name: str, stream: str) -> StreamPlan:
        plan = self._plans.get((name, stream))
        if plan is None:
            plan = self._plans[name, stream] = build_plan(self.integration(name), stream)
        return plan

    def _is_paused(self, integration: Integration, way: str | None) -> bool:
        """Whether a run would only find out that it must wait for too long."""
        kept = self._budgets.get(integration.account_of(way))
        if kept is None:
            return False
        return kept[1].paused_s(self.world.clock.monotonic()) > WAIT_IN_RUN_MAX_S

    def _budget(self, plan: StreamPlan) -> Budget:
        return self.budget_of(plan.integration)

    def budget_of(self, integration: Integration) -> Budget:
        """Return the budget of who asks, the same one over reloads while its rates stay."""
        # Without a rate nobody waits for a slot, but a 429 still pauses all.
        rates = () if integration.http is None else rates_of(integration.http.limits.rate)
        kept = self._budgets.get(integration.account)
        if kept is None or kept[0] != rates:
            kept = self._budgets[integration.account] = (rates, Budget(*rates))
        return kept[1]
