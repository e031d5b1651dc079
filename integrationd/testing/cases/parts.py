"""The parts of a spec that a case can show, each by its place and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from integrationd.model.json import Json
from integrationd.spec.documents import Integration
from integrationd.spec.stream import Stream
from integrationd.transform.mapping import FieldRule
from integrationd.wire.auth.authenticator import TokenAuthenticator
from integrationd.wire.auth.none import NoAuth
from integrationd.wire.paginate.none import NoPaging
from integrationd.wire.rules import ErrorRule

HTTP: Final = "http"
AN_ANSWER: Final = "an answer"
A_REFUSAL: Final = "a refusal"
MISFIT: Final = "input that does not fit"


class Part(NamedTuple):
    """One thing that a spec says, and that a case can show."""

    where: str
    """``streams.items``, ``http``, ``mapping koha.item``."""
    what: str


def find_parts(integration: Integration) -> Iterator[Part]:
    """Yield what a spec says and a case can show, in the order of the file."""
    yield from _parts_of_http(integration)
    if integration.probe is not None:
        yield from (Part("probe", what) for what in (AN_ANSWER, A_REFUSAL))
    for name, stream in integration.streams.items():
        if stream.is_read():
            yield from _parts_of_stream(integration, name, stream)
    for name, operation in integration.operations.items():
        where = f"operations.{name}"
        shown = (AN_ANSWER, A_REFUSAL, *((MISFIT,) if operation.input.schemas else ()))
        yield from (Part(where, what) for what in shown)
        for one in operation.parts:
            yield from _rules(where, one.errors)
    for name in integration.webhooks:
        yield from (Part(f"webhooks.{name}", what) for what in ("accepted", "refused"))


def _parts_of_http(integration: Integration) -> Iterator[Part]:
    http = integration.http
    if http is None:
        return
    if isinstance(http.auth, TokenAuthenticator):
        yield Part(HTTP, "a token")
    if not isinstance(http.auth, NoAuth):
        yield Part(HTTP, "401")
    yield Part(HTTP, "429")
    yield Part(HTTP, "a passing failure, tried again")
    yield from _rules(HTTP, http.errors)


def _parts_of_stream(integration: Integration, name: str, stream: Stream) -> Iterator[Part]:
    where, http = f"streams.{name}", integration.http
    common = None if http is None else http.paginate
    pages = not isinstance(stream.paginate or common or NoPaging(), NoPaging)
    shape = integration.shapes[name]
    found = {
        "a reading": True,
        "a second page": pages,
        "the last of several pages": pages,
        "an empty answer": True,
        "a reading from a cursor": stream.incremental is not None,
        "a resumed reading": pages or stream.for_each is not None,
        "two partitions": stream.for_each is not None,
        "a partition that fails": stream.for_each is not None,
        "a deleted record": stream.deleted is not None,
        "a record left out by where": stream.where is not None,
        "a record that is gone": bool(stream.sweep) and stream.incremental is None,
        "a record set aside": shape.mapping is not None and bool(shape.mapping.required),
    }
    yield from (Part(where, what) for what, there in found.items() if there)
    yield from _rules(where, stream.errors)
    if shape.mapping is not None:
        named = mapping_of(stream, name)
        for field_name, rule in shape.mapping.fields.items():
            yield Part(named, field_name)
            yield from (Part(named, _choice(field_name, value)) for value in _choices(rule))


def _rules(where: str, rules: Sequence[ErrorRule]) -> Iterator[Part]:
    yield from (Part(where, f"errors[{at}]") for at in range(len(rules)))


def mapping_of(stream: Stream, name: str) -> str:
    """Return how the mapping of a stream is called in reports."""
    return f"streams.{name}.mapping" if stream.mapping is None else f"mapping {stream.mapping}"


def _choices(rule: FieldRule) -> list[Json]:
    """Return the values that a translation gives, each once."""
    found: list[Json] = []
    for value in (rule.map or {}).values():
        if value not in found:
            found.append(value)
    return found


def _choice(name: str, value: Json) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"{name}: {text}"


def seen_in(where: str, rules: Mapping[str, FieldRule], data: Mapping[str, Json]) -> Iterator[Part]:
    """Yield the fields of a record that have a value, and what they were translated to."""
    for name, rule in rules.items():
        value = data.get(name)
        if value is not None:
            yield Part(where, name)
        if rule.map is not None and value in _choices(rule):
            yield Part(where, _choice(name, value))
