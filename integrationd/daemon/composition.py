"""Everything put together: the daemon runs on it, and so does a command without a daemon."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from integrationd.bundles.library import Library, Loaded
from integrationd.daemon.broadcast import Broadcast
from integrationd.daemon.consents import look_at_consent
from integrationd.daemon.database import database_of, node_of
from integrationd.daemon.failpoints import read_failpoints
from integrationd.daemon.inputs import (
    Learn,
    build_library,
    build_secrets,
    find_master,
    ignore,
    missing_secrets,
)
from integrationd.daemon.paths import Paths
from integrationd.daemon.system import SystemClock, SystemRandomness
from integrationd.engine.conductor import Conductor
from integrationd.engine.consents import ConsentState
from integrationd.engine.desk import TokenDesk
from integrationd.engine.discovery import discover, tell_remarks
from integrationd.engine.renewal import find_lack
from integrationd.engine.reshaping import mark_stale
from integrationd.engine.shapes import lay_views
from integrationd.engine.world import World
from integrationd.errors import StoreError
from integrationd.model.ids import build_ulid
from integrationd.signals import (
    BundleSwapped,
    CopySpoiled,
    FileAdvised,
    FileRefused,
    SecretMissed,
)
from integrationd.spec.bundle import Bundle
from integrationd.spec.settings import Settings
from integrationd.store.sqlstore import SqlStore
from integrationd.transport.egress import EgressPolicy
from integrationd.transport.http import AiohttpOpener
from integrationd.vault.opening import AnyVault, open_vault
from integrationd.vault.sources import LookupSecrets

TOKEN_PATIENCE_S: Final = 10.0
"""How long the end of the process waits for token requests that are under way."""


Prepare: TypeAlias = Callable[[Bundle], AbstractAsyncContextManager[Callable[[], None]]]
"""Gets ready what belongs to a bundle; what is yielded takes it up with the bundle and cannot fail.
"""


@asynccontextmanager
async def prepare_nothing(_bundle: Bundle) -> AsyncIterator[Callable[[], None]]:
    """Have nothing that belongs to a bundle: a command."""
    yield lambda: None


@dataclass(slots=True, kw_only=True)
class Composition:
    """One process's parts."""

    paths: Paths
    settings: Settings
    broadcast: Broadcast
    world: World
    store: SqlStore
    secrets: LookupSecrets
    vault: AnyVault
    library: Library
    conductor: Conductor
    started_at: datetime
    loaded: Loaded
    missing: dict[str, str] = field(default_factory=dict)
    """For integrations without their secrets, or a person's consent, what is missing."""
    consents: dict[str, ConsentState] = field(default_factory=dict)
    """For integrations whose providers want a person's consent, how it stands."""
    reloading: asyncio.Lock = field(default_factory=asyncio.Lock)
    prepare: Prepare = prepare_nothing
    """Gets ready what else belongs to a bundle: the daemon has such."""
    _files: Loaded | None = None
    """What was loaded last, without the streams that lists discover."""
    _told: frozenset[str] = frozenset()
    _seen_remarks: frozenset[str] = frozenset()
    """What was said of views already."""

    async def load(self) -> Loaded:
        """Read the files and swap to what is good of them; tell what is new.

        Raises:
            StoreError: The store does not answer; what ran goes on, and the files are stale.
        """
        async with self.reloading:
            began_s = self.world.clock.monotonic()
            await self.store.switches()  # before anything is read that could not be taken up
            before = self.conductor.bundle
            loaded = await asyncio.to_thread(self.library.load)
            try:
                await self._take(loaded)
            except StoreError:
                self.library.put_back()
                raise
            took_s = self.world.clock.monotonic() - began_s
            self._tell_swap(before, loaded.bundle, took_s)
            return self.loaded

    async def relist(self, name: str) -> None:
        """Swap to other streams where the lists of an integration hold other objects by now.

        Raises:
            StoreError: The store does not answer; the next reading of a list looks again.
        """
        async with self.reloading:
            integration = self.conductor.bundle.integrations.get(name)
            if self._files is None or integration is None or not integration.moulds:
                return
            bundle = await discover(self.world, self._files.bundle)
            if bundle.integrations[name].listings != integration.listings:
                await self._take(self._files, bundle)

    async def _take(self, loaded: Loaded, bundle: Bundle | None = None) -> None:
        """Get all ready that the bundle needs, and only then swap, at once.

        Args:
            loaded: What the files say.
            bundle: The same with the streams that lists discover, where that is known.
        """
        before = self.conductor.bundle
        if bundle is None:
            bundle = await discover(self.world, loaded.bundle)
        async with self.prepare(bundle) as settle:
            switches = await self.store.switches()
            consents = await self._find_consents(bundle)
            missing = await self._find_missing(bundle, consents)
            await mark_stale(self.store, bundle)
            self._seen_remarks = await lay_views(self.world, bundle, self._seen_remarks)
            self._files, self.loaded = loaded, dataclasses.replace(loaded, bundle=bundle)
            self.consents = consents
            self.conductor.swap(bundle)
            self.conductor.switches = switches
            settle()
        tell_remarks(self.world, before, bundle)
        self._tell_problems()
        self._tell_missing(missing)

    def _tell_problems(self) -> None:
        problems = self.loaded.bundle.problems
        for problem in problems:
            if str(problem) in self._told:
                continue
            if problem.is_error:
                keeps = self.loaded.kept_because_of(problem)
                self.broadcast.emit(
                    FileRefused(problem=str(problem), code=problem.code, keeps=keeps)
                )
            else:
                self.broadcast.emit(FileAdvised(advice=str(problem), code=problem.code))
        for remark in self.loaded.remarks:
            if remark not in self._told:
                self.broadcast.emit(CopySpoiled(remark=remark))
        self._told = frozenset((*map(str, problems), *self.loaded.remarks))

    def _tell_swap(self, before: Bundle, after: Bundle, took_s: float) -> None:
        old, new = before.integrations, after.integrations
        errors = sum(problem.is_error for problem in after.problems)
        self.broadcast.emit(
            BundleSwapped(
                integrations=len(new),
                errors=errors,
                warnings=len(after.problems) - errors,
                added=tuple(sorted(new.keys() - old.keys())),
                changed=tuple(
                    name
                    for name in sorted(new.keys() & old.keys())
                    if new[name].digest != old[name].digest
                ),
                removed=tuple(sorted(old.keys() - new.keys())),
                took_ms=round(took_s * 1000, 1),
            )
        )

    async def look_for_secrets(self) -> None:
        """Look again which integrations lack secrets or consent, and tell what is new."""
        self.consents = await self._find_consents(self.loaded.bundle)
        self._tell_missing(await self._find_missing(self.loaded.bundle, self.consents))

    def _tell_missing(self, missing: dict[str, str]) -> None:
        before, self.missing = self.missing, missing
        for name, message in missing.items():
            if before.get(name) != message:
                self.broadcast.emit(SecretMissed(integration=name, message=message))

    async def _find_consents(self, bundle: Bundle) -> dict[str, ConsentState]:
        now = self.world.clock.now()
        looked = {
            name: await look_at_consent(self.secrets, integration, now)
            for name, integration in bundle.integrations.items()
        }
        return {name: state for name, state in looked.items() if state is not None}

    async def _find_missing(
        self, bundle: Bundle, consents: Mapping[str, ConsentState]
    ) -> dict[str, str]:
        found = {}
        for name, integration in bundle.integrations.items():
            missing = await missing_secrets(self.world.secrets, integration)
            lack = missing or find_lack(integration, self.world.vault)
            found[name] = lack or (consents[name].problem if name in consents else "")
            await asyncio.sleep(0)  # thousands of them shall not hold the loop
        return {name: message for name, message in found.items() if message}


