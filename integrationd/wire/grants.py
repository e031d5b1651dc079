"""What a token endpoint gives or refuses, as values, and what of it is kept between calls."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from integrationd.config.syntax import UNPRINTABLE, escape_character
from integrationd.errors import PageShapeError, SecretError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, mask
from integrationd.wire import decoding, texts
from integrationd.wire.encoding import encode
from integrationd.wire.messages import FormBody, JsonBody, Request

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
BY_CONSENT: Final = "consent:"
"""How the origin of a refresh token begins that a consent gave, and no configured token."""
_DEAD_MAX: Final = 16
"""Refresh tokens that are remembered as used up."""
_MILLISECONDS_FROM: Final = 1e11
"""A number of seconds since 1970 that is larger is one of milliseconds."""
_NUMBER: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a provider granted."""

    access: Secret
    lifetime_s: float | None = None
    """Seconds from the request on; None where it is used until it is refused."""
    ends_at_s: float | None = None
    """Unix time in seconds of its end, where the provider says that instead."""
    refresh: Secret | None = None
    """The next refresh token; None where the old one stays."""
    base_url: str = ""
    """Where the account's calls go, where the reply says it."""
    scopes: tuple[str, ...] | None = None
    """What was granted, where the reply says it."""


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
    """What ``refresh`` came from: the digest of a refresh token as it was configured, or, behind
    :data:`BY_CONSENT`, of those to whom a person gave consent."""
    dead: tuple[str, ...] = ()
    """Digests of configured refresh tokens that newer ones have replaced, newest last."""
    base_url: str = ""
    """Where calls with ``access`` go, where the reply said it."""
    scopes: tuple[str, ...] = ()
    """What was asked for when consent was given."""
    granted: tuple[str, ...] | None = None
    """What was granted then, where the provider said it."""
    consented_at: float | None = None
    """Unix time in seconds of the last consent that was given to us."""

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
        self,
        token: Token,
        *,
        asked_as: str,
        received_at_s: float,
        given: Secret | None,
        by_consent: bool = False,
    ) -> Kept:
        """Return what is kept after a grant.

        Args:
            token: The grant.
            asked_as: Digest of its request.
            received_at_s: Unix time at which it came.
            given: The configured refresh token, None for a grant without one.
            by_consent: Whether it was asked for with the refresh token of a consent.
        """
        refresh, origin, dead = self.refresh, self.origin, self.dead
        if by_consent:
            refresh = token.refresh or refresh
        elif given is not None and token.refresh is not None:
            dead = self._bury(digest_of(given))
            refresh, origin = token.refresh, digest_of(given)
        return replace(
            self,
            access=token.access,
            expires_at=_end_of(token, received_at_s),
            asked_as=asked_as,
            refresh=refresh,
            origin=origin,
            dead=dead,
            base_url=token.base_url,
        )

    def with_consent(
        self, token: Token, *, origin: str, scopes: tuple[str, ...], received_at_s: float
    ) -> Kept:
        """Return what is kept after a person gave consent: nothing of an earlier one.

        Args:
            token: What it gave.
            origin: To whom it was given.
            scopes: What was asked for.
            received_at_s: Unix time at which it came.
        """
        return Kept(
            access=token.access,
            expires_at=_end_of(token, received_at_s),
            asked_as=origin,
            refresh=token.refresh,
            origin=origin,
            dead=self._bury(origin),
            base_url=token.base_url,
            scopes=scopes,
            granted=token.scopes,
            consented_at=received_at_s,
        )

    def _bury(self, origin: str) -> tuple[str, ...]:
        """Return the dead, with the configured token that another origin takes the place of."""
        if self.origin in ("", origin) or self.origin.startswith(BY_CONSENT):
            return self.dead
        return (*self.dead, self.origin)[-_DEAD_MAX:]

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
                    "base_url": self.base_url,
                    "scopes": list(self.scopes),
                    "granted": None if self.granted is None else list(self.granted),
                    "consented_at": self.consented_at,
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
            granted = found.get("granted")
            return cls(
                access=None if access is None else Secret(access),
                expires_at=found["expires_at"],
                asked_as=found["asked_as"],
                refresh=None if refresh is None else Secret(refresh),
                origin=found["origin"],
                dead=tuple(found["dead"]),
                base_url=found.get("base_url", ""),
                scopes=tuple(found.get("scopes", ())),
                granted=None if granted is None else tuple(granted),
                consented_at=found.get("consented_at"),
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


def read_lifetime(value: Json, per_second: int = 1) -> float | None:
    """Return how long a token lives, in seconds, of a number or text; None where it is not said.

    Args:
        value: As it came.
        per_second: How many of its units are a second.

    Zero and less count as not said: providers write them where a token does not run out. What
    cannot be read does as well, as a refused token is renewed anyway.
    """
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        return None
    return None if value > LIFETIME_MAX_S * per_second else value / per_second


def read_end(value: Json) -> float | None:
    """Return when a token ends, as Unix time in seconds; None where it cannot be read.

    Args:
        value: A date and time with its zone, in the notation of RFC 3339 or of a mail; without a
            zone it is UTC. Or a number of seconds or of milliseconds since 1970.
    """
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        return _read_date(value.strip())
    seconds = float(value) if isinstance(value, str) else value
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not seconds > 0:
        return None
    seconds = seconds / 1000 if seconds >= _MILLISECONDS_FROM else float(seconds)
    return None if seconds >= _MILLISECONDS_FROM else seconds


def _read_date(text: str) -> float | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text)
            at = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
            return at.timestamp()
        except (ValueError, OverflowError):
            continue
    return None


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
    """Return the secrets that a request carries in its headers, query and body."""
    body = request.body
    pairs: Mapping[str, Json] = dict(body.pairs) if isinstance(body, FormBody) else {}
    if isinstance(body, JsonBody) and isinstance(body.value, Mapping):
        pairs = body.value
    values = {**request.headers, **dict(request.query), **pairs}
    return {name: value for name, value in values.items() if isinstance(value, Secret)}


def _one_line(value: Json, hidden: Mapping[str, Json]) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    line = " ".join(mask(str(value), hidden).split())[:SAID_MAX]
    return UNPRINTABLE.sub(lambda found: escape_character(found.group()), line)


def _end_of(token: Token, received_at_s: float) -> float | None:
    lifetime_s = token.lifetime_s
    if token.ends_at_s is not None:
        lifetime_s = max(0.0, token.ends_at_s - received_at_s)
    if lifetime_s is None:
        return None
    return received_at_s + lifetime_s - min(SKEW_S, lifetime_s * SKEW_FRACTION)
