"""Opening the vault with the master key, where there is one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from integrationd.errors import SettingsError
from integrationd.model.secret import Secret
from integrationd.ports.outside import Clock, Randomness
from integrationd.ports.vault import SecretStore
from integrationd.vault.closed import ClosedVault
from integrationd.vault.master import MasterKey

if TYPE_CHECKING:
    from integrationd.vault.sealed import SealedVault

AnyVault: TypeAlias = "SealedVault | ClosedVault"


async def open_vault(
    store: SecretStore,
    master: MasterKey | None,
    clock: Clock,
    randomness: Randomness,
    learn: Callable[[str, Secret], None] = lambda _place, _secret: None,
) -> AnyVault:
    """Open the vault; without a master key, the one of which nothing can be read.

    Args:
        store: Where sealed values and the ring lie.
        master: Opens the ring.
        clock: For when things are made.
        randomness: For keys and nonces.
        learn: Told each value that is got or put, and a name for its place.

    Raises:
        SettingsError: The key ring belongs to another master key.
    """
    if master is None:
        return ClosedVault(store, await store.ring(None))
    # Imported here: cryptography takes as long to load as all of a small command.
    from integrationd.vault.ring import Ring, WrongMasterKeyError  # noqa: PLC0415
    from integrationd.vault.sealed import SealedVault  # noqa: PLC0415

    ring = Ring(store, master, clock, randomness)
    try:
        await ring.refresh()
    except WrongMasterKeyError as wrong:
        raise SettingsError(str(wrong)) from None
    return SealedVault(store, ring, clock, learn)
