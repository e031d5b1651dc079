"""The part of the store that keeps what is sealed; the vault alone can open it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from integrationd.ports.vault import Resealed, RingKey, SealedSecret
from integrationd.store import keeping
from integrationd.store.opening import Opened


@dataclass(frozen=True, slots=True)
class SealedRows:
    """Implements :class:`integrationd.ports.vault.SecretStore`, whose methods say what they do."""

    _parts: Opened

    async def ring(self, tenant: str | None) -> list[RingKey]:
        """Return the keys of a tenant, or of all, oldest first."""
        return await self._parts.readers.read(partial(keeping.read_ring, tenant=tenant))

    async def add_ring_key(self, tenant: str, key: RingKey, *, instead_of: str | None) -> bool:
        """Make a key the active one; False where another one became that."""
        work = partial(keeping.add_key, tenant=tenant, key=key, instead_of=instead_of)
        return await self._parts.writer.run(work)

    async def rewrap_ring(self, was: Sequence[RingKey], becomes: Sequence[RingKey]) -> bool:
        """Exchange the wraps of all tenants' keys at once; False where the ring is not ``was``."""
        return await self._parts.writer.run(partial(keeping.rewrap, was=was, becomes=becomes))

    async def drop_ring_keys(self, tenant: str) -> int:
        """Remove the retired keys under which nothing is sealed; returns how many."""
        return await self._parts.writer.run(partial(keeping.drop_keys, tenant=tenant))

    async def put_secret(self, tenant: str, row: SealedSecret) -> bool:
        """Store a row in place of what was there; False where its key is not the active one."""
        return await self._parts.writer.run(partial(keeping.put, tenant=tenant, row=row))

    async def reseal_secrets(self, tenant: str, changes: Sequence[Resealed]) -> int:
        """Exchange rows that are still as they were, in one transaction; returns how many."""
        work = partial(keeping.reseal, tenant=tenant, changes=changes)
        return await self._parts.writer.run(work)

    async def find_secrets(
        self, tenant: str, integration: str, names: Sequence[str]
    ) -> list[SealedSecret]:
        """Return those that there are."""
        query = partial(keeping.find, tenant=tenant, integration=integration, names=names)
        return await self._parts.readers.read(query)

    async def sealed_secrets(
        self, tenant: str, *, not_under: str, after: tuple[str, str], limit: int
    ) -> list[SealedSecret]:
        """Return rows under other keys than one, by (integration, name) after a place."""
        query = partial(
            keeping.read_sealed, tenant=tenant, not_under=not_under, after=after, limit=limit
        )
        return await self._parts.readers.read(query)

    async def list_secrets(self, tenant: str | None) -> list[SealedSecret]:
        """Return all rows without what is sealed in them, by tenant, integration and name."""
        return await self._parts.readers.read(partial(keeping.read_list, tenant=tenant))

    async def remove_secret(self, tenant: str, integration: str, name: str) -> bool:
        """Remove a row; tells whether there was one."""
        work = partial(keeping.remove, tenant=tenant, integration=integration, name=name)
        return await self._parts.writer.run(work)
