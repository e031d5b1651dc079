"""What the daemon does for the store, beside what anybody asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long what is kept."""

    runs: timedelta
    events: timedelta
    history: timedelta
    quarantine: timedelta | None = None
    """Since the last time that a record came; None keeps it."""
    batch: int = 1000
    """Rows removed in one transaction, so that the writer is never held long."""


class StoreUpkeep(Protocol):
    """What the daemon does for the store."""

    async def prune(self, now: datetime, retention: Retention) -> Mapping[str, int]:
        """Remove what is older than it may be, in short transactions; rows removed by table."""
        ...

    async def ping(self) -> None:
        """Commit something small; raises StoreError when the store cannot commit."""
        ...
