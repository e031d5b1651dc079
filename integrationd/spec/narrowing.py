"""``--input``: what a person narrows one run of a stream to, a span of time or one record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from integrationd.config.nodes import Position
from integrationd.config.problems import nearest, shorten
from integrationd.errors import InputError
from integrationd.model.json import Json
from integrationd.spec.bounds import Start
from integrationd.spec.incremental import Incremental
from integrationd.spec.inputs import Inputs
from integrationd.spec.stream import Stream
from integrationd.transform.cursors import CursorType
from integrationd.transform.printing import print_value
from integrationd.transform.template import JsonTemplate, Template

SINCE: Final = "since"
UNTIL: Final = "until"
_TYPED: Final = Position("--input", 1, 1)
"""Where a template comes from that no file holds."""
_TYPES: Final[Mapping[CursorType, str]] = {
    CursorType.TIME: "string",
    CursorType.NUMBER: "number",
    CursorType.TEXT: "string",
}
"""The JSON type of a bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What one run is told beside its files."""

    given: Mapping[str, Json]
    """As it was asked for, for the history."""
    values: Mapping[str, Json] = field(default_factory=dict)
    """Of the inputs that the stream declares, those that nobody gave included."""
    since: Json = None
    until: Json = None
    each: Mapping[str, Json] = field(default_factory=dict)
    """Of the values that the stream is read for each of, by name."""

    def of_rule(self, rule: Incremental | None) -> Incremental | None:
        """Return how the run reads where the file says how the stream is read."""
        if rule is None:
            return None
        start, window = rule.start, rule.window
        if self.since is not None:
            start = Start(None, _constant(self.since))
        if self.until is not None and window is not None:
            window = replace(window, end=_constant(self.until))
        return replace(rule, start=start, window=window)


def idle_inputs(stream: Stream) -> dict[str, Json]:
    """Return what templates see as ``input`` in a run that nobody narrowed."""
    return {name: schema.get("default") for name, schema in stream.input.schemas.items()}


def read_narrowing(
    stream: Stream, given: Mapping[str, Json], texts: Mapping[str, str]
) -> Narrowing:
    """Read what a person asks of one run.

    Args:
        stream: Of which the run is.
        given: Values with their types.
        texts: Values as they were typed.

    Raises:
        InputError: All that does not fit, a line each.
    """
    own = stream.input.schemas
    built_in = {name: schema for name, schema in _built_in(stream).items() if name not in own}
    values = _read_values({**built_in, **own}, given, texts)
    names = () if stream.for_each is None else stream.for_each.names
    found = Narrowing(
        given={name: values[name] for name in (*given, *texts)},
        values={**idle_inputs(stream), **{name: values[name] for name in own if name in values}},
        since=values.get(SINCE) if SINCE in built_in else None,
        until=values.get(UNTIL) if UNTIL in built_in else None,
        each={name: values[name] for name in names if name in built_in and name in values},
    )
    _check_span(stream.incremental, found)
    return found


def _built_in(stream: Stream) -> dict[str, Json]:
    """Return the inputs that a stream has without declaring them."""
    names = () if stream.for_each is None else stream.for_each.names
    schemas: dict[str, Json] = {name: {} for name in names}
    rule = stream.incremental
    # A feed tells again what was: an old change would be taken for the present state.
    if rule is not None and rule.takes_bounds and stream.feed is None:
        schemas[SINCE] = {"type": _TYPES[rule.type]}
        if rule.window is not None:
            schemas[UNTIL] = {"type": "string"}
    return schemas


def _read_values(
    schemas: Mapping[str, Json], given: Mapping[str, Json], texts: Mapping[str, str]
) -> Mapping[str, Json]:
    """Read values by their schemas; what is not known and what does not fit is told at once."""
    problems = _find_unknown({**given, **texts}, schemas)
    own = {name: value for name, value in given.items() if name in schemas}
    typed = {name: text for name, text in texts.items() if name in schemas}
    try:
        values = Inputs(schemas).read(own, typed, whole=False)
    except InputError as wrong:
        problems.append(str(wrong))
    if problems:
        raise InputError("\n".join(problems))
    return values


def _find_unknown(asked: Mapping[str, Json], known: Mapping[str, Json]) -> list[str]:
    """Say what the stream takes; of an input that would need a window, why it does not."""
    problems = []
    for name in asked:
        if name in known:
            continue
        if not known:
            problems.append(
                f"unknown input {shorten(name)}; the stream takes none, declare it under 'input'"
            )
        elif name == UNTIL and SINCE in known:
            problems.append(
                "unknown input 'until'; the provider is not told where to end, as "
                "'incremental' has no 'window'"
            )
        else:
            problems.append(f"unknown input {shorten(name)}{nearest(name, known)}")
    return problems


def _check_span(rule: Incremental | None, found: Narrowing) -> None:
    """Refuse bounds that cannot be read, and an end before its beginning."""
    bounds = {SINCE: found.since, UNTIL: found.until}
    read, problems = {}, []
    for name, value in bounds.items():
        if value is None or rule is None:
            continue
        try:
            read[name] = rule.read_bound(value)
        except ValueError as wrong:
            problems.append(f"input.{name} is {shorten(value)}, {wrong}")
    if len(read) == len(bounds) and read[UNTIL] < read[SINCE]:  # type: ignore[operator]  # times
        problems.append(f"input.until is before input.since, which is {shorten(found.since)}")
    if problems:
        raise InputError("\n".join(problems))


def _constant(value: Json) -> JsonTemplate:
    """Make what a person typed a value that is used as it is, whatever signs it holds."""
    return JsonTemplate(Template(text=print_value(value), position=_TYPED, value=value), _TYPED)
