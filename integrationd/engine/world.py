"""What the engine is handed: every port in one value."""

from __future__ import annotations

from dataclasses import dataclass

from integrationd.model import ids
from integrationd.ports.outside import Clock, HttpOpener, Randomness, SecretSource, Signals
from integrationd.ports.store import Store

ULID_ENTROPY_BYTES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The outside, as ports."""

    store: Store
    http: HttpOpener
    secrets: SecretSource
    clock: Clock
    randomness: Randomness
    signals: Signals
    holder: str
    """Who claims: ``NODE:BOOT``, so that a later process can free what a dead one held."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970."""
        return int(self.clock.now().timestamp() * 1000)

    def new_id(self, prefix: str) -> str:
        """Make an id that sorts by time, ``run_01J…``."""
        return (
            f"{prefix}_{ids.build_ulid(self.now_ms(), self.randomness.token(ULID_ENTROPY_BYTES))}"
        )

    def new_uuids(self, count: int) -> list[bytes]:
        """Make internal ids that sort in the order of the list.

        The counter takes the bits that RFC 9562 section 6.2 (method 1) gives it, so that a page of
        records lies in one run of the index.
        """
        unix_ms = self.now_ms()
        entropy = self.randomness.token(ULID_ENTROPY_BYTES * count)
        return [
            ids.build_uuid7(unix_ms, index.to_bytes(3, "big") + entropy[index * 7 : index * 7 + 7])
            for index in range(count)
        ]
