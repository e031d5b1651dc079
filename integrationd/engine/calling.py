"""One request to a provider, with its rate, its tries and its judgement."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from integrationd.config.units import format_duration
from integrationd.engine.credentials import NOBODY, Credentials, Signed
from integrationd.engine.world import World
from integrationd.errors import (
    CredentialsError,
    ExpiredError,
    OutcomeUnknownError,
    PageShapeError,
    ProviderError,
    RefusedError,
    SkippedError,
    ThrottledError,
    UnavailableError,
    UnreachedError,
)
from integrationd.model.json import Json
from integrationd.model.runs import Counts
from integrationd.model.secret import Secret, mask, reveal, secrets_within
from integrationd.ports.outside import Clock, Http
from integrationd.signals import BudgetWaited, CallAnswered, CallRetried, CallSkipped
from integrationd.transform.printing import hide_all
from integrationd.wire import backoff
from integrationd.wire.budget import Budget, Turn
from integrationd.wire.judge import Outcome, Verdict
from integrationd.wire.limits import Meter
from integrationd.wire.messages import Answer, Request
from integrationd.wire.remedies import Remedies
from integrationd.wire.reply import PLAIN, Judged, ReplyShape, judge_in_steps

WAIT_IN_RUN_MAX_S: Final = 900.0
"""A longer wait ends the run: it can be resumed, and holds no place among the runs meanwhile."""

GIVEN_MAX: Final = 512
"""Secrets of steps that are remembered, or all of the last step where it gave more: a stream of
many partitions has them for each."""
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
    secrets: Mapping[str, Json] = field(default_factory=dict, repr=False)
    """What a provider's own words must not repeat in a message."""
    given: dict[str, Json] = field(default_factory=dict, repr=False)
    """What steps gave that is secret; the same for all callers of a run."""
    credentials: Credentials = NOBODY
    """Put on each request when it is sent."""
    remedies: Remedies | None = None
    """What a person can do about a refusal."""
    may_repeat: bool = True
    """Whether what is asked does no harm if it is done twice."""
    keyed: bool = False
    """Whether that is so by a key, which another call would not have."""
    repeat_within_s: float | None = None
    """How long after the first try that holds; None for ever."""
    patience_s: float = WAIT_IN_RUN_MAX_S
    """A longer wait ends it."""
    meter: Meter = Meter()  # noqa: RUF009 - frozen
    """What each request takes of the budget."""
    counts: Counts = field(default_factory=Counts)
    """Requests, retries and waiting since :meth:`take_counts`."""

    async def ask(self, request: Request, shape: ReplyShape = PLAIN) -> Mapping[str, Json]:
        """Return the decoded reply, ``{status, headers, body}``.

        Args:
            request: Without credentials.
            shape: How the answer is read, and what the spec says of failures.

        Raises:
            SkippedError: A rule of the spec says that nothing came and that this is no failure.
            OutcomeUnknownError: It may have been done or not, and must not be done twice.
            ProviderError: Of the class that says what to do; passing failures were tried again.
        """
        return (await self.ask_judged(request, shape)).reply

    async def ask_judged(self, request: Request, shape: ReplyShape) -> Judged:
        """Return the decoded reply of :meth:`ask`, with what else is known of it."""
        judged, attempt = await self.settle(request, shape)
        if judged.outcome.verdict is Verdict.ACCEPTED:
            return judged
        raise self._error(judged.outcome, attempt)

    async def settle(self, request: Request, shape: ReplyShape) -> tuple[Judged, int]:
        """Return the last answer, whatever it means, and how many before it were tried again.

        Raises:
            ProviderError: A passing failure did not pass, or there are no credentials.
        """
        attempt = 0
        refused: Secret | None = None
        doubt = _Doubt(self.repeat_within_s if self.may_repeat else 0.0, self.world.clock)
        while True:
            turn = await self._wait_for_turn(request)
            signed = await self.credentials.sign(request, refused)
            judged = await self._try(signed.request, shape)
            self._learn(judged, turn)
            outcome = judged.outcome
            replaceable = self._find_replaceable(signed, judged)
            if replaceable is not None:
                if refused is not None:
                    return judged if signed.token is None else _also_afresh(judged), attempt
                refused = replaceable
                self.counts = self.counts.plus(Counts(retries=1))
                continue
            if outcome.verdict is not Verdict.RETRY:
                return judged, attempt
            attempt += 1
            wait_s = self._time_to_wait(outcome, attempt)
            if not doubt.allows(outcome, wait_s):
                raise self._unknown(outcome)
            if attempt > self.retries or wait_s > self.patience_s:
                is_unknown = self.keyed and doubt.unsure
                raise self._unknown(outcome) if is_unknown else self._error(outcome, attempt - 1)
            await self._wait_to_retry(outcome, attempt, wait_s)

    def _find_replaceable(self, signed: Signed, judged: Judged) -> Secret | None:
        """Return what was refused where something else can be sent in its place."""
        if judged.outcome.verdict is not Verdict.REAUTHENTICATE:
            return None
        return signed.token or self.credentials.take_challenge(judged.reply)

    def hidden(self) -> Mapping[str, Json]:
        """Return the secrets that no message and no stored page token may hold."""
        return {**self.secrets, **self.given, **self.credentials.tokens()}

    def keep_secret(self, name: str, value: Json) -> Json:
        """Return what a step gave as a secret, which no message and no log holds from now on.

        Args:
            name: Of the step.
            value: What it gave.
        """
        hidden = hide_all(value)
        found = list(secrets_within(hidden))
        # Only what came before makes room: of this step nothing is forgotten, however much it gave.
        while self.given and len(self.given) + len(found) > GIVEN_MAX:
            del self.given[next(iter(self.given))]
        for number, secret in enumerate(found):
            place = f"steps.{name}.{number}.{self.world.new_id('out')}"
            self.given[place] = secret
            self.world.tokens.learn(f"{self.integration}/steps.{name}.{number}", secret)
        return hidden

    def take_counts(self) -> Counts:
        """Return what was counted since last time, and begin anew."""
        counts, self.counts = self.counts, Counts()
        return counts

    async def _try(self, request: Request, shape: ReplyShape) -> Judged:
        try:
            answer = await self._send(request)
        except UnavailableError as failed:
            outcome = Outcome(
                verdict=Verdict.RETRY,
                kind="temporary",
                message=str(failed),
                undone=isinstance(failed, UnreachedError),
            )
            return Judged(outcome, {})
        steps = judge_in_steps(answer, request, shape, self.world.clock.now())
        while True:
            try:
                next(steps)
            except StopIteration as done:
                judged: Judged = done.value
                return judged
            except PageShapeError as wrong:
                # It may have the title of a page in it.
                wrong.args = (mask(str(wrong), self.hidden()),)
                raise
            await asyncio.sleep(0)  # a large answer lets others have their turn in between

    async def _send(self, request: Request) -> Answer:
        self.counts = self.counts.plus(Counts(requests=1))
        try:
            answer = await self.http.send(request)
        except ProviderError as failed:
            # A URL that the provider has named is its own words too.
            failed.args = (mask(str(failed), self.hidden()),)
            raise
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

    async def _wait_for_turn(self, request: Request) -> Turn:
        if self.budget is None:
            return Turn(0)
        charge = self.meter.charge(request)
        while True:
            now_s = self.world.clock.monotonic()
            paused_s = self.budget.paused_s(now_s)
            if paused_s > self.patience_s:
                message = f"the provider asked for {format_span(paused_s)} without requests"
                raise ThrottledError(f"{message}; nothing was asked")
            turn = self.budget.turn(now_s, charge)
            if turn.wait_s > 0:
                waited = BudgetWaited(integration=self.integration, wait_s=turn.wait_s)
                self.world.signals.emit(waited)
                await self._wait(turn.wait_s)
            if turn.taken:
                return turn

    def _learn(self, judged: Judged, turn: Turn) -> None:
        """Keep to what an answer says is left for all who use the credential."""
        if self.budget is None or self.meter.learn is None or not judged.reply:
            return
        allowance = self.meter.learn.find(judged.reply, self.world.clock.now())
        if allowance is not None:
            self.budget.learn(self.world.clock.monotonic(), allowance, turn.mark)

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
                reason=mask(outcome.message, self.hidden()),
            )
        )
        self.counts = self.counts.plus(Counts(retries=1))
        await self._wait(wait_s)

    async def _wait(self, wait_s: float) -> None:
        self.counts = self.counts.plus(Counts(waited_ms=round(wait_s * 1000)))
        await asyncio.sleep(wait_s)

    def _unknown(self, outcome: Outcome) -> OutcomeUnknownError:
        message = (
            f"{mask(outcome.message, self.hidden())}; it may have been done or not, so it is not "
            "tried again: look there before you repeat it"
        )
        return OutcomeUnknownError(message, status=outcome.status)

    def _error(self, outcome: Outcome, attempt: int) -> ProviderError:
        tried = f" after {attempt + 1} tries" if attempt else ""
        asked = ""
        if outcome.verdict is Verdict.RETRY and (outcome.wait_s or 0) > self.patience_s:
            asked = f"; the provider asks to wait {format_span(outcome.wait_s or 0)}"
        hint = "" if self.remedies is None else self.remedies.hint(outcome)
        # What is ours stays readable, whatever the secrets are.
        message = f"{mask(outcome.message, self.hidden())}{tried}{asked}{hint}"
        if outcome.verdict is Verdict.SKIPPED:
            self.world.signals.emit(CallSkipped(integration=self.integration, reason=message))
            return SkippedError(message, status=outcome.status)
        if outcome.verdict is Verdict.EXPIRED:
            return ExpiredError(message, status=outcome.status)
        error = _ERRORS[outcome.kind](message, status=outcome.status)
        error.stops = outcome.verdict is Verdict.STOPPED
        return error


class _Doubt:
    """Whether a request may have been done already, and how long it may be repeated then."""

    def __init__(self, within_s: float | None, clock: Clock) -> None:
        """Begin with the first try; ``within_s`` is None where it may be repeated for ever."""
        self._clock, self._within_s, self.unsure = clock, within_s, False
        self._began_s = clock.monotonic()

    def allows(self, outcome: Outcome, wait_s: float) -> bool:
        """Tell whether it may be sent again so long after this outcome."""
        self.unsure = self.unsure or not outcome.undone
        if not self.unsure or self._within_s is None:
            return True
        if not self._within_s:
            return False
        return self._clock.monotonic() + wait_s - self._began_s < self._within_s


def _also_afresh(judged: Judged) -> Judged:
    message = f"{judged.outcome.message} also with a fresh token"
    return replace(judged, outcome=replace(judged.outcome, message=message))


def format_span(span_s: float) -> str:
    """Print seconds as people say them, ``2h``; less than a second is none."""
    return format_duration(timedelta(seconds=int(span_s)))
