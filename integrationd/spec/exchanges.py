"""An exchange of a case: a request as it is expected, and the answer that it gets."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import parse_qsl, urlsplit

from integrationd.config.decode import Bounds, Invalid, Keys, Site, decode_fields
from integrationd.config.leaves import decode_text
from integrationd.config.nodes import Fields, Items, Node, Position, Scalar, to_json
from integrationd.config.problems import shorten
from integrationd.config.sites import OWN, Leaf, Written
from integrationd.model.json import Json

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
MORE: Final = "..."
"""Ends a query after which more may come."""
_HEADER: Final = Keys(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", "the name of a header")
_BASE64: Final = Leaf("bytes in base64", {"type": "string"})
_LINE: Final = Leaf(
    "a line such as GET /items?page=2", {"type": "string", "pattern": "^[A-Z]+ (/|https?:)"}
)
_STATUS: Final = Leaf("a status", {"type": "integer", "minimum": 100, "maximum": 599})
_LIST: Final = Leaf("a list, the body", {"type": "array"})


def is_said(value: Json) -> bool:
    """Tell whether a case says a value, null included."""
    return value is not UNSAID


class _Unsaid:
    """Stands for what a case does not say, where null says something."""


UNSAID: Final[Any] = _Unsaid()
"""What is not looked at."""


class Fault(StrEnum):
    """What comes instead of an answer."""

    UNREACHED = "unreached"
    """No connection: nothing can have been done."""
    BROKEN = "broken"
    """No answer, or half of one: whether something was done is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedRequest:
    """A request as it is expected; what is not said is not looked at.

    In short it is a line: ``GET /api/items`` looks at method and path, ``GET /api/items?page=2`` at
    the whole query too, and ``GET /api/items?page=2&...`` at that parameter, whatever stands beside
    it.
    """

    FORM: ClassVar[Written] = Written((_LINE, OWN))

    position: Position
    method: str | None = None
    """``GET``, ``POST`` and so on."""
    path: str | None = None
    """The whole path, that of ``base_url`` included; as it is sent or without percent signs."""
    url: str | None = None
    """The whole address without the query, where the host matters."""
    query: Mapping[str, Any] = field(default_factory=dict)
    """Parameters: a value, a list where one stands more than once, null where it must not be."""
    headers: Annotated[Mapping[str, Any], _HEADER] = field(default_factory=dict)
    """Headers: a value, or null where it must not be there."""
    json: Any = UNSAID
    """The body, compared as JSON as a whole; ``null`` is the JSON null."""
    form: Mapping[str, Any] | None = None
    """The fields of a form, all of them; ``{}`` is a form without any, or no body."""
    text: str | None = None
    """The body as it is sent; ``""`` is none."""
    exact: bool = False
    """Whether the query holds nothing else."""

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> AskedRequest | Invalid:
        """Read a line, or the parts of a request."""
        if isinstance(node, Fields):
            return decode_fields(node, cls, site)
        line = decode_text(node, site)
        return line if isinstance(line, Invalid) else cls._read_line(line, node, site)

    @classmethod
    def _read_line(cls, line: str, node: Node, site: Site) -> AskedRequest | Invalid:
        method, _, target = line.partition(" ")
        if method not in METHODS or not target.startswith(("/", "https://", "http://")):
            return site.expected(node, "a line such as GET /items?page=2", "E111")
        parts = urlsplit(target)
        pairs = parse_qsl(parts.query.removesuffix(MORE), keep_blank_values=True)
        query: dict[str, Any] = {}
        for name, value in pairs:
            query[name] = [*_listed(query.get(name)), value] if name in query else value
        address = target.partition("?")[0]
        return cls(
            position=node.position,
            method=method,
            path=None if parts.scheme else address,
            url=address if parts.scheme else None,
            query=query,
            exact="?" in target and not parts.query.endswith(MORE),
        )

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse two bodies, two addresses and a method that there is not."""
        told: Invalid | None = None
        if self.method is not None and self.method not in METHODS:
            method = node.entries["method"]
            told = site.key("method").expected(method, f"one of {', '.join(METHODS)}", "E111")
        for one, other in (("path", "url"), ("json", "form"), ("json", "text"), ("form", "text")):
            if one in node.entries and other in node.entries:
                message = f"{site.path} has {one!r} and {other!r}, expected one of them"
                told = site.refuse(node.key_position(other), "E114", message)
        return told


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return value if isinstance(value, list) else [value]


class Base64(bytes):
    """Bytes, written in base64."""

    __slots__ = ()
    FORM = _BASE64

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Base64 | Invalid:
        """Read them."""
        text = decode_text(node, site)
        if isinstance(text, Invalid):
            return text
        try:
            return cls(base64.b64decode("".join(text.split()), validate=True))
        except binascii.Error:
            return site.expected(node, "bytes in base64", "E111")


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAnswer:
    """The answer to a request.

    In short it is a number, a status without a body, or a list, a body with status 200.
    """

    FORM: ClassVar[Written] = Written((_STATUS, _LIST, OWN))

    status: Annotated[int, Bounds(100, 599)] = 200
    """The status."""
    headers: Annotated[Mapping[str, Any], _HEADER] = field(default_factory=dict)
    """Its headers. ``content-type`` is ``application/json`` by itself where the body is JSON."""
    body: Any = None
    """The body: text is sent as it stands, everything else as JSON."""
    file: str | None = None
    """A file beside this one that holds the body. Its name must not end in .yaml, .yml or .json,
    or it is read as one of ours."""
    base64: Base64 | None = None
    """The body as bytes."""
    fault: Fault | None = None
    """Nothing comes: ``unreached``, no connection; ``broken``, half an answer or none in time."""

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> GivenAnswer | Invalid:
        """Read a status, a list or the parts of an answer."""
        if isinstance(node, Items):
            return cls(body=to_json(node))
        if isinstance(node, Scalar) and type(node.value) is int:
            if not 100 <= node.value <= 599:  # noqa: PLR2004 - what a status can be
                return site.expected(node, "a status from 100 to 599", "E111")
            return cls(status=node.value)
        if not isinstance(node, Fields):
            return site.expected(node, "a status, a list or an object")
        return decode_fields(node, cls, site)

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse two bodies, and an answer beside its absence."""
        said = [key for key in ("body", "file", "base64") if key in node.entries]
        if self.fault is not None:
            said = [key for key in node.entries if key != "fault"]
            if not said:
                return None
            message = f"{site.path} has 'fault' and {said[0]!r}; where nothing comes, nothing does"
            return site.refuse(node.key_position(said[0]), "E114", message)
        if len(said) > 1:
            message = f"{site.path} has {said[0]!r} and {said[1]!r}, expected one of them"
            return site.refuse(node.key_position(said[1]), "E114", message)
        if self.file is not None and (self.file.startswith("/") or ".." in self.file.split("/")):
            message = f"{site.path}.file is {shorten(self.file)}, expected a file beside this one"
            return site.refuse(node.entries["file"].position, "E111", message)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer."""

    position: Position
    request: AskedRequest | None = None
    """What is expected; without it any request will do."""
    response: GivenAnswer
    """What is answered."""
    times: Annotated[int, Bounds(1, 1000)] = 1
    """How often, one after the other."""
