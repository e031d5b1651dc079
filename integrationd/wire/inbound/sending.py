"""A request as its sender would have it before it is signed, for playing one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from integrationd.transform.template import Template
from integrationd.wire.encoding import encode
from integrationd.wire.inbound.signed import Signed, SignedPart, parts_of
from integrationd.wire.inbound.times import Timestamp
from integrationd.wire.messages import Call, Request

_ID_LETTERS: Final = 24


def as_call(request: Request, body: bytes) -> Call:
    """Return a request as it will arrive; ``body`` is what it carries where it has none itself."""
    sent = encode(request)
    parts = urlsplit(sent.url)
    return Call(
        method=sent.method,
        url=sent.url,
        path=parts.path or "/",
        query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
        headers={name: text for name, text in sent.headers.items() if name != "accept"},
        body=body if request.body is None else sent.body or b"",
    )


def prepare(
    request: Request, body: bytes, signed: Signed | None, timestamp: Timestamp | None, now: datetime
) -> tuple[Request, str | None]:
    """Return a request with all that is signed beside the body, and the time as it is written.

    A header that is signed and not there is made up of the body, so that the same event has the
    same id.
    """
    for name in _named_headers(parts_of(signed)):
        if name not in request.headers:
            made_up = f"msg_{hashlib.sha256(body).hexdigest()[:_ID_LETTERS]}"
            request = request.with_header(name, made_up)
    if timestamp is None:
        return request, None
    written = timestamp.format.write(now)
    return timestamp.put(request, written), written


def _named_headers(parts: Iterable[SignedPart]) -> list[str]:
    return [
        str(path[1])
        for part in parts
        if isinstance(part, Template)
        for path in part.paths
        if path[0] == "headers" and len(path) > 1
    ]
