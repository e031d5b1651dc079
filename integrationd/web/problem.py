"""Errors as RFC 9457 problems."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from aiohttp import web


def problem(status: int, detail: str, *, headers: dict[str, str] | None = None) -> web.Response:
    """Build an answer that says what went wrong, for a program and for a person.

    Source:
        RFC 9457 section 3; ``type`` is left out, which means ``about:blank``.
    """
    body = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return web.Response(
        status=status,
        body=msgspec.json.encode(body),
        content_type="application/problem+json",
        headers=headers,
    )
