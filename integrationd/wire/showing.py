"""Requests for people to see: whole, and without a secret."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from integrationd.model.json import Json
from integrationd.model.secret import PLACEHOLDER, Secret, reveal
from integrationd.wire.attempt import Attempt
from integrationd.wire.encoding import encode
from integrationd.wire.messages import (
    Body,
    FormBody,
    JsonBody,
    MultipartBody,
    Pairs,
    Request,
    Text,
    TextBody,
)

_ENCODED: Final = quote(PLACEHOLDER, safe="")
_WITH_SCHEME: Final = frozenset({"authorization", "proxy-authorization"})
STAND_IN: Final = Attempt(at=datetime(1970, 1, 1, tzinfo=UTC), nonce=PLACEHOLDER)
"""Signs what is only shown; the time in it is plainly no real one."""


def stand_ins(names: Iterable[str]) -> dict[str, Json]:
    """Return something to render templates with in place of secrets, which are not looked up."""
    return {name: Secret(PLACEHOLDER) for name in names}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRequest:
    """A request as it would be sent, but for its secrets and what the transport adds.

    That is ``host``, ``content-length``, ``accept-encoding`` and ``user-agent``.
    """

    method: str
    url: str
    """With its query."""
    headers: Mapping[str, str]
    body: str | None

    def to_json(self) -> Json:
        """Return it as people see it."""
        return {
            "method": self.method,
            "url": self.url,
            "headers": dict(self.headers),
            "body": self.body,
        }


def show_request(request: Request) -> ShownRequest:
    """Show a request whose secrets are :func:`stand_ins`; any other one would not be shown either.

    Of a text that was made with a stand-in the rest is shown, ``Bearer ***``.

    Raises:
        RefusedError: It cannot be sent.
    """
    encoded = encode(
        replace(
            request,
            url=_show(request.url),
            query=_show_pairs(request.query),
            headers={name: _show_header(name, text) for name, text in request.headers.items()},
            body=_show_body(request.body),
        )
    )
    body = None if encoded.body is None else encoded.body.decode()
    return ShownRequest(
        method=encoded.method,
        url=encoded.url.replace(_ENCODED, PLACEHOLDER),
        headers=encoded.headers,
        body=None if body is None else body.replace(_ENCODED, PLACEHOLDER),
    )


def _show(text: Text) -> str:
    plain = reveal(text)
    if not isinstance(text, Secret):
        return plain
    plain = plain.replace(_ENCODED, PLACEHOLDER)
    return plain if PLACEHOLDER in plain else PLACEHOLDER


def _show_header(name: str, text: Text) -> str:
    """Show also how a credential is written where the rest of it is one lump, ``Basic ***``."""
    shown = _show(text)
    scheme, blank, _ = reveal(text).partition(" ")
    if shown == PLACEHOLDER and name in _WITH_SCHEME and blank and scheme.isalpha():
        return f"{scheme} {PLACEHOLDER}"
    return shown


def _show_pairs(pairs: Pairs) -> Pairs:
    return tuple((name, _show(text)) for name, text in pairs)


def _show_body(body: Body | None) -> Body | None:
    match body:
        case JsonBody(value):
            return JsonBody(_show_json(value))
        case FormBody(pairs):
            return FormBody(_show_pairs(pairs))
        case MultipartBody(pairs):
            return MultipartBody(_show_pairs(pairs))
        case TextBody(text, kind):
            return TextBody(_show(text), kind)
        case None:
            return None


def _show_json(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _show_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_show_json(item) for item in value]
    return _show(value) if isinstance(value, Secret) else value
