"""Which request of a spec an inbound call is, and what its bounds are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from integrationd.engine.parts import WHOLE, Part
from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.wire import decoding, encoding, multipart, texts
from integrationd.wire.holes import fill_holes
from integrationd.wire.messages import Call, FormBody, JsonBody, MultipartBody, Request, TextBody
from integrationd.wire.places import Place, Root

_HOLE: Final = re.compile(r"\\\{([A-Za-z0-9_]+)\\\}")
_MARK: Final = re.compile(r"integrationd\\?-mark\\?-([a-z0-9_]+)\\?-end")


def mark(name: str) -> str:
    """Return what stands in a request in the place of a value, to see where that goes."""
    return f"integrationd-mark-{name}-end"


LOWER: Final = mark("lower")
UPPER: Final = mark("upper")
OPTIONAL: Final = "given_"
"""Begins the names of values that a call may leave out."""
HOLE: Final = "hole_"
"""Begins the names of what fills ``{x}`` in a text of the query or the body."""

Found = dict[str, str]
"""What stood where a request has marks."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An inbound call, and what stood in the holes of its path."""

    call: Call
    holes: Mapping[str, str]
    part: Part = WHOLE
    """The partition that it asks for."""
    bounds: Mapping[str, str] = field(default_factory=dict)
    """``lower`` and ``upper``, those that it has."""
    moment: int = 0
    """When it came, in seconds after the first record; 0 is just after the last change."""
    spoilt: bool = False
    """Whether one of its items is to be an error."""
    is_late: bool = False
    """Whether the cursor that it has is to be too old."""

    def take(self, place: Place) -> str | None:
        """Return what stands at a place."""
        if place.root is Root.HOLE:
            return self.holes.get(f"{HOLE}{place.name.lower()}")
        return self.holes.get(place.name) if place.root is Root.PATH else place.take(self.call)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What one request of a spec looks like, to know it again."""

    stream: str
    request: Request
    """Before paging and credentials; with marks where its bounds go, if it has any."""
    part: Part
    pattern: re.Pattern[str]
    """Of the decoded path."""
    pairs: tuple[tuple[str, str], ...]
    """What always stands in the query."""
    marks: frozenset[str]
    """Of its path."""
    role: str = ""
    """Which of its scene's requests it is."""
    is_open: bool = False
    """Whether nobody has to say who asks."""

    @classmethod
    def build(cls, stream: str, request: Request, part: Part = WHOLE) -> Route:
        """Take the constant parts of a request; ``{x}`` in its path is a hole for a page."""
        parts = urlsplit(reveal(request.url))
        own = parse_qsl(parts.query, keep_blank_values=True)
        pairs = [*own, *((name, reveal(value)) for name, value in request.query)]
        plain = unquote(parts.path or "/")
        path = _HOLE.sub(r"(?P<\1>[^/]+)", _escape(plain, "[^/]+"))
        return cls(
            stream=stream,
            request=request,
            part=part,
            pattern=_compile(path),
            pairs=tuple(sorted(set(pairs))),
            marks=frozenset(_MARK.findall(plain)),
        )

    def match(self, call: Call) -> Asked | None:
        """Return what is asked where method and path are this request's."""
        if call.method != self.request.method:
            return None
        found = self.pattern.fullmatch(call.path)
        return None if found is None else Asked(call, found.groupdict(), self.part)

    def read(self, asked: Asked) -> Asked | str:
        """Return the call with its bounds, or name the first constant part that it lacks."""
        call = asked.call
        bounds: Found = {name: text for name, text in asked.holes.items() if name in self.marks}
        for name, value in self.pairs:
            texts_there = [reveal(text) for key, text in call.query if key == name]
            if not _fits_any(value, texts_there, bounds):
                return f"query parameter {name!r}"
        for name, text in self.request.headers.items():
            found = call.headers.get(name)
            if not _fits_any(reveal(text), [] if found is None else [found], bounds):
                return f"header {name!r}"
        if not holds_body(call, self.request, bounds):
            return "the body"
        filled = {name: text for name, text in bounds.items() if name.startswith(HOLE)}
        bounds = {name: text for name, text in bounds.items() if name not in filled}
        return Asked(call, {**asked.holes, **filled}, self.part, bounds)


