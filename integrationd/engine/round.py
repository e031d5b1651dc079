"""A stream read part by part, several at a time; one that fails leaves the others alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from integrationd.engine.parts import Part
from integrationd.engine.progress import Reading, after_round, plan_part
from integrationd.engine.reading import Common, PartReading, keeps_old_names
from integrationd.errors import (
    ExpiredError,
    ExpressionError,
    IntegrationError,
    ProviderError,
    RefusedError,
    ThrottledError,
)
from integrationd.model.runs import Counts, Debt, Mode
from integrationd.ports.store import ReadingState

TOLD_MAX: Final = 3
"""Failed partitions that a run's message names."""
HOPELESS_MAX: Final = 25
"""So many failures before anything was read are not the partitions' own: the run ends."""
BREAKING_MAX: Final = 5
"""So many in a row that could pass by, or that concern who we are: the run ends, and the next one
begins with the partitions after them."""


@dataclass(slots=True)
class Round:
    """All partitions of a stream."""

    common: Common
    reading: Reading
    parts: Sequence[Part]
    stored: Mapping[str, ReadingState]
    """What is stored of each."""
    counts: Counts = field(default_factory=Counts)
    unknown: int = 0
    saw_all: bool = True
    missed: str = ""
    """Why what was not seen may be there all the same."""
    failed: list[tuple[Part, IntegrationError]] = field(default_factory=list)
    _left: Counts = field(default_factory=Counts)
    _cut: bool = False
    """Whether a list broke off that will be begun anew."""
    _read: int = 0
    _breaking: int = 0
    _begun: int = 0
    _todo_count: int = 0
    _is_over: bool = False
    """Whether every partition was tried."""

    async def run(self) -> None:
        """Read every partition that is not done yet.

        Raises:
            ProviderError: Something that concerns all of them; or, after the others, that some
                failed.
            StoreError: From a commit.
        """
        todo = self._todo()
        self._todo_count = len(todo)
        if todo:
            await self.common.prelude.begin()
        count = min(self.common.plan.http.limits.concurrency, max(1, len(todo)))
        queue = iter(todo)
        workers = [asyncio.create_task(self._work(queue), name="partitions") for _ in range(count)]
        try:
            done, _ = await asyncio.wait(workers, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        for worker in done:
            worker.result()
        self._is_over = True
        self.common.world.failpoints.reach("run.read")
        if self.failed:
            raise self._sum_up()
        if self.reading.renames and self.missed:
            raise keeps_old_names(self.missed)

    def take_counts(self) -> Counts:
        """Return what was counted with no page."""
        left, self._left = self._left, Counts()
        return left.plus(self.common.prelude.take_counts())

    def done(self) -> ReadingState:
        """Return the stream's state after everything was read."""
        whole = self.reading.is_whole() and not self.missed and not self.unknown
        return self._after(complete=self.saw_all, swept=whole)

    def _after(self, *, complete: bool, swept: bool) -> ReadingState:
        """Return the stream's own state after a round."""
        state = after_round(self.reading, self.common.plan.prints, complete=complete)
        return replace(state, owes=self._debt(swept=swept))

    def _debt(self, *, swept: bool) -> Debt:
        """Return whether the next round has to read all lists.

        Where a cursor did not hold any more, what went since is only told by a round that
        reads all lists in one go. As long as a partition fails there is none, so the others go on
        by their feeds, and all lists are read once a round has shown that nothing fails any more.
        """
        plan, reading = self.common.plan, self.reading
        if reading.renames and plan.owes_lists:
            return Debt.DUE  # nothing of it counts as a partition's progress
        whole = reading.mode is Mode.FULL
        read_before = whole and reading.state.shape != ""
        lost = self._cut or any(isinstance(failed, ExpiredError) for _, failed in self.failed)
        owed = reading.state.owes is not Debt.NONE or read_before or lost
        if swept or not (owed and plan.owes_lists):
            return Debt.NONE
        doubtful = self.failed or not self.saw_all or (whole and (self.unknown or self.missed))
        return Debt.WAITS if doubtful else Debt.DUE

    def broken(self, *, resumable: bool) -> ReadingState:
        """Return the stream's state after the reading broke off, or some of it failed.

        A round that was gone through is over, whatever failed; one that broke off goes on with the
        next run, unless it went on already and came no further.
        """
        state = self.reading.state
        if self.reading.renames:
            return replace(state, walking=False, mode=None, fingerprint="")
        _ = resumable  # what failed is begun anew by the next round, or by what goes on with this
        if self._is_over or (self.reading.resumed and not self._read):
            return self._after(complete=False, swept=False)
        last = self.failed[-1][0].key if self.failed else state.page_token
        return replace(state, page_token=last)

    def _todo(self) -> list[PartReading]:
        """Return what is not done yet, first what comes after the partition that failed last."""
        plan = self.common.plan
        names = [part.key for part in self.parts]
        last = self.reading.state.page_token
        first = names.index(last) + 1 if last in names else 0
        found: list[PartReading] = []
        for part in (*self.parts[first:], *self.parts[:first]):
            reading = plan_part(
                self.stored.get(part.key, ReadingState()),
                whole=self.reading,
                prints=plan.prints,
                incremental=plan.stream.incremental is not None,
            )
            if reading is not None:
                self._cut = self._cut or self._begins_anew(part, reading)
                found.append(PartReading(self.common, part, reading, settles=True))
        return found

    def _begins_anew(self, part: Part, reading: Reading) -> bool:
        """Tell whether a list that this very round has begun already is begun once more."""
        goes_on = self.reading.resumed and self.reading.mode is Mode.FULL
        return goes_on and part.key in self.stored and not reading.resumed

    async def _work(self, queue: Iterator[PartReading]) -> None:
        for one in queue:
            self._begun += 1
            try:
                await one.run()
            except (ProviderError, ExpressionError) as failed:
                self._cut = self._cut or one.has_begun_a_list
                self._note_failure(one.part, failed)
            else:
                self._read += 1
                self._breaking = 0
            finally:
                self._gather(one)

    def _gather(self, one: PartReading) -> None:
        self.counts = self.counts.plus(one.track.counts)
        self._left = self._left.plus(one.caller.take_counts())
        self.unknown += one.track.unknown
        self.saw_all = self.saw_all and not one.track.skipped
        self.missed = self.missed or one.track.missed

    def _note_failure(self, part: Part, failed: ProviderError | ExpressionError) -> None:
        """Keep a failure of one partition; raise what concerns all of them, or seems to."""
        self.failed.append((part, failed))
        lasts = isinstance(failed, ExpressionError) or failed.kind == "permanent"
        self._breaking = 0 if lasts else self._breaking + 1
        hopeless = not self._read and len(self.failed) >= HOPELESS_MAX
        breaking = self._breaking >= BREAKING_MAX and self._begun < self._todo_count
        if hopeless or breaking or isinstance(failed, ThrottledError) or _stops(failed):
            raise self._give_up(part, failed)

    def _give_up(self, part: Part, failed: ProviderError | ExpressionError) -> ProviderError:
        left = self._todo_count - self._begun
        others = f"; {left} of {len(self.parts)} parts were not tried" if left else ""
        kind = type(failed) if isinstance(failed, ProviderError) else RefusedError
        return kind(f"{part.label}: {failed}{others}")

    def _sum_up(self) -> ProviderError:
        """Return one error for all: as it is where only one partition failed, else of its class."""
        told = [f"{part.label}: {failed}" for part, failed in self.failed[:TOLD_MAX]]
        more = len(self.failed) - len(told)
        others = f"; and {more} more" if more else ""
        message = f"{len(self.failed)} of {len(self.parts)} parts failed: {'; '.join(told)}{others}"
        kinds = {type(failed) for _, failed in self.failed}
        if len(kinds) == 1 and issubclass(kind := kinds.pop(), ProviderError):
            return kind(message)
        return RefusedError(message)


def _stops(failed: ProviderError | ExpressionError) -> bool:
    return isinstance(failed, ProviderError) and failed.stops
