"""The requests of one call: one, the first that finds something, or several in a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from integrationd.engine.asking import Asking
from integrationd.errors import (
    ExpressionError,
    PageShapeError,
    ProviderError,
    SkippedError,
    UnreadableError,
)
from integrationd.model.json import Json
from integrationd.spec.idempotency import IdempotencyKey
from integrationd.spec.operation import (
    SAFE,
    Alternative,
    Condition,
    Operation,
    Output,
    PartOfCall,
    Probe,
    Step,
)
from integrationd.wire.call import BaseCall, CallShape, build_request
from integrationd.wire.messages import Request
from integrationd.wire.reply import ReplyShape
from integrationd.wire.rules import ErrorRule
from integrationd.wire.tokens import is_true

NO_ANSWER: Final[Mapping[str, Json]] = {"status": None, "headers": {}, "body": None}
"""What the output of several requests reads where none of them gave an answer."""


@dataclass(slots=True, kw_only=True)
class Steps:
    """What one call asks for, from its first request to its output."""

    ready: Asking
    shape: Operation | Probe
    errors: tuple[ErrorRule, ...]
    """Of all calls; those of a request come first."""
    seen: Mapping[str, Json] = field(repr=False)
    """``config``, ``input`` and ``delivery``."""
    _given: dict[str, Json] = field(default_factory=dict, repr=False)
    """What each step gave."""
    _changed: list[str] = field(default_factory=list)
    """Steps that may have changed something."""

    async def run(self) -> Json:
        """Return the output of the call.

        Raises:
            ProviderError: From a request, with the name of its step.
            ExpressionError: An output does not fit its answer, or a template has no value.
        """
        shape = self.shape
        output = shape.output if isinstance(shape, Operation) else None
        if isinstance(shape, Operation) and shape.first_of:
            return self._read(await self._ask_first(shape.first_of), output, shape)
        if isinstance(shape, Operation) and shape.steps:
            return self._read(await self._ask_each(shape.steps), output, shape)
        reply = await self._ask(shape)
        return None if reply is None else self._read(reply, output, shape)

    async def _ask_first(self, alternatives: tuple[Alternative, ...]) -> Mapping[str, Json]:
        last: Mapping[str, Json] = NO_ANSWER
        for index, one in enumerate(alternatives):
            try:
                if not self._is_wanted(one.when):
                    continue
                reply = await self._ask(one, str(index))
                if reply is None:
                    continue
                if one.found is None or is_true(one.found.search(dict(reply), self._variables)):
                    return reply
            except (ProviderError, ExpressionError) as failed:
                failed.args = (f"first_of[{index}]: {failed}",)
                raise
            last = reply
        return last

    async def _ask_each(self, steps: tuple[Step, ...]) -> Mapping[str, Json]:
        last: Mapping[str, Json] = NO_ANSWER
        for step in steps:
            name = str(step.name)
            self._given[name] = None
            try:
                reply = await self._ask(step, name) if self._is_wanted(step.when) else None
                if reply is not None:
                    found = self._read(reply, step.output, step)
                    if step.secret:  # nor is it the answer that an output is made of
                        found = self.ready.caller.keep_secret(name, found)
                    else:
                        last = reply
                    self._given[name] = found
            except (ProviderError, ExpressionError) as failed:
                failed.args = (f"steps.{name}: {failed}{self._told}",)
                raise
            if reply is not None and step.method not in SAFE:
                self._changed.append(name)
        return last

    def _is_wanted(self, when: Condition | None) -> bool:
        return when is None or when.holds(self._variables)

    @property
    def _variables(self) -> Mapping[str, Json]:
        return {**self.seen, "steps": dict(self._given)}

    @property
    def _told(self) -> str:
        """Say what was done before a step failed."""
        return f"; done before it: {', '.join(self._changed)}" if self._changed else ""

    async def _ask(self, shape: CallShape, name: str = "") -> Mapping[str, Json] | None:
        """Make one request; None where a rule of the spec says that nothing came.

        Args:
            shape: What the spec says of it.
            name: Of one of several, for its key.
        """
        caller = self.ready.caller
        if isinstance(shape, Alternative | Step):
            whole = self.shape.idempotent if isinstance(self.shape, Operation) else None
            own = shape.idempotent is not None or shape.idempotency_key is not None
            caller.may_repeat = shape.may_repeat if own or whole is None else whole
        variables = {**self.ready.variables, **self._variables}
        request = build_call(shape, self.ready.base, variables, name)
        caller.keyed, caller.repeat_within_s = _key_of(shape) is not None, _seconds_of_key(shape)
        reply_shape = ReplyShape(decoder=shape.decode, errors=(*shape.errors, *self.errors))
        try:
            return await caller.ask(request, reply_shape)
        except SkippedError:
            return None
        except (PageShapeError, UnreadableError) as unusable:
            message = f"{unusable}{_done_already(shape, unusable.status)}"
            raise type(unusable)(message, status=unusable.status) from None

    def _read(self, reply: Mapping[str, Json], output: Output | None, shape: CallShape) -> Json:
        if output is None:
            return reply["body"]
        try:
            return output.read(reply, self._variables)
        except ExpressionError as wrong:
            done = _done_already(shape, reply["status"]) or self._told
            raise ExpressionError(f"{wrong}{done}") from None


def build_call(
    shape: CallShape, base: BaseCall, variables: Mapping[str, Json], name: str = ""
) -> Request:
    """Build a request of a call, with its key where the spec says one.

    Args:
        shape: What the spec says of it.
        base: What all requests have in common.
        variables: A value for each root; ``delivery`` among them.
        name: Of one of several: each has a key of its own.

    Raises:
        RefusedError: A value does not fit.
    """
    request = build_request(shape, base=base, variables=variables)
    key = _key_of(shape)
    if key is None:
        return request
    delivery = variables["delivery"]
    assert isinstance(delivery, Mapping)
    own = f"{delivery['id']}-{name}" if name else str(delivery["id"])
    return key.put(request, variables, own)


def _key_of(shape: CallShape) -> IdempotencyKey | None:
    return shape.idempotency_key if isinstance(shape, Operation | PartOfCall) else None


def _seconds_of_key(shape: CallShape) -> float | None:
    """Return how long the provider remembers the key of a call; None for ever."""
    key = _key_of(shape)
    return None if key is None or key.keep is None else key.keep.total_seconds()


def _done_already(shape: CallShape, status: int | None) -> str:
    """Say, of an answer that cannot be read, that what was asked is done all the same."""
    several = shape.method is None
    if several or shape.method in SAFE or status is None or not 200 <= status < 300:  # noqa: PLR2004
        return ""
    return f"; but the provider answered {status}, so it has been done"
