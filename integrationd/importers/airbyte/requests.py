"""Requesters to a method, a path, and what goes with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote_plus

from integrationd.config.nodes import Fields, Node, Scalar
from integrationd.importers.airbyte import unsaid
from integrationd.importers.airbyte.manners import Manner
from integrationd.importers.airbyte.pages import TOKEN
from integrationd.importers.airbyte.parts import Part
from integrationd.importers.airbyte.scope import Missing, Scope
from integrationd.importers.airbyte.terms import Apply, Const, Name, UnsayableError, roots_in
from integrationd.model.json import Json
from integrationd.wire.places import Place

AUTHORITY: Final = re.compile(r"(?:https?://)?(?:\{\{.*?\}\}|[^/?{])+")
"""The scheme and the host of a URL with templates in it."""
_PAIR: Final = re.compile(r"(?:\{\{.*?\}\}|[^&{]|\{(?!\{))+")
_TIMEOUTS: Final = ("read_timeout_in_seconds", "connect_timeout_in_seconds")
_UNSET_HEADERS: Final = frozenset({"content-length", "host", "transfer-encoding", "connection"})
"""The transport's own; the source may name them, to no effect."""


@dataclass(slots=True)
class Asked:
    """One request, before it is known what all of them share."""

    method: str
    base: str
    """Where its path begins, without a slash at its end."""
    path: str
    said: dict[str, Any] = field(default_factory=dict)
    """``query``, ``headers`` and a body."""
    token_place: str | None = None
    """Where the source itself puts the token of the next page."""
    token_start: Json = None
    """What stands there in the request of the first page."""


def read_request(part: Part, scope: Scope) -> Asked | None:
    """Return what a requester asks; None where it is none of these, which is told."""
    if part.kind != "HttpRequester":
        unsaid.lose_kind(part)
        return None
    base, path = _read_url(part, scope)
    if not base:
        return None
    method = part.text("http_method").lower() or "get"
    asked = Asked(method, base, path)
    _read_query(part, scope, asked)
    _read_headers(part, scope, asked)
    _read_body(part, scope, asked)
    timeouts = [key for key in _TIMEOUTS if part.has(key)]
    if timeouts:
        message = f"{part.path}.{timeouts[0]}: how long is waited is said in http.timeout"
        part.report.note(part.place(timeouts[0]), message)
    for key in ("query_properties", "fetch_properties_from_endpoint"):
        if part.has(key):
            unsaid.lose(part, key, field=key)
    return asked


def _text(part: Part, key: str, scope: Scope, manner: Manner = Manner.PATH) -> str | None:
    node = part.get(key)
    if node is None:
        return ""
    made = scope.template(part, node, f"{part.path}.{key}", manner)
    return None if isinstance(made, Missing) else "" if made is None else str(made)


def _read_url(part: Part, scope: Scope) -> tuple[str, str]:
    """Return where requests begin, and the path behind it."""
    whole = _text(part, "url", scope)
    base, path = _text(part, "url_base", scope, Manner.TEXT), _text(part, "path", scope)
    if whole is None or base is None or path is None:
        return "", ""
    if whole:
        found = AUTHORITY.match(whole)
        base, path = (whole, "") if found is None else (found.group(), whole[found.end() :])
    if not base:
        part.report.lose(part.position, f"{part.path}: there is no URL")
        return "", ""
    if not path:
        return base.rstrip("/"), "/" if base.endswith("/") else ""
    return base.rstrip("/"), path if path.startswith("?") else f"/{path.lstrip('/')}"


def _read_query(part: Part, scope: Scope, asked: Asked) -> None:
    node = part.get("request_parameters")
    if node is None:
        return
    if isinstance(node, Scalar):
        node = _split_query(node)
    made = scope.template(
        part,
        _without_token(part, node, asked, scope, "query"),
        f"{part.path}.request_parameters",
        Manner.TEXT,
    )
    if isinstance(made, dict) and made:
        asked.said["query"] = made


