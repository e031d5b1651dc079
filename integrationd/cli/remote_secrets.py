"""Asking a running daemon about secrets over its control socket."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import quote

from integrationd.model.json import Json
from integrationd.model.secret import Secret

Ask: TypeAlias = Callable[[str, str, Json], Json]
"""Takes method, path and body, gives the answer's body."""


class RemoteSecrets:
    """Implements :class:`integrationd.ports.vault.SecretActions`.

    A value goes over the socket as it is; only the daemon's own user can open that.
    """

    def __init__(self, ask: Ask) -> None:
        """Take what asks."""
        self._ask = ask

    async def show(self, integration: str | None = None) -> list[Json]:
        """Tell of every secret."""
        query = "" if integration is None else f"?integration={quote(integration, safe='')}"
        found: list[Json] = self._ask("GET", f"/api/v1/secrets{query}", None)
        return found

    async def put(self, integration: str, name: str, value: Secret) -> Json:
        """Keep a secret."""
        return self._ask("PUT", _path(integration, name), {"value": value.reveal()})

    async def remove(self, integration: str, name: str) -> Json:
        """Forget a secret."""
        return self._ask("DELETE", _path(integration, name), None)

    async def rotate(self, master_key: Secret | None = None) -> Json:
        """Seal all anew."""
        body = {} if master_key is None else {"master_key": master_key.reveal()}
        return self._ask("POST", "/api/v1/secrets/rotate", body)


def _path(integration: str, name: str) -> str:
    return f"/api/v1/integrations/{quote(integration, safe='')}/secrets/{quote(name, safe='')}"
