"""What a person narrows a run to, read beside the stream that it is of."""

from __future__ import annotations

import asyncio

from integrationd.engine.conductor import Conductor
from integrationd.errors import InputError, UsageError
from integrationd.ports.actions import SyncWish
from integrationd.spec.narrowing import Narrowing, read_narrowing


async def read_wish(conductor: Conductor, wish: SyncWish) -> Narrowing | None:
    """Return what a wish narrows its run to; None where it is a run like any other.

    Raises:
        UsageError: No stream is named, or everything is asked for as well.
        InputError: What does not fit, a line each.
    """
    if not wish.is_narrowed:
        return None
    if len(wish.streams) != 1:
        raise UsageError(
            f"{wish.integration!r} names no stream, expected one with --input: "
            f"{wish.integration}/STREAM"
        )
    if wish.full or wish.confirmed:
        raise UsageError("--input narrows a run, so it goes with neither --full nor --confirm")
    (name,) = wish.streams
    stream = conductor.integration(wish.integration).streams[name]
    try:
        # The library that judges schemas takes longer to load than the loop may be held.
        return await asyncio.to_thread(read_narrowing, stream, wish.input, wish.texts)
    except InputError as wrong:
        where = f"{wish.integration}/{name}"
        lines = str(wrong).splitlines()
        raise InputError("\n".join(f"{where}: {line}" for line in lines)) from None
