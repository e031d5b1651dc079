"""pytest-asyncio asks for a loop, and Python makes one that nobody closes: have none."""

import asyncio

asyncio.set_event_loop(None)
