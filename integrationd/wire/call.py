"""What a spec says of one request, and the request that it makes with values filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Self

from integrationd.config.decode import INVALID, Invalid, Keys, Kinds, OfClass, Site
from integrationd.config.nodes import Fields, Node, Scalar
from integrationd.config.sites import Leaf
from integrationd.errors import RefusedError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.transform.scopes import Reference, Scope
from integrationd.transform.template import JsonTemplate, Template
from integrationd.wire import places, texts
from integrationd.wire.decode import KINDS
from integrationd.wire.decode.decoder import Decoder
from integrationd.wire.decode.json import JsonDecoder
from integrationd.wire.messages import Body, FormBody, JsonBody, Pairs, Request, Text
from integrationd.wire.rules import ErrorRule

METHODS: Final = ("get", "post", "put", "patch", "delete")
OWN_VARIABLES: Final = OfClass("variables")
"""What the templates of a request may use: each class of requests says it."""
HEADER_NAMES: Final = Keys(
    r"(?!(?i:content-length|transfer-encoding|connection|upgrade|te|trailer|host)$)"
    r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}",
    "a header name; host, length and connection headers are set by themselves",
)
"""Framing belongs to the transport: a wrong length lets one request pass for two."""
_PATH = re.compile(r"$|[/?]|\{[{%]|https?://")
_WITH_REQUEST: Final = ("query", "headers", "json", "form", "decode", "errors")
_WHOLE_URL = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class BodyTemplate:
    """A JSON body: an object whose members may be left out one by one, or any other value."""

    FORM: ClassVar[Leaf] = JsonTemplate.FORM

    members: Mapping[str, JsonTemplate] | None
    whole: JsonTemplate | None = None
    """Where the body is no object in the file."""

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Self | Invalid:
        """Read a template for each member, or one for the whole."""
        if not isinstance(node, Fields):
            whole = JsonTemplate.decode_node(node, site)
            return whole if isinstance(whole, Invalid) else cls(None, whole)
        members: dict[str, JsonTemplate] = {}
        for key, child in node.entries.items():
            member = JsonTemplate.decode_node(child, site.key(key).noted(*site.notes))
            if not isinstance(member, Invalid):
                members[key] = member
        return cls(members) if len(members) == len(node.entries) else INVALID

    @property
    def references(self) -> tuple[Reference, ...]:
        """Return the variables that it uses."""
        parts = [self.whole] if self.whole is not None else (self.members or {}).values()
        return tuple(reference for part in parts for reference in part.references)

    def render(self, variables: Mapping[str, Json]) -> JsonBody | None:
        """Fill in values; without a cursor the members that use it are left out."""
        if self.whole is not None:
            waits = _waits(self.whole, variables)
            return None if waits else JsonBody(self.whole.render(variables))
        members = (self.members or {}).items()
        return JsonBody(
            {key: part.render(variables) for key, part in members if not _waits(part, variables)}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CallShape:
    """What a stream or an operation says of its request: a method with a path, and more.

    In the query, headers and form a null leaves a parameter out, and a list repeats it. A
    parameter, or a member of a JSON body, that uses ``cursor`` is left out while there is none.
    """

    variables: ClassVar[Scope] = Scope(("config", "secrets", "cursor", "window", "each"))

    get: Annotated[Template | None, OWN_VARIABLES] = None
    """Path added to ``base_url``, ``/items``, or a whole URL; values in it are percent-encoded."""
    post: Annotated[Template | None, OWN_VARIABLES] = None
    """As ``get``, with POST."""
    put: Annotated[Template | None, OWN_VARIABLES] = None
    """As ``get``, with PUT."""
    patch: Annotated[Template | None, OWN_VARIABLES] = None
    """As ``get``, with PATCH."""
    delete: Annotated[Template | None, OWN_VARIABLES] = None
    """As ``get``, with DELETE."""
    query: Annotated[Mapping[str, JsonTemplate], OWN_VARIABLES] = field(default_factory=dict)
    """Parameters; an object is sent as JSON text."""
    headers: Annotated[Mapping[str, Template], HEADER_NAMES, OWN_VARIABLES] = field(
        default_factory=dict
    )
    """Headers, added to those of ``http.headers``."""
    json: Annotated[BodyTemplate | None, OWN_VARIABLES] = None
    """A JSON body; a text that is exactly one ``{{ … }}`` keeps the type of its value."""
    form: Annotated[Mapping[str, JsonTemplate] | None, OWN_VARIABLES] = None
    """A form body."""
    decode: Annotated[Decoder, Kinds(KINDS)] = JsonDecoder()  # noqa: RUF009 - frozen
    """How the answer's body is read: ``json`` or ``ndjson``."""
    errors: tuple[ErrorRule, ...] = ()
    """What failures of this call mean beyond their status; before the rules of ``http.errors``."""

    @property
    def method(self) -> str | None:
        """Return the method in upper case, None where no request is said."""
        return next((name.upper() for name in METHODS if getattr(self, name) is not None), None)

    @property
    def path(self) -> Template | None:
        """Return the path or URL behind the method."""
        found = (getattr(self, name) for name in METHODS)
        return next((template for template in found if template is not None), None)

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse two methods, two bodies, parts without a method, and a path without a slash."""
        told = [*_tell_twice(node, site), *_tell_alone(node, site), *_tell_paths(node, site)]
        return INVALID if told else None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseCall:
    """What every request of an integration has in common, rendered."""

    base_url: Text
    """Absolute, before a path is added."""
    headers: Mapping[str, Text] = field(default_factory=dict)
    """Names in lower case."""
    query: Pairs = ()

    @classmethod
    def render(
        cls,
        *,
        base_url: Template,
        headers: Mapping[str, Template],
        query: Mapping[str, JsonTemplate],
        variables: Mapping[str, Json],
    ) -> Self:
        """Fill in ``config`` and ``secrets``.

        Raises:
            RefusedError: The URL is empty, or a header value would end its line.
        """
        url = base_url.render_text(variables)
        if url is None or not reveal(url):
            raise RefusedError("http.base_url is empty, expected an absolute URL")
        return cls(
            base_url=url,
            headers=_render_headers(headers, variables),
            query=_render_pairs(query, variables),
        )


def build_request(shape: CallShape, *, base: BaseCall, variables: Mapping[str, Json]) -> Request:
    """Build the request that a shape says, before paging and credentials.

    Args:
        shape: One that has a method.
        base: What it has in common with others; its own parameters and headers win.
        variables: A value for each root that the shape's templates use; ``cursor`` may be absent.

    Raises:
        RefusedError: A value does not fit: an empty or climbing one in the path, a line break in
            a header.
    """
    method, template = shape.method, shape.path
    assert method is not None
    assert template is not None
    own = _render_pairs(shape.query, variables)
    names = {*shape.query}
    return Request(
        method=method,
        url=join_url(base.base_url, _render_path(template, variables)),
        query=(*(pair for pair in base.query if pair[0] not in names), *own),
        headers={**base.headers, **_render_headers(shape.headers, variables)},
        body=_render_body(shape, variables),
    )


def join_url(base: Text, path: Text) -> Text:
    """Add a path to a base URL, before the base's own query; a whole URL stands for itself."""
    start, tail = reveal(base), reveal(path)
    if _WHOLE_URL.match(tail):
        return path
    start, _, query = start.partition("#")[0].partition("?")
    if tail and not tail.startswith(("/", "?")):
        tail = f"/{tail}"
    url = (start.rstrip("/") if tail.startswith("/") else start) + tail
    if query:
        url = f"{url}{'&' if '?' in tail else '?'}{query}"
    return Secret(url) if isinstance(base, Secret) or isinstance(path, Secret) else url


