"""Where a browser comes back to after consent: one page on the loopback, for as long as a login."""

from __future__ import annotations

import errno
import html
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final, TypeAlias

from aiohttp import web

from integrationd.errors import IntegrationError
from integrationd.web.listener import build_runner

BODY_BYTES_MAX: Final = 1024
"""Nobody has anything to send here."""
_TRIES: Final = 8
"""Free ports that are tried: each may be taken on the other address."""
_ADDRESSES: Final = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Server": "integrationd",
    "X-Content-Type-Options": "nosniff",
}
_PAGE: Final = """\
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1><p>{text}</p></body></html>
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the browser is told; any text, as all of it is escaped."""

    title: str
    text: str
    status: int = 200


Take: TypeAlias = Callable[[str], Awaitable[Shown]]
"""Takes the query that a browser brought, says what it is shown."""


def bind_loopback(port: int) -> list[socket.socket]:
    """Take a port on both addresses of the loopback, 0 for any; the caller closes them.

    Where there is no IPv6, IPv4 will do. Where somebody else has the port on one of them, a browser
    that looks for ``localhost`` might go there, so it is not used.

    Raises:
        IntegrationError: It cannot be used.
    """
    for left in reversed(range(_TRIES)):
        bound: list[socket.socket] = []
        try:
            for family, address in _ADDRESSES:
                wanted = bound[0].getsockname()[1] if bound else port
                bound += _bind(family, address, wanted)
        except OSError as taken:
            for each in bound:
                each.close()
            if left and port == 0:
                continue
            reason = os.strerror(taken.errno or 0)
            raise IntegrationError(
                f"port {wanted} of {address}, which the redirect names, cannot be used: {reason}; "
                "free it, or add --no-listen and paste what the browser shows"
            ) from None
        return bound
    raise AssertionError


def _bind(family: socket.AddressFamily, address: str, port: int) -> list[socket.socket]:
    """Return a socket that has the port; none where there is no such address here."""
    try:
        made = socket.socket(family, socket.SOCK_STREAM)
    except OSError:
        return []
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((address, port))
    except OSError as failed:
        made.close()
        if failed.errno == errno.EADDRNOTAVAIL:
            return []
        raise
    return [made]


@asynccontextmanager
async def awaiting_browser(
    sockets: Sequence[socket.socket], path: str, take: Take
) -> AsyncIterator[None]:
    """Serve one path on sockets that are bound; all else is nothing.

    Args:
        sockets: See :func:`bind_loopback`; they are closed in the end.
        path: The one that the redirect has.
        take: Told what a browser brought there.
    """

    async def answer(request: web.Request) -> web.Response:
        if request.rel_url.raw_path != path:
            return _page(Shown("There is nothing here", "This address answers a login.", 404))
        if request.method != "GET":
            return _page(Shown("Not in this way", "A browser asks here with GET.", 405))
        # The raw one: decoded, a plus sign in a code would become a blank later.
        return _page(await take(request.rel_url.raw_query_string))

    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app.router.add_route("*", "/{rest:.*}", answer)
    runner = build_runner(app)
    await runner.setup()
    try:
        for each in sockets:
            await web.SockSite(runner, each).start()
        yield
    finally:
        await runner.cleanup()
        for each in sockets:
            with suppress(OSError):
                each.close()


def _page(shown: Shown) -> web.Response:
    text = _PAGE.format(title=html.escape(shown.title), text=html.escape(shown.text))
    return web.Response(text=text, status=shown.status, content_type="text/html", headers=_HEADERS)
