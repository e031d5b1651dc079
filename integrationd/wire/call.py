"""What a spec says of one request, and the request that it makes with values filled in."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Final, Self

from integrationd.config.decode import INVALID, Bounds, Invalid, Keys, Kinds, OfClass, Site
from integrationd.config.nodes import Fields, Scalar
from integrationd.errors import RefusedError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.transform.scopes import Scope
from integrationd.transform.template import JsonTemplate, Template
from integrationd.wire import bodies, places
from integrationd.wire.bodies import BodyTemplate
from integrationd.wire.bodies.form import FormTemplate
from integrationd.wire.bodies.graphql import GraphqlTemplate
from integrationd.wire.bodies.json import JsonBodyTemplate
from integrationd.wire.bodies.multipart import MultipartTemplate
from integrationd.wire.bodies.raw import RawTemplate
from integrationd.wire.bodies.xml import XmlTemplate
from integrationd.wire.decode import KINDS
from integrationd.wire.decode.decoder import Decoder
from integrationd.wire.decode.json import JsonDecoder
from integrationd.wire.limits import COST_MAX
from integrationd.wire.messages import Pairs, Request, Text
from integrationd.wire.parameters import PLAIN, Encode, render_pairs, waits
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
_WITH_REQUEST: Final = ("query", "headers", *bodies.KINDS, "encode", "decode", "errors", "cost")
_WHOLE_URL = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallShape:
    """What a stream or an operation says of its request: a method with a path, and more.

    In the query, headers and form a null leaves a parameter out, and a list repeats it. A
    parameter, or a member of a JSON body, that uses ``cursor`` is left out while there is none.
    ``{{ now }}`` is the time at which the run began, ``2026-01-31T12:00:00Z``.
    """

    variables: ClassVar[Scope] = Scope(
        ("config", "secrets", "now", "cursor", "window", "each", "object", "steps")
    )
    WHOLE_URLS: ClassVar[bool] = False
    """Whether a path that is one ``{{ … }}`` may be a whole URL, used as it came."""

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
    """Parameters; ``encode`` says how lists and objects are written."""
    headers: Annotated[Mapping[str, Template], HEADER_NAMES, OWN_VARIABLES] = field(
        default_factory=dict
    )
    """Headers, added to those of ``http.headers``."""
    json: Annotated[JsonBodyTemplate | None, OWN_VARIABLES] = None
    """A JSON body; a text that is exactly one ``{{ … }}`` keeps the type of its value."""
    form: Annotated[FormTemplate | None, OWN_VARIABLES] = None
    """A form body, ``application/x-www-form-urlencoded``; values are written as in the query."""
    multipart: Annotated[MultipartTemplate | None, OWN_VARIABLES] = None
    """A body of parts, ``multipart/form-data``; values are written as in the query."""
    xml: Annotated[XmlTemplate | None, OWN_VARIABLES] = None
    """An XML document; values in it are escaped. ``headers`` may say another content type."""
    graphql: Annotated[GraphqlTemplate | None, OWN_VARIABLES] = None
    """A GraphQL query with its variables, sent as JSON."""
    raw: Annotated[RawTemplate | None, OWN_VARIABLES] = None
    """A body that is any text."""
    encode: Encode | None = None
    """How values are written in the query and the body, instead of ``http.encode``."""
    decode: Annotated[Decoder, Kinds(KINDS)] = JsonDecoder()  # noqa: RUF009 - frozen
    """How the answer's body is read: ``json``, ``ndjson``, ``csv``, ``xml``, ``xlsx`` or
    ``text``."""
    errors: tuple[ErrorRule, ...] = ()
    """What failures of this call mean beyond their status; before the rules of ``http.errors``."""
    cost: Annotated[int | None, Bounds(1, COST_MAX)] = None
    """How many requests one counts as in ``http.limits``; what that says of its path, else 1."""

    @property
    def method(self) -> str | None:
        """Return the method in upper case, None where no request is said."""
        return next((name.upper() for name in METHODS if getattr(self, name) is not None), None)

    @property
    def body(self) -> BodyTemplate | None:
        """Return what is said of the body."""
        found = (getattr(self, name) for name in bodies.KINDS)
        return next((template for template in found if template is not None), None)

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
    encode: Encode = PLAIN

    @classmethod
    def render(
        cls,
        *,
        base_url: Template,
        headers: Mapping[str, Template],
        query: Mapping[str, JsonTemplate],
        encode: Encode = PLAIN,
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
            query=render_pairs(query, variables, encode),
            encode=encode,
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
    encode = shape.encode or base.encode
    body = shape.body
    return Request(
        method=method,
        url=join_url(base.base_url, _render_path(template, variables, whole=shape.WHOLE_URLS)),
        query=(
            *(pair for pair in base.query if not _is_replaced(pair[0], shape.query)),
            *render_pairs(shape.query, variables, encode),
        ),
        headers={**base.headers, **_render_headers(shape.headers, variables)},
        body=None if body is None else body.render(variables, encode),
        safe=encode.safe or "",
        cost=shape.cost,
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


def _render_path(template: Template, variables: Mapping[str, Json], *, whole: bool) -> Text:
    if whole and template.text.startswith("{{"):
        url = template.render_text(variables)
        if url is not None and _WHOLE_URL.match(reveal(url)):
            return url
    path = template.render_text(variables, encode=places.encode_segment)
    return "" if path is None else path


def _render_headers(
    headers: Mapping[str, Template], variables: Mapping[str, Json]
) -> dict[str, Text]:
    rendered: dict[str, Text] = {}
    for name, template in headers.items():
        if waits(template, variables):
            continue
        text = template.render_text(variables)
        if text is not None:
            places.check_header(name, text)
            rendered[name.lower()] = text
    return rendered


def _is_replaced(name: str, own: Collection[str]) -> bool:
    """Tell whether a call says a parameter itself, of which ``name`` may be a part, ``a[b]``."""
    return name in own or name.partition("[")[0] in own


def _tell_twice(node: Fields, site: Site) -> list[Invalid]:
    told: list[Invalid] = []
    for names in (METHODS, bodies.KINDS):
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
