"""A server on loopback that leaves nothing behind."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

Meet = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
def serving():
    """Return what opens a server: ``serving(meet, context)`` yields its port."""
    return _serving


@asynccontextmanager
async def _serving(meet: Meet, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve on a free port; at the end every connection is over, whoever broke it."""
    running: set[asyncio.Task[None]] = set()

    async def guard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        running.add(asyncio.current_task())
        try:
            await meet(reader, writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(guard, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
        if running:
            await asyncio.wait(running, timeout=2)
        # A closed transport lets go of its socket a turn later.
        await asyncio.sleep(0)
