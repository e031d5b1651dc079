"""The timer and its twin on the real event loop, in tens of milliseconds."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from integrationd.ports.outside import Timer
from integrationd.schedule.timer import WallTimer
from tests.support.timers import LoopTimer

NEVER = timedelta(hours=1)


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


def build(kind: str) -> WallTimer | LoopTimer:
    """Build one of the timers."""
    return WallTimer() if kind == "wall" else LoopTimer(SystemClock())


@pytest.fixture(params=["wall", "loop"])
async def timer(request: pytest.FixtureRequest):
    """Run a timer."""
    async with build(request.param) as running:
        yield running


def put(
    timer: Timer,
    key: str,
    *,
    every: timedelta,
    callback: Callable[[str], None],
    first_delay: timedelta = timedelta(0),
) -> None:
    """Set a key that is due at a fixed distance from its first time on."""
    first = datetime.now(UTC) + first_delay

    def following(moment: datetime) -> datetime:
        return first + (moment - first) // every * every + every

    timer.set(key, first=first, following=following, callback=callback)


async def test_first_call_comes_after_its_delay_and_then_at_each_interval(timer: Timer):
    """The first delay counts once, the interval from then on."""
    started, called = time.monotonic(), []

    def due(key: str) -> None:
        called.append((key, round(time.monotonic() - started, 3)))

    put(timer, "acme/orders", every=ms(50), first_delay=ms(100), callback=due)
    await asyncio.sleep(0.23)

    assert [key for key, _ in called] == ["acme/orders"] * 3
    for (_, at_s), expected_s in zip(called, [0.1, 0.15, 0.2], strict=True):
        assert expected_s - 0.002 <= at_s < expected_s + 0.045


async def test_callback_runs_on_the_loop(timer: Timer):
    """A callback may touch what the loop's thread owns."""
    threads: list[int] = []

    put(timer, "a", every=NEVER, callback=lambda _: threads.append(threading.get_ident()))
    await asyncio.sleep(0.05)

    assert threads == [threading.get_ident()]


async def test_late_calls_come_once(timer: Timer):
    """A loop that was held up makes one call for all that were missed, and none is dropped."""
    called: list[str] = []
    put(timer, "a", every=ms(20), first_delay=ms(20), callback=called.append)

    time.sleep(0.11)  # noqa: ASYNC251 - the loop is held up on purpose
    await asyncio.sleep(0.005)

    assert called == ["a"]


async def test_setting_again_begins_anew(timer: Timer):
    """The later setting counts."""
    called: list[str] = []
    put(timer, "a", every=NEVER, first_delay=ms(30), callback=lambda _: called.append("old"))
    put(timer, "a", every=NEVER, first_delay=ms(60), callback=lambda _: called.append("new"))

    await asyncio.sleep(0.1)

    assert called == ["new"]
    assert timer.keys() == {"a"}


async def test_next_time_is_known(timer: Timer):
    """It is the first one, then what follows it; what is not set has none."""
    first = datetime.now(UTC) + ms(30)
    later = first + timedelta(days=1)
    timer.set("a", first=first, following=lambda _: later, callback=lambda _: None)

    assert timer.next_at("a") == first
    await asyncio.sleep(0.06)
    assert timer.next_at("a") == later
    assert timer.next_at("b") is None


async def test_what_never_comes_again_is_called_once(timer: Timer):
    """A schedule that ends is taken off."""
    called: list[str] = []
    timer.set("a", first=datetime.now(UTC), following=lambda _: None, callback=called.append)
    await asyncio.sleep(0.06)

    assert called == ["a"]
    assert timer.keys() == frozenset()


async def test_following_is_asked_with_a_moment_that_is_not_before_the_call(timer: Timer):
    """Else the same time would come twice."""
    asked: list[datetime] = []
    first = datetime.now(UTC) + ms(20)

    def following(moment: datetime) -> datetime:
        asked.append(moment)
        return moment + NEVER

    timer.set("a", first=first, following=following, callback=lambda _: None)
    await asyncio.sleep(0.06)

    assert asked
    assert all(moment >= first for moment in asked)


async def test_removed_key_is_not_called(timer: Timer):
    """What is removed is silent, and removing it twice is no fault."""
    called: list[str] = []
    for key in ("a", "b"):
        put(timer, key, every=NEVER, first_delay=ms(30), callback=called.append)
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

    put(timer, "a", every=ms(30), callback=fail)
    async with asyncio.timeout(2):
        await again.wait()
    await asyncio.sleep(0)
    timer.remove("a")

    assert [record.levelno for record in caplog.records] == [logging.ERROR] * len(called)


@pytest.mark.parametrize("kind", ["wall", "loop"])
async def test_left_timer_calls_no_more(kind: str):
    """After the end nothing is called, and nothing is left on the loop."""
    called: list[str] = []
    async with build(kind) as timer:
        put(timer, "a", every=ms(10), first_delay=ms(10), callback=called.append)
    await asyncio.sleep(0.03)

    assert called == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_timer_is_quiet(timer: Timer, caplog):
    """APScheduler's own tales are not told, whatever the root logger's level."""
    caplog.set_level(logging.DEBUG)
    put(timer, "a", every=ms(10), callback=lambda _: None)
    await asyncio.sleep(0.03)
    timer.remove("a")

    assert [record for record in caplog.records if record.name.startswith("apscheduler")] == []
