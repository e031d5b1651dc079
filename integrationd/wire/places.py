"""Places in a message: ``query.page``, ``header.x-key``, ``json.filter.since``."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final
from urllib.parse import parse_qsl, quote

from typing_extensions import override

from integrationd.config.decode import Invalid, Site
from integrationd.config.nodes import Node, Scalar
from integrationd.config.sites import Leaf
from integrationd.errors import PageShapeError, RefusedError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.transform import printing
from integrationd.wire import decoding, holes, texts
from integrationd.wire.messages import (
    Body,
    Call,
    FormBody,
    JsonBody,
    MultipartBody,
    Request,
    Text,
    TextBody,
)


class Root(StrEnum):
    """The part of a message that a place is in."""

    QUERY = "query"
    HEADER = "header"
    JSON = "json"
    FORM = "form"
    PATH = "path"
    HOLE = "hole"
    """Fills ``{x}`` in the texts of a query or a body, as the language of queries wants."""
    COOKIE = "cookie"
    URL = "url"


SENT: Final = (
    Root.QUERY,
    Root.HEADER,
    Root.JSON,
    Root.FORM,
    Root.PATH,
    Root.HOLE,
    Root.COOKIE,
)
"""Where a single value can be put in a request; ``url`` stands for the whole."""
HOLES: Final = (Root.PATH, Root.HOLE)
"""What has to be filled before a request can be sent."""

_ROOTS: Final = {root.value: root for root in Root}
_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105 - RFC 9110's word for the signs of a name
_NAMES: Final[Mapping[Root, re.Pattern[str]]] = {
    Root.QUERY: re.compile(r"[^\x00-\x20\x7f]+"),
    Root.HEADER: re.compile(_TOKEN),
    Root.JSON: re.compile(r"[^\x00-\x20\x7f.]+(\.[^\x00-\x20\x7f.]+)*"),
    Root.FORM: re.compile(r"[^\x00-\x20\x7f]+"),
    Root.PATH: re.compile(r"[A-Za-z0-9_]+"),
    Root.HOLE: re.compile(r"[A-Za-z0-9_]+"),
    Root.COOKIE: re.compile(_TOKEN),
    Root.URL: re.compile(r""),
}
_EXAMPLE: Final = "a place such as query.page, header.x-key or json.filter.since"
_FIELDS_MAX: Final = 1000
"""Most fields of an inbound form that are looked at; more is no webhook but an attack."""


@dataclass(frozen=True, slots=True)
class Roots:
    """Rides in ``Annotated``: the roots that a field's place may have."""

    roots: tuple[Root, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """One place in a message."""

    FORM: ClassVar[Leaf] = Leaf(
        "a place such as query.page",
        {"type": "string", "pattern": r"^(?:url$|(?:query|header|json|form|path|hole|cookie)\..)"},
    )

    root: Root
    name: str = ""
    """What stands behind the first dot: a header in lower case, a dotted path in ``json``."""

    @override
    def __str__(self) -> str:
        """Print as it is written."""
        return f"{self.root}.{self.name}" if self.name else str(self.root)

    @classmethod
    def parse(cls, text: str) -> Place | None:
        """Parse ``header.x-key``; None when it is not a place."""
        word, dot, name = text.partition(".")
        root = _ROOTS.get(word)
        if root is None or (root is Root.URL and dot):
            return None
        if not _NAMES[root].fullmatch(name):
            return None
        return cls(root, name.lower() if root is Root.HEADER else name)

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Place | Invalid:
        """Read a place; which roots are allowed there rides in the annotation as :class:`Roots`."""
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            return site.expected(node, _EXAMPLE)
        place = cls.parse(node.value)
        if place is None:
            return site.expected(node, _EXAMPLE, "E206")
        allowed = site.note(Roots)
        if allowed is not None and place.root not in allowed.roots:
            wanted = ", ".join(allowed.roots)
            return site.expected(node, f"a place in one of {wanted}", "E206")
        return place

    def put(self, request: Request, value: Json) -> Request:
        """Return the request with a value at this place; None leaves the request as it is.

        The value becomes text, and a list repeats it, except in ``json``, where it keeps its type.
        ``url`` replaces the whole URL; an object that ``json.a.b`` passes through is made.

        Raises:
            RefusedError: The request has no room for it (another kind of body, no ``{x}`` in the
                path or in any text), or a header or cookie would hold a control character.
        """
        return request if value is None else _PUTS[self.root](request, self.name, value)

    def take(self, call: Call) -> str | None:
        """Return what stands at this place of an inbound call, None where nothing does.

        Of a name that stands more than once the first is taken; in ``json`` a number names the item
        of a list, from nought. ``path`` names nothing in an
        inbound call: it is one random path.
        """
        take = _TAKES.get(self.root)
        return None if take is None else take(call, self.name)


def check_header(name: str, value: Text) -> None:
    """Refuse a header value that could end its line and begin another one.

    Source:
        RFC 9110 section 5.5: CR, LF and NUL are invalid and dangerous in a field value.
    """
    if _CONTROL.search(reveal(value)):
        message = f"header {name!r} holds a line break or another control character"
        raise RefusedError(f"{message}; is there a line end in its secret?")


_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_COOKIE_END = re.compile(r"[\x00-\x20\x7f;,\"\\]")


def _put_query(request: Request, name: str, value: Json) -> Request:
    return dataclasses.replace(request, query=_replace_pairs(request.query, name, value))


def _put_header(request: Request, name: str, value: Json) -> Request:
    items = texts.to_texts(value)
    text: Text = ", ".join(map(reveal, items))
    if any(isinstance(item, Secret) for item in items):
        text = Secret(reveal(text))
    check_header(name, text)
    return request.with_header(name, text)


def _put_json(request: Request, name: str, value: Json) -> Request:
    body = request.body
    if body is not None and not isinstance(body, JsonBody):
        raise RefusedError(f"json.{name} cannot be set: {_describe_body(body)}")
    root = {} if body is None else body.value
    return dataclasses.replace(request, body=JsonBody(_set_in(root, name.split("."), value, name)))


def _set_in(value: Json, path: list[str], leaf: Json, name: str) -> Json:
    first, rest = path[0], path[1:]
    if isinstance(value, list) and rest and _is_index(first, value):
        at = int(first)
        return [*value[:at], _set_in(value[at], rest, leaf, name), *value[at + 1 :]]
    if not isinstance(value, dict):
        found = printing.describe(value)
        raise RefusedError(f"json.{name} cannot be set: it leads through {found}, not an object")
    inner = _set_in(value.get(first, {}), rest, leaf, name) if rest else leaf
    return {**value, first: inner}


def _is_index(part: str, items: list[Json]) -> bool:
    """Tell whether a part of a path names an item that there is."""
    return part.isascii() and part.isdigit() and int(part) < len(items)


def _put_form(request: Request, name: str, value: Json) -> Request:
    body = FormBody(()) if request.body is None else request.body
    if not isinstance(body, FormBody | MultipartBody):
        raise RefusedError(f"form.{name} cannot be set: {_describe_body(body)}")
    changed = dataclasses.replace(body, pairs=_replace_pairs(body.pairs, name, value))
    return dataclasses.replace(request, body=changed)


def _describe_body(body: Body) -> str:
    match body:
        case JsonBody():
            found = "JSON"
        case FormBody():
            found = "a form"
        case MultipartBody():
            found = "multipart"
        case TextBody(_, kind):
            found = f"text ({kind.partition(';')[0]})"
    return f"the body of this request is {found}"


def _put_path(request: Request, name: str, value: Json) -> Request:
    hole = f"{{{name}}}"
    if hole not in reveal(request.url):
        raise RefusedError(f"path.{name} cannot be set: the path has no {hole}")
    text = texts.to_text(value)
    assert text is not None
    url = reveal(request.url).replace(hole, encode_segment(reveal(text)))
    secret = isinstance(request.url, Secret) or isinstance(text, Secret)
    return dataclasses.replace(request, url=Secret(url) if secret else url)


def encode_segment(value: str) -> str:
    """Percent-encode a value for a path, so that it stays within its segment.

    Raises:
        RefusedError: It is empty (the path would name the list instead of the item), or it holds
            a ``..`` that a server might follow after decoding.
    """
    parts = value.replace("\\", "/").split("/")
    if parts == [""]:
        raise RefusedError("a value in the path is empty, expected at least one character")
    if "." in parts or ".." in parts:
        raise RefusedError("a value in the path is '.' or '..', which would lead to another path")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise RefusedError("a value in the path is not valid Unicode") from None


def _put_cookie(request: Request, name: str, value: Json) -> Request:
    text = texts.to_text(value)
    assert text is not None
    if _COOKIE_END.search(reveal(text)):
        raise RefusedError(f"cookie {name!r} holds a character that ends a cookie")
    old = request.headers.get("cookie")
    others = [] if old is None else [part.strip() for part in reveal(old).split(";")]
    kept = [part for part in others if not part.startswith(f"{name}=")]
    line: Text = "; ".join([*kept, f"{name}={reveal(text)}"])
    if isinstance(old, Secret) or isinstance(text, Secret):
        line = Secret(reveal(line))
    return request.with_header("cookie", line)


def _put_url(request: Request, _name: str, value: Json) -> Request:
    if not isinstance(value, str | Secret):
        raise RefusedError(f"url cannot be {printing.describe(value)}, expected text")
    return dataclasses.replace(request, url=value)


def _replace_pairs(
    pairs: tuple[tuple[str, Text], ...], name: str, value: Json
) -> tuple[tuple[str, Text], ...]:
    """Put all texts of a value where its name first stood, or last."""
    new = [(name, text) for text in texts.to_texts(value)]
    place = next((index for index, (key, _) in enumerate(pairs) if key == name), len(pairs))
    kept = [pair for pair in pairs[place:] if pair[0] != name]
    return (*pairs[:place], *new, *kept)


def _take_query(call: Call, name: str) -> str | None:
    return next((reveal(value) for key, value in call.query if key == name), None)


def _take_header(call: Call, name: str) -> str | None:
    return call.headers.get(name)


def _take_form(call: Call, name: str) -> str | None:
    try:
        text = call.body.decode()
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS_MAX)
    except ValueError:
        return None
    return next((value for key, value in fields if key == name), None)


