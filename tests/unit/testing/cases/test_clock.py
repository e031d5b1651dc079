"""The clock of cases: it jumps to the next timer, however far that is."""

import asyncio

import pytest

from integrationd.testing.cases.book import run_virtually

YEAR_S = 365 * 86_400.0


@pytest.mark.parametrize("start_s", [0.0, 1.5, 90 * 86_400.0, 10 * YEAR_S, 50 * YEAR_S])
def test_a_timer_comes_at_its_time(start_s):
    """To the microsecond, also where a float of seconds tells no nanoseconds apart."""
    passed = []

    async def work():
        loop = asyncio.get_running_loop()
        await asyncio.sleep(start_s)
        began_s = loop.time()
        await asyncio.gather(asyncio.sleep(0.25), asyncio.sleep(3600))
        passed.append(loop.time() - began_s)

    run_virtually(work)

    assert passed == [pytest.approx(3600, abs=1e-5)]


def test_what_is_ready_comes_before_time_passes():
    """A task that does not wait is over before a timer of a moment."""
    told = []

    async def busy():
        for _ in range(1000):
            await asyncio.sleep(0)
        told.append("busy")

    async def sleepy():
        await asyncio.sleep(0.000_01)
        told.append("sleepy")

    async def work():
        await asyncio.gather(sleepy(), busy())

    run_virtually(work)

    assert told == ["busy", "sleepy"]


def test_a_timeout_ends_what_would_never_end():
    """A case in which nothing more happens is cut off."""
    ended = []

    async def work():
        try:
            async with asyncio.timeout(86_400):
                await asyncio.Event().wait()
        except TimeoutError:
            ended.append(True)

    run_virtually(work)

    assert ended == [True]
