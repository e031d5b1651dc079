"""What decoding one field at a time cannot see: names, places and pages of a whole system."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from integrationd.config.decode import Marked, Site
from integrationd.config.nodes import Position
from integrationd.config.problems import nearest
from integrationd.spec.documents import SystemBody
from integrationd.spec.families import check_families, each_names
from integrationd.spec.feed import Feed
from integrationd.spec.http import HttpSpec
from integrationd.spec.idempotency import DELIVERY
from integrationd.spec.incremental import Incremental
from integrationd.spec.naming import (
    MOMENTARY,
    check_names,
    check_secret_steps,
    check_steps,
    check_variables,
)
from integrationd.spec.operation import Operation, PartOfCall, Probe
from integrationd.spec.shelf import Shelf
from integrationd.spec.stream import Stream
from integrationd.transform.finding import references_in, templates_in
from integrationd.transform.mapping import LOOKUPS
from integrationd.wire import bodies
from integrationd.wire.call import CallShape
from integrationd.wire.paginate.cursor import CursorPaging
from integrationd.wire.paginate.offset import OffsetPaging
from integrationd.wire.paginate.page import PageNumberPaging
from integrationd.wire.places import Place, Root
from integrationd.wire.tokens import PageSize


@dataclass(frozen=True, slots=True)
class Declared:
    """The names that a system's templates and expressions may use."""

    config: Collection[str]
    secrets: Collection[str]
    each: Collection[str] = ()
    """Of the values that one stream is read for each of."""

    @property
    def by_root(self) -> Mapping[str, Collection[str]]:
        """Return the names under each variable."""
        return {"config": self.config, "secrets": self.secrets}


def check_system(body: SystemBody, site: Site, declared: Declared, shelf: Shelf | None) -> None:
    """Tell what does not fit together in a provider, or in an integration merged over one.

    Args:
        body: The system.
        site: Where the document begins.
        declared: Its config values and secrets.
        shelf: Where mappings are found; None while a file is read alone.
    """
    check_names(body, site, declared.by_root)
    check_families(body.streams, site)
    if shelf is not None:
        _check_mappings_of_templates(body, shelf, site, declared)
    for one in _streams(body, site):
        _check_auth(one.stream.auth, body.http, site)
        check_variables(one.stream, site, one.each, found=one.found)
        _check_cursor(one.stream, body.http, one.site)
        _check_requests(one, body.http)
        if shelf is not None:
            known = Declared(declared.config, declared.secrets, one.each)
            _check_mapping(one.stream, shelf, site, known)
            _check_request(one.stream, body.http, one.site)
            _check_reset(one.stream, body.http, one.site)
    _check_calls(body, site, shelf)


def _check_calls(body: SystemBody, site: Site, shelf: Shelf | None) -> None:
    for place, call in _calls(body, site):
        for where, part, position in _parts(call, place):
            _check_places(part, position, _asked(body.http, call.auth), where)
        check_names(call, site, MOMENTARY)
        _check_auth(call.auth, body.http, site)
        if isinstance(call, Operation):
            check_names(call, site, {"input": call.input.schemas, "delivery": DELIVERY})
            names = check_steps(call.steps, site)
            check_secret_steps(call, site)
            if call.output is not None:
                check_names(call.output, site, {"steps": names})
        if shelf is not None and body.http is None:
            _tell_no_http(call.position, place)


@dataclass(frozen=True, slots=True)
class _One:
    """One stream to be checked."""

    site: Site
    stream: Stream
    """Without what it discovers."""
    each: Collection[str]
    found: bool
    """Whether it is one of those that a list discovers."""


def _streams(body: SystemBody, site: Site) -> Iterator[_One]:
    """Yield every stream, and those that are said for what lists hold."""
    for name, stream in body.streams.items():
        own = site.key("streams").key(name)
        names = each_names(body.streams, name)
        yield _One(own, dataclasses.replace(stream, discover=None), names, found=False)
        if stream.discover is None:
            continue
        for special, each in stream.discover.all.items():
            place = own.key("discover")
            place = place.key("streams").key(special) if special else place.key("stream")
            values = () if each.for_each is None else each.for_each.names
            yield _One(place, each, values, found=True)


def _check_auth(name: Marked | None, http: HttpSpec | None, site: Site) -> None:
    """Tell who is to ask and is nobody."""
    ways = {} if http is None else http.auths
    if name is not None and name not in ways:
        hint = nearest(name, ways)
        message = f"auth {str(name)!r} is used here but not declared under 'http.auths'{hint}"
        site.refuse(name.position, "E204", message)


def _asked(http: HttpSpec | None, name: Marked | None) -> HttpSpec | None:
    """Return how something is asked that may name who asks; what is wrong with that is told."""
    known = http is not None and (name is None or name in http.auths)
    return http.asking_as(name) if http is not None and known else http


