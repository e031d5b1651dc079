"""What decoding one field at a time cannot see: names, places and pages of a whole system."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, cast
from urllib.parse import urlsplit

from integrationd.config.decode import Site
from integrationd.config.nodes import Position
from integrationd.config.problems import nearest, shorten
from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.spec.documents import SystemBody
from integrationd.spec.http import HttpSpec
from integrationd.spec.operation import Operation, Probe
from integrationd.spec.shelf import Shelf
from integrationd.spec.stream import Stream
from integrationd.transform.mapping import Mapping as RecordMapping
from integrationd.transform.scopes import Reference
from integrationd.transform.template import Template
from integrationd.wire.auth.authenticator import TokenAuthenticator
from integrationd.wire.call import CallShape
from integrationd.wire.places import Place, Root

STREAM_ROOTS: Final = frozenset({"config", "secrets", "cursor"})
"""What the request of a stream can use; windows and parents come with streams that have them."""


@dataclass(frozen=True, slots=True)
class Declared:
    """The names that a system's templates and expressions may use."""

    config: Collection[str]
    secrets: Collection[str]

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
    _check_names(body, site, declared.by_root)
    if shelf is not None:
        _check_mappings_of_templates(body, shelf, site, declared)
    for name, stream in body.streams.items():
        own = site.key("streams").key(name)
        _check_roots(stream, site)
        _check_places(stream, stream.position, body.http, own)
        if shelf is not None:
            _check_mapping(stream, shelf, site, declared)
            _check_request(stream, body.http, own)
    for place, call in _calls(body, site):
        _check_places(call, call.position, body.http, place)
        if isinstance(call, Operation):
            _check_names(call, site, {"input": call.input.schemas})
        if shelf is not None and body.http is None:
            _tell_no_http(call.position, place)


def _calls(body: SystemBody, site: Site) -> Iterator[tuple[Site, Operation | Probe]]:
    """Yield what makes a request and is no stream."""
    if body.probe is not None:
        yield site.key("probe"), body.probe
    for name, operation in body.operations.items():
        yield site.key("operations").key(name), operation


def check_address(http: HttpSpec, values: Mapping[str, Json] | None, site: Site) -> None:
    """Tell a ``base_url``, ``token_url`` or ``proxy`` that is no web address, where that is known.

    Args:
        http: Whose.
        values: What ``config`` holds; None where no integration supplies it.
        site: Where the document begins.
    """
    token_url = http.auth.token_url if isinstance(http.auth, TokenAuthenticator) else None
    addresses = {"base_url": http.base_url, "proxy": http.proxy, "auth.token_url": token_url}
    for key, template in addresses.items():
        text = None if template is None else _render_known(template, values)
        if template is not None and text is not None and not _is_web_address(text):
            message = (
                f"http.{key} is {shorten(text)}, expected an address that begins with https:// or "
                "http:// and has a host"
            )
            site.refuse(template.position, "E111", message)


def _render_known(template: Template, values: Mapping[str, Json] | None) -> str | None:
    """Render a template from configuration alone; None where it needs more than is known."""
    roots = {reference.path[0] for reference in template.references}
    if "secrets" in roots or (values is None and roots):
        return None
    try:
        text = template.render_text({"config": values or {}})
    except ExpressionError:
        return None
    return None if isinstance(text, Secret) else text or ""


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _check_names(
    body: SystemBody | Operation | RecordMapping, site: Site, known: Mapping[str, Collection[str]]
) -> None:
    for reference in references_in(body):
        root, *rest = reference.path
        if root in known and rest and rest[0] not in known[root]:
            name = f"{root}.{rest[0]}"
            hint = nearest(rest[0], known[root])
            message = f"{name!r} is used here but not declared under {root!r}{hint}"
            site.refuse(reference.position, "E204", message)


def _check_roots(stream: Stream, site: Site) -> None:
    for reference in references_in(stream):
        root = reference.path[0]
        if root not in STREAM_ROOTS:
            roots = ", ".join(sorted(STREAM_ROOTS))
            message = f"template uses {root!r}, variables here are: {roots}"
            site.refuse(reference.position, "E204", message)
        elif root == "cursor" and stream.incremental is None:
            message = "template uses 'cursor', but the stream has no 'incremental' that keeps one"
            site.refuse(reference.position, "E204", message)


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
            else:
                _check_names(found[0].mapping, site, declared.by_root)


