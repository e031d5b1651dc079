"""A process that may die, and the time that it is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from integrationd.store.sqlstore import SqlStore
from tests.simulation.api import EPOCH
from tests.simulation.dataset import Dataset
from tests.support.fakes import LoopClock


class Crash(BaseException):
    """The process dies: what it had in memory is gone."""


class Mortal:
    """A store as one process sees it: after its death it does nothing any more."""

    def __init__(self, store: SqlStore) -> None:
        """Begin to live."""
        self._store = store
        self.is_dead = False

    def die(self) -> None:
        """End here."""
        self.is_dead = True
        raise Crash

    def __getattr__(self, name: str) -> Any:
        """Hand through, while it lives."""
        if self.is_dead:
            raise Crash
        return getattr(self._store, name)


@dataclass(slots=True)
class ProviderClock(LoopClock):
    """Shows what the provider's clock shows: whatever it gives lies in the past."""

    data: Dataset

    def now(self) -> datetime:
        """Return the provider's time."""
        return EPOCH + timedelta(seconds=self.data.clock)
