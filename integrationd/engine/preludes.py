"""What is asked before a stream is read: its steps, each as often as what it depends on changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from integrationd.engine.asking import Asking
from integrationd.engine.calling import Caller
from integrationd.engine.plans import StreamPlan
from integrationd.errors import ExpressionError, ProviderError, SkippedError
from integrationd.model.json import Json
from integrationd.model.runs import Counts
from integrationd.spec.preludes import Span, StreamStep, spans_of
from integrationd.wire.call import build_request
from integrationd.wire.reply import ReplyShape

_SEEN = ("config", "now", "each", "object", "steps")


@dataclass(slots=True, kw_only=True)
class Prelude:
    """The steps of one run, and what those gave that are the same for all of it."""

    plan: StreamPlan
    ready: Asking
    input: Mapping[str, Json]
    """What templates see of ``--input``."""
    given: dict[str, Json] = field(default_factory=dict, repr=False)
    """Of the whole run, by name."""
    skipped: bool = False
    """A rule of the spec took an answer for nothing: what is read may be less than there is."""
    _caller: Caller = field(init=False)

    def __post_init__(self) -> None:
        """Count what it asks apart."""
        self._caller = replace(self.ready.caller, counts=Counts())

    async def begin(self) -> None:
        """Make what the whole run has in common.

        Raises:
            ProviderError: From a step; it names which.
            ExpressionError: A template has no value, or an output does not fit its answer.
        """
        variables = {**self.ready.variables, **self.plan.given, "input": dict(self.input)}
        self.skipped = await self.ask(Span.RUN, self._caller, variables, self.given)

    async def ask(
        self, span: Span, caller: Caller, variables: Mapping[str, Json], given: dict[str, Json]
    ) -> bool:
        """Make what the run, one partition, or one walk of it needs.

        Args:
            span: Which of them.
            caller: Whose counts these are.
            variables: ``config``, ``secrets``, ``each``, and the bounds of a walk.
            given: What is known of other steps; what these give is added.

        Returns:
            Whether an answer was skipped.

        Raises:
            ProviderError: From a step; it names which.
            ExpressionError: A template has no value, or an output does not fit its answer.
        """
        skipped = False
        for step in self._steps(span):
            name = str(step.name)
            try:
                found = await self._ask(step, caller, {**variables, "steps": given})
                given[name] = caller.keep_secret(name, found) if step.secret else found
            except SkippedError:
                given[name], skipped = None, True
            except (ProviderError, ExpressionError) as failed:
                failed.args = (f"steps.{name}: {failed}",)
                raise
        return skipped

    def take_counts(self) -> Counts:
        """Return what was counted, and begin anew."""
        return self._caller.take_counts()

    def _steps(self, span: Span) -> Iterator[StreamStep]:
        steps = self.plan.stream.steps
        return (step for step, own in zip(steps, spans_of(steps), strict=True) if own is span)

    async def _ask(self, step: StreamStep, caller: Caller, variables: Mapping[str, Json]) -> Json:
        seen = {name: variables[name] for name in _SEEN if name in variables}
        if step.when is not None and not step.when.holds(seen):
            return None
        request = build_request(step, base=self.ready.base, variables=variables)
        errors = (*step.errors, *self.plan.http.errors)
        reply = await caller.ask(request, ReplyShape(decoder=step.decode, errors=errors))
        return reply["body"] if step.output is None else step.output.read(reply, seen)
