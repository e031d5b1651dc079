"""What a stream would ask its provider next, resolved, and what made it; no secret is in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from typing import Any

from integrationd.config.units import format_duration
from integrationd.engine.plans import StreamPlan, base_call, build_plan, first_request
from integrationd.engine.progress import Reading, plan_reading
from integrationd.engine.renaming import explain_renaming, is_renamed
from integrationd.errors import ExpressionError, ProviderError
from integrationd.model.json import Json
from integrationd.ports.store import ReadingState
from integrationd.spec.documents import Integration
from integrationd.transform.expression import Expression
from integrationd.transform.template import Template
from integrationd.wire import showing
from integrationd.wire.messages import Request


def explain_stream(
    integration: Integration, name: str, stored: ReadingState, *, full: bool
) -> Json:
    """Describe the first request of a stream's next reading.

    Args:
        integration: Whose.
        name: A stream that makes requests.
        stored: How far it was read.
        full: As a reading of everything, whatever is stored.
    """
    plan = build_plan(integration, name)
    reading = plan_reading(
        stored,
        prints=plan.prints,
        incremental=plan.stream.incremental is not None,
        full=full,
    )
    stream, rule = plan.stream, plan.stream.incremental
    waits = is_renamed(stored.identity, plan.prints)
    return {
        "integration": integration.name,
        "stream": name,
        "tenant": integration.tenant,
        "provider": integration.provider,
        "files": sorted(integration.files),
        **_first(plan, reading),
        "reading": {
            "mode": str(reading.mode),
            "resumed": reading.resumed,
            "cursor": stored.cursor,
            "waits": explain_renaming(plan.key, stored.identity, plan.prints) if waits else "",
        },
        "paginate": _written(plan.paginator),
        "incremental": None if rule is None else _written(rule),
        "records": "body" if stream.records is None else stream.records.text,
        "key": [part.text for part in stream.key.parts],
        "mapping": None if stream.mapping is None else str(stream.mapping),
        "entity": plan.entity,
        "schedule": str(stream.schedule),
        "enabled": stream.enabled,
        "fingerprints": dataclasses.asdict(plan.prints),
    }


def _first(plan: StreamPlan, reading: Reading) -> dict[str, Json]:
    """Return the request as people see it, or why there is none."""
    http, integration = plan.http, plan.integration
    secrets = showing.stand_ins([*integration.secrets, "token"])
    variables = integration.variables(secrets)
    try:
        base = base_call(http, variables)
        request: Request = first_request(plan, base, variables, reading.cursor)
        request = plan.paginator.apply(request, reading.token)
        # A kind that asks for a token first finds a stand-in where the token would be.
        signed = http.auth.apply(request, {**variables, "token": secrets["token"]})
        return {"request": showing.show_request(signed).to_json(), "error": ""}
    except (ExpressionError, ProviderError) as failed:
        return {"request": None, "error": str(failed)}


def _written(value: Any) -> Json:  # noqa: ANN401 - any decoded value
    """Return a decoded value as its author might have written it, what is not said left out."""
    match value:
        case Expression() | Template():
            return value.text
        case Enum() | None | bool() | int() | float():
            return value.value if isinstance(value, Enum) else value
        case timedelta():
            return format_duration(value)
        case Mapping():
            return {str(key): _written(item) for key, item in value.items()}
        case tuple() | list():
            return [_written(item) for item in value]
        case _:
            return _written_object(value)


def _written_object(value: Any) -> Json:  # noqa: ANN401 - any decoded value
    if not dataclasses.is_dataclass(value) or type(value).__str__ is not object.__str__:
        return str(value)
    names = [field.name for field in dataclasses.fields(value) if field.name != "position"]
    given = {name: getattr(value, name) for name in names}
    fields = {name.rstrip("_"): _written(item) for name, item in given.items() if item is not None}
    kind = getattr(value, "kind", None)
    return fields if kind is None else {"type": str(kind), **fields}
