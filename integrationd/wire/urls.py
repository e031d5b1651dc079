"""Next-URLs: resolved like a link, and used as received."""

from __future__ import annotations

import dataclasses
from urllib.parse import SplitResult, parse_qsl, urljoin, urlsplit

from integrationd.errors import PageShapeError, PaginationLoopError, RefusedError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.wire import encoding
from integrationd.wire.messages import Pairs, Request


def advance_url(token: Json, found: str | None) -> str | None:
    """Return the token after ``token``, where a page says that ``found`` is next.

    A relative URL is relative to the page that it stands in, so it is joined to that page's own
    token; what is relative then is so to the first request.

    Raises:
        PageShapeError: It is not a URL.
        PaginationLoopError: It is the URL of the page that it stands in.
    """
    if not found:
        return None
    try:
        url = urljoin(token, found) if isinstance(token, str) else found
        urlsplit(url)
    except ValueError:
        raise PageShapeError("the next URL cannot be read as a URL") from None
    if url == token:
        message = "the next URL was returned twice in a row"
        raise PaginationLoopError(f"{message}; the last page should have none")
    return url


def follow(request: Request, token: Json, *, with_query: bool = False) -> Request:
    """Return the request for the page at a next-URL; only method, headers and body are kept.

    With ``with_query`` the query is kept as well, as far as the URL has no parameter so named.

    A provider behind a proxy often writes ``http`` for its own ``https`` address; such a URL is
    asked by ``https``, so that credentials never go in clear.

    Raises:
        RefusedError: It leaves ``https`` for another host's ``http``, or is no http URL.
    """
    if token is None:
        return request
    try:
        base = urlsplit(reveal(request.url))
        target = urlsplit(urljoin(reveal(request.url), reveal(token)))
        url = _secured(base, target, request)
    except ValueError:
        raise RefusedError(f"{encoding.describe(request)}: the next URL cannot be read") from None
    secret = isinstance(request.url, Secret)
    query = _lacking(request.query, url) if with_query else ()
    return dataclasses.replace(request, url=Secret(url) if secret else url, query=query)


def _lacking(query: Pairs, url: str) -> Pairs:
    """Return what of a query a URL has not."""
    there = {name for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True)}
    return tuple((name, value) for name, value in query if name not in there)


def _secured(base: SplitResult, target: SplitResult, request: Request) -> str:
    if target.scheme not in ("http", "https") or not target.hostname:
        raise RefusedError(f"{encoding.describe(request)}: the next URL is not http or https")
    if base.scheme == "https" and target.scheme == "http":
        if target.netloc != base.hostname:
            raise RefusedError(
                f"{encoding.describe(request)}: the next URL leaves https for http, which would "
                "send credentials in clear"
            )
        target = target._replace(scheme="https")
    return target.geturl()
