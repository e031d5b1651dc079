"""Every vault that the suite runs on."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from integrationd.store.sqlstore import SqlStore
from integrationd.vault.master import MasterKey, parse_master_key
from integrationd.vault.opening import open_vault
from tests.support.fakes import Dice, Strongbox

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Noon:
    """A clock that stands still."""

    def now(self) -> datetime:
        """Return noon."""
        return NOW

    def monotonic(self) -> float:
        """Return a number."""
        return 0.0


def master_of(number: int) -> MasterKey:
    """Build the n-th master key."""
    return parse_master_key(bytes(range(number, number + 32)).hex(), f"the file /{number}")


class Room:
    """A database, and vaults on it as processes would open them."""

    now = NOW

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.dice = Dice()

    def master(self, number: int = 1) -> MasterKey:
        """Build the n-th master key."""
        return master_of(number)

    async def open(self, number: int | None = 1, *, store=None, learn=lambda *_: None):
        """Open the vault as one more process, with the n-th master key or none."""
        master = None if number is None else master_of(number)
        rows = self.store.secrets if store is None else store
        return await open_vault(rows, master, Noon(), self.dice, learn)

    async def states(self) -> dict[str, list[str]]:
        """Return the states of every tenant's keys, oldest first."""
        found: dict[str, list[str]] = {}
        for key in await self.store.secrets.ring(None):
            found.setdefault(key.tenant, []).append(key.state.value)
        return {tenant: sorted(states) for tenant, states in found.items()}

    async def run_sql(self, statement: str) -> None:
        """Change the database behind everybody's back."""
        await self.store._parts.writer.run(lambda conn: conn.exec_driver_sql(statement))


@asynccontextmanager
async def _room(kind: str, path):
    store = SqlStore.in_memory() if kind == "memory" else SqlStore(path / "store.db")
    async with store:
        yield Room(store)


@pytest.fixture(params=["memory", "sqlite"])
async def room(request, tmp_path):
    """Give a room on each store."""
    async with _room(request.param, tmp_path) as room:
        yield room


@pytest.fixture(params=["fake", "memory", "sqlite"])
async def vault(request, tmp_path):
    """Give an open vault of each kind, the tests' own fake included."""
    if request.param == "fake":
        yield Strongbox()
        return
    async with _room(request.param, tmp_path) as room:
        yield await room.open()
