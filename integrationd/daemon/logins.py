"""Logging in where a provider wants a person, done here."""

from __future__ import annotations

from collections.abc import AsyncIterator

from integrationd.daemon.composition import Composition
from integrationd.daemon.secrets import LocalSecrets
from integrationd.engine.logins import Logins
from integrationd.engine.renewal import Account
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.ports.consent import LoginWish
from integrationd.spec.documents import Integration
from integrationd.wire.auth.authenticator import TokenAuthenticator


class LocalLogins:
    """Implements :class:`integrationd.ports.consent.LoginActions`."""

    def __init__(self, parts: Composition, secrets: LocalSecrets) -> None:
        """Take the parts, and what takes up again the readings that lacked credentials."""
        self._parts = parts
        self._secrets = secrets
        self._logins = Logins(parts.world)

    async def login(self, wish: LoginWish) -> AsyncIterator[Json]:
        """Begin a login, or end one that waits."""
        integration = self._parts.conductor.integration(wish.integration)
        account = self._account(integration, wish.tenant)
        async for line in self._logins.login(account, wish):
            if line["event"] == "finished" and line["status"] == "done":
                await self._secrets.look_again(integration.name)
            yield line

    def _account(self, integration: Integration, tenant: str | None) -> Account:
        name = integration.name
        if tenant not in (None, integration.tenant):
            message = f"integration {name!r} is of tenant {integration.tenant!r}, not {tenant!r}"
            raise UsageError(message)
        auth = None if integration.http is None else integration.http.auth
        if not isinstance(auth, TokenAuthenticator) or not auth.is_by_consent:
            raise UsageError(
                f"integration {name!r} asks no person: only oauth2 with the grant "
                "authorization_code or device_code does"
            )
        return Account(integration, auth, self._parts.settings)
