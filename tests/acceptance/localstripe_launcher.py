"""Start localstripe on the loopback, on a free port; it has no option for either.

Prints the port. Keeps its data in memory: as published it writes them all to one file in /tmp after
every change, which other runs would share.
"""

from __future__ import annotations

import asyncio

from aiohttp import web
from localstripe import resources, server


async def _serve() -> None:
    type(resources.store).dump_to_disk = lambda _: None
    runner = web.AppRunner(server.app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())
