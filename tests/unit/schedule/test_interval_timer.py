"""The timer on the real event loop, in tens of milliseconds."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from integrationd.ports.outside import Timer
from integrationd.schedule.timer import IntervalTimer

NEVER = timedelta(hours=1)
NOW = timedelta(0)


class SystemClock:
    """The real clock."""

    def now(self) -> datetime:
        """Return the time."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds."""
        return time.monotonic()


def ms(count: int) -> timedelta:
    """Return milliseconds."""
    return timedelta(milliseconds=count)


@pytest.fixture
async def timer():
    """Run a timer."""
    async with IntervalTimer(SystemClock()) as running:
        yield running


async def test_first_call_comes_after_its_delay_and_then_at_each_interval(timer: Timer):
    """The first delay counts once, the interval from then on."""
    started, called = time.monotonic(), []

    def due(key: str) -> None:
        called.append((key, round(time.monotonic() - started, 3)))

    timer.set("acme/orders", every=ms(50), first_delay=ms(100), callback=due)
    await asyncio.sleep(0.23)

    assert [key for key, _ in called] == ["acme/orders"] * 3
    for (_, at_s), expected_s in zip(called, [0.1, 0.15, 0.2], strict=True):
        assert expected_s - 0.002 <= at_s < expected_s + 0.045


async def test_callback_runs_on_the_loop(timer: Timer):
    """A callback may touch what the loop's thread owns."""
    threads: list[int] = []

    timer.set(
        "a", every=NEVER, first_delay=NOW, callback=lambda _: threads.append(threading.get_ident())
    )
    await asyncio.sleep(0.05)

    assert threads == [threading.get_ident()]


async def test_late_calls_come_once(timer: Timer):
    """A loop that was held up makes one call for all that were missed, and none is dropped."""
    called: list[str] = []
    timer.set("a", every=ms(20), first_delay=ms(20), callback=called.append)

    time.sleep(0.11)  # noqa: ASYNC251 - the loop is held up on purpose
    await asyncio.sleep(0.005)

    assert called == ["a"]


async def test_setting_again_begins_anew(timer: Timer):
    """The later setting counts."""
    called: list[str] = []
    timer.set("a", every=NEVER, first_delay=ms(30), callback=lambda _: called.append("old"))
    timer.set("a", every=NEVER, first_delay=ms(60), callback=lambda _: called.append("new"))

    await asyncio.sleep(0.1)

    assert called == ["new"]
    assert timer.keys() == {"a"}


async def test_removed_key_is_not_called(timer: Timer):
    """What is removed is silent, and removing it twice is no fault."""
    called: list[str] = []
    for key in ("a", "b"):
        timer.set(key, every=NEVER, first_delay=ms(30), callback=called.append)
    timer.remove("a")
    timer.remove("a")

    assert timer.keys() == {"b"}
    await asyncio.sleep(0.06)
    assert called == ["b"]


async def test_callback_that_raises_is_logged_and_called_again(timer: Timer, caplog):
    """A fault in one callback is told with its traceback and stops neither it nor others."""
    again = asyncio.Event()
    called: list[str] = []

    def fail(key: str) -> None:
        called.append(key)
        if len(called) > 1:
            again.set()
        raise RuntimeError("broken")

    timer.set("a", every=ms(30), first_delay=NOW, callback=fail)
    async with asyncio.timeout(2):
        await again.wait()
    await asyncio.sleep(0)
    timer.remove("a")

    assert [record.levelno for record in caplog.records] == [logging.ERROR] * len(called)


async def test_left_timer_calls_no_more():
    """After the end nothing is called, and nothing is left on the loop."""
    called: list[str] = []
    async with IntervalTimer(SystemClock()) as timer:
        timer.set("a", every=ms(10), first_delay=ms(10), callback=called.append)
    await asyncio.sleep(0.03)

    assert called == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_timer_is_quiet(timer: Timer, caplog):
    """APScheduler's own tales are not told, whatever the root logger's level."""
    caplog.set_level(logging.DEBUG)
    timer.set("a", every=ms(10), first_delay=NOW, callback=lambda _: None)
    await asyncio.sleep(0.03)
    timer.remove("a")

    assert [record for record in caplog.records if record.name.startswith("apscheduler")] == []
