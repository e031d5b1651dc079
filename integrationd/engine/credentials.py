"""Credentials put on a request at the moment it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from typing_extensions import override

from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.wire.auth.authenticator import Authenticator
from integrationd.wire.auth.none import NoAuth
from integrationd.wire.messages import Request


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


NOBODY: Final = Fixed(NoAuth(), {})
"""For a request that has its credentials already."""
