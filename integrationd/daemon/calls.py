"""What people ask of operations and probes, done here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from integrationd.daemon.composition import Composition
from integrationd.daemon.system import SystemClock
from integrationd.engine.call import CallOutcome
from integrationd.engine.calls import Calls
from integrationd.engine.moments import print_now
from integrationd.engine.plans import base_call
from integrationd.engine.rows import counts_json
from integrationd.engine.steps import build_call
from integrationd.errors import InputError
from integrationd.model.json import Json
from integrationd.ports.calls import CallWish
from integrationd.spec.documents import Integration
from integrationd.spec.operation import Alternative, Operation, Step
from integrationd.transform.finding import references_in
from integrationd.wire import showing
from integrationd.wire.auth.authenticator import authorize
from integrationd.wire.call import CallShape

_NO_DELIVERY: Final[Mapping[str, Json]] = {"id": "made-when-called"}
"""Stands for the id of a call that is only shown."""


class LocalCalls:
    """Implements :class:`integrationd.ports.calls.CallActions`."""

    def __init__(self, parts: Composition) -> None:
        """Take the parts."""
        self._calls = Calls(conductor=parts.conductor)

    async def call(self, wish: CallWish) -> Json:
        """Call an operation once, or tell what would be sent."""
        integration, operation = self._calls.find(wish.integration, wish.operation)
        where = {"integration": wish.integration, "operation": wish.operation}
        try:
            # The library that judges schemas takes longer to load than the loop may be held.
            given = await asyncio.to_thread(operation.input.read, wish.input, wish.texts)
        except InputError as wrong:
            lines = str(wrong).splitlines()
            name = f"{wish.integration}/{wish.operation}"
            raise InputError("\n".join(f"{name}: {line}" for line in lines)) from None
        if wish.dry_run:
            return {**where, **preview_call(integration, operation, given)}
        outcome = await self._calls.call(wish.integration, wish.operation, given)
        return {
            **where,
            "run": outcome.run_id,
            "output": outcome.output,
            "cached": outcome.cached,
            "known": outcome.known,
            **_ending(outcome),
        }

    async def probe(self, integration: str) -> Json:
        """Make an integration's probe."""
        outcome = await self._calls.probe(integration)
        if outcome is None:
            hint = "it has no probe; add one, such as 'probe: {get: /me}'"
            return {"integration": integration, "status": "none", "error": hint}
        return {"integration": integration, **_ending(outcome)}


def preview_call(
    integration: Integration, operation: Operation, given: Mapping[str, Json]
) -> dict[str, Json]:
    """Return what a call would send; no secret is looked up and nothing is sent.

    Returns:
        ``request``, or for several ``requests``, each with its ``name`` and its ``request``, or
        the reason ``why`` there is none.
    """
    preview = _Preview(integration.asking_as(operation.auth), given)
    if operation.method is not None:
        return {"request": preview.show(operation)}
    parts: dict[str, Alternative | Step] = {
        f"first_of[{index}]": one for index, one in enumerate(operation.first_of)
    }
    parts |= {f"steps.{step.name}": step for step in operation.steps}
    told = [{"name": name, **preview.try_part(part)} for name, part in parts.items()]
    return {"requests": told}


@dataclass(frozen=True, slots=True)
class _Preview:
    """Shows the requests of one call."""

    integration: Integration
    given: Mapping[str, Json]

    def try_part(self, part: Alternative | Step) -> dict[str, Json]:
        """Show one of several requests, where it does not need what an earlier one gives."""
        used = [reference.path for reference in references_in(part)]
        needed = dict.fromkeys(path[1] for path in used if path[0] == "steps" and len(path) > 1)
        seen = {"config": dict(self.integration.config), "input": dict(self.given), "steps": {}}
        why = ""
        if needed:
            why = f"it needs what {', '.join(needed)} gives"
        elif part.when is not None and not part.when.holds(seen):
            why = "its 'when' does not hold"
        return {"request": None if why else self.show(part), "why": why}

    def show(self, shape: CallShape) -> Json:
        """Show one request."""
        http = self.integration.http
        assert http is not None
        secrets = showing.stand_ins([*self.integration.secrets, "token"])
        variables = self.integration.variables(secrets)
        scope = {
            **variables,
            "now": print_now(SystemClock().now()),
            "input": dict(self.given),
            "steps": {},
            "delivery": _NO_DELIVERY,
        }
        request = build_call(shape, base_call(http, variables), scope)
        # A kind that asks for a token first finds a stand-in where the token would be.
        known = {**variables, "token": secrets["token"]}
        signed = authorize(http.auth, request, known, showing.STAND_IN)
        return showing.show_request(signed).to_json()


def _ending(outcome: CallOutcome) -> dict[str, Json]:
    return {
        "status": str(outcome.status),
        "counts": counts_json(outcome.counts),
        "took_ms": round(outcome.took_s * 1000),
        "error": outcome.error,
        "kind": outcome.kind,
    }