def _take_json(call: Call, name: str) -> str | None:
    try:
        value = decoding.decode_bytes(call.body)
    except PageShapeError:
        return None
    for part in name.split("."):
        if isinstance(value, list) and _is_index(part, value):
            value = value[int(part)]
        else:
            value = value.get(part) if isinstance(value, dict) else None
    try:
        return None if value is None else reveal(texts.to_text(value) or "")
    except RecursionError:
        return None  # decoding goes deeper than writing


def _take_cookie(call: Call, name: str) -> str | None:
    for part in call.headers.get("cookie", "").split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return None


def _take_url(call: Call, _name: str) -> str | None:
    return call.url


_PUTS: Final[Mapping[Root, Callable[[Request, str, Json], Request]]] = {
    Root.QUERY: _put_query,
    Root.HEADER: _put_header,
    Root.JSON: _put_json,
    Root.FORM: _put_form,
    Root.PATH: _put_path,
    Root.HOLE: holes.fill_holes,
    Root.COOKIE: _put_cookie,
    Root.URL: _put_url,
}
_TAKES: Final[Mapping[Root, Callable[[Call, str], str | None]]] = {
    Root.QUERY: _take_query,
    Root.HEADER: _take_header,
    Root.JSON: _take_json,
    Root.FORM: _take_form,
    Root.COOKIE: _take_cookie,
    Root.URL: _take_url,
}
