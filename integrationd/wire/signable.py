"""What the templates of a signature may use: the moment, and the request as it will be sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.transform.scopes import Scope
from integrationd.wire.attempt import Attempt
from integrationd.wire.encoding import EncodedRequest, encode
from integrationd.wire.messages import FormBody, MultipartBody, Request

MOMENT: Final = ("now", "timestamp", "timestamp_ms", "nonce")
SENT: Final = ("method", "url", "host", "path", "query", "parameters", "body")
AT_A_MOMENT: Final = Scope(("config", "secrets", *MOMENT))
OVER_A_REQUEST: Final = Scope(("config", "secrets", *MOMENT, *SENT))


def of_moment(_request: Request, attempt: Attempt) -> Mapping[str, Json]:
    """Return ``now`` as RFC 3339 in UTC, ``timestamp`` and ``timestamp_ms``, and ``nonce``."""
    seconds = int(attempt.at.timestamp())
    return {
        "now": rfc3339(attempt.at),
        "timestamp": seconds,
        "timestamp_ms": seconds * 1000 + attempt.at.microsecond // 1000,
        "nonce": attempt.nonce,
    }


def of_request(request: Request, attempt: Attempt) -> Mapping[str, Json]:
    """Return the moment and every part of a request, byte for byte as it is sent.

    What may hold a secret is one, and so is whatever is made of it. ``path`` and ``query`` are
    percent-encoded; ``parameters`` are decoded, those of the query and of a form together (one of
    several parts too), sorted by name and value, each ``{name, value}``. ``body`` is empty where
    there is none.

    Raises:
        RefusedError: It cannot be sent.
    """
    sent = encode(request)
    parts = urlsplit(sent.url)
    pairs = parameters(request, sent)
    if isinstance(request.body, MultipartBody):
        pairs = sorted([*pairs, *((name, reveal(value)) for name, value in request.body.pairs)])
    return {
        **of_moment(request, attempt),
        "method": sent.method,
        "url": Secret(sent.url),
        "host": parts.netloc,
        "path": Secret(parts.path or "/"),
        "query": Secret(parts.query),
        "parameters": [{"name": name, "value": Secret(value)} for name, value in pairs],
        "body": Secret(as_text(sent.body)),
    }


def parameters(request: Request, sent: EncodedRequest) -> list[tuple[str, str]]:
    """Return the decoded pairs of the query and of a form, sorted."""
    pairs = parse_qsl(urlsplit(sent.url).query, keep_blank_values=True)
    if isinstance(request.body, FormBody):
        pairs += parse_qsl(as_text(sent.body), keep_blank_values=True)
    return sorted(pairs)


def as_text(body: bytes | None) -> str:
    """Return a body as text; what is no UTF-8 is kept, see :func:`as_bytes`."""
    return (body or b"").decode("utf-8", "surrogateescape")


def as_bytes(text: str) -> bytes:
    """Return the bytes of a text that a body may be part of."""
    return text.encode("utf-8", "surrogateescape")


def rfc3339(moment: datetime) -> str:
    """Print a time in UTC with whole seconds, ``2026-11-21T08:00:00Z``."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
