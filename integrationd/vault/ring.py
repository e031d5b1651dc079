"""The ring of keys: one active data key for each tenant, all wrapped by the master key."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from integrationd.errors import SecretError
from integrationd.model.ids import build_ulid
from integrationd.ports.outside import Clock, Randomness
from integrationd.ports.vault import SEALS_MAX, KeyState, RingKey, SecretStore
from integrationd.vault.master import MasterKey
from integrationd.vault.sealing import KEY_BYTES, NONCE_BYTES, BrokenSealError, Sealer

TRIES_MAX: Final = 5
"""Another process would have to change the ring so often while we look at it once."""
_ULID_ENTROPY_BYTES: Final = 10


class WrongMasterKeyError(SecretError):
    """The ring is wrapped by another master key than ours."""


class Ring:
    """The keys in memory, unwrapped, as they were when the ring was read last."""

    def __init__(
        self, store: SecretStore, master: MasterKey, clock: Clock, randomness: Randomness
    ) -> None:
        """Take the master key; nothing is read yet."""
        self.master = master
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._sealers: dict[tuple[str, str], Sealer | None] = {}
        """By tenant and key; None where a wrap is damaged."""
        self._active: dict[str, RingKey] = {}

    def nonce(self) -> bytes:
        """Return random bytes for one use."""
        return self._randomness.token(NONCE_BYTES)

    async def refresh(self) -> list[RingKey]:
        """Read the ring; returns its keys.

        Raises:
            WrongMasterKeyError: Our master key is not the one that wraps it.
        """
        keys = await self._store.ring(None)
        foreign = sorted({key.master for key in keys} - {self.master.id})
        if foreign:
            raise WrongMasterKeyError(
                f"the master key in {self.master.where} is {self.master.id}, but the secrets in "
                f"the database were sealed with {foreign[0]}; put that one back, or restore the "
                "database that belongs to this one"
            )
        known = self._sealers
        self._sealers = {(key.tenant, key.id): known.get((key.tenant, key.id)) for key in keys}
        for key in keys:
            if self._sealers[key.tenant, key.id] is None:
                self._sealers[key.tenant, key.id] = self._unwrap(key)
        self._active = {key.tenant: key for key in keys if key.state is KeyState.ACTIVE}
        return keys

    def find(self, tenant: str, key_id: str) -> Sealer | None:
        """Return a key, None where the ring, as it was read last, does not have it whole."""
        return self._sealers.get((tenant, key_id))

    async def sealer(self, tenant: str) -> Sealer:
        """Return the tenant's active key; makes one where there is none, or it has sealed enough.

        Raises:
            SecretError: The ring does not hold still.
        """
        for _ in range(TRIES_MAX):
            active = self._active.get(tenant)
            found = None if active is None else self.find(tenant, active.id)
            if active is not None and found is not None and active.seals < SEALS_MAX:
                return found
            await self.renew(tenant)
        raise SecretError(f"the key ring of tenant {tenant!r} does not hold still; try again")

    async def renew(self, tenant: str) -> bool:
        """Make a new active key; False where another process has just made one."""
        active = self._active.get(tenant)
        now = self._clock.now()
        entropy = self._randomness.token(_ULID_ENTROPY_BYTES)
        fresh = RingKey(
            tenant=tenant,
            id=f"key_{build_ulid(int(now.timestamp() * 1000), entropy)}",
            master=self.master.id,
            wrapped=b"",
            state=KeyState.ACTIVE,
            created_at=now,
        )
        wrapped = self._wrap(fresh, self._randomness.token(KEY_BYTES), self.master)
        instead_of = None if active is None else active.id
        made = await self._store.add_ring_key(tenant, wrapped, instead_of=instead_of)
        await self.refresh()
        return made

    async def rewrap(self, master: MasterKey) -> int:
        """Wrap every key with another master key, all at once; returns how many.

        Raises:
            SecretError: A wrap is damaged, or the ring does not hold still.
        """
        for _ in range(TRIES_MAX):
            keys = await self.refresh()
            becomes = [self._wrap(key, self._open(key), master) for key in keys]
            if await self._store.rewrap_ring(keys, becomes):
                self.master = master
                return len(keys)
        raise SecretError("the key ring does not hold still; try again")

    def _unwrap(self, key: RingKey) -> Sealer | None:
        try:
            return Sealer(key.id, self._open(key))
        except (SecretError, BrokenSealError):
            return None

    def _open(self, key: RingKey) -> bytes:
        wrapper = Sealer(key.master, self.master.key)
        try:
            return wrapper.open(key.wrapped, ("key", key.tenant, key.id))
        except BrokenSealError as broken:
            message = f"{key.id} of the key ring cannot be opened: {broken}"
            raise SecretError(f"{message}; restore the database from a backup") from None

    def _wrap(self, key: RingKey, plain: bytes, master: MasterKey) -> RingKey:
        place = ("key", key.tenant, key.id)
        wrapped = Sealer(master.id, master.key).seal(plain, place, self.nonce())
        return replace(key, master=master.id, wrapped=wrapped)
