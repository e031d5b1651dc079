"""The vault while there is no master key: empty, and nothing can be put in."""

from __future__ import annotations

from integrationd.errors import SecretError
from integrationd.model.secret import Secret


class ClosedVault:
    """Implements :class:`integrationd.ports.vault.Vault`."""

    def is_open(self) -> bool:
        """Say no."""
        return False

    async def get(self, _tenant: str, _integration: str, _name: str) -> Secret | None:
        """Find nothing."""
        return None

    async def put(self, _tenant: str, integration: str, name: str, _value: Secret) -> None:
        """Refuse."""
        message = f"secret {name!r} of {integration} cannot be kept: there is no master key"
        raise SecretError(message)

    async def remove(self, _tenant: str, _integration: str, _name: str) -> bool:
        """Find nothing to forget."""
        return False
