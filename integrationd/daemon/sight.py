"""What can be looked at without the lock: the store, if there is one, and every secret."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from integrationd.daemon.inputs import build_secrets, find_master
from integrationd.daemon.looking import looking
from integrationd.daemon.paths import Paths
from integrationd.daemon.system import SystemClock, SystemRandomness
from integrationd.errors import NothingStoredError
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


@asynccontextmanager
async def looking_around(paths: Paths, settings: Settings) -> AsyncIterator[Sight]:
    """Look at store and secrets, also where there is no database yet.

    Raises:
        StoreError: There is a database and it cannot be used.
        SettingsError: The master key cannot be used.
    """
    master = find_master(settings)
    async with AsyncExitStack() as stack:
        try:
            store = await stack.enter_async_context(looking(paths, settings))
        except NothingStoredError:
            yield Sight(build_secrets(settings, _NothingKept()), None)
            return
        vault = await open_vault(store.secrets, master, SystemClock(), SystemRandomness())
        yield Sight(build_secrets(settings, vault), store)


class _NothingKept:
    """The encrypted store before there is a database."""

    async def look(
        self, _tenant: str, _integration: str, _names: Sequence[str]
    ) -> Mapping[str, Secret | str]:
        """Find nothing."""
        return {}
