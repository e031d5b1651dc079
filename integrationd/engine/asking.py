"""A provider ready to be asked: secrets found, what all calls share rendered, a client open."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from integrationd.engine.calling import WAIT_IN_RUN_MAX_S, Caller
from integrationd.engine.moments import NOW, print_now
from integrationd.engine.plans import base_call, names_token
from integrationd.engine.policies import http_policy
from integrationd.engine.renewal import retries_of
from integrationd.engine.tokens import credentials_of
from integrationd.engine.world import World
from integrationd.errors import SecretError
from integrationd.model.json import Json
from integrationd.signals import SecretMissed
from integrationd.spec.documents import Integration
from integrationd.spec.settings import Settings
from integrationd.transform.finding import references_in
from integrationd.wire.auth.authenticator import TokenAuthenticator
from integrationd.wire.auth.none import NoAuth
from integrationd.wire.budget import Budget
from integrationd.wire.call import BaseCall
from integrationd.wire.limits import Meter
from integrationd.wire.remedies import Remedies


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a provider is asked."""

    settings: Settings
    budget: Budget | None
    """The integration's own, shared by all who ask."""
    may_repeat: bool = True
    """Whether what is asked does no harm if it is done twice."""
    patience_s: float = WAIT_IN_RUN_MAX_S
    """The longest single wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What is needed to ask."""

    caller: Caller
    base: BaseCall
    variables: Mapping[str, Json] = field(repr=False)
    """``config``, ``secrets`` and ``now``, when it began."""


@asynccontextmanager
async def asking(world: World, integration: Integration, manner: Manner) -> AsyncIterator[Asking]:
    """Get ready to ask one integration's provider.

    Raises:
        SecretError: A secret is missing; it is told as a signal too.
        ProviderError: Its address, proxy or certificates cannot be used; or the address is had
            with a token, and there is none.
        ExpressionError: A template of ``http`` has no value.
    """
    http = integration.http
    assert http is not None
    variables = integration.variables(await find_secrets(world, integration))
    credentials = credentials_of(world, integration, manner.settings, variables)
    told = await credentials.about_token() if names_token(http) else None
    base = base_call(http, variables, told)
    policy = http_policy(integration, base, manner.settings, variables)
    async with world.http.open(policy) as client:
        caller = Caller(
            world=world,
            integration=integration.name,
            http=client,
            budget=manner.budget,
            retries=retries_of(integration, manner.settings),
            secrets=variables["secrets"],
            credentials=credentials,
            remedies=remedies_of(integration),
            may_repeat=manner.may_repeat,
            patience_s=manner.patience_s,
            meter=Meter(base.base_url, http.limits.paths, http.limits.learn),
        )
        known = {**variables, NOW: print_now(world.clock.now())}
        yield Asking(caller=caller, base=base, variables=known)


async def find_secrets(world: World, integration: Integration) -> Mapping[str, Json]:
    """Find an integration's secrets; what is missing is told as a signal too."""
    try:
        return await world.secrets.resolve(
            integration.tenant, integration.name, integration.needed_secrets()
        )
    except SecretError as missing:
        world.signals.emit(SecretMissed(integration=integration.name, message=str(missing)))
        raise


def remedies_of(integration: Integration) -> Remedies:
    """Gather what may be wrong where a provider refuses."""
    http = integration.http
    assert http is not None
    used = (reference.path for reference in references_in(http.auth))
    names = dict.fromkeys(path[1] for path in used if path[0] == "secrets" and len(path) > 1)
    return Remedies(
        where=integration.auth_place,
        asks_as_nobody=isinstance(http.auth, NoAuth),
        secrets=tuple(names),
        by_consent=isinstance(http.auth, TokenAuthenticator) and http.auth.is_by_consent,
    )
