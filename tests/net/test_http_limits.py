"""A provider on loopback that refuses what is too much is never given a reason to."""

from __future__ import annotations

import asyncio
import json
from ipaddress import ip_network

from integrationd.engine.calls import Calls
from integrationd.engine.conductor import Conductor
from integrationd.spec.settings import Settings
from integrationd.transport.egress import EgressPolicy
from integrationd.transport.http import AiohttpOpener
from tests.support.worlds import bundle_of, stage

LOOPBACK = EgressPolicy(allow=(ip_network("127.0.0.0/8"),))
SPEC = """\
integration: shop
http:
  base_url: http://127.0.0.1:%d/v1
  limits:
    paths: {/search: {rate: 2/s}}
    learn: {remaining: headers."x-left", reset: {value: headers."x-reset", format: ms}}
operations:
  search: {get: /search}
  order: {get: /order}
"""


async def look_up(host: str) -> tuple[str, ...]:
    """Find every name on loopback."""
    return ("127.0.0.1",)


async def test_provider_never_has_to_refuse(serving):
    """Three calls in each half second, two searches in each second; seven calls."""
    loop = asyncio.get_running_loop()
    searches: list[float] = []
    ends_s, left, refused = 0.0, 0, 0

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal ends_s, left, refused
        request = await reader.readuntil(b"\r\n\r\n")
        now_s = loop.time()
        if now_s >= ends_s:
            ends_s, left = now_s + 0.5, 3
        is_search = b"/search" in request.split(b"\r\n")[0]
        over = left == 0 or (is_search and sum(one > now_s - 0.9 for one in searches) > 1)
        left -= not over
        refused += over
        searches.extend([now_s] * is_search)
        lines = [
            "HTTP/1.1 429 Too Many Requests" if over else "HTTP/1.1 200 OK",
            "Content-Type: application/json",
            "Content-Length: 2",
            f"X-Left: {left}",
            f"X-Reset: {round((ends_s - now_s) * 1000) + 5}",
            "Connection: close",
        ]
        writer.write(("\r\n".join(lines) + "\r\n\r\n" + json.dumps([])).encode())

    async with serving(meet) as port, stage(AiohttpOpener(LOOPBACK, look_up)) as on:
        conductor = Conductor(
            world=on.world, settings=Settings(), bundle=bundle_of(shop=SPEC % port)
        )
        calls = Calls(conductor=conductor)
        names = ["order", *["search", "search", "order"] * 2]
        outcomes = [await calls.call("shop", name, {}) for name in names]

    assert [outcome.error for outcome in outcomes if outcome.error] == []
    assert (refused, len(searches)) == (0, 4)
