"""Which stream an inbound call asks for, and whether it says rightly who asks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.wire import decoding, encoding
from integrationd.wire.messages import Call, FormBody, JsonBody, Request
from integrationd.wire.places import Place, Root

_HOLE: Final = re.compile(r"\\\{([A-Za-z0-9_]+)\\\}")


class Authenticates(Protocol):
    """The half of an authenticator that a player needs."""

    def apply(self, request: Request, variables: Mapping[str, Json]) -> Request:
        """Return the request with credentials."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """An inbound call, and what stood in the holes of its path."""

    call: Call
    holes: Mapping[str, str]

    def take(self, place: Place) -> str | None:
        """Return what stands at a place."""
        return self.holes.get(place.name) if place.root is Root.PATH else place.take(self.call)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What a stream's first request looks like, to know it again."""

    stream: str
    request: Request
    """Before paging, cursor and credentials."""
    pattern: re.Pattern[str]
    """Of the decoded path."""
    pairs: frozenset[tuple[str, str]]
    """What always stands in the query."""

    @classmethod
    def build(cls, stream: str, request: Request) -> Route:
        """Take the constant parts of a request; ``{x}`` in its path is a hole for a page."""
        parts = urlsplit(reveal(request.url))
        own = parse_qsl(parts.query, keep_blank_values=True)
        pairs = [*own, *((name, reveal(value)) for name, value in request.query)]
        path = re.escape(unquote(parts.path or "/"))
        pattern = re.compile(_HOLE.sub(r"(?P<\1>[^/]+)", path))
        return cls(stream=stream, request=request, pattern=pattern, pairs=frozenset(pairs))

    def match(self, call: Call) -> Asked | None:
        """Return what is asked where method and path are this stream's."""
        found = self.pattern.fullmatch(call.path)
        if found is None or call.method != self.request.method:
            return None
        return Asked(call, found.groupdict())

    def find_missing(self, call: Call) -> str | None:
        """Name the first constant part that a call lacks, None where all are there."""
        for name, value in sorted(self.pairs):
            if (name, value) not in call.query:
                return f"query parameter {name!r}"
        for name, text in self.request.headers.items():
            if call.headers.get(name) != reveal(text):
                return f"header {name!r}"
        return None if holds_body(call, self.request) else "the body"


def holds_body(call: Call, request: Request) -> bool:
    """Tell whether a call's body holds everything that a request's body says."""
    match request.body:
        case JsonBody(value):
            try:
                return _holds(decoding.decode_bytes(call.body), _plain(value))
            except PageShapeError:
                return False
        case FormBody(pairs):
            found = parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)
            return all((name, reveal(value)) in found for name, value in pairs)
        case None:
            return True


def is_authentic(call: Call, auth: Authenticates, variables: Mapping[str, Json]) -> bool:
    """Tell whether a call carries exactly the credentials that the spec would send."""
    bare = Request(method=call.method, url="http://player.invalid/")
    expected = auth.apply(bare, variables)
    pairs = {(name, reveal(value)) for name, value in expected.query}
    headers = {name: reveal(value) for name, value in expected.headers.items()}
    return (
        all(call.headers.get(name) == value for name, value in headers.items())
        and all(pair in call.query for pair in pairs)
        and holds_body(call, expected)
    )


def credential_names(auth: Authenticates, variables: Mapping[str, Json]) -> frozenset[str]:
    """Return the query parameters that credentials take."""
    bare = Request(method="GET", url="http://player.invalid/")
    return frozenset(name for name, _ in auth.apply(bare, variables).query)


def _holds(found: Json, wanted: Json) -> bool:
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(key in found and _holds(found[key], value) for key, value in wanted.items())
    return bool(found == wanted)


def _plain(value: Json) -> Json:
    """Reveal the secrets inside a body, as they are on the wire."""
    body = encoding.encode(
        Request(method="POST", url="http://player.invalid/", body=JsonBody(value))
    ).body
    return decoding.decode_bytes(body or b"null")
