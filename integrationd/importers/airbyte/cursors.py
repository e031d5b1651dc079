"""Cursors to ``incremental``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from integrationd.config.nodes import Scalar, walk
from integrationd.importers.airbyte import times, unsaid
from integrationd.importers.airbyte.parts import Part
from integrationd.importers.airbyte.places import read_place
from integrationd.importers.airbyte.scope import Scope
from integrationd.importers.airbyte.terms import (
    Apply,
    Const,
    Name,
    Term,
    Text,
    UnsayableError,
    roots_in,
)
from integrationd.importers.airbyte.writing import path_of, write_template
from integrationd.model.json import Json

_WHOLE: Final = "36500d"
"""A window in which everything lies, where the source sends both ends and no step."""
_END: Final = r"stream_(?:slice|interval|partition)\W{{1,3}}{name}\b"


def read_bounds(part: Part | None, retriever: Part | None) -> tuple[dict[str, Name], str]:
    """Return our variables for the two ends of an interval, and how these are written.

    Returns:
        The variables by the source's names; ``iso`` for whatever ISO 8601 is.
    """
    if part is None or part.kind != "DatetimeBasedCursor":
        return {}, "iso"
    pattern = part.text("datetime_format")
    notation = "iso" if times.is_iso(pattern) else times.read_notation(pattern) or "iso"
    start = part.text("partition_field_start") or "start_time"
    end = part.text("partition_field_end") or "end_time"
    if has_window(part, retriever):
        return {start: Name(("window", "start")), end: Name(("window", "end"))}, notation
    return {start: Name(("cursor",))}, notation


def has_window(part: Part, retriever: Part | None) -> bool:
    """Tell whether requests have an upper bound."""
    return part.has("step") or part.has("end_time_option") or _names_end(part, retriever)


def _names_end(part: Part, retriever: Part | None) -> bool:
    name = part.text("partition_field_end") or "end_time"
    wanted = re.compile(_END.format(name=re.escape(name)))
    requester = None if retriever is None else retriever.child("requester")
    return requester is not None and any(wanted.search(text) for text in _texts(requester))


def _texts(part: Part) -> Iterator[str]:
    for node in part.node.entries.values():
        for each in walk(part.manifest.follow(node)):
            if isinstance(each, Scalar) and isinstance(each.value, str):
                yield each.value


def read_incremental(part: Part | None, retriever: Part, scope: Scope) -> dict[str, Any] | None:
    """Return what ``incremental`` says; None where the stream is read whole, which is told."""
    if part is None:
        return None
    if part.kind == "IncrementingCountCursor":
        return _read_count(part, scope)
    if part.kind != "DatetimeBasedCursor":
        unsaid.lose_kind(part)
        return None
    return _read_times(part, retriever, scope)


def _field(part: Part, scope: Scope) -> str:
    text = part.text("cursor_field")
    try:
        made = write_template(scope.term(part, text))
    except UnsayableError:
        made = text
    return path_of(str(made).split(".")) if "{{" not in str(made) else text


def _into(part: Part, key: str, scope: Scope) -> dict[str, str]:
    option = part.child(key)
    place = None if option is None else read_place(option, scope)
    return {} if place is None else {"into": place}


def _read_count(part: Part, scope: Scope) -> dict[str, Any]:
    made: dict[str, Any] = {"field": _field(part, scope), "type": "number"}
    made.update(_into(part, "start_value_option", scope))
    start = part.get("start_value")
    value = None if start is None else scope.template(part, start, f"{part.path}.start_value")
    return {**made, "start": value} if isinstance(value, str | int) else made


def _read_times(part: Part, retriever: Part, scope: Scope) -> dict[str, Any] | None:
    if part.has("clamping"):
        unsaid.lose(part, "clamping", field="clamping")
    read = _read_notations(part)
    notation = times.read_notation(part.text("datetime_format"))
    if notation is None:
        unsaid.lose(part, "time_format", field="datetime_format")
    if read is None or notation is None:
        return None
    made: dict[str, Any] = {"field": _field(part, scope), **_into(part, "start_time_option", scope)}
    if read != ["iso"]:
        made["read"] = read[0] if len(read) == 1 else read
    start = _read_start(part, scope)
    if start is not None:
        made["start"] = start
    if has_window(part, retriever) and start is not None:
        made["window"] = _read_window(part, scope)
    made |= {**_read_lookback(part, scope), "format": notation}
    if part.is_true("is_data_feed"):
        return {**made, "filter": "client", "sorted": "descending"}
    return {**made, "filter": "client"} if part.is_true("is_client_side_incremental") else made


def _read_notations(part: Part) -> list[str] | None:
    """Return how records write their times."""
    found: list[str] = []
    said = part.value("cursor_datetime_formats") or [part.text("datetime_format")]
    for pattern in map(str, said):
        notation = "iso" if times.is_iso(pattern) else times.read_notation(pattern)
        if notation is None:
            unsaid.lose(part, "time_format", field="cursor_datetime_formats")
            return None
        found.append(notation)
    return list(dict.fromkeys(found))


def _read_lookback(part: Part, scope: Scope) -> dict[str, str]:
    span = _read_span(part, "lookback_window", scope)
    return {"lookback": times.write_span(span)} if span else {}


def _read_span(part: Part, key: str, scope: Scope) -> timedelta | None:
    """Return a span of time; of one that the configuration may say, what it is by default."""
    text = part.text(key)
    if "{{" in text:
        unsaid.lose(part, "span_template", field=key)
        try:
            text = _by_default(scope.term(part, text))
        except UnsayableError:
            return None
    span = times.read_span(text) if text else None
    if text and span is None and "{{" not in part.text(key):
        part.report.lose(part.place(key), f"{part.path}.{key}: {text!r} is no span of time")
    return span


def _by_default(term: Term) -> str:
    match term:
        case Const(value=value):
            return str(value)
        case Text():
            return "".join(map(_by_default, term.parts))
        case Apply("default" | "or", (_, Const(value=value))):
            return str(value)
        case _:
            return ""


def _moment(part: Part, key: str) -> tuple[Part, str] | None:
    """Return the component and the text of a time."""
    found = part.child(key)
    if found is None:
        text = part.text(key)
        return (part, text) if text else None
    return found, found.text("datetime")


def _within(where: Part, made: Json, scope: Scope) -> Json:
    """Return a time that is never before, or never after, another one."""
    for bound, word in (("min_datetime", "max"), ("max_datetime", "min")):
        if not where.has(bound):
            continue
        term = scope.term(where, where.text(bound))
        if times.is_now(term) and word == "min":
            continue
        if roots_in(term) - {"config"}:
            raise UnsayableError(f"a {bound} that only a request knows")
        limit = write_template(term, knows_now=True)
        both = [_bare(made), _bare(limit)]
        made = f"{{{{ [{', '.join(both)}] | {word} }}}}"
    return made


def _bare(value: Json) -> str:
    """Return what stands inside a template's marks."""
    text = str(value)
    return text[3:-3] if text.startswith("{{ ") else f"'{text}'"


