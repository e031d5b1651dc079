"""One sync in a process of its own, with a clock that ticks beside it on the same loop.

    python lag.py CONFIG STATE

prints for how many milliseconds at most the event loop was held, to the tenth, one line for each
of the worst.
"""

from __future__ import annotations

import asyncio
import sys
import time

from integrationd.daemon import garbage
from integrationd.daemon.offline import offline
from integrationd.daemon.paths import Paths
from integrationd.ports.actions import SyncWish

TICK_S = 0.001
SHOWN = 5


async def tick(late_ms: list[float]) -> None:
    """Note how late each tick comes."""
    while True:
        began_s = time.perf_counter()
        await asyncio.sleep(TICK_S)
        late_ms.append((time.perf_counter() - began_s - TICK_S) * 1000)


async def main(config: str, state: str) -> None:
    """Read once and print the worst."""
    late_ms: list[float] = []
    garbage.look_seldom()
    async with offline(Paths.find(config, state)) as actions:
        clock = asyncio.create_task(tick(late_ms))
        async for _ in actions.sync(SyncWish(integration="bench")):
            pass
        clock.cancel()
    for each in sorted(late_ms, reverse=True)[:SHOWN]:
        print(f"{each:.1f}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
