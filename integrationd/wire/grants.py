"""What a token endpoint gives or refuses, as values, and what of it is kept between calls."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from integrationd.config.syntax import UNPRINTABLE, escape_character
from integrationd.errors import PageShapeError, SecretError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, mask
from integrationd.wire import decoding, texts
from integrationd.wire.encoding import encode
from integrationd.wire.messages import FormBody, Request

REPLY_BYTES_MAX: Final = 65_536
"""Of a token reply; a JWT with many claims has some thousand."""
TOKEN_CHARACTERS_MAX: Final = 16_384
"""Of one token; servers take no longer headers."""
LIFETIME_MAX_S: Final = 10 * 365 * 86_400.0
"""A token that is said to live longer is one that does not run out."""
SKEW_S: Final = 60.0
"""How long before its end a token is renewed: a call that is sent now has to arrive."""
SKEW_FRACTION: Final = 0.1
"""Of a short-lived token only this part is given up, or it would never be used."""
SAID_MAX: Final = 200
"""Characters of a provider's own words in a message."""
_DEAD_MAX: Final = 16
"""Refresh tokens that are remembered as used up."""
_NUMBER: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a provider granted."""

    access: Secret
    lifetime_s: float | None = None
    """Seconds from the request on; None where it is used until it is refused."""
    refresh: Secret | None = None
    """The next refresh token; None where the old one stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a provider grants nothing."""

    status: int
    error: str = ""
    """The provider's word, ``invalid_grant``; empty where it gives none."""
    said: str = ""
    """Its sentence, one line, without any secret of ours."""

    @property
    def is_grant_dead(self) -> bool:
        """Tell whether what was handed in, a refresh token for one, is not good any more."""
        return self.error == "invalid_grant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What one account has between two calls; in the vault it is one value, written at once.

    Access token and refresh token stand together, so that no crash can part them.
    """

    access: Secret | None = None
    expires_at: float | None = None
    """Unix time in seconds, None where no end is known."""
    asked_as: str = ""
    """Digest of the request that gave ``access``: another client or scope needs another token."""
    refresh: Secret | None = None
    """The provider's newest refresh token, where it gave one of its own."""
    origin: str = ""
    """Digest of the refresh token, as it was configured, that ``refresh`` came from."""
    dead: tuple[str, ...] = ()
    """Digests of configured refresh tokens that newer ones have replaced, newest last."""

    @property
    def line(self) -> tuple[Secret | None, str]:
        """Return what tells whether somebody has had a newer refresh token since."""
        return self.refresh, self.origin

    def is_fresh(self, asked_as: str, now_s: float) -> bool:
        """Tell whether the access token can be sent, as far as its end is known."""
        if self.access is None or self.asked_as != asked_as:
            return False
        return self.expires_at is None or now_s < self.expires_at

    def refresh_for(self, given: Secret) -> Secret | None:
        """Return the refresh token to send, None where the given one is used up.

        Args:
            given: As it is configured now. A new one, which a person has put in place, wins over
                what is kept.
        """
        digest = digest_of(given)
        if self.refresh is not None and digest == self.origin:
            return self.refresh
        return None if digest in self.dead else given

    def with_token(
        self, token: Token, *, asked_as: str, received_at_s: float, given: Secret | None
    ) -> Kept:
        """Return what is kept after a grant.

        Args:
            token: The grant.
            asked_as: Digest of its request.
            received_at_s: Unix time at which it came.
            given: The configured refresh token, None for a grant without one.
        """
        refresh, origin, dead = self.refresh, self.origin, self.dead
        if given is not None and token.refresh is not None:
            if origin and origin != digest_of(given):
                dead = (*dead, origin)[-_DEAD_MAX:]
            refresh, origin = token.refresh, digest_of(given)
        return Kept(
            access=token.access,
            expires_at=_end_of(token.lifetime_s, received_at_s),
            asked_as=asked_as,
            refresh=refresh,
            origin=origin,
            dead=dead,
        )

    def to_secret(self) -> Secret:
        """Return it as one text, to be sealed."""
        return Secret(
            texts.dump_json(
                {
                    "access": self.access,
                    "expires_at": self.expires_at,
                    "asked_as": self.asked_as,
                    "refresh": self.refresh,
                    "origin": self.origin,
                    "dead": list(self.dead),
                }
            )
        )

    @classmethod
    def parse(cls, text: Secret) -> Kept:
        """Read what :meth:`to_secret` wrote.

        Raises:
            SecretError: It is something else.
        """
        try:
            found = decoding.decode_bytes(text.reveal().encode())
            access, refresh = found["access"], found["refresh"]
            return cls(
                access=None if access is None else Secret(access),
                expires_at=found["expires_at"],
                asked_as=found["asked_as"],
                refresh=None if refresh is None else Secret(refresh),
                origin=found["origin"],
                dead=tuple(found["dead"]),
            )
        except (PageShapeError, KeyError, TypeError):
            raise SecretError(
                "what the encrypted store has as oauth2.token is something else; forget it with: "
                "integrationd secret remove INTEGRATION oauth2.token"
            ) from None


def digest_of(secret: Secret) -> str:
    """Return the digest by which a secret is known again; it is kept sealed, as the secret is."""
    return hashlib.blake2b(secret.reveal().encode(), digest_size=16).hexdigest()


def digest_request(request: Request) -> str:
    """Return the digest of all that a token request says, credentials included."""
    sent = encode(request)
    parts = [sent.method, sent.url, sorted(sent.headers.items()), sent.body]
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def read_lifetime(value: Json) -> float | None:
    """Return how long a token lives, in seconds, a number or text; None where it is not said.

    Zero and less count as not said: providers write them where a token does not run out. What
    cannot be read does as well, as a refused token is renewed anyway.
    """
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return None
    return None if value > LIFETIME_MAX_S else float(value)


def read_refusal(status: int, body: Json, hidden: Mapping[str, Json]) -> Refusal:
    """Read an error reply.

    Args:
        status: Of the answer.
        body: Decoded; ``{"error", "error_description"}`` as a rule.
        hidden: What must not be shown, should the provider repeat it.

    Source:
        RFC 6749 section 5.2. Some providers have an object in ``error``.
    """
    fields: Mapping[str, Json] = body if isinstance(body, dict) else {}
    error, said = fields.get("error"), fields.get("error_description")
    if isinstance(error, dict):
        said = said or error.get("message")
        error = error.get("type") or error.get("code") or error.get("status")
    return Refusal(
        status=status,
        error=_one_line(error, hidden),
        said=_one_line(said or fields.get("message"), hidden),
    )


def secrets_in(request: Request) -> Mapping[str, Json]:
    """Return the secrets that a token request carries."""
    pairs = request.body.pairs if isinstance(request.body, FormBody) else ()
    values = {**request.headers, **dict(pairs)}
    return {name: value for name, value in values.items() if isinstance(value, Secret)}


def _one_line(value: Json, hidden: Mapping[str, Json]) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    line = " ".join(mask(str(value), hidden).split())[:SAID_MAX]
    return UNPRINTABLE.sub(lambda found: escape_character(found.group()), line)


def _end_of(lifetime_s: float | None, received_at_s: float) -> float | None:
    if lifetime_s is None:
        return None
    return received_at_s + lifetime_s - min(SKEW_S, lifetime_s * SKEW_FRACTION)
