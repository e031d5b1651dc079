"""Times by APScheduler 3.11, kept in memory: the bundle is the truth about schedules."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from apscheduler.executors.asyncio import AsyncIOExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from typing_extensions import override


class WallTimer:
    """Implements :class:`integrationd.ports.outside.Timer` while it is entered.

    It follows the wall clock, as APScheduler does.
    """

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(
            jobstores={"default": MemoryJobStore()},
            executors={"default": AsyncIOExecutor()},
            # A late call is made, once; the defaults drop what is a second late.
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
            timezone=UTC,
        )
        # It tells of every call; what a person should know of them are our own signals.
        logging.getLogger("apscheduler").setLevel(logging.WARNING)

    async def __aenter__(self) -> Self:
        """Begin to call."""
        self._scheduler.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Call no more."""
        self._scheduler.shutdown(wait=False)

    def set(
        self,
        key: str,
        *,
        first: datetime,
        following: Callable[[datetime], datetime | None],
        callback: Callable[[str], None],
    ) -> None:
        """Call ``callback(key)`` again and again; see the port."""
        self._scheduler.add_job(
            _call,
            _Following(following),
            args=(callback, key),
            id=key,
            name=key,
            next_run_time=first,
            replace_existing=True,
        )

    def remove(self, key: str) -> None:
        """Call no more."""
        try:
            self._scheduler.remove_job(key)
        except JobLookupError:
            return

    def next_at(self, key: str) -> datetime | None:
        """Return when a key is called next."""
        due = self._scheduler.get_job(key)
        at: datetime | None = None if due is None else due.next_run_time
        return at

    def keys(self) -> frozenset[str]:
        """Return what is set."""
        return frozenset(due.id for due in self._scheduler.get_jobs())


class _Following(BaseTrigger):  # type: ignore[misc] # untyped
    """A schedule as APScheduler asks for it; its own cron takes Sunday for Monday."""

    def __init__(self, following: Callable[[datetime], datetime | None]) -> None:
        self._following = following

    @override
    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime | None:
        return self._following(now if previous_fire_time is None else max(previous_fire_time, now))


async def _call(callback: Callable[[str], None], key: str) -> None:
    """Call on the event loop; APScheduler runs plain functions in a thread."""
    callback(key)
