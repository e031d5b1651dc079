"""Credentials put on a request at the moment it is sent."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from typing_extensions import override

from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.ports.outside import Clock, Randomness
from integrationd.wire import grants
from integrationd.wire.attempt import Attempt
from integrationd.wire.auth.authenticator import (
    Authenticator,
    ChallengedSigner,
    Signer,
)
from integrationd.wire.auth.none import NoAuth
from integrationd.wire.exchange import TokenCall
from integrationd.wire.messages import Request

NONCE_BYTES: Final = 16
_SENT_MAX: Final = 128
"""Secrets of signed requests that are remembered: those under way, and more."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A request that may be sent."""

    request: Request
    token: Secret | None = None
    """The token in it, where another one could be had."""


class Credentials(Protocol):
    """Says who asks; one for each run."""

    async def sign(self, request: Request, refused: Secret | None = None) -> Signed:
        """Add credentials.

        Args:
            request: Without any.
            refused: The token that the provider has just refused: any other one will do.

        Raises:
            ProviderError, SecretError: There is no token to be had.
        """
        ...

    def tokens(self) -> Mapping[str, Json]:
        """Return the tokens that were sent: no message and no stored page token may hold one."""
        ...

    async def about_token(self) -> Mapping[str, Json]:
        """Return what a token's reply says of the account, which ``token`` names in a template.

        Raises:
            ProviderError, SecretError: There is no token to be had.
        """
        return {}

    def take_challenge(self, reply: Mapping[str, Json]) -> Secret | None:
        """Return what a 401 asks to be answered, kept for the next request; None for nothing."""
        _ = reply
        return None


@dataclass(frozen=True, slots=True)
class Fixed(Credentials):
    """What a file says, the same for every request."""

    auth: Authenticator
    variables: Mapping[str, Json] = field(repr=False)
    """``config`` and ``secrets``."""

    @override
    async def sign(self, request: Request, refused: Secret | None = None) -> Signed:
        return Signed(self.auth.apply(request, self.variables))

    @override
    def tokens(self) -> Mapping[str, Json]:
        return {}


@dataclass(slots=True)
class Granted(Credentials):
    """A token request, made anew for each try: a provider takes what is signed in it only once."""

    clock: Clock
    randomness: Randomness
    call: TokenCall
    request: Request | None = None
    """As it was made last."""
    _sent: dict[str, Json] = field(default_factory=dict, repr=False)

    def make(self) -> Request:
        """Make it for a try."""
        self.request = self.call.make(new_attempt(self.clock, self.randomness))
        self._sent |= grants.secrets_in(self.request)
        return self.request

    @override
    async def sign(self, request: Request, refused: Secret | None = None) -> Signed:
        return Signed(self.make())

    @override
    def tokens(self) -> Mapping[str, Json]:
        return self._sent


def new_attempt(clock: Clock, randomness: Randomness) -> Attempt:
    """Return the moment of one try."""
    return Attempt(at=clock.now(), nonce=randomness.token(NONCE_BYTES).hex())


@dataclass(slots=True)
class Signing(Credentials):
    """Made anew for each try: the time, a nonce and the provider's last challenge are in it."""

    clock: Clock
    randomness: Randomness
    auth: Signer
    variables: Mapping[str, Json] = field(repr=False)
    """``config`` and ``secrets``."""
    _challenge: str = ""
    _answers: int = 0
    _sent: deque[Secret] = field(default_factory=lambda: deque(maxlen=_SENT_MAX), repr=False)

    @override
    async def sign(self, request: Request, refused: Secret | None = None) -> Signed:
        if self._challenge:
            self._answers += 1
        attempt = replace(
            new_attempt(self.clock, self.randomness),
            challenge=self._challenge,
            count=self._answers,
        )
        signed = self.auth.sign(request, self.variables, attempt)
        known = set(grants.secrets_in(request).values())
        for secret in grants.secrets_in(signed).values():
            if secret not in known:
                # Also without the word before it, as a provider may repeat it.
                self._sent.extend({secret, Secret(secret.reveal().rpartition(" ")[2])})
        return Signed(signed)

    @override
    def tokens(self) -> Mapping[str, Json]:
        return {f"signature {number}": secret for number, secret in enumerate(self._sent)}

    @override
    def take_challenge(self, reply: Mapping[str, Json]) -> Secret | None:
        challenge = reply.get("headers", {}).get("www-authenticate", "")
        if not isinstance(self.auth, ChallengedSigner) or not self.auth.can_answer(challenge):
            return None
        self._challenge, self._answers = challenge, 0
        return Secret(challenge)


NOBODY: Final = Fixed(NoAuth(), {})
"""For a request that has its credentials already."""
