"""The encrypted store while there is no master key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from integrationd.errors import SecretError
from integrationd.model.secret import Secret
from integrationd.ports.vault import RingKey, SecretStore
from integrationd.vault.master import CREDENTIAL, MAKE_ONE

HOW_TO: Final = (
    f"make one: {MAKE_ONE}, then give it to the daemon as the systemd credential {CREDENTIAL}, or "
    "in the settings as secrets: {master_key: {file: /etc/integrationd/master-key}}, and restart it"
)
RESTORE: Final = (
    "put back the one that other secrets are sealed with; where it is a systemd credential, only "
    "the running daemon has it"
)


class ClosedVault:
    """Implements :class:`integrationd.ports.vault.Vault` while there is no master key."""

    def __init__(self, store: SecretStore, ring: Sequence[RingKey]) -> None:
        """Take the store, and the ring as it was found; without keys nothing is sealed."""
        self._store = store
        self.is_used = bool(ring)
        """Whether there is anything sealed, under a master key that is not here."""

    def is_open(self) -> bool:
        """Say no."""
        return False

    async def get(self, tenant: str, integration: str, name: str) -> Secret | None:
        """Find nothing; raises SecretError where there is a value that cannot be opened."""
        for problem in (await self.look(tenant, integration, (name,))).values():
            raise SecretError(f"integration {integration} cannot use secret {name!r}: {problem}")
        return None

    async def look(
        self, tenant: str, integration: str, names: Sequence[str]
    ) -> dict[str, Secret | str]:
        """Tell which values there are, as none can be opened."""
        if not self.is_used:
            return {}
        rows = await self._store.find_secrets(tenant, integration, names)
        problem = f"it is in the encrypted store, and there is no master key to open it; {RESTORE}"
        return {row.name: problem for row in rows}

    async def put(self, tenant: str, integration: str, name: str, value: Secret) -> None:  # noqa: ARG002 - refused whatever it is
        """Refuse, and tell how to come to a key."""
        message = f"secret {name!r} of {integration} cannot be kept: there is no master key"
        raise SecretError(f"{message}; {RESTORE if self.is_used else HOW_TO}")

    async def remove(self, tenant: str, integration: str, name: str) -> bool:
        """Forget a value; tells whether there was one."""
        return await self._store.remove_secret(tenant, integration, name)