def _check_mapping(stream: Stream, shelf: Shelf, site: Site, declared: Declared) -> None:
    name = stream.mapping
    if name is None:
        return
    found = shelf.mapping(name)
    if found is None:
        reason = shelf.explain_missing("mapping", name)
        site.refuse(name.position, "E302", f"uses mapping {str(name)!r}, {reason}")
        return
    _check_names(found[0].mapping, site, declared.by_root)
    for reference in references_in(found[0].mapping):
        if reference.path[0] != "config":
            message = f"expression uses {reference.path[0]!r}, variables here are: config"
            site.refuse(reference.position, "E204", message)


def _check_request(stream: Stream, http: HttpSpec | None, site: Site) -> None:
    if not stream.is_read():
        return
    if http is None:
        _tell_no_http(stream.position, site)
    elif stream.paginate is None and http.paginate is None:
        message = (
            f"{site.path} reads a list without 'paginate'; say how its pages are walked, or write "
            "'paginate: none' where one answer holds all"
        )
        site.problems.add(stream.position, "W501", message)


def _tell_no_http(position: Position, site: Site) -> None:
    message = f"{site.path} makes requests, but there is no 'http' with a base_url"
    site.refuse(position, "E102", message)


def _check_places(call: CallShape, position: Position, http: HttpSpec | None, site: Site) -> None:
    """Tell two parts of a request that write to the same place, of which one would be lost."""
    if call.method is None:
        return
    taken: dict[Place, str] = {}
    for writer, place in _writers(call, http, site):
        if place in taken:
            message = (
                f"{place} is set twice, by {taken[place]} and by {writer}; give one of them "
                "another place"
            )
            site.refuse(position, "E114", message)
        taken.setdefault(place, writer)


def _writers(call: CallShape, http: HttpSpec | None, site: Site) -> Iterator[tuple[str, Place]]:
    for place in _named(call):
        yield f"{site.path}.query", place
    if isinstance(call, Stream):
        paginate = call.paginate or (None if http is None else http.paginate)
        for place in _places_in(paginate):
            yield "paginate", place
        if call.incremental is not None:
            yield "incremental", call.incremental.into
    if http is not None:
        for place in _places_in(http.auth):
            yield "http.auth", place


def _named(call: CallShape) -> Iterator[Place]:
    for name in call.query:
        yield Place(Root.QUERY, name)
    for name in call.headers:
        yield Place(Root.HEADER, name.lower())


def _places_in(value: Any) -> Iterator[Place]:  # noqa: ANN401 - any kind of paging or auth
    if isinstance(value, Place):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from _places_in(getattr(value, field.name))


def references_in(value: Any) -> Sequence[Reference]:  # noqa: ANN401 - any decoded value
    """Return the references of every template and expression inside a decoded value."""
    found: list[Reference] = []
    _collect(value, found)
    return found


def _collect(value: Any, found: list[Reference]) -> None:  # noqa: ANN401
    own = getattr(value, "references", None)
    if own is not None:
        found.extend(own)
        return
    for part in _parts_of(value):
        _collect(part, found)


def templates_in(value: Any) -> Iterator[Template]:  # noqa: ANN401 - any decoded value
    """Yield every template inside a decoded value."""
    if isinstance(value, Template):
        yield value
        return
    for part in _parts_of(value):
        yield from templates_in(part)


def _parts_of(value: Any) -> Iterable[Any]:  # noqa: ANN401
    names = _names_of(cast("Any", type(value)))
    if names is not None:
        return [getattr(value, name) for name in names]
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, tuple | list) else ()


@cache
def _names_of(kind: type[Any]) -> tuple[str, ...] | None:
    """Return the fields of a dataclass; asked of a type once, as a bundle has millions of values.

    Of single values, which most are, there are none.
    """
    if dataclasses.is_dataclass(kind):
        return tuple(field.name for field in dataclasses.fields(kind))
    return None if issubclass(kind, Mapping | tuple | list) else ()
