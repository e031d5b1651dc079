"""Many questions, few readings, and no answer that is older than its question."""

import asyncio

import pytest

from integrationd.vault.together import Together

pytestmark = pytest.mark.looptime(start=0)


class Slow:
    """A value that takes a second to read; what is read is what stood there at the beginning."""

    def __init__(self):
        self.value = 0
        self.readings = []
        self.failure = None

    async def read(self, key):
        """Read."""
        found = self.value
        self.readings.append(key)
        await asyncio.sleep(1)
        if self.failure is not None:
            raise self.failure
        return found


async def test_all_who_ask_at_once_share_one_reading(looptime):
    """A hundred questions cost one reading of a second."""
    slow = Slow()
    together = Together(slow.read)

    answers = await asyncio.gather(*(together.ask("a") for _ in range(100)))

    assert answers == [0] * 100
    assert (slow.readings, looptime) == (["a"], 1)


async def test_who_asks_during_a_reading_gets_the_next_one(looptime):
    """What was stored before the question is in the answer; the late ones share a reading too."""
    slow = Slow()
    together = Together(slow.read)
    early = asyncio.create_task(together.ask("a"))
    await asyncio.sleep(0.5)
    slow.value = 1

    late = await asyncio.gather(*(together.ask("a") for _ in range(100)))

    assert (await early, late) == (0, [1] * 100)
    assert (slow.readings, looptime) == (["a", "a"], 2)


async def test_different_things_are_read_beside_each_other(looptime):
    """One slow thing holds nobody up who asks for another."""
    slow = Slow()
    together = Together(slow.read)

    await asyncio.gather(together.ask("a"), together.ask("b"))

    assert (slow.readings, looptime) == (["a", "b"], 1)


async def test_each_question_after_the_other_is_read_anew():
    """Nothing is kept from a reading that is over."""
    slow = Slow()
    together = Together(slow.read)
    answers = []
    for number in range(3):
        slow.value = number
        answers.append(await together.ask("a"))

    assert answers == [0, 1, 2]


async def test_failure_is_told_to_all_and_forgotten():
    """The next question is read again."""
    slow = Slow()
    together = Together(slow.read)
    slow.failure = ValueError("x")
    failed = await asyncio.gather(*(together.ask("a") for _ in range(3)), return_exceptions=True)
    slow.failure = None

    assert [str(error) for error in failed] == ["x"] * 3
    assert await together.ask("a") == 0


async def test_who_goes_away_takes_nothing_from_the_others():
    """Cancelling one question, or all, ends no reading in the middle and leaves no complaint."""
    slow = Slow()
    together = Together(slow.read)
    first, second = (asyncio.create_task(together.ask("a")) for _ in range(2))
    await asyncio.sleep(0.5)
    first.cancel()
    answer = await second
    slow.failure = ValueError("nobody hears this")
    third = asyncio.create_task(together.ask("a"))
    await asyncio.sleep(0.5)
    third.cancel()
    await asyncio.sleep(2)

    assert answer == 0
    assert first.cancelled()
    assert third.cancelled()
