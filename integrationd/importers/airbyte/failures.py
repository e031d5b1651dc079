"""Error handlers to ``errors`` and ``retries``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from integrationd.importers.airbyte import unsaid
from integrationd.importers.airbyte.parts import Part
from integrationd.importers.airbyte.scope import Missing, Scope
from integrationd.importers.airbyte.times import write_span
from integrationd.importers.airbyte.writing import literal, path_of
from integrationd.model.json import Json

RETRIES_MAX: Final = 20
_THEN: Final = {
    "RETRY": "retry",
    "RATE_LIMITED": "wait",
    "FAIL": "fail",
    "IGNORE": "skip",
    "SUCCESS": "accept",
    "REFRESH_TOKEN_THEN_RETRY": "reauthenticate",
}
_KINDS: Final = {"config_error": "permanent", "system_error": "permanent"}
_TRIED_AGAIN: Final = "contains(`[429, 500, 502, 503, 504]`, status)"
"""What the source tries again without being told so."""


@dataclass(slots=True)
class Failures:
    """What a stream says of failures."""

    rules: list[dict[str, Any]] = field(default_factory=list)
    retries: int | None = None


def read_failures(part: Part | None, scope: Scope) -> Failures:
    """Return the rules of an error handler and of all inside it."""
    made = Failures()
    for leaf in _leaves(part):
        _read_leaf(leaf, scope, made)
    return made


def _leaves(part: Part | None) -> Iterator[Part]:
    if part is None:
        return
    if part.kind == "CompositeErrorHandler":
        for inner in part.children("error_handlers"):
            yield from _leaves(inner)
    elif part.kind == "DefaultErrorHandler":
        yield part
    else:
        unsaid.lose_kind(part)


def _read_leaf(part: Part, scope: Scope, made: Failures) -> None:
    wait = _read_wait(part, scope)
    for rule in part.children("response_filters"):
        if rule.kind != "HttpResponseFilter":
            unsaid.lose_kind(rule)
            continue
        said = _read_rule(rule, scope)
        if said is not None:
            waits = said["then"] in ("retry", "wait") and wait is not None
            made.rules.append({**said, "wait": wait} if waits else said)
    if wait is not None:
        made.rules.append({"when": _TRIED_AGAIN, "then": "wait", "wait": wait})
    retries = part.value("max_retries")
    if isinstance(retries, int):
        made.retries = max(made.retries or 0, min(retries, RETRIES_MAX))
        if retries > RETRIES_MAX:
            message = f"{part.path}.max_retries is {retries}; {RETRIES_MAX} are the most here"
            part.report.note(part.place("max_retries"), message)


def _read_rule(part: Part, scope: Scope) -> dict[str, Any] | None:
    action = part.text("action").upper() or "FAIL"
    if action in unsaid.NOT_YET:
        unsaid.lose(part, action, field="action")
        return None
    then = _THEN.get(action)
    if then is None:
        message = f"{part.path}.action: {action!r} is not known here"
        part.report.lose(part.place("action"), message)
        return None
    tests = list(_read_tests(part, scope))
    if not tests:
        return None
    rule: dict[str, Any] = {"when": " || ".join(tests), "then": then}
    kind = _KINDS.get(part.text("failure_type"))
    if kind is not None and then == "fail":
        rule["kind"] = kind
    if part.has("error_message") and then in ("fail", "retry", "wait"):
        said = scope.message(part, "error_message")
        rule.update({"message": said} if said else {})
    return rule


def _read_tests(part: Part, scope: Scope) -> Iterator[str]:
    """Yield our conditions; any of them may hold."""
    codes = part.value("http_codes")
    if isinstance(codes, list) and codes:
        numbers = [int(code) for code in codes]
        one = f"status == {literal(numbers[0])}"
        yield one if len(numbers) == 1 else f"contains({literal(numbers)}, status)"
    if part.has("error_message_contains"):
        yield f"contains(to_string(body), {literal(part.text('error_message_contains'))})"
    if part.has("predicate"):
        found = scope.expression(part, "predicate")
        if found is not None:
            yield f"({found})"


def _read_wait(part: Part, scope: Scope) -> Json:
    """Return how long is waited before the next try; the first strategy that says it counts."""
    found: Json = None
    for strategy in part.children("backoff_strategies"):
        said = _read_strategy(strategy, scope)
        found = said if found is None else found
    return found


def _read_strategy(part: Part, scope: Scope) -> Json:
    match part.kind:
        case "ConstantBackoffStrategy":
            return _read_constant(part, scope)
        case "ExponentialBackoffStrategy":
            return None
        case "WaitTimeFromHeader" | "WaitUntilTimeFromHeader":
            return _read_header(part)
        case _:
            unsaid.lose_kind(part)
            return None


def _read_constant(part: Part, scope: Scope) -> Json:
    node = part.get("backoff_time_in_seconds")
    key = "backoff_time_in_seconds"
    made = None if node is None else scope.template(part, node, f"{part.path}.{key}")
    if isinstance(made, str) and made.isdigit():
        made = int(made)
    if isinstance(made, Missing) or not isinstance(made, int | float):
        unsaid.lose(part, "wait_template", field=key)
        return None
    return write_span(timedelta(seconds=made))


def _read_header(part: Part) -> Json:
    header = part.text("header").lower()
    if part.has("regex"):
        unsaid.lose(part, "wait_regex", field="regex")
        return None
    if "{{" in header:
        unsaid.lose(part, "wait_template", field="header")
        return None
    is_until = part.kind == "WaitUntilTimeFromHeader"
    value = path_of([header], after="headers")
    return {"value": value, "format": "unix" if is_until else "seconds"}
