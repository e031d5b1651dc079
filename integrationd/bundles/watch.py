"""When files may have changed: the kernel's word as a hint, and a look every two seconds.

watchfiles is imported when a daemon begins to watch; commands that only read do without it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Final, Protocol

_TURN_MS: Final = 500
_TURNS: Final = 4
"""A look every four turns, two seconds, where no hint comes: network file systems, the targets of
links, containers. The first turn looks too: something may have changed before watching began."""
_GROUP_MS: Final = 100
"""Changes that come so close together are one hint."""
_STEP_MS: Final = 25
"""How long it must be quiet before a hint is given."""


class Watched(Protocol):
    """What is looked at."""

    @property
    def directories(self) -> Sequence[Path]:
        """Return every directory in which something may change."""
        ...

    def is_stale(self) -> bool:
        """Tell whether anything differs from what was taken; blocks."""
        ...


async def changes(library: Watched) -> AsyncGenerator[None, None]:
    """Yield whenever something has changed that is not taken yet; never ends by itself.

    After each yield the caller loads; as long as what it took differs from what is there, the
    next look yields again.
    """
    while True:
        async with aclosing(_hints(library)) as hints:
            async for _ in hints:
                if await asyncio.to_thread(library.is_stale):
                    yield


async def _hints(library: Watched) -> AsyncGenerator[None, None]:
    """Yield at every hint and at least every two seconds, until other directories must be watched.

    A directory that is deleted and made again is another one, about which the kernel would stay
    silent for ever; so its number is compared each time.
    """
    from watchfiles import Change, awatch  # noqa: PLC0415

    yield
    watched = _identify(library.directories)
    if not watched:
        await asyncio.sleep(_TURNS * _TURN_MS / 1000)
        return
    events = awatch(
        *watched,
        watch_filter=None,
        debounce=_GROUP_MS,
        step=_STEP_MS,
        rust_timeout=_TURN_MS,
        yield_on_timeout=True,
        recursive=False,
    )
    turn = 0
    try:
        async with aclosing(events):
            async for found in events:
                if found or turn % _TURNS == 0:
                    yield
                turn += 1
                gone = {path for change, path in found if change is Change.deleted}
                if gone & watched.keys() or _identify(library.directories) != watched:
                    return
    except (OSError, RuntimeError):
        # No watches are left, or a directory went away in between: go on by looking.
        await asyncio.sleep(_TURNS * _TURN_MS / 1000)


def _identify(directories: Iterable[Path]) -> dict[str, tuple[int, int]]:
    """Return the directories that are there, each with the numbers that make it that one."""
    found: dict[str, tuple[int, int]] = {}
    for path in directories:
        try:
            stat = os.stat(path)  # noqa: PTH116
        except OSError:
            continue
        found[os.fspath(path)] = (stat.st_dev, stat.st_ino)
    return found
