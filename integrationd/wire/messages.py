"""Requests and answers as values; nothing here touches a socket."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from integrationd.model.json import Json
from integrationd.model.secret import Secret

ROOM_BYTES: Final = 16_000_000
"""As the settings' ``limits.response``, for an answer that no policy was asked for."""
Text: TypeAlias = str | Secret
Pairs: TypeAlias = tuple[tuple[str, Text], ...]


@dataclass(frozen=True, slots=True)
class JsonBody:
    """A body sent as ``application/json``; leaves may be :class:`Secret`."""

    value: Json


@dataclass(frozen=True, slots=True)
class FormBody:
    """A body sent as ``application/x-www-form-urlencoded``; a name may stand more than once."""

    pairs: Pairs


@dataclass(frozen=True, slots=True)
class MultipartBody:
    """A body sent as ``multipart/form-data``; a name may stand more than once."""

    pairs: Pairs


@dataclass(frozen=True, slots=True)
class TextBody:
    """A body that is one text, sent in UTF-8."""

    text: Text
    content_type: str
    """Used where no header says another one."""


Body: TypeAlias = JsonBody | FormBody | MultipartBody | TextBody


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call that is to be made."""

    method: str
    """Upper case."""
    url: Text
    """Absolute; may hold a query of its own (a next-URL is used as received)."""
    query: Pairs = ()
    """Added to the URL's own query, percent-encoded when sent."""
    headers: Mapping[str, Text] = field(default_factory=dict)
    """Names in lower case."""
    body: Body | None = None
    safe: str = ""
    """Signs that ``query`` holds as they are, not percent-encoded."""
    cost: int | None = None
    """How many requests it counts as, where its spec says so."""

    def with_header(self, name: str, value: Text) -> Request:
        """Return a copy with one header set; the name is lowered."""
        return dataclasses.replace(self, headers={**self.headers, name.lower(): value})

    def with_query(self, name: str, value: Text) -> Request:
        """Return a copy in which ``name`` stands once in the query, at its old place or last."""
        pairs = [(key, value if key == name else old) for key, old in self.query]
        if all(key != name for key, _ in pairs):
            pairs.append((name, value))
        return dataclasses.replace(self, query=tuple(pairs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back, before decoding."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case; of a repeated header all values, joined by a comma."""
    body: bytes
    """After decompression."""
    url: str
    """Where it came from, without the query: safe to print."""
    took_s: float = 0.0
    room_bytes: int = ROOM_BYTES
    """What ``body`` may come to where it is itself packed, a file of gzip or zip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One decoded answer, as paging and expressions see it."""

    reply: Mapping[str, Json]
    """``{status, headers, body}``: the root of every expression over a response."""
    count: int
    """How many records it held."""
    records: Sequence[Json] = ()
    """These themselves, as they came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An inbound call as it arrived, for verification."""

    method: str
    url: str
    """As the sender sees it: the public URL with its query."""
    path: str
    query: Pairs
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    """Exactly as received."""
