"""What the engine is handed: every port in one value."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from integrationd.engine.desk import TokenDesk
from integrationd.engine.failpoints import UNARMED, Unarmed
from integrationd.engine.fetched_keys import FetchedKeys
from integrationd.model import ids
from integrationd.ports.outside import Clock, HttpOpener, Randomness, SecretSource, Signals
from integrationd.ports.store import Store
from integrationd.ports.vault import Vault

ULID_ENTROPY_BYTES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The outside, as ports."""

    store: Store
    http: HttpOpener
    secrets: SecretSource
    vault: Vault
    clock: Clock
    randomness: Randomness
    signals: Signals
    holder: str
    """Who claims: ``NODE:BOOT``, so that a later process can free what a dead one held."""
    lease: timedelta = timedelta(seconds=60)
    """How long a claim lasts that nobody renews."""
    tokens: TokenDesk = field(default_factory=TokenDesk)
    """What this process holds of tokens."""
    keys: FetchedKeys = field(default_factory=FetchedKeys)
    """What this process holds of senders' certificates and key sets."""

    failpoints: Unarmed = UNARMED
    """Where a test lets the process die."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970."""
        return int(self.clock.now().timestamp() * 1000)

    def new_id(self, prefix: str) -> str:
        """Make an id that sorts by time, ``run_01J…``."""
        return (
            f"{prefix}_{ids.build_ulid(self.now_ms(), self.randomness.token(ULID_ENTROPY_BYTES))}"
        )

    def new_uuids(self, count: int) -> ids.Uuids:
        """Make internal ids that sort in their order."""
        return ids.Uuids(self.now_ms(), self.randomness.token(ids.UUID_ENTROPY_BYTES * count))
