"""One request for a token, with the claim held: what is read before it and kept after it."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from integrationd.engine import consents
from integrationd.engine.calling import Caller
from integrationd.engine.credentials import Granted
from integrationd.engine.desk import Name, Refused, Unsaved
from integrationd.engine.plans import base_call
from integrationd.engine.policies import token_policy
from integrationd.engine.world import World
from integrationd.errors import (
    CredentialsError,
    ProviderError,
    RefusedError,
    SecretError,
    StoreBrokenError,
    StoreError,
    UnavailableError,
)
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.ports.vault import Vault
from integrationd.signals import TokenRenewed, TokenUnkept
from integrationd.spec.documents import Integration
from integrationd.spec.settings import Settings
from integrationd.wire.auth.authenticator import Auth, ConsentAuthenticator, TokenAuthenticator
from integrationd.wire.consent import DeviceCode, Terms
from integrationd.wire.exchange import Answered, TokenCall
from integrationd.wire.grants import Kept, Refusal, Token
from integrationd.wire.judge import Outcome
from integrationd.wire.messages import Text

G = TypeVar("G")
"""What an exchange gives."""
KEPT_AS: Final = "oauth2.token"
"""The vault's name for what is kept of an integration's tokens."""
REFUSED_FOR_S: Final = 10.0
"""A request that was refused is not repeated within this time: many streams begin together, and
providers lock a client out that is refused too often."""
TRIES_MAX: Final = 3
"""Refresh tokens that are tried where each was replaced while it was sent."""
_DENIED: Final = frozenset({400, 401, 403})


@dataclass(frozen=True, slots=True)
class Account:
    """Whose token: an integration as one bundle has it."""

    integration: Integration
    auth: TokenAuthenticator
    settings: Settings

    @property
    def name(self) -> Name:
        """Return the tenant, and what the account of the integration is called."""
        return self.integration.tenant, self.integration.account

    @property
    def kept_as(self) -> str:
        """Return the vault's name for what is kept of its tokens."""
        way = self.integration.asks_as
        return f"{KEPT_AS}.{way}" if way else KEPT_AS

    def asked_as(self, variables: Mapping[str, Json]) -> str:
        """Return the digest of the token request that its files and secrets make."""
        return self.auth.identify(variables, self.auth.given_refresh_token(variables))


