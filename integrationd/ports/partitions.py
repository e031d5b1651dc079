"""Partitions of a stream, and what parents keep for the streams that are read once for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from integrationd.model.json import Json

if TYPE_CHECKING:
    from integrationd.ports.store import ReadingState, StreamKey


@dataclass(frozen=True, slots=True)
class Relayed:
    """What one living parent record gives."""

    data: Json
    seq: int
    """Grows each time the parent's source record is another one."""


class PartitionStore(Protocol):
    """What reading a stream part by part needs."""

    async def load_partitions(self, tenant: str, key: StreamKey) -> Mapping[str, ReadingState]:
        """Return the progress of every partition that was ever read; the stream's own is ``""``."""
        ...

    def relays(
        self, tenant: str, integration: str, child: str, *, after: int = 0
    ) -> AsyncIterator[Relayed]:
        """Yield what living parent records give to a child, in the order in which they first came.

        Args:
            tenant: Whose.
            integration: Of both streams.
            child: As in :class:`integrationd.model.records.Relay`.
            after: Only what has a greater ``seq``.
        """
        ...