def _split_query(node: Scalar) -> Fields:
    """Return a query that is one text as an object; templates in it stay whole."""
    text = node.value if isinstance(node.value, str) else ""
    pairs = [each.partition("=") for each in _PAIR.findall(text.lstrip("?"))]
    return Fields(
        {unquote_plus(name): Scalar(_unquote(value), node.position) for name, _, value in pairs},
        node.position,
    )


def _unquote(text: str) -> str:
    return text if "{{" in text else unquote_plus(text)


def _without_token(part: Part, node: Node, asked: Asked, scope: Scope, place: str) -> Node:
    """Take out the value that is the token of the next page; paging sets it."""
    node = part.manifest.follow(node)
    if not isinstance(node, Fields):
        return node
    kept: dict[str, Node] = {}
    for name, value in node.entries.items():
        value = part.manifest.follow(value)  # noqa: PLW2901 - the same, looked up
        here = f"{place}.{name.lower() if place == 'header' else name}"
        if isinstance(value, Fields):
            value = _without_token(part, value, asked, scope, here)  # noqa: PLW2901 - as above
        found = _read_token(part, value, scope)
        if found is None or Place.parse(here) is None:
            kept[name] = value
        else:
            asked.token_place, asked.token_start = here, found.value
    return Fields(kept, node.position, node.key_positions)


def _read_token(part: Part, node: Node, scope: Scope) -> Const | None:
    """Return what the first page is asked with, of a value that is the token of the others."""
    if not isinstance(node, Scalar) or TOKEN not in str(node.value):
        return None
    try:
        term = scope.term(part, str(node.value))
    except UnsayableError:
        return None
    match term:
        case Name() if term.root == TOKEN:
            return Const(None)
        case Apply("or" | "default", (Name() as name, Const() as first)) if name.root == TOKEN:
            return first
        case Apply("if", (test, Name() as name, Const() as first)) if name.root == TOKEN:
            return first if roots_in(test) == {TOKEN} else None
        case _:
            return None


def _read_headers(part: Part, scope: Scope, asked: Asked) -> None:
    node = part.get("request_headers")
    if isinstance(node, Scalar) and node.value:
        unsaid.lose(part, "headers_text", field="request_headers")
        return
    if node is None:
        return
    node = _without_token(part, node, asked, scope, "header")
    made = scope.template(part, node, f"{part.path}.request_headers", Manner.TEXT)
    if isinstance(made, dict):
        headers = {name: value for name, value in made.items() if _is_header(name)}
        if headers:
            asked.said["headers"] = headers


def _is_header(name: str) -> bool:
    return name.lower() not in _UNSET_HEADERS


def _read_body(part: Part, scope: Scope, asked: Asked) -> None:
    body = part.child("request_body")
    if body is not None:
        kind = {
            "RequestBodyJsonObject": "json",
            "RequestBodyUrlEncodedForm": "form",
            "RequestBodyPlainText": "raw",
            "RequestBodyGraphQL": "json",
        }.get(body.kind)
        if kind is None:
            unsaid.lose_kind(body)
        else:
            _add_body(body, "value", kind, (scope, asked))
    elif part.has("request_body_json"):
        _add_body(part, "request_body_json", "json", (scope, asked))
    elif part.has("request_body_data"):
        is_text = isinstance(part.get("request_body_data"), Scalar)
        _add_body(part, "request_body_data", "raw" if is_text else "form", (scope, asked))


def _add_body(part: Part, key: str, kind: str, into: tuple[Scope, Asked]) -> None:
    scope, asked = into
    node = part.get(key)
    made: Json | Missing = None
    if node is not None:
        node = _without_token(part, node, asked, scope, kind)
        manner = {"json": Manner.JSON, "form": Manner.TEXT}.get(kind, Manner.PLAIN)
        made = scope.template(part, node, f"{part.path}.{key}", manner)
    if isinstance(made, Missing) or not made:
        return
    if kind == "json" and isinstance(made, str):
        asked.said["raw"] = {"text": made, "content_type": "application/json"}
    elif kind == "raw":
        asked.said["raw"] = {"text": made, "content_type": "text/plain"}
    else:
        asked.said[kind] = made