def _render_path(template: Template, variables: Mapping[str, Json]) -> Text:
    path = template.render_text(variables, encode=places.encode_segment)
    return "" if path is None else path


def _render_headers(
    headers: Mapping[str, Template], variables: Mapping[str, Json]
) -> dict[str, Text]:
    rendered: dict[str, Text] = {}
    for name, template in headers.items():
        if _waits(template, variables):
            continue
        text = template.render_text(variables)
        if text is not None:
            places.check_header(name, text)
            rendered[name.lower()] = text
    return rendered


def _render_pairs(parameters: Mapping[str, JsonTemplate], variables: Mapping[str, Json]) -> Pairs:
    return tuple(
        (name, text)
        for name, template in parameters.items()
        if not _waits(template, variables)
        for text in texts.to_texts(template.render(variables))
    )


def _render_body(shape: CallShape, variables: Mapping[str, Json]) -> Body | None:
    if shape.json is not None:
        return shape.json.render(variables)
    if shape.form is not None:
        return FormBody(_render_pairs(shape.form, variables))
    return None


def _waits(template: Template | JsonTemplate, variables: Mapping[str, Json]) -> bool:
    """Tell whether a parameter needs a cursor that there is not yet."""
    if variables.get("cursor") is not None:
        return False
    return any(reference.path[0] == "cursor" for reference in template.references)


def _tell_twice(node: Fields, site: Site) -> list[Invalid]:
    told: list[Invalid] = []
    for names in (METHODS, ("json", "form")):
        first, *more = [name for name in names if name in node.entries] or [""]
        for name in more:
            message = f"{site.name} has both {first!r} and {name!r}, expected one of them"
            told.append(site.refuse(node.key_position(name), "E114", message))
    return told


def _tell_alone(node: Fields, site: Site) -> list[Invalid]:
    if any(name in node.entries for name in METHODS):
        return []
    alone = [name for name in _WITH_REQUEST if name in node.entries]
    wanted = ", ".join(METHODS)
    return [
        site.refuse(
            node.key_position(name),
            "E114",
            f"{site.name} has {name!r} but no request, expected one of {wanted}",
        )
        for name in alone
    ]


def _tell_paths(node: Fields, site: Site) -> list[Invalid]:
    told: list[Invalid] = []
    for name in METHODS:
        path = node.get(name)
        if isinstance(path, Scalar) and isinstance(path.value, str) and not _PATH.match(path.value):
            what = "a path that begins with '/', or a whole URL"
            told.append(site.key(name).expected(path, what, "E111"))
    return told
