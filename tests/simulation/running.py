"""Many histories, one after the other, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import looptime

from integrationd.store.sqlstore import SqlStore
from tests.simulation.history import History

STORE_HISTORIES = 50
"""Histories in one database, each in a tenant of its own."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A history that went wrong; its seed makes it again."""

    seed: int
    reason: str
    kind: str
    told: tuple[str, ...]

    def __str__(self) -> str:
        """Tell all that is needed to look into it."""
        steps = "\n".join(f"  {number}. {step}" for number, step in enumerate(self.told, start=1))
        again = f"python -m tests.simulation --seed {self.seed}"
        return f"seed {self.seed}: {self.reason}\n{self.kind}\n{steps}\nagain: {again}"


def simulate(seeds: Iterable[int]) -> list[Failure]:
    """Go through the histories of these seeds; return those that went wrong."""
    left = list(seeds)
    failures: list[Failure] = []
    while left:
        some, left = left[:STORE_HISTORIES], left[STORE_HISTORIES:]
        with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
            failures += runner.run(_simulate(some))
    return failures


async def _simulate(seeds: list[int]) -> list[Failure]:
    failures = []
    async with SqlStore.in_memory() as store:
        for seed in seeds:
            history = History(store, seed)
            try:
                await history.run()
            except Exception as wrong:  # noqa: BLE001 - whatever it is, the seed is told
                reason = f"{type(wrong).__name__}: {wrong}"
                told = Failure(seed, reason, str(history.kind), tuple(history.told))
                failures.append(told)
    return failures
