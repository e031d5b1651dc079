"""What the daemon keeps secret itself, as the engine sees it."""

from __future__ import annotations

from typing import Protocol

from integrationd.model.secret import Secret


class Vault(Protocol):
    """Secrets that the daemon keeps itself, sealed; one value for each (tenant, integration, name).

    A name is any text that is not empty: those that a file declares, and with dots in them what
    the daemon keeps of its own (``oauth2.refresh_token``).
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
            SecretError: There is no master key; says how to make one.
            StoreError: It could not be stored.
        """
        ...

    async def remove(self, tenant: str, integration: str, name: str) -> bool:
        """Forget a value; tells whether there was one. Needs no master key."""
        ...
