"""One request to a provider, with its rate, its tries and its judgement."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from integrationd.engine.world import World
from integrationd.errors import (
    CredentialsError,
    ProviderError,
    RefusedError,
    ThrottledError,
    UnavailableError,
)
from integrationd.model.json import Json
from integrationd.model.runs import Counts
from integrationd.model.secret import reveal
from integrationd.ports.outside import Http
from integrationd.signals import BudgetWaited, CallAnswered, CallRetried
from integrationd.wire import backoff, decoding
from integrationd.wire.budget import Budget
from integrationd.wire.judge import Outcome, Verdict, judge
from integrationd.wire.messages import Answer, Request

_ERRORS: Mapping[str, type[ProviderError]] = {
    "auth": CredentialsError,
    "rate": ThrottledError,
    "temporary": UnavailableError,
    "permanent": RefusedError,
}


@dataclass(slots=True)
class Caller:
    """Asks one integration's provider; made for one run, so that its counts are that run's."""

    world: World
    integration: str
    http: Http
    budget: Budget | None
    retries: int
    counts: Counts = field(default_factory=Counts)
    """Requests, retries and waiting since :meth:`take_counts`."""

    async def ask(self, request: Request) -> Mapping[str, Json]:
        """Return the decoded reply, ``{status, headers, body}``.

        Raises:
            ProviderError: Of the class that says what to do; passing failures were tried again.
        """
        attempt = 0
        while True:
            await self._wait_for_budget()
            try:
                answer = await self._send(request)
                outcome = judge(answer, request, self.world.clock.now())
            except UnavailableError as failed:
                outcome = Outcome(verdict=Verdict.RETRY, kind="temporary", message=str(failed))
            else:
                if outcome.verdict is Verdict.ACCEPTED:
                    return await _decode(answer)
            if outcome.verdict is Verdict.REFUSED:
                raise self._error(outcome, attempt)
            attempt += 1
            wait_s = self._time_to_wait(outcome, attempt)
            if attempt > self.retries:
                raise self._error(outcome, attempt - 1)
            await self._wait_to_retry(outcome, attempt, wait_s)

    def take_counts(self) -> Counts:
        """Return what was counted since last time, and begin anew."""
        counts, self.counts = self.counts, Counts()
        return counts

    async def _send(self, request: Request) -> Answer:
        self.counts = self.counts.plus(Counts(requests=1))
        answer = await self.http.send(request)
        self.world.signals.emit(
            CallAnswered(
                integration=self.integration,
                method=request.method,
                host=urlsplit(reveal(request.url)).hostname or "",
                status=answer.status,
                took_ms=round(answer.took_s * 1000, 1),
                body_bytes=len(answer.body),
            )
        )
        return answer

    async def _wait_for_budget(self) -> None:
        if self.budget is None:
            return
        wait_s = self.budget.reserve(self.world.clock.monotonic())
        if wait_s > 0:
            self.world.signals.emit(BudgetWaited(integration=self.integration, wait_s=wait_s))
            await self._wait(wait_s)

    def _time_to_wait(self, outcome: Outcome, attempt: int) -> float:
        wait_s = backoff.delay(
            attempt, self.world.randomness.fraction(), retry_after_s=outcome.wait_s
        )
        if self.budget is not None and outcome.kind == "rate":
            # The limit is the credential's: whoever else uses it waits too, also after the last
            # try of this one.
            self.budget.pause(self.world.clock.monotonic() + wait_s)
        return wait_s

    async def _wait_to_retry(self, outcome: Outcome, attempt: int, wait_s: float) -> None:
        self.world.signals.emit(
            CallRetried(
                integration=self.integration,
                attempt=attempt,
                wait_s=round(wait_s, 3),
                reason=outcome.message,
            )
        )
        self.counts = self.counts.plus(Counts(retries=1))
        await self._wait(wait_s)

    async def _wait(self, wait_s: float) -> None:
        self.counts = self.counts.plus(Counts(waited_ms=round(wait_s * 1000)))
        await asyncio.sleep(wait_s)

    def _error(self, outcome: Outcome, attempt: int) -> ProviderError:
        tried = f" after {attempt + 1} tries" if attempt else ""
        return _ERRORS[outcome.kind](f"{outcome.message}{tried}", status=outcome.status)


async def _decode(answer: Answer) -> Mapping[str, Json]:
    """Decode a reply; a large one lets others have their turn in between."""
    steps = decoding.reply_in_steps(answer)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            reply: Mapping[str, Json] = done.value
            return reply
        await asyncio.sleep(0)