@dataclass(frozen=True, slots=True)
class RouteIndex:
    """Routes, found by method and path."""

    routes: Sequence[Route]
    plain: Mapping[tuple[str, str], list[Route]]
    """Those whose path is always the same."""
    others: Sequence[Route]

    @classmethod
    def build(cls, routes: Sequence[Route]) -> RouteIndex:
        """Sort them."""
        plain: dict[tuple[str, str], list[Route]] = {}
        others: list[Route] = []
        for route in routes:
            if route.pattern.groups:
                others.append(route)
            else:
                path = unquote(urlsplit(reveal(route.request.url)).path or "/")
                plain.setdefault((route.request.method, path), []).append(route)
        return cls(routes, plain, others)

    def find(self, call: Call) -> Iterator[Route]:
        """Yield those that a call may be."""
        yield from self.plain.get((call.method, call.path), ())
        yield from self.others


def holds_body(call: Call, request: Request, bounds: Found) -> bool:
    """Tell whether a call's body holds everything that a request's body says."""
    match request.body:
        case JsonBody(value):
            try:
                return _holds(decoding.decode_bytes(call.body), _plain(value), bounds)
            except PageShapeError:
                return False
        case FormBody(pairs):
            found = parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)
            return all(
                _fits_any(reveal(value), [text for key, text in found if key == name], bounds)
                for name, value in pairs
            )
        case MultipartBody(pairs):
            return all(
                any(
                    _fits(multipart.encode_part(name, reveal(value)).decode(), part, bounds)
                    for part in _parts_of(call.body)
                )
                for name, value in pairs
            )
        case TextBody(text):
            return _fits(reveal(text), call.body.decode("utf-8", "replace"), bounds)
        case None:
            return True


def _parts_of(body: bytes) -> list[str]:
    text = body.decode("utf-8", "replace")
    boundary = text.partition("\r\n")[0]
    return [part.strip("\r\n") for part in text.split(boundary)] if boundary else []


def _fits_any(wanted: str, found: list[str], bounds: Found) -> bool:
    if not found:
        return _is_optional(wanted)
    return any(_fits(wanted, text, bounds) for text in found)


def _is_optional(wanted: Json) -> bool:
    """Tell whether a value may be missing: one that the caller need not give."""
    names = _MARK.findall(wanted) if isinstance(wanted, str) else []
    return any(name.startswith(OPTIONAL) for name in names)


def _fits(wanted: str, found: str, bounds: Found) -> bool:
    """Tell whether a text is the wanted one, whatever stands where the marks do."""
    if not _MARK.search(wanted):
        return wanted == found
    matched = _compile(_escape(wanted, ".*")).fullmatch(found)
    if matched is None:
        return False
    bounds.update(matched.groupdict())
    return True


def read_text(wanted: str, found: str) -> Found | None:
    """Return what stands in a text where another one has marks; None where it is another one."""
    marks: Found = {}
    return marks if _fits(wanted, found, marks) else None


def _escape(text: str, anything: str) -> str:
    """Return a pattern for a text; each mark in it is a group, the second time the same again."""
    seen: set[str] = set()

    def group(found: re.Match[str]) -> str:
        name = found.group(1)
        if name in seen:
            return f"(?P={name})"
        seen.add(name)
        return f"(?P<{name}>{anything})"

    return _MARK.sub(group, re.escape(text))


@lru_cache(maxsize=4096)
def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL)


def _holds(found: Json, wanted: Json, bounds: Found) -> bool:
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(
            _holds(found[key], value, bounds) if key in found else _is_optional(value)
            for key, value in wanted.items()
        )
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        pairs = zip(found, wanted, strict=True)
        return all(_holds(one, other, bounds) for one, other in pairs)
    if isinstance(wanted, str) and _MARK.search(wanted):
        # What is a number stays one in JSON.
        return _fits(wanted, reveal(texts.to_text(found) or ""), bounds)
    return bool(found == wanted)


def _plain(value: Json) -> Json:
    """Reveal the secrets inside a body, as they are on the wire."""
    body = encoding.encode(
        Request(method="POST", url="http://player.invalid/", body=JsonBody(value))
    ).body
    return decoding.decode_bytes(body or b"null")


def mark_holes(request: Request, names: Iterable[str]) -> Request:
    """Return a request with a mark in each hole of its query and body, to see what comes there.

    Raises:
        RefusedError: There is no such hole.
    """
    for name in names:
        request = fill_holes(request, name, mark(f"{HOLE}{name.lower()}"))
    return request


def holes_of(value: object) -> Iterator[str]:
    """Yield the holes that a paginator fills, its page size included."""
    for item in fields(value) if is_dataclass(value) else ():
        found = getattr(value, item.name)
        if isinstance(found, Place):
            if found.root is Root.HOLE:
                yield found.name
        elif isinstance(found, tuple):
            for one in found:
                yield from holes_of(one)
        elif is_dataclass(found) and not isinstance(found, type):
            yield from holes_of(found)