@asynccontextmanager
async def compose(
    paths: Paths, settings: Settings, broadcast: Broadcast, *, learn: Learn = ignore
) -> AsyncIterator[Composition]:
    """Put the parts together; the lock of the state directory is held by the caller.

    Raises:
        StoreError: The database cannot be used.
        SettingsError: The master key cannot be used, or is not the one of the encrypted store; or
            the library or the password for the database is missing.
    """
    clock, randomness = SystemClock(), SystemRandomness()
    master = find_master(settings)
    boot = build_ulid(int(clock.now().timestamp() * 1000), randomness.token(10))
    node = node_of(paths, settings, randomness)
    database = database_of(paths, settings, learn)
    async with SqlStore(database, queue_max=settings.limits.queue) as store:
        vault = await open_vault(store.secrets, master, clock, randomness, learn)
        secrets = build_secrets(settings, vault, learn)
        await store.release_node(node)
        world = World(
            store=store,
            http=AiohttpOpener(
                EgressPolicy(allow=tuple(item.network for item in settings.egress.allow))
            ),
            secrets=secrets,
            vault=vault,
            clock=clock,
            randomness=randomness,
            signals=broadcast,
            holder=f"{node}:{boot}",
            lease=settings.limits.lease,
            failpoints=read_failpoints(os.environ),
            tokens=TokenDesk(learn=learn),
        )
        empty = Bundle(integrations={}, providers={}, problems=(), refused=())
        composition = Composition(
            paths=paths,
            settings=settings,
            broadcast=broadcast,
            world=world,
            store=store,
            secrets=secrets,
            vault=vault,
            library=build_library(paths, settings),
            conductor=Conductor(world=world, settings=settings, bundle=empty),
            started_at=clock.now(),
            loaded=Loaded(bundle=empty),
        )
        composition.conductor.listed = composition.relist
        try:
            yield composition
        finally:
            # While the store is open: an answer on its way may hold a new refresh token.
            await world.tokens.drain(TOKEN_PATIENCE_S)
