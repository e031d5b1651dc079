"""What an integration would ask its provider, and what that is made of; no secret is in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from integrationd.config.units import format_duration
from integrationd.engine.alternatives import FORM
from integrationd.engine.counting import tally_of
from integrationd.engine.moments import NOW, Moment, print_now, token_in
from integrationd.engine.pages import of_page
from integrationd.engine.parts import WHOLE
from integrationd.engine.plans import (
    StreamPlan,
    base_call,
    bounded,
    build_plan,
    first_request,
)
from integrationd.engine.progress import Reading
from integrationd.engine.reading import plan_stream
from integrationd.engine.renaming import explain_renaming, is_renamed
from integrationd.engine.rows import format_time
from integrationd.engine.windows import legs_of
from integrationd.errors import ExpressionError, ProviderError
from integrationd.model.json import Json
from integrationd.ports.store import ReadingState, StreamKey
from integrationd.spec.documents import Integration
from integrationd.spec.families import each_names
from integrationd.spec.narrowing import idle_inputs
from integrationd.spec.operation import Output
from integrationd.spec.preludes import spans_of
from integrationd.spec.stream import Stream
from integrationd.transform.expression import Expression
from integrationd.transform.finding import references_in
from integrationd.transform.template import JsonTemplate, Template
from integrationd.wire import showing
from integrationd.wire.auth.authenticator import authorize
from integrationd.wire.bodies.form import FormTemplate
from integrationd.wire.bodies.json import JsonBodyTemplate
from integrationd.wire.call import CallShape, build_request
from integrationd.wire.messages import Request

_PARTS: Final = ("query", "headers", "json", "form")
"""Of a request, beside its method and its path."""


def explain_stream(
    integration: Integration,
    name: str,
    stored: ReadingState,
    *,
    now: datetime,
    full: bool,
    due: datetime | None = None,
) -> Json:
    """Describe the first request of a stream's next reading.

    Args:
        integration: Whose.
        name: A stream that makes requests.
        stored: How far it was read.
        full: As a reading of everything, whatever is stored.
        now: The current time.
        due: When that is, where a schedule reads it.
    """
    plan = build_plan(integration, name)
    reading = plan_stream(plan, stored, full=full, run_id="")
    if plan.stream.for_each is not None:
        reading = dataclasses.replace(reading, cursor=None)  # each partition has its own
    stream, rule = plan.stream, plan.stream.incremental
    waits = is_renamed(stored.identity, plan.prints)
    return {
        **_whose(integration),
        "stream": name,
        **_first(plan, reading, now),
        "reading": {
            "mode": str(reading.mode),
            "resumed": reading.resumed,
            "cursor": stored.cursor if stream.for_each is None else None,
            "waits": explain_renaming(plan.key, stored.identity, plan.prints) if waits else "",
        },
        "paginate": _written(plan.paginator),
        "incremental": None if rule is None else _written(rule),
        "feed": None if stream.feed is None else _written(stream.feed),
        "input": dict(stream.input.schemas),
        "for_each": None if stream.for_each is None else _written(stream.for_each.dimensions),
        "records": "body" if stream.records is None else stream.records.text,
        "key": [part.text for part in stream.key.parts],
        "mapping": None if stream.mapping is None else str(stream.mapping),
        "entity": plan.entity,
        "schedule": str(stream.schedule),
        "enabled": stream.enabled,
        "next_run_at": format_time(due),
        "fingerprints": dataclasses.asdict(plan.prints),
    }


def explain_operation(integration: Integration, name: str) -> Json:
    """Describe one operation: its request as it is written, what it takes and what it gives."""
    operation = integration.operations[name]
    return {
        **_whose(integration),
        "operation": name,
        "description": operation.description,
        "requests": [
            {
                "name": str(getattr(shape, "name", "")),
                "when": _written_condition(shape),
                "method": shape.method,
                "path": _written(shape.path),
                **{part: _written(getattr(shape, part)) for part in _PARTS},
            }
            for shape in operation.parts
        ],
        "first_of": bool(operation.first_of),
        "error": "",
        "input": dict(operation.input.schemas),
        "output": _written_output(operation.output),
        "cache": _written(operation.cache),
        "may_repeat": operation.may_repeat,
    }


def explain_integration(integration: Integration, times: Mapping[StreamKey, datetime]) -> Json:
    """List what can be explained of an integration, and when its streams are due next."""
    return {
        **_whose(integration),
        "error": "",
        "streams": [
            {
                "name": name,
                "entity": integration.entity_of(name),
                "schedule": str(stream.schedule) if stream.is_read() else "webhook",
                "enabled": stream.enabled,
                "next_run_at": format_time(times.get(StreamKey(integration.name, name))),
            }
            for name, stream in integration.streams.items()
        ],
        "operations": [
            {
                "name": name,
                "description": operation.description,
                "requests": [
                    {"method": shape.method, "path": _written(shape.path)}
                    for shape in operation.parts
                ],
                "input": list(operation.input.schemas),
            }
            for name, operation in integration.operations.items()
        ],
    }


def _whose(integration: Integration) -> dict[str, Json]:
    return {
        "integration": integration.name,
        "tenant": integration.tenant,
        "provider": integration.provider,
        "files": sorted(integration.files),
    }


def _written_output(output: Output | None) -> Json:
    if output is None:
        return "body"
    return _written(output.named if output.whole is None else output.whole)


def _first(plan: StreamPlan, reading: Reading, now: datetime) -> dict[str, Json]:
    """Return the requests as people see them, or why there are none."""
    for bare in (_as_text, _as_list):
        try:
            return {**_show_requests(plan, reading, now, bare), "error": ""}
        except (ExpressionError, ProviderError) as failed:
            reason = str(failed)
            if not plan.stream.steps:
                break
    return {"request": None, "first_of": [], "steps": [], "error": reason}


def _show_requests(
    plan: StreamPlan, reading: Reading, now: datetime, bare: Callable[[str], Json]
) -> dict[str, Json]:
    http, integration, stream = plan.http, plan.integration, plan.stream
    secrets = showing.stand_ins([*integration.secrets, "token"])
    # What stands for the values of a partition reads as a name does.
    names = each_names(integration.streams, plan.name)
    variables: dict[str, Json] = {
        **integration.variables(secrets),
        **plan.given,
        "each": {value: value.upper() for value in names},
        "input": idle_inputs(stream),
        "steps": _stand_in_steps(stream, bare),
        NOW: Moment.of(reading.token, {NOW: print_now(now)}, is_used=True).now,
    }
    plan = plan.of(reading.mode)
    base = base_call(http, variables)
    leg = next(legs_of(plan, reading, now))
    tally = None if reading.resumed else tally_of(plan, reading, WHOLE, variables)

    def show(request: Request) -> Json:
        # A kind that asks for a token first finds a stand-in where the token would be.
        known = {**variables, "token": secrets["token"]}
        return showing.show_request(
            authorize(http.auth, request, known, showing.STAND_IN)
        ).to_json()

    forms = list(zip(plan.stream.first_of or (None,), plan.variants, strict=True))
    token = tally.first if tally else token_in(reading.token)
    if isinstance(token, dict) and FORM in token:
        forms, token = [forms[token[FORM]]], token["token"]
    asked = of_page(variables, first=token is None or not reading.resumed)
    shown = [
        (said, show(one.paginator.apply(first_request(one, base, asked, leg.bounds), token)))
        for said, one in forms
    ]
    scope = bounded(plan, variables, leg.bounds)
    return {
        "request": shown[0][1],
        "first_of": [
            {"when": _written_condition(said), "request": request}
            for said, request in shown
            if said is not None
        ],
        "steps": [
            {
                "name": str(step.name),
                "when": _written_condition(step),
                "request": show(build_request(step, base=base, variables=scope)),
                "made_for": str(span),
            }
            for step, span in zip(stream.steps, spans_of(stream.steps), strict=True)
        ],
    }


def _as_text(name: str) -> Json:
    return name


def _as_list(name: str) -> Json:
    return [name]


def _stand_in_steps(stream: Stream, bare: Callable[[str], Json]) -> Json:
    """Return what stands for what steps would give: names, where templates look for something.

    Args:
        stream: Its steps are not asked.
        bare: Makes what stands for a step's output as a whole.
    """
    given: dict[str, Any] = {str(step.name): bare(str(step.name).upper()) for step in stream.steps}
    for reference in references_in(stream):
        root, *path = reference.path
        if root != "steps" or len(path) < 2:  # noqa: PLR2004 - a step and something in it
            continue
        place: dict[str, Any] = given
        for key in path[:-1]:
            if not isinstance(place.get(key), dict):
                place[key] = {}
            place = place[key]
        place.setdefault(path[-1], ".".join(path).upper())
    for step in stream.steps:
        if step.secret:
            given[str(step.name)] = _masked(given[str(step.name)])
    return given


def _masked(value: Json) -> Json:
    """Return the same with a mask at every end of it."""
    if isinstance(value, dict):
        return {key: _masked(item) for key, item in value.items()}
    return showing.stand_ins([""])[""]


def _written(value: Any) -> Json:  # noqa: ANN401 - any decoded value
    """Return a decoded value as its author might have written it, what is not said left out."""
    match value:
        case Expression() | Template() | JsonTemplate() | JsonBodyTemplate() | FormTemplate():
            return _written_text(value)
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


def _written_condition(shape: CallShape) -> Json:
    when = getattr(shape, "when", None)
    return None if when is None else when.expression.text


def _written_text(
    value: Expression | Template | JsonTemplate | JsonBodyTemplate | FormTemplate,
) -> Json:
    match value:
        case JsonTemplate():
            return _written(value.tree)
        case JsonBodyTemplate():
            return _written(value.whole if value.members is None else value.members)
        case FormTemplate():
            return _written(value.fields)
        case Template() if value.is_constant:
            return value.value
        case _:
            return value.text


def _written_object(value: Any) -> Json:  # noqa: ANN401 - any decoded value
    if not dataclasses.is_dataclass(value) or type(value).__str__ is not object.__str__:
        return str(value)
    names = [field.name for field in dataclasses.fields(value) if field.name != "position"]
    given = {name: getattr(value, name) for name in names}
    fields = {name.rstrip("_"): _written(item) for name, item in given.items() if item is not None}
    kind = getattr(value, "kind", None)
    return fields if kind is None else {"type": str(kind), **fields}
