"""Signals to more than one listener: telemetry always, and whoever watches a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from integrationd.ports.outside import Signals
from integrationd.signals import Signal


class Broadcast:
    """Hands each signal to telemetry and to those who listen for a while."""

    def __init__(self, *always: Signals) -> None:
        """Take who listens for good."""
        self._always = always
        self._listeners: list[Callable[[Signal], None]] = []

    def emit(self, signal: Signal) -> None:
        """Hand one signal on."""
        for sink in self._always:
            sink.emit(signal)
        for listener in tuple(self._listeners):
            listener(signal)

    @contextmanager
    def listening(self, listener: Callable[[Signal], None]) -> Iterator[None]:
        """Listen until the block ends."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)
