"""The parts of a spec that a case can show, each by its place and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from integrationd.model.json import Json
from integrationd.spec.documents import Integration
from integrationd.spec.entity import RecordShape
from integrationd.spec.stream import Stream
from integrationd.transform.mapping import FieldRule
from integrationd.wire.auth.authenticator import TokenAuthenticator
from integrationd.wire.auth.none import NoAuth
from integrationd.wire.paginate.none import NoPaging
from integrationd.wire.paginate.paginator import Paginator
from integrationd.wire.rules import ErrorRule

HTTP: Final = "http"
AN_ANSWER: Final = "an answer"
A_REFUSAL: Final = "a refusal"
MISFIT: Final = "input that does not fit"
A_CHANGE: Final = "a change told by the feed"
A_REMOVAL: Final = "a removal told by the feed"
A_PAGE_OF_CHANGES: Final = "a second page of the feed"
A_LATE_CURSOR: Final = "a cursor that is too old"
WORK_THAT_TAKES: Final = "work that is asked after twice"
WORK_THAT_FAILS: Final = "work that fails"
ANOTHER_FORM: Final = "another form of the request"
A_LISTED_OBJECT: Final = "an object that is listed"
A_LOST_OBJECT: Final = "an object that is listed no more"


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
            shape = integration.shapes[name]
            yield from _parts_of_stream(integration, f"streams.{name}", stream, shape)
        for own, mould in integration.moulds.get(name, {}).items():
            place = place_of_mould(name, own)
            yield from _parts_of_stream(integration, place, mould.stream, mould.shape)
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


def place_of_mould(name: str, own: str) -> str:
    """Return where a list says what one of its streams is like: all of them, or one by its name."""
    return f"streams.{name}.discover.{f'streams.{own}' if own else 'stream'}"


def _parts_of_stream(
    integration: Integration, where: str, stream: Stream, shape: RecordShape
) -> Iterator[Part]:
    http = integration.http
    common = None if http is None else http.paginate
    own = stream.paginate or (common if stream.deferred is None else None)
    pages = not isinstance(own or NoPaging(), NoPaging)
    found = {
        "a reading": True,
        "a second page": pages,
        "the last of several pages": pages,
        "an empty answer": True,
        "a reading from a cursor": stream.incremental is not None,
        "a resumed reading": pages or stream.for_each is not None or stream.deferred is not None,
        "two partitions": stream.for_each is not None,
        "a partition that fails": stream.for_each is not None,
        "a deleted record": stream.deleted is not None,
        "a record left out by where": stream.where is not None,
        "a record that is gone": bool(stream.sweep) and stream.incremental is None,
        "a record set aside": shape.mapping is not None and bool(shape.mapping.required),
        **_of_kinds(stream, common),
    }
    yield from (Part(where, what) for what, there in found.items() if there)
    yield from _rules(where, stream.errors)
    if shape.mapping is not None:
        named = mapping_of(stream, where)
        for field_name, rule in shape.mapping.fields.items():
            yield Part(named, field_name)
            yield from (Part(named, _choice(field_name, value)) for value in _choices(rule))


def _of_kinds(stream: Stream, common: Paginator | None) -> dict[str, bool]:
    """Return what only some kinds of streams have."""
    feed, work, rule = stream.feed, stream.deferred, stream.incremental
    followed = feed is not None and not isinstance(feed.paginate or common or NoPaging(), NoPaging)
    tells = feed is not None and (feed.deleted or stream.deleted or feed.fetch) is not None
    return {
        A_CHANGE: feed is not None,
        A_REMOVAL: tells,
        A_PAGE_OF_CHANGES: followed,
        A_LATE_CURSOR: feed is not None or (rule is not None and rule.cursor is not None),
        WORK_THAT_TAKES: work is not None,
        WORK_THAT_FAILS: work is not None and work.poll.failed is not None,
        ANOTHER_FORM: len(stream.variants) > 1,
        A_LISTED_OBJECT: stream.discover is not None,
        A_LOST_OBJECT: stream.discover is not None,
    }


def _rules(where: str, rules: Sequence[ErrorRule]) -> Iterator[Part]:
    yield from (Part(where, f"errors[{at}]") for at in range(len(rules)))


def mapping_of(stream: Stream, where: str) -> str:
    """Return how the mapping of a stream is called in reports.

    Args:
        stream: Whose.
        where: Its place, ``streams.items``.
    """
    return f"{where}.mapping" if stream.mapping is None else f"mapping {stream.mapping}"


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