@dataclass(slots=True)
class Renewal:
    """One renewal under way; the claim is held."""

    world: World
    account: Account
    refused: Secret | None
    variables: Mapping[str, Json] = field(default_factory=dict, repr=False)
    given: Secret | None = None
    asked_as: str = ""
    terms: Terms | None = None
    """For what a person's consent is wanted; None for a kind that asks no person."""
    kept: Kept = field(default_factory=Kept)

    async def perform(self) -> Kept:
        """Ask, unless another process has; again where a newer refresh token came meanwhile."""
        error: CredentialsError | None = None
        sent: Secret | None = None
        for _ in range(TRIES_MAX):
            await self._look()
            if self._is_usable():
                return self.kept
            refresh = self._refresh_token()
            if error is not None and refresh == sent:
                break
            got = await self._ask(refresh)
            if isinstance(got, Token):
                return await self._keep(got, refresh)
            error, sent = got, refresh
        assert error is not None
        raise error

    async def redeem(self, handed: Mapping[str, Text]) -> Kept | tuple[Refusal, ProviderError]:
        """Hand in what a person's consent gave, and keep what comes of it, durably and first.

        Args:
            handed: The code, and what proves that it is ours.

        Returns:
            What is kept now, or why the provider grants nothing, as its word and as an error.
        """
        await self._resolve()
        # Looked at first: a code is good only once.
        self.kept = await self._load()
        auth, desk, name = self.account.auth, self.world.tokens, self.account.name
        assert isinstance(auth, ConsentAuthenticator)
        assert self.terms is not None
        got, outcome = await self._exchange(auth.redeem(self.variables, handed), handed)
        if isinstance(got, Refusal):
            return got, self._explain(got, outcome)
        after = self.kept.with_consent(
            got,
            origin=self.terms.origin,
            scopes=self.terms.scopes,
            received_at_s=self.world.clock.now().timestamp(),
        )
        desk.refused.pop(name, None)
        await self._save(Unsaved(before=self.kept, kept=after))
        desk.hold(name, after)
        return after

    async def ask_device(self) -> DeviceCode:
        """Ask for a code that a person types in; needs no claim, as nothing is kept.

        Raises:
            ProviderError: There is none to be had.
        """
        await self._resolve()
        auth = self.account.auth
        assert isinstance(auth, ConsentAuthenticator)
        got, outcome = await self._exchange(auth.ask_device(self.variables), {})
        if isinstance(got, Refusal):
            raise self._explain(got, outcome)
        return got

    async def _resolve(self) -> None:
        """Read secrets anew, and what a request is made of."""
        integration, auth = self.account.integration, self.account.auth
        self.variables = {
            "config": dict(integration.config),
            "secrets": await self.world.secrets.resolve(
                integration.tenant, integration.name, integration.needed_secrets()
            ),
        }
        self.given = auth.given_refresh_token(self.variables)
        self.terms = auth.terms(self.variables)
        self.asked_as = self.account.asked_as(self.variables)
        lack = find_lack(integration, self.world.vault)
        if lack:
            raise SecretError(lack)

    async def _look(self) -> None:
        """Read secrets and vault anew: a person or another process may have changed them."""
        await self._resolve()
        unsaved = self.world.tokens.unsaved.get(self.account.name)
        if unsaved is not None:
            await self._save(unsaved)
        self.kept = await self._load()

    def _is_usable(self) -> bool:
        now_s = self.world.clock.now().timestamp()
        return self.kept.is_fresh(self.asked_as, now_s) and self.kept.access != self.refused

    def _refresh_token(self) -> Secret | None:
        if self.terms is not None:
            lack = consents.find_lack(self.account.integration.name, self.terms, self.kept)
            if lack:
                raise CredentialsError(lack)
            return self.kept.refresh
        if self.given is None:
            return None
        refresh = self.kept.refresh_for(self.given)
        if refresh is None:
            name = self.account.integration.name
            hint = self.account.auth.hint("invalid_grant", name)
            raise CredentialsError(
                f"the refresh token that {name} is given was replaced by newer ones before; {hint}"
            )
        return refresh

    async def _ask(self, refresh: Secret | None) -> Token | CredentialsError:
        """Return what is granted, or the error where the refresh token is not good any more."""
        world, desk, name = self.world, self.world.tokens, self.account.name
        auth, integration = self.account.auth, self.account.integration
        assert integration.http is not None
        digest = auth.identify(self.variables, refresh)
        known = desk.refused.pop(name, None)
        if known is not None and known.digest == digest and world.clock.monotonic() < known.until_s:
            desk.refused[name] = known
            raise type(known.error)(str(known.error), status=known.error.status)
        base = base_call(integration.http, self.variables)
        exchange = auth.exchange(self.variables, refresh, base)
        got, outcome = await self._exchange(exchange, {"refresh token": refresh})
        if isinstance(got, Token):
            return got
        error = self._explain(got, outcome)
        until_s = world.clock.monotonic() + REFUSED_FOR_S
        desk.refused[name] = Refused(digest, error, until_s)
        if isinstance(error, CredentialsError) and got.is_grant_dead and refresh is not None:
            return error
        raise error

    async def _exchange(
        self, exchange: Generator[TokenCall, Answered, G], hidden: Mapping[str, Json]
    ) -> tuple[G, Outcome]:
        """Open a client and make the calls of an exchange; see :meth:`_walk`.

        Args:
            exchange: It.
            hidden: What no message may hold, besides the integration's secrets.
        """
        world, integration, settings = self.world, self.account.integration, self.account.settings
        assert integration.http is not None
        base = base_call(integration.http, self.variables)
        policy = token_policy(integration, base, settings, self.variables)
        async with world.http.open(policy) as http:
            caller = Caller(
                world=world,
                integration=integration.name,
                http=http,
                budget=None,
                retries=retries_of(integration, settings),
                secrets={**self.variables["secrets"], **hidden},
            )
            return await self._walk(caller, exchange)

    async def _walk(
        self, caller: Caller, exchange: Generator[TokenCall, Answered, G]
    ) -> tuple[G, Outcome]:
        """Make the calls of an exchange; returns what was granted, and what the last one meant."""
        call = next(exchange)
        while True:
            granted = Granted(self.world.clock, self.world.randomness, call)
            caller.credentials = granted
            judged, _ = await caller.settle(granted.make(), call.shape)
            assert granted.request is not None
            try:
                call = exchange.send(Answered(judged, granted.request))
            except StopIteration as done:
                return done.value, judged.outcome

    def _explain(self, refusal: Refusal, outcome: Outcome) -> ProviderError:
        word = f" {refusal.error}" if refusal.error else ""
        said = f" ({refusal.said})" if refusal.said else ""
        told = f"{outcome.message}{word}{said}"
        hint = self.account.auth.hint(refusal.error, self.account.integration.name)
        hint = hint.replace("http.auth", self.account.integration.auth_place)
        if refusal.error or refusal.status in _DENIED:
            return CredentialsError(f"{told}; {hint}", status=refusal.status)
        where = "token_url" if self.account.auth.token_addresses else "steps"
        return RefusedError(
            f"{told}; is {self.account.integration.auth_place}.{where} right?",
            status=refusal.status,
        )

    async def _keep(self, token: Token, sent: Secret | None) -> Kept:
        """Keep an answer; where the refresh token is another one now, durably and first of all."""
        after = self.kept.with_token(
            token,
            asked_as=self.asked_as,
            received_at_s=self.world.clock.now().timestamp(),
            given=self.given,
            by_consent=self.terms is not None,
        )
        rotated = sent is not None and token.refresh not in (None, sent)
        if rotated and self.world.vault.is_open():
            await self._save(Unsaved(before=self.kept, kept=after))
        elif rotated:
            self._tell_unkept("there is no master key, so it is lost when this process ends")
        else:
            await self._share(after)
        self.world.signals.emit(
            TokenRenewed(
                integration=self.account.integration.name,
                rotated=rotated,
                lifetime_s=token.lifetime_s,
            )
        )
        return after

    async def _save(self, unsaved: Unsaved) -> None:
        """Put a new refresh token in the vault, unless a newer one is there.

        Until that is done it stays at the desk, and nothing is asked with what came with it.
        """
        desk, name = self.world.tokens, self.account.name
        desk.unsaved[name] = unsaved
        try:
            stored = await self._load()
            # Where the vault failed after it had stored it, it is there.
            overtaken = stored.line not in (unsaved.before.line, unsaved.kept.line)
            if not overtaken:
                await self._put(unsaved.kept)
        except (StoreError, SecretError) as failed:
            self._tell_unkept(f"{failed}; it is tried again before anything else is asked")
            raise
        del desk.unsaved[name]
        if overtaken:
            raise UnavailableError(
                f"another process renewed the token of {name[1]} at the same time; its token stands"
            )

    async def _share(self, kept: Kept) -> None:
        """Let other processes use an access token; where that fails they ask for their own."""
        if not self.world.vault.is_open():
            return
        try:
            # Never over a refresh token that came meanwhile, should our claim have run out.
            if (await self._load()).line == self.kept.line:
                await self._put(kept)
        except StoreBrokenError:
            raise
        except (StoreError, SecretError):
            pass

    async def _put(self, kept: Kept) -> None:
        account, integration = self.account, self.account.integration
        secret = kept.to_secret()
        await self.world.vault.put(integration.tenant, integration.name, account.kept_as, secret)

    async def _load(self) -> Kept:
        """Return what is kept: in the vault, or while that is closed at the desk alone."""
        name, vault = self.account.name, self.world.vault
        try:
            # One that is closed says whether there is something that it cannot open: to send the
            # configured refresh token then would be to send a used one.
            text = await vault.get(name[0], self.account.integration.name, self.account.kept_as)
            if text is not None:
                return Kept.parse(text)
        except SecretError:
            if self.given is not None or self.terms is not None:
                raise
            # Only an access token is lost, which costs one request more.
        return Kept() if vault.is_open() else self.world.tokens.newest(name)

    def _tell_unkept(self, reason: str) -> None:
        name = self.account.integration.name
        self.world.signals.emit(TokenUnkept(integration=name, reason=reason))


