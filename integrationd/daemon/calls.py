"""What people ask of operations and probes, done here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from integrationd.daemon.composition import Composition
from integrationd.engine.call import CallOutcome
from integrationd.engine.calls import Calls
from integrationd.engine.plans import base_call
from integrationd.engine.rows import counts_json
from integrationd.errors import InputError
from integrationd.model.json import Json
from integrationd.ports.calls import CallWish
from integrationd.spec.documents import Integration
from integrationd.spec.operation import Operation
from integrationd.wire import showing
from integrationd.wire.call import build_request


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
            return {**where, "request": preview_call(integration, operation, given)}
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


def preview_call(integration: Integration, operation: Operation, given: Mapping[str, Json]) -> Json:
    """Return the request that a call would send; no secret is looked up and nothing is sent."""
    http = integration.http
    assert http is not None
    secrets = showing.stand_ins([*integration.secrets, "token"])
    variables = integration.variables(secrets)
    scope = {**variables, "input": dict(given)}
    request = build_request(operation, base=base_call(http, variables), variables=scope)
    # A kind that asks for a token first finds a stand-in where the token would be.
    signed = http.auth.apply(request, {**variables, "token": secrets["token"]})
    return showing.show_request(signed).to_json()


def _ending(outcome: CallOutcome) -> dict[str, Json]:
    return {
        "status": str(outcome.status),
        "counts": counts_json(outcome.counts),
        "took_ms": round(outcome.took_s * 1000),
        "error": outcome.error,
        "kind": outcome.kind,
    }
