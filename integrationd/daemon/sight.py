"""What can be looked at without the lock: the store, if there is one, and every secret."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from integrationd.daemon.inputs import build_secrets, find_master
from integrationd.daemon.looking import looking
from integrationd.daemon.paths import Paths
from integrationd.daemon.system import SystemClock, SystemRandomness
from integrationd.errors import NothingStoredError, SettingsError
from integrationd.model.secret import Secret
from integrationd.spec.settings import Settings
from integrationd.store.sqlstore import SqlStore
from integrationd.vault.opening import open_vault
from integrationd.vault.sources import LookupSecrets


@dataclass(frozen=True, slots=True)
class Sight:
    """What can be looked at."""

    secrets: LookupSecrets
    store: SqlStore | None
    """None where nothing was ever stored."""
    locked: str = ""
    """Why sealed secrets cannot be read, where somebody wanted to look all the same."""


@asynccontextmanager
async def looking_around(
    paths: Paths, settings: Settings, *, also_locked: bool = False
) -> AsyncIterator[Sight]:
    """Look at store and secrets, also where there is no database yet.

    Args:
        paths: Where things are.
        settings: What they say of the database and of secrets.
        also_locked: Whether to look where the master key cannot be used, too.

    Raises:
        StoreError: There is a database and it cannot be used.
        SettingsError: The master key cannot be used.
    """
    master, locked = None, ""
    try:
        master = find_master(settings)
    except SettingsError as unusable:
        if not also_locked:
            raise
        locked = str(unusable)
    async with AsyncExitStack() as stack:
        try:
            store = await stack.enter_async_context(looking(paths, settings))
        except NothingStoredError:
            yield Sight(build_secrets(settings, _NothingKept()), None, locked)
            return
        clock, randomness = SystemClock(), SystemRandomness()
        try:
            vault = await open_vault(store.secrets, master, clock, randomness)
        except SettingsError as wrong:
            if not also_locked:
                raise
            vault, locked = await open_vault(store.secrets, None, clock, randomness), str(wrong)
        yield Sight(build_secrets(settings, vault), store, locked)


class _NothingKept:
    """The encrypted store before there is a database."""

    async def look(
        self, _tenant: str, _integration: str, _names: Sequence[str]
    ) -> Mapping[str, Secret | str]:
        """Find nothing."""
        return {}
