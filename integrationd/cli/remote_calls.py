"""Asking a running daemon for calls and probes over its control socket."""

from __future__ import annotations

from urllib.parse import quote

from integrationd.cli.remote_secrets import Ask
from integrationd.model.json import Json
from integrationd.ports.calls import CallWish


class RemoteCalls:
    """Implements :class:`integrationd.ports.calls.CallActions`."""

    def __init__(self, ask: Ask) -> None:
        """Take what asks."""
        self._ask = ask

    async def call(self, wish: CallWish) -> Json:
        """Call an operation once, or tell what would be sent."""
        body = {"input": dict(wish.input), "texts": dict(wish.texts), "dry_run": wish.dry_run}
        operation = quote(wish.operation, safe="")
        return self._ask("POST", f"{_path(wish.integration)}/operations/{operation}", body)

    async def probe(self, integration: str) -> Json:
        """Make an integration's probe."""
        return self._ask("POST", f"{_path(integration)}/probe", None)


def _path(integration: str) -> str:
    return f"/api/v1/integrations/{quote(integration, safe='')}"