def _check_requests(one: _One, common: HttpSpec | None) -> None:
    """Hold each request of a stream, and those before it, against what else writes there."""
    http = _asked(common, one.stream.auth)
    for index, step in enumerate(one.stream.steps):
        _check_places(step, step.position, http, one.site.key("steps").item(index))
    for index, variant in enumerate(one.stream.variants):
        forms = one.stream.first_of
        place = one.site.key("first_of").item(index) if forms else one.site
        _check_places(variant, forms[index].position if forms else variant.position, http, place)
    feed = one.stream.feed
    if feed is not None:
        asked = _following(one.stream, feed)
        _check_places(asked, one.stream.position, http, one.site.key("feed"))


def _calls(body: SystemBody, site: Site) -> Iterator[tuple[Site, Operation | Probe]]:
    """Yield what makes a request and is no stream."""
    if body.probe is not None:
        yield site.key("probe"), body.probe
    for name, operation in body.operations.items():
        yield site.key("operations").key(name), operation


def _parts(call: Operation | Probe, site: Site) -> Iterator[tuple[Site, CallShape, Position]]:
    """Yield the requests of a call."""
    yield site, call, call.position
    if isinstance(call, Operation):
        for name in ("first_of", "steps"):
            for index, part in enumerate(getattr(call, name)):
                yield site.key(name).item(index), part, part.position


def _check_cursor(stream: Stream, http: HttpSpec | None, site: Site) -> None:
    """Tell a cursor that is kept and never sent."""
    rule = stream.incremental
    if rule is None or rule.into is not None or not stream.is_read():
        return
    if rule.filters_here or rule.falls or (rule.count and can_begin_at(stream, http)):
        return
    if not {"cursor", "window"} & {reference.path[0] for reference in references_in(stream)}:
        message = (
            f"{site.path}.incremental has no 'into', and no template of the request names 'cursor' "
            "or 'window'; everything would be read each time"
        )
        message += _HELP_COUNT if rule.count else "" if stream.feed else _HELP_OLDER
        site.refuse(stream.position, "E102", message)


_HELP_OLDER: Final = (
    ". Where the provider cannot leave out what is older, write 'filter: client', or 'sorted: "
    "descending' if it lists what is newer first"
)
_HELP_COUNT: Final = (
    ". Without them the walk can begin at a place only where 'paginate' is 'offset', or 'page' "
    "with a 'size'"
)


def can_begin_at(stream: Stream, http: HttpSpec | None) -> bool:
    """Tell whether a walk can begin at any place of the list."""
    paging = stream.paginate or (None if http is None else http.paginate)
    if isinstance(paging, PageNumberPaging):
        return paging.size is not None
    return isinstance(paging, OffsetPaging)


def _following(stream: Stream, feed: Feed) -> Stream:
    """Return the stream as it asks for its feed."""
    plain = dataclasses.replace(stream, first_of=(), deferred=None, feed=None)
    return dataclasses.replace(plain, **feed.request(), paginate=feed.paginate)


def _check_mappings_of_templates(
    body: SystemBody, shelf: Shelf, site: Site, declared: Declared
) -> None:
    for template in templates_in(body):
        for name in template.mappings:
            found = shelf.mapping(name)
            if found is None:
                reason = shelf.explain_missing("mapping", name)
                message = f"uses mapping {name!r}, {reason}"
                site.refuse(template.position, "E302", message)
            elif found[0].mapping.lookups:
                message = f"uses mapping {name!r}, which has 'lookups'; those are for streams alone"
                site.refuse(template.position, "E302", message)
            else:
                check_names(found[0].mapping, site, declared.by_root)


def _check_mapping(stream: Stream, shelf: Shelf, site: Site, declared: Declared) -> None:
    name = stream.mapping
    if name is None:
        return
    found = shelf.mapping(name)
    if found is None:
        reason = shelf.explain_missing("mapping", name)
        site.refuse(name.position, "E302", f"uses mapping {str(name)!r}, {reason}")
        return
    known = {"config": declared.config, **({"each": declared.each} if declared.each else {})}
    if found[0].mapping.lookups:
        known[LOOKUPS] = found[0].mapping.lookups
    check_names(found[0].mapping, site, known)
    for reference in references_in(found[0].mapping):
        if reference.path[0] not in known:
            names = ", ".join(known)
            message = f"expression uses {reference.path[0]!r}, variables here are: {names}"
            site.refuse(reference.position, "E204", message)


