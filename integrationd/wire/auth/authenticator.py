"""What every way of saying who asks offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol, runtime_checkable

from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.transform.template import Template
from integrationd.wire.grants import Refusal, Token
from integrationd.wire.messages import Request


class Authenticator(Protocol):
    """Adds credentials to a request; pure, as its templates are rendered from ``variables``."""

    kind: ClassVar[str]

    def apply(self, request: Request, variables: Mapping[str, Json]) -> Request:
        """Return the request with credentials.

        Args:
            request: Without any.
            variables: ``config`` and ``secrets``; for a kind that asks for a token first, that one
                as ``token``, a :class:`Secret`.
        """
        ...


@runtime_checkable
class TokenAuthenticator(Authenticator, Protocol):
    """A kind that asks for a token first; when, and what is kept of it, the engine decides."""

    token_url: Template

    @property
    def may_rotate(self) -> bool:
        """Tell whether an answer may hold a new refresh token, which must not be lost."""
        ...

    def given_refresh_token(self, variables: Mapping[str, Json]) -> Secret | None:
        """Return the refresh token as it is configured; None where there is none to hand in."""
        ...

    def token_request(self, variables: Mapping[str, Json], refresh_token: Secret | None) -> Request:
        """Build the request for a token."""
        ...

    def read_token(
        self, reply: Mapping[str, Json], request: Request, variables: Mapping[str, Json]
    ) -> Token | Refusal:
        """Read what came back, ``{status, headers, body}``; raises ProviderError for neither."""
        ...

    def hint(self, error: str, integration: str) -> str:
        """Say what a person can do about a refusal."""
        ...
