"""Requests for tokens that a case does not speak of: answered as the spec reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from urllib.parse import parse_qsl, urlsplit

from integrationd.errors import IntegrationError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.spec.cases import Consent
from integrationd.spec.documents import Integration
from integrationd.testing.options import PlayOptions
from integrationd.testing.tokens import TokenBooth
from integrationd.wire.auth.oauth2 import OAuth2Auth
from integrationd.wire.encoding import EncodedRequest
from integrationd.wire.grants import Kept
from integrationd.wire.messages import Answer, Call

_OPTIONS: Final = PlayOptions()


@dataclass(slots=True)
class TokenGiver:
    """Grants tokens to whoever asks as the spec would: ``play-token-1`` first."""

    booth: TokenBooth
    now_s: Callable[[], float]
    address: str = field(init=False)

    def __post_init__(self) -> None:
        """Find the endpoint: after consent, that of renewals."""
        auth = self.booth.auth
        url = auth.token_url if auth.refresh is None else auth.refresh.url or auth.token_url
        self.address = _address_of(reveal(url.render_text(self.booth.variables) or ""))

    def answer(self, asked: EncodedRequest) -> Answer | None:
        """Answer a request for a token; None where it is another one."""
        if _address_of(asked.url) != self.address:
            return None
        parts = urlsplit(asked.url)
        call = Call(
            method=asked.method,
            url=asked.url,
            path=self.booth.path,  # where renewals have an address of their own, it is that one
            query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
            headers=asked.headers,
            body=asked.body or b"",
        )
        return self.booth.answer(call, self.now_s())


def find_givers(
    integration: Integration, secrets: Mapping[str, str], now_s: Callable[[], float]
) -> tuple[TokenGiver, ...]:
    """Return what answers requests for tokens: one for each way to ask that makes any."""
    variables: dict[str, Json] = integration.variables(
        {name: Secret(text) for name, text in secrets.items()}
    )
    found = []
    for auth in _ways_of(integration):
        with suppress(IntegrationError):  # its cases say what is answered
            booth = TokenBooth(auth=auth, variables=variables, options=_OPTIONS, origin="")
            found.append(TokenGiver(booth, now_s))
    return tuple(found)


def find_address(integration: Integration) -> frozenset[str]:
    """Return where an integration has its tokens: of those requests a case need not speak."""
    variables: dict[str, Json] = {"config": dict(integration.config), "secrets": {}}
    found: set[str] = set()
    for auth in _ways_of(integration):
        with suppress(IntegrationError):
            addresses = auth.token_addresses.values()
            found |= {reveal(url.render_text(variables) or "") for url in addresses}
    return frozenset(found)


def made_up_consent(
    integration: Integration,
    secrets: Mapping[str, str],
    given: Consent | Literal["none"],
    now: datetime,
) -> Secret | None:
    """Return what a person's consent would have left in the vault; None where there is none.

    Args:
        integration: Whose provider wants it, or does not.
        secrets: Of the case.
        given: What the case says of it.
        now: The present time of the case.
    """
    auth = None if integration.http is None else integration.http.auth
    if not isinstance(auth, OAuth2Auth) or not isinstance(given, Consent):
        return None
    named = {name: Secret(text) for name, text in secrets.items()}
    try:
        terms = auth.terms(integration.variables(named))
    except IntegrationError:
        return None  # its cases show what is wrong
    if terms is None:
        return None
    ends_s = None if given.ends is None else (now + given.ends).timestamp()
    access, refresh = given.access_token, given.refresh_token
    kept = Kept(
        access=None if access is None else Secret(access),
        expires_at=None if access is None else ends_s,
        asked_as="" if access is None else terms.origin,
        refresh=None if refresh is None else Secret(refresh),
        origin=terms.origin,
        scopes=terms.scopes if given.scopes is None else given.scopes,
        consented_at=0.0,
    )
    return kept.to_secret()


def _ways_of(integration: Integration) -> list[OAuth2Auth]:
    http = integration.http
    ways = () if http is None else (http.auth, *http.auths.values())
    return [way for way in ways if isinstance(way, OAuth2Auth)]


def _address_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path or '/'}"