def _check_request(stream: Stream, http: HttpSpec | None, site: Site) -> None:
    if not stream.is_read():
        return
    if http is None:
        _tell_no_http(stream.position, site)
    elif stream.deferred is None and http.paginate is None and not _tells_paging(stream):
        message = (
            f"{site.path} reads a list without 'paginate'; say how its pages are walked, or write "
            "'paginate: none' where one answer holds all"
        )
        site.problems.add(stream.position, "W501", message)
    if http is not None and http.paginate is None and stream.feed and not stream.feed.paginate:
        message = (
            f"{site.path}.feed reads a list without 'paginate'; say how its pages are walked, or "
            "write 'paginate: none' where one answer holds all"
        )
        site.problems.add(stream.feed.position, "W501", message)


def _tells_paging(stream: Stream) -> bool:
    return all(variant.paginate is not None for variant in stream.variants)


def _check_reset(stream: Stream, http: HttpSpec | None, site: Site) -> None:
    """Refuse pages so large that a list of one page would pass for one that was cut."""
    rule = stream.incremental
    paginate = stream.paginate or (None if http is None else http.paginate)
    size = getattr(paginate, "size", None)
    if rule is None or rule.reset_after is None or not isinstance(size, PageSize):
        return
    if rule.reset_after < 2 * size.value:
        message = (
            f"{site.path}.incremental.reset_after is {rule.reset_after}, expected at least two "
            f"pages; paginate.size is {size.value}"
        )
        site.refuse(stream.position, "E114", message)


def _tell_no_http(position: Position, site: Site) -> None:
    message = f"{site.path} makes requests, but there is no 'http' with a base_url"
    site.refuse(position, "E102", message)


_BODIES: Final = {
    Root.JSON: ("json", "graphql", None),
    Root.FORM: ("form", "multipart", None),
}
"""The bodies in which there is such a place; where there is none yet, one is made."""


def _check_places(call: CallShape, position: Position, http: HttpSpec | None, site: Site) -> None:
    """Tell two parts of a request that write to the same place, of which one would be lost."""
    if call.method is None:
        return
    taken: dict[Place, str] = {}
    body = next((name for name in bodies.KINDS if getattr(call, name) is not None), None)
    for writer, place in _writers(call, http, site):
        if body not in _BODIES.get(place.root, (body,)):
            message = f"{site.path} has a body of {body!r}, in which {writer} cannot set {place}"
            site.refuse(position, "E114", message)
        if place in taken:
            message = (
                f"{place} is set twice, by {taken[place]} and by {writer}; give one of them "
                "another place"
            )
            site.refuse(position, "E114", message)
        taken.setdefault(place, writer)


def _writers(call: CallShape, http: HttpSpec | None, site: Site) -> Iterator[tuple[str, Place]]:
    yield from _own_writers(call, site)
    if isinstance(call, Stream):
        paginate = call.paginate or (None if http is None else http.paginate)
        for place in _places_in(paginate):
            yield "paginate", place
        rule = call.incremental if call.feed is None else None
        for place in _places_in(rule):
            if not _goes_on(rule, paginate, place):
                yield "incremental", place
    if http is not None:
        for place in _places_in(http.auth):
            way = getattr(call, "auth", None)
            yield f"http.auths.{way}" if way else "http.auth", place


def _own_writers(call: CallShape, site: Site) -> Iterator[tuple[str, Place]]:
    for place in _named(call):
        yield f"{site.path}.query", place
    if isinstance(call, Operation | PartOfCall) and call.idempotency_key is not None:
        yield f"{site.path}.idempotency_key", call.idempotency_key.into


def _goes_on(rule: Incremental | None, paginate: Any, place: Place) -> bool:  # noqa: ANN401
    """Tell whether a cursor of the provider's own is its token of a first page, in that place."""
    is_token = isinstance(paginate, CursorPaging) and place == paginate.into
    return rule is not None and rule.cursor is not None and is_token


def _named(call: CallShape) -> Iterator[Place]:
    for name in call.query:
        yield Place(Root.QUERY, name)
    for name in call.headers:
        yield Place(Root.HEADER, name.lower())


def _places_in(value: Any) -> Iterator[Place]:  # noqa: ANN401 - any kind of paging or auth
    if isinstance(value, Place):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _places_in(item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _places_in(getattr(value, field.name))


def mappings_of(body: SystemBody) -> frozenset[str]:
    """Return the names of the mappings that streams and templates use."""
    streams = [one for stream in body.streams.values() for one in said_in(stream)]
    named = {str(stream.mapping) for stream in streams if stream.mapping}
    return frozenset(named.union(*(template.mappings for template in templates_in(body))))


def said_in(stream: Stream) -> tuple[Stream, ...]:
    """Return a stream, and those that it says for what it lists."""
    return (stream, *(() if stream.discover is None else stream.discover.all.values()))