def account_kept_as(integration: str, kept_as: str) -> str | None:
    """Return the account that a secret of the vault has tokens of; None for any other secret."""
    if kept_as == KEPT_AS:
        return integration
    way = kept_as.removeprefix(f"{KEPT_AS}.")
    return None if way == kept_as else f"{integration}/{way}"


def find_lack(integration: Integration, vault: Vault) -> str:
    """Say what an integration lacks whose provider may answer with a new refresh token.

    Empty where nothing is lacking.
    """
    http = integration.http
    if http is None or vault.is_open():
        return ""
    ways = {integration.auth_place: http.auth}
    ways |= {f"http.auths.{name}": way for name, way in http.auths.items()}
    lacks = (_find_lack(integration, where, way) for where, way in ways.items())
    return next(filter(None, lacks), "")


def _find_lack(integration: Integration, where: str, auth: Auth) -> str:
    if not isinstance(auth, TokenAuthenticator) or not auth.may_rotate:
        return ""
    if auth.is_by_consent:
        return (
            f"integration {integration.name} needs the consent of a person, and what comes of that "
            "could not be kept: the encrypted store has no master key; give it one, as "
            "'integrationd secret set' tells"
        )
    return (
        f"integration {integration.name} uses a refresh token, and a newer one that the provider "
        "may answer with could not be kept: the encrypted store has no master key; give it one, as "
        f"'integrationd secret set' tells, or write 'rotates: false' under {where} where this "
        "provider never gives a new one"
    )


def retries_of(integration: Integration, settings: Settings) -> int:
    """Return how often a call of an integration is tried again."""
    assert integration.http is not None
    retries = integration.http.retries
    return settings.defaults.retries if retries is None else retries
