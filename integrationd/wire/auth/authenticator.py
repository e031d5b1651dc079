"""What every way of saying who asks offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol, runtime_checkable

from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.transform.template import Template
from integrationd.wire.attempt import Attempt
from integrationd.wire.call import BaseCall
from integrationd.wire.consent import Authorize, Device, Terms
from integrationd.wire.exchange import DeviceExchange, Exchange
from integrationd.wire.messages import Request, Text


class Auth(Protocol):
    """Any kind: an :class:`Authenticator` or a :class:`Signer`."""

    kind: ClassVar[str]


@runtime_checkable
class Authenticator(Auth, Protocol):
    """Adds credentials to a request; pure, as its templates are rendered from ``variables``."""

    def apply(self, request: Request, variables: Mapping[str, Json]) -> Request:
        """Return the request with credentials.

        Args:
            request: Without any.
            variables: ``config`` and ``secrets``; for a kind that asks for a token first, that one
                as ``token``, a :class:`Secret`.
        """
        ...


@runtime_checkable
class Signer(Auth, Protocol):
    """A kind whose credentials depend on the moment, or on the request that they are for."""

    def sign(self, request: Request, variables: Mapping[str, Json], attempt: Attempt) -> Request:
        """Return the request with credentials for this try of it.

        Args:
            request: Without any; all else is in it, as what is signed is what will be sent.
            variables: ``config`` and ``secrets``.
            attempt: The time and what else is new; a try that follows has another one.
        """
        ...


@runtime_checkable
class ChallengedSigner(Signer, Protocol):
    """A kind that can sign only once the provider has said how, by a 401."""

    def can_answer(self, challenge: str) -> bool:
        """Tell whether a ``WWW-Authenticate`` is one that :meth:`sign` can answer."""
        ...


@runtime_checkable
class TokenAuthenticator(Authenticator, Protocol):
    """A kind that asks for a token first; when, and what is kept of it, the engine decides."""

    @property
    def token_addresses(self) -> Mapping[str, Template]:
        """Return the addresses that tokens are had from, by their fields, ``auth.token_url``.

        Empty for the integration's own hosts.
        """
        ...

    @property
    def is_by_consent(self) -> bool:
        """Tell whether there is a token only after a person has given consent."""
        ...

    @property
    def may_rotate(self) -> bool:
        """Tell whether an answer may hold a new refresh token, which must not be lost."""
        ...

    @property
    def gives_base_url(self) -> bool:
        """Tell whether a token reply says where calls go."""
        ...

    def given_refresh_token(self, variables: Mapping[str, Json]) -> Secret | None:
        """Return the refresh token as it is configured; None where there is none to hand in."""
        ...

    def terms(self, variables: Mapping[str, Json]) -> Terms | None:
        """Return for what a person's consent is wanted; None where none is."""
        ...

    def identify(self, variables: Mapping[str, Json], refresh_token: Secret | None) -> str:
        """Return a digest of all that a token would be asked for with."""
        ...

    def exchange(
        self, variables: Mapping[str, Json], refresh_token: Secret | None, base: BaseCall
    ) -> Exchange:
        """Ask for a token; raises ProviderError where an answer is neither token nor refusal."""
        ...

    def hint(self, error: str, integration: str) -> str:
        """Say what a person can do about a refusal."""
        ...


@runtime_checkable
class ConsentAuthenticator(TokenAuthenticator, Protocol):
    """A kind of which some ways ask a person for consent; the others say so."""

    authorize: Authorize | None
    """Where consent is given in a browser."""
    device: Device | None
    """Where a code is had for another device."""

    def authorize_address(
        self, variables: Mapping[str, Json], redirect: str, state: str, verifier: Secret
    ) -> str:
        """Return the address at which a person gives consent."""
        ...

    def ask_device(self, variables: Mapping[str, Json]) -> DeviceExchange:
        """Ask for a code that a person types in."""
        ...

    def redeem(self, variables: Mapping[str, Json], handed: Mapping[str, Text]) -> Exchange:
        """Ask for the first token, with what consent gave."""
        ...


def authorize(
    auth: Auth, request: Request, variables: Mapping[str, Json], attempt: Attempt
) -> Request:
    """Return the request with credentials of whatever kind; see :class:`Signer`."""
    if isinstance(auth, Signer):
        return auth.sign(request, variables, attempt)
    assert isinstance(auth, Authenticator)
    return auth.apply(request, variables)
