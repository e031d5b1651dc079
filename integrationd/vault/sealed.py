"""The encrypted store: values sealed under the ring's keys, in rows of the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from integrationd.errors import SecretError
from integrationd.model.secret import Secret
from integrationd.ports.outside import Clock
from integrationd.ports.vault import Resealed, SealedSecret, SecretStore
from integrationd.vault.master import MasterKey
from integrationd.vault.reading import BYTES_MAX
from integrationd.vault.ring import TRIES_MAX, Ring
from integrationd.vault.sealing import BrokenSealError, Sealer
from integrationd.vault.together import Together

BATCH_ROWS: Final = 100
"""Values sealed anew in one transaction, some milliseconds of the writer's time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What a rotation did."""

    keys: int
    """Made, or wrapped anew."""
    secrets: int
    """Sealed anew."""
    finished: bool = False
    """Whether it completed one that was interrupted, instead of beginning another."""
    left: int = 0
    """Values that cannot be opened and stay as they are, under their old keys."""


class SealedVault:
    """Implements :class:`integrationd.ports.vault.Vault`.

    Nothing is cached but the unwrapped keys: what another process stores is seen at the next call.
    """

    def __init__(
        self, store: SecretStore, ring: Ring, clock: Clock, learn: Callable[[str, Secret], None]
    ) -> None:
        """Take an open ring, and who is told each value that is got or put."""
        self._store = store
        self._learn = learn
        # Every webhook asks for its keys, and a burst of them asks at once.
        self._looks = Together(self._look)
        self._ring = ring
        self._clock = clock

    def is_open(self) -> bool:
        """Say yes."""
        return True

    @property
    def master(self) -> MasterKey:
        """Return the master key that wraps the ring now."""
        return self._ring.master

    async def get(self, tenant: str, integration: str, name: str) -> Secret | None:
        """Return the value as it is stored now; None where there is none."""
        found = (await self.look(tenant, integration, (name,))).get(name)
        if isinstance(found, str):
            raise SecretError(f"integration {integration} cannot use secret {name!r}: {found}")
        if found is not None:
            self._learn(f"{tenant}/{integration}/{name}", found)
        return found

    async def look(
        self, tenant: str, integration: str, names: Sequence[str]
    ) -> dict[str, Secret | str]:
        """Return the values that there are, and what is wrong with those that cannot be opened."""
        return await self._looks.ask((tenant, integration, tuple(names)))

    async def _look(self, place: tuple[str, str, tuple[str, ...]]) -> dict[str, Secret | str]:
        tenant, integration, names = place
        rows = await self._store.find_secrets(tenant, integration, names)
        if any(self._ring.find(tenant, row.key_id) is None for row in rows):
            # Another process made that key, or a rotation has just removed it: look at both anew.
            await self._ring.refresh()
            rows = await self._store.find_secrets(tenant, integration, names)
        found: dict[str, Secret | str] = {}
        for row in rows:
            try:
                found[row.name] = Secret(self._open(row).decode())
            except BrokenSealError as broken:
                found[row.name] = f"{broken}; set it again"
        return found

    async def put(self, tenant: str, integration: str, name: str, value: Secret) -> None:
        """Store a value in place of what was there; durable when this returns."""
        plain = value.reveal().encode()
        if len(plain) > BYTES_MAX:
            raise SecretError(f"secret {name!r} of {integration} is larger than 64 kB")
        for _ in range(TRIES_MAX):
            row = SealedSecret(
                tenant=tenant,
                integration=integration,
                name=name,
                key_id="",
                sealed=b"",
                updated_at=self._clock.now(),
            )
            row = self._seal(row, plain, await self._ring.sealer(tenant))
            if await self._store.put_secret(tenant, row):
                self._learn(f"{tenant}/{integration}/{name}", value)
                return
            await self._ring.refresh()
        raise SecretError(f"the key ring of tenant {tenant!r} does not hold still; try again")

    async def remove(self, tenant: str, integration: str, name: str) -> bool:
        """Forget a value; tells whether there was one."""
        return await self._store.remove_secret(tenant, integration, name)

    async def rotate(self) -> Rotation:
        """Seal everything under new keys; where a rotation was interrupted, finish that one.

        Each batch is a transaction of its own, and until a value is sealed anew its old key stays
        in the ring: whenever the process dies, every value can be read, and the next call goes on.

        Raises:
            SecretError: The ring is wrapped by another master key by now.
        """
        made, resealed, left, finished = 0, 0, 0, False
        for tenant in sorted({key.tenant for key in await self._ring.refresh()}):
            done, _ = await self._reseal(tenant)
            finished = finished or done > 0
            if not done:
                made += await self._ring.renew(tenant)
                done, _ = await self._reseal(tenant)
            resealed += done
            # Once more, for what was stored while this went on.
            late, closed = await self._reseal(tenant)
            resealed, left = resealed + late, left + closed
            await self._store.drop_ring_keys(tenant)
        await self._ring.refresh()
        return Rotation(keys=made, secrets=resealed, finished=finished, left=left)

    async def rewrap(self, master: MasterKey) -> Rotation:
        """Wrap the ring with another master key, all keys at once."""
        return Rotation(keys=await self._ring.rewrap(master), secrets=0)

    async def _reseal(self, tenant: str) -> tuple[int, int]:
        """Seal anew what is under old keys; returns how many it was, and how many do not open."""
        sealer = await self._ring.sealer(tenant)
        done, left, after = 0, 0, ("", "")
        while rows := await self._store.sealed_secrets(
            tenant, not_under=sealer.id, after=after, limit=BATCH_ROWS
        ):
            after = (rows[-1].integration, rows[-1].name)
            changes = []
            for row in rows:
                try:
                    changes.append(Resealed(row, self._seal(row, self._open(row), sealer)))
                except BrokenSealError:
                    left += 1
            done += await self._store.reseal_secrets(tenant, changes)
        return done, left

    def _seal(self, row: SealedSecret, plain: bytes, sealer: Sealer) -> SealedSecret:
        sealed = sealer.seal(plain, _place(row), self._ring.nonce())
        return replace(row, key_id=sealer.id, sealed=sealed)

    def _open(self, row: SealedSecret) -> bytes:
        sealer = self._ring.find(row.tenant, row.key_id)
        if sealer is None:
            raise BrokenSealError(f"the key ring does not have {row.key_id}, or not whole")
        try:
            return sealer.open(row.sealed, _place(row))
        except BrokenSealError as broken:
            raise BrokenSealError(
                f"what the encrypted store has cannot be opened, {broken}"
            ) from None


def _place(row: SealedSecret) -> tuple[str, ...]:
    return ("secret", row.tenant, row.integration, row.name)
