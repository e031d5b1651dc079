"""What the daemon keeps secret itself: as the engine sees it, as people do, and as it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from integrationd.model.json import Json
from integrationd.model.secret import Secret


class Vault(Protocol):
    """Secrets that the daemon keeps itself, sealed; one value for each (tenant, integration, name).

    A name is any text that is not empty: those that a file declares, and with dots in them what
    the daemon keeps of its own (``oauth2.token``).
    """

    def is_open(self) -> bool:
        """Tell whether there is a master key; without one nothing can be put or read."""
        ...

    async def get(self, tenant: str, integration: str, name: str) -> Secret | None:
        """Return the value as it is stored now, also by another process; None where there is none.

        Raises:
            SecretError: There is one that cannot be opened: no master key, or a damaged row.
            StoreError: The database cannot be read.
        """
        ...

    async def put(self, tenant: str, integration: str, name: str, value: Secret) -> None:
        """Store a value in place of what was there; durable when this returns.

        Raises:
            SecretError: There is no master key; says how to make one. Or the value is too large.
            StoreError: It could not be stored.
        """
        ...

    async def remove(self, tenant: str, integration: str, name: str) -> bool:
        """Forget a value; tells whether there was one. Needs no master key."""
        ...


class SecretActions(Protocol):
    """What people ask of secrets; results are JSON as people see them, never a value."""

    async def show(self, integration: str | None = None) -> list[Json]:
        """Tell of every declared secret, and of what is kept besides, by integration and name.

        Returns:
            ``{integration, name, tenant, found, key, updated_at, problem}``. ``found`` is the
            place (``store``, ``credential C``, ``env X``, ``file P``), ``missing`` or ``unusable``,
            or ``kept`` for what is in the store though no file declares it; ``key`` and
            ``updated_at`` are of the sealed value.

        Raises:
            UsageError: No such integration.
        """
        ...

    async def put(self, integration: str, name: str, value: Secret) -> Json:
        """Keep a declared secret; the next call uses it. ``{integration, name, problem}``.

        ``problem`` is what the integration still lacks; empty where it has all.

        Raises:
            UsageError: No such integration or secret, or its file says that it is elsewhere.
            SettingsError: There is no master key.
        """
        ...

    async def remove(self, integration: str, name: str) -> Json:
        """Forget a kept secret; raises UsageError where there is none."""
        ...

    async def rotate(self, master_key: Secret | None = None) -> Json:
        """Seal all under new keys, or, given a new master key, the ring under that.

        Returns:
            ``{keys, secrets, finished, left, master}``: keys made or wrapped anew, secrets sealed
            anew, whether an interrupted rotation was finished instead, values that cannot be
            opened and stay as they are, and the id of the master key.
        """
        ...


SEALS_MAX: Final = 1 << 32
"""Values that one key may seal: with random nonces the chance that one comes twice stays below
2**-32. Source: NIST SP 800-38D, section 8.3."""


class KeyState(StrEnum):
    """Of a key in the ring."""

    ACTIVE = "active"
    """The one of its tenant that seals."""
    RETIRED = "retired"
    """It still opens what is not sealed anew yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RingKey:
    """A data key, wrapped by the master key."""

    tenant: str
    id: str
    master: str
    """The id of the master key that wraps it."""
    wrapped: bytes
    state: KeyState
    created_at: datetime
    seals: int = 0
    """How many values were sealed under it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSecret:
    """A sealed value and its place, to which it is bound."""

    tenant: str
    integration: str
    name: str
    key_id: str
    sealed: bytes
    updated_at: datetime


class SecretStore(Protocol):
    """Where sealed values and the ring lie. Nothing here can be read without the master key."""

    async def ring(self, tenant: str | None) -> list[RingKey]:
        """Return the keys of a tenant, or of all, oldest first."""
        ...

    async def add_ring_key(self, tenant: str, key: RingKey, *, instead_of: str | None) -> bool:
        """Make a key the active one; False, and nothing is written, where another one became that.

        Args:
            tenant: Whose.
            key: New and active.
            instead_of: The active key until now, which is retired; None where there is none.
        """
        ...

    async def rewrap_ring(self, was: Sequence[RingKey], becomes: Sequence[RingKey]) -> bool:
        """Exchange the wraps of all tenants' keys at once; False where the ring is not ``was``."""
        ...

    async def drop_ring_keys(self, tenant: str) -> int:
        """Remove the retired keys under which nothing is sealed; returns how many."""
        ...

    async def put_secret(self, tenant: str, row: SealedSecret) -> bool:
        """Store a row in place of what was there.

        False where its key is not the active one, or has sealed as often as it may.
        """
        ...

    async def reseal_secrets(self, tenant: str, changes: Sequence[Resealed]) -> int:
        """Exchange rows that are still as they were, in one transaction; returns how many.

        None where the new key, the same for all, is not the active one.
        """
        ...

    async def find_secrets(
        self, tenant: str, integration: str, names: Sequence[str]
    ) -> list[SealedSecret]:
        """Return those that there are."""
        ...

    async def sealed_secrets(
        self, tenant: str, *, not_under: str, after: tuple[str, str], limit: int
    ) -> list[SealedSecret]:
        """Return rows under other keys than one, by (integration, name) after a place."""
        ...

    async def list_secrets(self, tenant: str | None) -> list[SealedSecret]:
        """Return all rows without what is sealed in them, by tenant, integration and name."""
        ...

    async def remove_secret(self, tenant: str, integration: str, name: str) -> bool:
        """Remove a row; tells whether there was one."""
        ...


@dataclass(frozen=True, slots=True)
class Resealed:
    """A row as it was and as it becomes, its value unchanged."""

    was: SealedSecret
    becomes: SealedSecret
