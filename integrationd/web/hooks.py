"""The webhook endpoints: read the raw bytes, have them verified and stored, answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from integrationd.engine.receive import Inlet, public_url, receive
from integrationd.engine.world import World
from integrationd.errors import (
    ProviderError,
    SecretError,
    SignatureError,
    StoreBusyError,
    StoreError,
)
from integrationd.signals import EventRefused
from integrationd.spec.settings import Settings
from integrationd.web.problem import problem
from integrationd.wire.messages import Call

_log = logging.getLogger(__name__)
UNAVAILABLE: Final = 503
RETRY_AFTER_S: Final = 30
"""What a sender is told to wait when we are full or closing."""
ENCODINGS: Final = frozenset({"", "identity"})


class TooLargeError(Exception):
    """The body is larger than the endpoint takes."""


REFUSALS: Final[tuple[tuple[type[Exception], int, str], ...]] = (
    (TimeoutError, 503, "the call took too long to arrive or to be stored"),
    (ConnectionError, 400, "the call broke off"),
    (TooLargeError, 413, "the body is larger than this endpoint takes"),
    (SignatureError, 401, "the signature does not match"),
    (SecretError, 503, "the endpoint is closed"),
    (ProviderError, 503, "the sender's keys cannot be had now"),
    (StoreBusyError, 503, "too much waits to be stored"),
    (StoreError, 503, "the event cannot be stored"),
)
"""What the sender is told; the whole reason is for our own log."""
EXPECTED: Final = tuple(kind for kind, _, _ in REFUSALS)


@dataclass(slots=True, kw_only=True)
class Hooks:
    """Every open endpoint by its path token."""

    world: World
    settings: Settings
    inlets: Mapping[str, Inlet] = field(default_factory=dict)
    closed: bool = False
    """The daemon is stopping: nothing more is taken."""

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one post; unknown tokens, methods and closed endpoints all look the same."""
        inlet = self.inlets.get(request.match_info["token"])
        if inlet is None or request.method != "POST":
            return problem(404, "there is nothing here")
        if self.closed:
            return self._refuse(inlet, 503, "the daemon is stopping")
        if request.headers.get("Content-Encoding", "").lower() not in ENCODINGS:
            return self._refuse(inlet, 415, "a compressed body is not taken")
        try:
            async with asyncio.timeout(self.settings.defaults.webhook_timeout.total_seconds()):
                body = await self._read(request, inlet)
                accepted = await receive(self.world, inlet, self._call(request, body))
        except EXPECTED as failed:
            status, told = next((s, t) for kind, s, t in REFUSALS if isinstance(failed, kind))
            return self._refuse(inlet, status, told, reason=str(failed))
        except Exception:  # noqa: BLE001 - the listener is where all is caught
            # A fault of our own: the sender must try again, and we must see it.
            _log.exception("webhook %s/%s", inlet.integration.name, inlet.name)
            return self._refuse(inlet, UNAVAILABLE, "the event cannot be stored", reason="a fault")
        return web.json_response({"id": accepted.id, "duplicate": accepted.duplicate})

    async def _read(self, request: web.Request, inlet: Inlet) -> bytes:
        limit = inlet.endpoint.max_body or self.settings.limits.body
        if (request.content_length or 0) > limit:
            raise TooLargeError
        body = bytearray()
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > limit:
                raise TooLargeError
        return bytes(body)

    def _call(self, request: web.Request, body: bytes) -> Call:
        return Call(
            method=request.method,
            url=f"{public_url(self.settings)}{request.rel_url.raw_path_qs}",
            path=request.rel_url.raw_path,
            query=tuple(request.rel_url.query.items()),
            headers=_joined(request),
            body=body,
        )

    def _refuse(self, inlet: Inlet, status: int, told: str, *, reason: str = "") -> web.Response:
        """Answer an error, and note why."""
        self.world.signals.emit(
            EventRefused(
                integration=inlet.integration.name,
                endpoint=inlet.name,
                status=status,
                reason=reason or told,
            )
        )
        headers = {"Retry-After": str(RETRY_AFTER_S)} if status == UNAVAILABLE else None
        return problem(status, told, headers=headers)


def _joined(request: web.Request) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, raw in request.headers.items():
        lowered = name.lower()
        # Bytes that are no UTF-8 come as surrogates, which nothing could store.
        value = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        headers[lowered] = f"{headers[lowered]}, {value}" if lowered in headers else value
    return headers
