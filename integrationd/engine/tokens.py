"""Tokens of OAuth2: one request for a token however many ask, in this process and in others.

A provider may answer with a new refresh token, and the old one is void from then on. So the answer
is put in the vault before anything is asked with it, under a claim that no other process holds, by
a task of its own that outlives the run that started it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from typing_extensions import override

from integrationd.engine import claims
from integrationd.engine.credentials import Credentials, Fixed, Signed, Signing
from integrationd.engine.renewal import Account, Renewal
from integrationd.engine.world import World
from integrationd.errors import (
    UnavailableError,
)
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.ports.store import Lease
from integrationd.spec.documents import Integration
from integrationd.spec.settings import Settings
from integrationd.wire.auth.authenticator import Authenticator, Signer, TokenAuthenticator
from integrationd.wire.grants import Kept
from integrationd.wire.messages import Request

CLAIM: Final = "token"
CLAIM_LOOK_S: Final = 0.25
CLAIM_WAIT: Final = timedelta(minutes=2)
"""How long another process may take for the same token; a dead one's claim runs out sooner."""


@dataclass(slots=True)
class ByToken(Credentials):
    """A token, asked for when it is first needed, and again when it runs out or is refused."""

    world: World
    account: Account
    variables: Mapping[str, Json] = field(repr=False)
    """``config`` and ``secrets``, as they were when the run began."""
    _asked_as: str = ""
    _sent: dict[Secret, str] = field(default_factory=dict)

    @override
    async def sign(self, request: Request, refused: Secret | None = None) -> Signed:
        self._asked_as = self._asked_as or self.account.asked_as(self.variables)
        kept = await obtain(self.world, self.account, self._asked_as, refused)
        assert kept.access is not None
        # Made with newer secrets than ours, where those changed since the run began.
        self._asked_as = kept.asked_as
        self._sent.setdefault(kept.access, f"token {len(self._sent)}")
        variables = {**self.variables, "token": kept.access}
        return Signed(self.account.auth.apply(request, variables), kept.access)

    @override
    async def about_token(self) -> Mapping[str, Json]:
        self._asked_as = self._asked_as or self.account.asked_as(self.variables)
        kept = await obtain(self.world, self.account, self._asked_as)
        if not kept.base_url:
            # Kept since before the file asked for it.
            kept = await obtain(self.world, self.account, kept.asked_as, kept.access)
        return {"base_url": kept.base_url}

    @override
    def tokens(self) -> Mapping[str, Json]:
        return {name: token for token, name in self._sent.items()}


def credentials_of(
    world: World, integration: Integration, settings: Settings, variables: Mapping[str, Json]
) -> Credentials:
    """Return the credentials of one integration's calls.

    Args:
        world: Where tokens are had.
        integration: One that has ``http``.
        settings: For the patience of token requests.
        variables: ``config`` and ``secrets``.
    """
    assert integration.http is not None
    auth = integration.http.auth
    if isinstance(auth, TokenAuthenticator):
        return ByToken(world, Account(integration, auth, settings), variables)
    if isinstance(auth, Signer):
        return Signing(world.clock, world.randomness, auth, variables)
    assert isinstance(auth, Authenticator)
    return Fixed(auth, variables)


async def obtain(
    world: World, account: Account, asked_as: str, refused: Secret | None = None
) -> Kept:
    """Return a token that may be sent: at hand, from another process, or asked for now.

    Args:
        world: Its desk has the tokens.
        account: Whose.
        asked_as: See :meth:`Account.asked_as`; a token for another client or scope will not do.
        refused: One that the provider has just refused.

    Raises:
        CredentialsError: The provider grants none; a person must look.
        ProviderError: It did not answer, or nothing that can be understood.
        SecretError: A secret is missing, or there is no place for a new refresh token.
        StoreError: The answer could not be kept, or the store not be read.
    """
    desk, name = world.tokens, account.name
    while True:
        kept = desk.find(name, asked_as, world.clock.now().timestamp(), refused)
        if kept is not None:
            return kept
        flight = desk.flights.get(name)
        if flight is None:
            return await asyncio.shield(_start(world, account, refused))
        await asyncio.shield(flight)


def _start(world: World, account: Account, refused: Secret | None) -> asyncio.Task[Kept]:
    """Begin a renewal that nobody's end can interrupt between the answer and the vault."""
    desk, name = world.tokens, account.name
    flight = asyncio.create_task(_fetch(world, account, refused), name=f"token of {name[1]}")

    def landed(flight: asyncio.Task[Kept]) -> None:
        del desk.flights[name]
        if not flight.cancelled():
            flight.exception()  # whoever asked may be gone

    desk.flights[name] = flight
    flight.add_done_callback(landed)
    return flight


async def _fetch(world: World, account: Account, refused: Secret | None) -> Kept:
    async with claimed(world, account):
        kept = await Renewal(world, account, refused).perform()
    world.tokens.hold(account.name, kept)
    return kept


@asynccontextmanager
async def claimed(world: World, account: Account) -> AsyncIterator[None]:
    """Hold the claim on an account's token; nobody else asks for one meanwhile.

    Raises:
        UnavailableError: Another process has held it for two minutes.
        StoreError: The store cannot be used.
    """
    tenant, _ = account.name
    lease = await _claim(world, account)
    try:
        async with claims.renewed(world, tenant, lease):
            yield
    finally:
        await asyncio.shield(claims.release(world, tenant, lease))


async def _claim(world: World, account: Account) -> Lease:
    tenant, name = account.name
    until_s = world.clock.monotonic() + CLAIM_WAIT.total_seconds()
    while True:
        now = world.clock.now()
        lease = await world.store.claim(
            tenant, CLAIM, name, holder=world.holder, now=now, ttl=world.lease
        )
        if lease is not None:
            return lease
        if world.clock.monotonic() >= until_s:
            raise UnavailableError(
                f"another process has been asking for a token of {name} for two minutes"
            )
        await asyncio.sleep(CLAIM_LOOK_S)
