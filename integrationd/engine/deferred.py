"""Work that a provider does before there is something to read: begun, waited for, and had."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from integrationd.config.units import format_duration
from integrationd.engine.asking import Asking
from integrationd.engine.calling import Caller
from integrationd.engine.pages import Requests, build_requests
from integrationd.engine.plans import Bounds, StreamPlan, first_request
from integrationd.engine.world import World
from integrationd.errors import PageShapeError, ProviderError, RefusedError, SkippedError
from integrationd.model.json import Json
from integrationd.model.secret import mask
from integrationd.model.unstorable import find_unstorable
from integrationd.spec.deferred import Deferred
from integrationd.wire.call import CallShape, build_request
from integrationd.wire.messages import Request
from integrationd.wire.reply import ReplyShape
from integrationd.wire.tokens import is_true

Keep: TypeAlias = Callable[[Json], Awaitable[None]]
"""Keeps what the work is called, so that another run can go on with it."""
JOB: Final = "job"


@dataclass(slots=True, kw_only=True)
class Work:
    """One piece of work, of one walk."""

    world: World
    plan: StreamPlan
    ready: Asking
    caller: Caller
    variables: Mapping[str, Json] = field(repr=False)
    """``config``, ``secrets`` and ``each``."""
    bounds: Bounds
    keep: Keep
    job: Json = None
    """What it is called; None before it was begun."""

    async def requests(self) -> Requests:
        """See the work through and return the requests for what it made.

        Raises:
            ProviderError: From a request; or the work failed, or took too long.
            ExpressionError: A template has no value.
            StoreError: Its name cannot be kept.
        """
        rule = self.plan.stream.deferred
        assert rule is not None
        if self.job is None:
            self.job = await self._create(rule)
            await self.keep(self.job)
        polled = await self._wait(rule)
        variables = {**self._variables, "poll": polled}
        base = self.ready.base
        if not rule.download.sign:
            # What all calls have in common may say who asks, and would break a signed address.
            base = replace(base, headers={}, query=())
        return build_requests(
            lambda scope: build_request(rule.download, base=base, variables=scope),
            variables,
            differ="page" in self.plan.reads,
        )

    def stored(self, token: Json) -> Json:
        """Return what is kept of a page's token."""
        return {JOB: self.job, "token": token}

    @property
    def _variables(self) -> Mapping[str, Json]:
        return {**self.variables, "job": {"id": self.job}}

    async def _create(self, rule: Deferred) -> Json:
        request = first_request(self.plan, self.ready.base, self.variables, self.bounds)
        reply = await self._ask(request, rule.create)
        name = rule.create.id.search(dict(reply))
        if not is_true(name):
            raise PageShapeError(
                f"deferred.create.id: {rule.create.id.text} found nothing, expected what the work "
                "is called"
            )
        if find_unstorable(name) is not None or mask(str(name), self.caller.hidden()) != str(name):
            raise PageShapeError("deferred.create.id found what cannot be kept")
        return name

    async def _wait(self, rule: Deferred) -> Mapping[str, Json]:
        """Ask until the work is done; return the last answer."""
        clock, poll = self.world.clock, rule.poll
        until_s = clock.monotonic() + poll.timeout.total_seconds()
        every_s = poll.every.total_seconds()
        while True:
            request = build_request(poll, base=self.ready.base, variables=self._variables)
            reply = await self._ask(request, poll)
            if poll.failed is not None and is_true(poll.failed.search(dict(reply))):
                raise RefusedError("deferred: the provider says that the work has failed")
            if is_true(poll.done.search(dict(reply))):
                return reply
            if clock.monotonic() + every_s > until_s:
                await self._abort(rule)
                span = format_duration(poll.timeout)
                raise RefusedError(f"deferred: the work is not done after {span}; it was given up")
            await asyncio.sleep(every_s)

    async def _abort(self, rule: Deferred) -> None:
        if rule.abort is not None:
            request = build_request(rule.abort, base=self.ready.base, variables=self._variables)
            with suppress(ProviderError):  # that it took too long is what has to be told
                await self._ask(request, rule.abort)

    async def _ask(self, request: Request, shape: CallShape) -> Mapping[str, Json]:
        http = self.plan.http
        errors = (*shape.errors, *self.plan.stream.errors, *http.errors)
        try:
            return await self.caller.ask(request, ReplyShape(decoder=shape.decode, errors=errors))
        except SkippedError as skipped:
            raise RefusedError(f"deferred: {skipped}; the work cannot be skipped") from None
