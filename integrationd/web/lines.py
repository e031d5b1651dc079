"""Answers of the control socket: one JSON value, or lines as they come."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

import msgspec
from aiohttp import web

from integrationd.errors import IntegrationError
from integrationd.model.json import Json


async def tell_lines(request: web.Request, lines: AsyncIterator[Json]) -> web.StreamResponse:
    """Answer with lines as they come; what is refused before the first one is a problem."""
    first = await anext(lines, None)
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    try:
        if first is not None:
            await response.write(_line(first))
        async for line in lines:
            await response.write(_line(line))
    except IntegrationError as failed:
        await response.write(_line({"event": "failed", "error": str(failed)}))
    except ConnectionError:
        # Whoever asked went away. A run goes on by itself; what is only told ends here.
        await _close(lines)
        return response
    await response.write_eof()
    return response


async def _close(lines: AsyncIterator[Json]) -> None:
    if isinstance(lines, AsyncGenerator):
        await lines.aclose()


def answer_json(value: Json) -> web.Response:
    """Answer with one value."""
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")


def _line(value: Json) -> bytes:
    return msgspec.json.encode(value) + b"\n"
