"""The daemon: one stack of resources, one group of loops, one ladder down."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

import integrationd
from integrationd.bundles.library import Loaded
from integrationd.bundles.watch import changes
from integrationd.daemon import garbage
from integrationd.daemon.actions import LocalActions, endpoint_token
from integrationd.daemon.broadcast import Broadcast
from integrationd.daemon.composition import Composition, compose
from integrationd.daemon.inputs import Learn, ignore
from integrationd.daemon.lock import locked
from integrationd.daemon.notify import Notifier
from integrationd.daemon.paths import Paths
from integrationd.daemon.system import SystemClock
from integrationd.engine.agenda import Agenda
from integrationd.engine.receive import Inlet
from integrationd.errors import StoreBrokenError, StoreError
from integrationd.ports.upkeep import Retention
from integrationd.schedule.timer import WallTimer
from integrationd.signals import (
    DaemonStarted,
    DaemonStopped,
    DaemonStopping,
    ReloadRefused,
    StorePruned,
)
from integrationd.spec.bundle import Bundle
from integrationd.spec.settings import Listen, Settings
from integrationd.telemetry.metrics import Metrics
from integrationd.telemetry.sink import SignalSink
from integrationd.web.control import build_control
from integrationd.web.hooks import Hooks
from integrationd.web.listener import Health, build_listener, listening, listening_on_socket

_log = logging.getLogger(__name__)
PRUNE_EVERY_S: Final = 3600.0
PRUNE_FIRST_S: Final = 60.0
CLOCK_EVERY_S: Final = 5.0
SWITCHES_EVERY_S: Final = 2.0
LISTS_EVERY_S: Final = 30.0
CLOCK_JUMP_S: Final = 2.0
"""A jump; slewing by NTP stays far below."""
WATCHDOG_SHARE: Final = 3
"""How many signs of life go into the time that systemd waits for one."""


async def run_daemon(paths: Paths, settings: Settings, *, learn: Learn = ignore) -> None:
    """Run until told to stop.

    Args:
        paths: Where files lie.
        settings: The daemon's own.
        learn: Told each secret that is looked up, to mask it in the log.

    Raises:
        HeldError: Another process uses the state directory.
        StoreError: The database cannot be used, now or later.
        SettingsError: The listener's address or the master key cannot be used.
    """
    clock = SystemClock()
    metrics = Metrics(clock)
    with locked(paths.lock):
        async with AsyncExitStack() as stack:
            parts = await stack.enter_async_context(
                compose(paths, settings, Broadcast(SignalSink(metrics)), learn=learn)
            )
            timer = await stack.enter_async_context(WallTimer())
            daemon = Daemon(parts=parts, timer=timer, notifier=Notifier(os.environ))
            await daemon.take_up()
            app = build_listener(hooks=daemon.hooks, health=daemon.health, metrics=metrics.render)
            where = await stack.enter_async_context(listening(app, settings.listen))
            with suppress(FileNotFoundError):
                paths.control.unlink()
            control = build_control(daemon.actions)
            await stack.enter_async_context(listening_on_socket(control, str(paths.control)))
            paths.control.chmod(0o600)
            await daemon.serve(where)


@dataclass(slots=True, kw_only=True)
class Daemon:
    """The parts in motion."""

    parts: Composition
    timer: WallTimer
    notifier: Notifier
    hooks: Hooks = field(init=False)
    health: Health = field(init=False)
    agenda: Agenda = field(init=False)
    actions: LocalActions = field(init=False)
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _reason: str = ""
    _refused: bool = False
    """The last load was refused by the store."""

    def __post_init__(self) -> None:
        """Build what faces outwards."""
        self.hooks = Hooks(world=self.parts.world, settings=self.parts.settings)
        self.health = Health(store=self.parts.store)
        self.agenda = Agenda(
            world=self.parts.world,
            conductor=self.parts.conductor,
            timer=self.timer,
            zone=self.parts.settings.timezone,
        )
        self.parts.prepare = self._prepare
        self.actions = LocalActions(self.parts, self._load, self.agenda)

    async def take_up(self) -> None:
        """Load the files for the first time."""
        await self.parts.load()
        garbage.settle()
        self.notifier.status(self._status_line())

    async def serve(self, where: Listen) -> None:
        """Run every loop until a signal comes, then go down the ladder."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ask_to_stop, signal.Signals(number).name)
        loop.add_signal_handler(signal.SIGHUP, self._wake.set)
        self.health.ready = True
        self._say_ready(where)
        try:
            async with asyncio.TaskGroup() as group:
                loops = [
                    group.create_task(_endless(name, endless), name=name)
                    for name, endless in self._loops().items()
                ]
                await self._stop.wait()
                await self._go_down()
                for each in loops:
                    each.cancel()
        except* StoreError as broken:
            raise StoreError(str(broken.exceptions[0])) from broken

    def _loops(self) -> dict[str, Coroutine[Any, Any, None]]:
        return {
            "watch files": self._watch_files(),
            "reload on demand": self._reload_on_demand(),
            "prune": self._prune(),
            "watch store": self._watch_store(),
            "watchdog": self._feed_watchdog(),
            "watch clock": self._watch_clock(),
            "watch switches": self._watch_switches(),
            "watch lists": self._watch_lists(),
        }

    def _say_ready(self, where: Listen) -> None:
        bundle = self.parts.loaded.bundle
        self.parts.broadcast.emit(
            DaemonStarted(
                version=integrationd.__version__,
                listen=f"{where.host}:{where.port}",
                integrations=len(bundle.integrations),
                problems=len(bundle.problems),
            )
        )
        self.notifier.ready(self._status_line())

    def _status_line(self) -> str:
        bundle = self.parts.loaded.bundle
        errors = sum(problem.is_error for problem in bundle.problems)
        return f"{len(bundle.integrations)} integrations, {errors} problems in files"

    def _ask_to_stop(self, reason: str) -> None:
        self._reason = reason
        self._stop.set()

    async def _go_down(self) -> None:
        """Stop taking, stop starting, let runs finish, cancel the late; each rung has a limit."""
        parts, began_s = self.parts, self.parts.world.clock.monotonic()
        self.notifier.stopping()
        parts.broadcast.emit(DaemonStopping(reason=self._reason))
        self.health.ready = False
        self.hooks.closed = True
        self.agenda.close()
        await parts.conductor.drain(parts.settings.drain.total_seconds())
        parts.broadcast.emit(
            DaemonStopped(took_s=round(parts.world.clock.monotonic() - began_s, 3))
        )

    @asynccontextmanager
    async def _prepare(self, bundle: Bundle) -> AsyncIterator[Callable[[], None]]:
        """Get ready what goes with a bundle: timer, endpoints, what waits in quarantine."""
        async with self.agenda.booking(bundle) as book:
            inlets = await self._find_inlets(bundle)
            rows = await self.parts.store.streams(None)

            def settle() -> None:
                book()
                self.parts.conductor.retry(rows)
                self.hooks.inlets = inlets

            yield settle

    async def _find_inlets(self, bundle: Bundle) -> dict[str, Inlet]:
        inlets: dict[str, Inlet] = {}
        for integration in bundle.integrations.values():
            for name, endpoint in integration.webhooks.items():
                token = await endpoint_token(self.parts, integration.tenant, integration.name, name)
                inlets[token] = Inlet(integration=integration, name=name, endpoint=endpoint)
        return inlets

    async def _load(self, *, again: bool = False) -> Loaded:
        """Load the files anew, or say that the store does not let us.

        Args:
            again: Nobody asked; what was said before is not said again.
        """
        try:
            loaded = await self.parts.load()
        except StoreBrokenError:
            raise
        except StoreError as away:
            if not (again and self._refused):
                self.parts.broadcast.emit(ReloadRefused(reason=str(away)))
            self._refused = True
            message = f"nothing was reloaded and what ran goes on, as the store is away: {away}"
            raise StoreError(message) from away
        self._refused = False
        self.notifier.status(self._status_line())
        return loaded

    async def _reload(self, *, again: bool = False) -> None:
        """Load the files anew; where the store is away, live on with those that run.

        What has changed stays stale then, so the watcher asks for it until it is taken up.
        """
        try:
            await self._load(again=again)
        except StoreBrokenError:
            raise
        except StoreError:
            return

    async def _watch_files(self) -> None:
        async for _ in changes(self.parts.library):
            await self._reload(again=True)

    async def _reload_on_demand(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            self.notifier.reloading()
            await self._reload()
            self.notifier.ready(self._status_line())

    async def _prune(self) -> None:
        keep = self.parts.settings.retention
        retention = Retention(
            runs=keep.runs, events=keep.events, history=keep.history, quarantine=keep.quarantine
        )
        wait_s = PRUNE_FIRST_S
        while True:
            await asyncio.sleep(wait_s)
            wait_s = PRUNE_EVERY_S
            try:
                rows = await self.parts.store.prune(self.parts.world.clock.now(), retention)
            except StoreBrokenError:
                raise
            except StoreError as away:
                _log.warning("pruning waits for the next hour: %s", away)
                continue
            if any(rows.values()):
                self.parts.broadcast.emit(StorePruned(rows=dict(rows)))

    async def _watch_clock(self) -> None:
        """Book everything anew when the wall clock jumps: the timer waits for times of day."""
        clock = self.parts.world.clock
        offset_s = clock.now().timestamp() - clock.monotonic()
        while True:
            await asyncio.sleep(CLOCK_EVERY_S)
            now_s = clock.now().timestamp() - clock.monotonic()
            if abs(now_s - offset_s) <= CLOCK_JUMP_S:
                continue
            try:
                await self.agenda.book(anew=True)
            except StoreBrokenError:
                raise
            except StoreError as away:
                _log.warning("the clock jumped, which waits to be taken up: %s", away)
            else:
                offset_s = now_s

    async def _watch_switches(self) -> None:
        """Hear what is switched through another daemon; an embedded database has but this one."""
        if not self.parts.settings.database.url:
            await asyncio.Event().wait()
        while True:
            await asyncio.sleep(SWITCHES_EVERY_S)
            with suppress(StoreError):  # as it was until the database answers again
                if await self.parts.store.switches() != self.parts.conductor.switches:
                    await self.agenda.book()

    async def _watch_lists(self) -> None:
        """Hear what another daemon's reading of a list has found, as with switches."""
        if not self.parts.settings.database.url:
            await asyncio.Event().wait()
        while True:
            await asyncio.sleep(LISTS_EVERY_S)
            with suppress(StoreError):
                for name in self.parts.conductor.bundle.integrations:
                    await self.parts.relist(name)

    async def _watch_store(self) -> None:
        await self.parts.conductor.failed.wait()
        raise StoreError("the database failed under a run; see the line above")

    async def _feed_watchdog(self) -> None:
        """Show systemd that this very loop still turns."""
        if self.notifier.watchdog_s is None:
            await asyncio.Event().wait()
            return
        while True:
            self.notifier.alive()
            await asyncio.sleep(self.notifier.watchdog_s / WATCHDOG_SHARE)


async def _endless(name: str, loop: Coroutine[Any, Any, None]) -> None:
    """Run a loop that must not end by itself."""
    await loop
    message = f"loop {name!r} ended, it should not"
    raise RuntimeError(message)
