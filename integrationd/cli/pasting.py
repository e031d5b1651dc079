"""Lines that a person pastes while something else is waited for; a terminal does not show them."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias

PIECE_BYTES: Final = 65_536
LINE_BYTES_MAX: Final = 65_536
"""A longer line is no address."""
Take: TypeAlias = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reading:
    """Lines that are read."""

    task: asyncio.Task[None]
    is_all: bool
    """Whether nothing can come from elsewhere, so that the end of the lines is the end of all."""


def is_terminal() -> bool:
    """Tell whether a person is there who can paste."""
    return sys.stdin is not None and sys.stdin.isatty()


def start(take: Take, *, waits: bool) -> Reading | None:
    """Begin to read lines where there is a person, or nothing else to wait for."""
    if not (waits or is_terminal()):
        return None
    return Reading(asyncio.create_task(_read(take), name="pasted lines"), waits)


def stop(reading: Reading | None) -> None:
    """End it."""
    if reading is not None:
        reading.task.cancel()


async def _read(take: Take) -> None:
    """Hand over each line until there are no more."""
    if sys.stdin is None:  # it was closed before the program began
        return
    fd = sys.stdin.fileno()
    begun = b""
    with _without_echo(fd):
        while piece := await _piece(fd):
            *whole, begun = (begun + piece).split(b"\n")
            for line in whole:
                if line.strip():
                    await take(line.decode(errors="replace").strip())
            if len(begun) > LINE_BYTES_MAX:
                begun = b""
        if begun.strip():
            await take(begun.decode(errors="replace").strip())


async def _piece(fd: int) -> bytes:
    """Read what is there once something is; a file on a disk is always ready."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(fd, ready.set)
    except PermissionError:
        return os.read(fd, PIECE_BYTES)
    try:
        await ready.wait()
        return os.read(fd, PIECE_BYTES)
    finally:
        loop.remove_reader(fd)


@contextmanager
def _without_echo(fd: int) -> Iterator[None]:
    """Keep a terminal from showing what is typed: a code is worth a token for a moment."""
    if not os.isatty(fd):
        yield
        return
    before = termios.tcgetattr(fd)
    quiet = termios.tcgetattr(fd)
    quiet[3] &= ~termios.ECHO
    termios.tcsetattr(fd, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSANOW, before)
