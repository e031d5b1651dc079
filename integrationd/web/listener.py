"""The TCP listener: health, metrics and webhooks."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp.http import HttpProcessingError, HttpVersion10, HttpVersion11
from aiohttp.typedefs import Handler

from integrationd.errors import SettingsError, StoreError
from integrationd.ports.store import Store
from integrationd.spec.settings import Listen
from integrationd.web.hooks import Hooks
from integrationd.web.problem import problem

KEEPALIVE_S: Final = 15.0
"""Half-sent headers and idle connections are dropped after this."""
PING_TIMEOUT_S: Final = 2.0
NOTHING_HERE: Final = "there is nothing here"


@dataclass(slots=True, kw_only=True)
class Health:
    """What the probes look at."""

    store: Store
    ready: bool = False
    patience_s: float = PING_TIMEOUT_S
    """How long the store may take; a prober gives up after some seconds more."""

    async def live(self, _request: web.Request) -> web.Response:
        """Answer that the loop turns."""
        return web.Response(text="ok\n")

    async def readiness(self, _request: web.Request) -> web.Response:
        """Answer 200 when files were loaded and the store commits."""
        if not self.ready:
            return problem(503, "not ready: starting or stopping")
        try:
            async with asyncio.timeout(self.patience_s):
                await self.store.ping()
        except (StoreError, TimeoutError) as broken:
            reason = str(broken) or "no answer"
            return problem(503, f"not ready: the store does not commit: {reason}")
        return web.Response(text="ok\n")


def build_listener(
    *, hooks: Hooks, health: Health, metrics: Callable[[], bytes]
) -> web.Application:
    """Build the application that stands on TCP."""
    app = web.Application(middlewares=[_strict])

    async def scrape(_request: web.Request) -> web.Response:
        # A thousand integrations are 15,000 lines and a third of a second.
        body = await asyncio.to_thread(metrics)
        return web.Response(body=body, content_type="text/plain", charset="utf-8")

    app.router.add_get("/livez", health.live)
    app.router.add_get("/readyz", health.readiness)
    app.router.add_get("/metrics", scrape)
    app.router.add_route("*", "/hooks/{token}", hooks.answer)
    return app


@web.middleware
async def _strict(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse other protocols, and answer what goes wrong without telling more than needed."""
    if request.version not in (HttpVersion10, HttpVersion11):
        return problem(505, "HTTP/1.1 is spoken here")
    try:
        response = await handler(request)
    except web.HTTPNotFound:
        response = problem(404, NOTHING_HERE)
    except web.HTTPException as known:
        allow = known.headers.get("Allow")
        headers = None if allow is None else {"Allow": allow}
        response = problem(known.status, known.reason, headers=headers)
    response.headers["Server"] = "integrationd"
    return response


@asynccontextmanager
async def listening(app: web.Application, listen: Listen) -> AsyncIterator[Listen]:
    """Serve on TCP; yields where it really stands (a port of 0 takes a free one).

    Raises:
        SettingsError: The address cannot be used.
    """
    runner = build_runner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, listen.host, listen.port)
        try:
            await site.start()
        except OSError as taken:
            address = f"{listen.host}:{listen.port}"
            reason = f"{address} cannot be used: {_reason(taken)}"
            message = f"listen: {reason}; choose another in the settings"
            raise SettingsError(message) from taken
        yield Listen(listen.host, runner.addresses[0][1])
    finally:
        await runner.cleanup()


@asynccontextmanager
async def listening_on_socket(app: web.Application, path: str) -> AsyncIterator[None]:
    """Serve on a socket in the file system.

    Raises:
        SettingsError: The path cannot be used; the most frequent reason is its length.
    """
    runner = build_runner(app)
    await runner.setup()
    try:
        try:
            await web.UnixSite(runner, path).start()
        except OSError as wrong:
            reason = f"control socket {path} cannot be used: {_reason(wrong)}"
            raise SettingsError(f"{reason}; choose another state directory") from wrong
        yield
    finally:
        await runner.cleanup()


def _reason(wrong: OSError) -> str:
    """Return the system's own words; asyncio puts the address around them once more."""
    if wrong.errno is None or wrong.errno < 0:
        return wrong.strerror or str(wrong)
    return os.strerror(wrong.errno)


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Drop what anybody outside can cause: bytes that are no request, with all that is in them."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


_log = logging.getLogger(__name__)
_log.addFilter(_is_worth_a_line)


def build_runner(app: web.Application) -> web.AppRunner:
    """Build what serves an application; it writes no access log."""
    return web.AppRunner(
        app,
        access_log=None,
        logger=_log,
        auto_decompress=False,
        keepalive_timeout=KEEPALIVE_S,
        lingering_time=1.0,
        shutdown_timeout=5.0,
    )
