"""A stream's request in several forms: which one finds something, and stays for all its pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from integrationd.engine.calling import Caller
from integrationd.engine.pages import Requests
from integrationd.engine.plans import Bounds, StreamPlan, walk_requests
from integrationd.errors import ExpressionError, ProviderError, RefusedError, SkippedError
from integrationd.model.json import Json
from integrationd.wire.call import BaseCall
from integrationd.wire.reply import Judged
from integrationd.wire.tokens import is_true

FORM: Final = "first_of"
"""Where a stored page token says which form it belongs to."""
_SEEN: Final = ("config", "now", "each", "object", "steps")


class Form(NamedTuple):
    """One form of the request."""

    number: int
    plan: StreamPlan
    requests: Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """All forms, none of which was found yet."""

    plan: StreamPlan
    base: BaseCall
    variables: Mapping[str, Json] = field(repr=False)
    """``config``, ``secrets``, ``each`` and ``steps``."""
    bounds: Bounds

    def form(self, number: int) -> Form:
        """Return one.

        Raises:
            ExpressionError: A template has no value.
        """
        plan = self.plan.variants[number]
        return Form(number, plan, walk_requests(plan, self.base, self.variables, self.bounds))

    async def find(self, caller: Caller, token: Json, *, first: bool) -> tuple[Form, Judged]:
        """Ask one after the other for a page, until one is found.

        Args:
            caller: Asks.
            token: Of the page.
            first: Whether the list begins with it.

        Raises:
            SkippedError: A rule of the spec took each answer for nothing.
            RefusedError: None is asked, or none is found.
            ProviderError: From one of them; it says which.
            ExpressionError: A template has no value, or an expression does not fit.
        """
        seen = {name: self.variables[name] for name in _SEEN if name in self.variables}
        skipped: SkippedError | None = None
        unfound: list[str] = []
        for number, said in enumerate(self.plan.stream.first_of):
            try:
                if said.when is not None and not said.when.holds(seen):
                    continue
                form = self.form(number)
                request = form.plan.paginator.apply(form.requests.of(first=first), token)
                judged = await caller.ask_judged(request, form.plan.reply)
                if said.found is None or is_true(said.found.search(dict(judged.reply), seen)):
                    return form, judged
            except SkippedError as nothing:
                skipped = nothing
                continue
            except (ProviderError, ExpressionError) as failed:
                failed.args = (f"first_of[{number}]: {failed}",)
                raise
            unfound.append(f"first_of[{number}]")
        if skipped is not None and not unfound:
            raise skipped
        told = f"'found' is not true of {', '.join(unfound)}" if unfound else "no 'when' is true"
        raise RefusedError(f"first_of: none of its requests finds anything: {told}")