def _read_start(part: Part, scope: Scope) -> Json:
    return _read_moment(part, "start_datetime", "start_value", scope)


def _read_moment(part: Part, key: str, reason: str, scope: Scope) -> Json:
    said = _moment(part, key)
    if said is None:
        return None
    where, text = said
    pattern = where.text("datetime_format") or part.text("datetime_format")
    try:
        term = scope.term(where, text)
        ago = times.read_ago(term)
        is_exact = not times.is_coarse(term) or _is_by_day(part)
        if ago is not None and is_exact and not where.has("min_datetime"):
            return times.write_span(ago)
        only = _only(term) if is_exact else term
        made = _within(where, write_template(only, knows_now=True), scope)
        # What is written anew is read as ISO 8601, whatever it is written as for the provider.
        pattern = "%Y-%m-%d" if times.unwrap(term) is not term else pattern
    except UnsayableError as why:
        message = f"{part.path}.{key}: {why}"
        part.report.lose(part.place(key), message)
        return None
    known = _read_notations(part) or []
    if not times.is_iso(pattern) and times.read_notation(pattern) not in known:
        unsaid.lose(part, reason, field=key)
        return None
    return made


def _is_by_day(part: Part) -> bool:
    """Tell whether the provider is told days, so that hours make no difference."""
    return times.read_notation(part.text("datetime_format")) == "date"


def _only(term: Term) -> Term:
    """Return the value that the configuration may give, where the present time stands in for it."""
    term = times.unwrap(term)
    if isinstance(term, Apply) and term.name in ("or", "default", "if"):
        others = [each for each in term.terms if not times.is_now(each)]
        named = {each for each in others if isinstance(each, Name)}
        if len(others) < len(term.terms) and len(named) == 1 == len(set(others)):
            return named.pop()
    if roots_in(term) - {"config"}:
        raise UnsayableError("only the configuration can say where reading begins or ends")
    return term


def _read_window(part: Part, scope: Scope) -> dict[str, Any]:
    span = _read_span(part, "step", scope)
    if times.has_calendar(part.text("step")):
        message = f"{part.path}.step: a month has 30 days here, a year 365"
        part.report.note(part.place("step"), message)
    made: dict[str, Any] = {"step": _WHOLE if span is None else times.write_span(span)}
    made.update(_into(part, "end_time_option", scope))
    fine = times.read_span(part.text("cursor_granularity"))
    if span is not None and fine and fine < span:
        made["granularity"] = times.write_span(fine)
    end = _read_end(part, scope)
    return made if end is None else {**made, "end": end}


def _read_end(part: Part, scope: Scope) -> Json:
    said = _moment(part, "end_datetime")
    if said is None:
        return None
    where, text = said
    try:
        term = scope.term(where, text)
        if times.is_now(term) and (not times.is_coarse(term) or _is_by_day(part)):
            return None
    except UnsayableError:
        pass
    return _read_moment(part, "end_datetime", "end_value", scope)
