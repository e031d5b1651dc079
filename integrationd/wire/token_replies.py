"""What a token endpoint answers, read as a file says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import urlsplit

from integrationd.config.decode import Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.config.problems import shorten
from integrationd.errors import ExpressionError, PageShapeError
from integrationd.model.json import Json
from integrationd.model.secret import Secret
from integrationd.transform.expression import Expression
from integrationd.transform.printing import describe
from integrationd.transform.scopes import Scope
from integrationd.wire import grants
from integrationd.wire.grants import Token
from integrationd.wire.tokens import REPLY

_CONFIG: Final = Scope(("config",))
_LONGEST: Final = grants.TOKEN_CHARACTERS_MAX
_BEARER: Final = ("bearer", "")
_ENDS: Final = ("expires_in", "expires_in_ms", "expires_at")
_PLAIN: Final = ("access_token", "expires_in", "refresh_token")
"""What a reply has of itself, RFC 6749 section 5.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReply:
    """Where a token reply has what; expressions over ``{status, headers, body}``."""

    access_token: Annotated[Expression | None, REPLY, _CONFIG] = None
    """The token; ``body.access_token`` by default."""
    expires_in: Annotated[Expression | None, REPLY, _CONFIG] = None
    """The seconds that it lives, a number or text; ``body.expires_in`` by default."""
    expires_in_ms: Annotated[Expression | None, REPLY, _CONFIG] = None
    """The milliseconds that it lives, instead."""
    expires_at: Annotated[Expression | None, REPLY, _CONFIG] = None
    """When it ends, instead: a date and time, or a number of seconds or milliseconds since 1970."""
    refresh_token: Annotated[Expression | None, REPLY, _CONFIG] = None
    """The next refresh token; ``body.refresh_token`` by default."""
    base_url: Annotated[Expression | None, REPLY, _CONFIG] = None
    """Where this account's calls go, ``body.instance_url``; ``http.base_url`` has it as
    ``{{ token.base_url }}``. Its host must be among ``http.hosts``."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse two ways to say when a token ends."""
        first, *more = [name for name in _ENDS if name in node.entries] or [""]
        for name in more:
            message = f"{site.name} has both {first!r} and {name!r}, expected one of them"
            return site.refuse(node.key_position(name), "E114", message)
        return None

    def find(self, reply: Mapping[str, Json], variables: Mapping[str, Json]) -> dict[str, Json]:
        """Look for everything; what is not there is None.

        Raises:
            PageShapeError: An expression cannot be used on this reply.
        """
        body = reply["body"]
        plain: Mapping[str, Json] = body if isinstance(body, dict) else {}
        found: dict[str, Json] = {}
        for name in ("access_token", *_ENDS, "refresh_token", "base_url"):
            own: Expression | None = getattr(self, name)
            try:
                if own is not None:
                    found[name] = own.search(dict(reply), variables)
                else:
                    found[name] = plain.get(name) if name in _PLAIN else None
            except ExpressionError as wrong:
                raise PageShapeError(f"auth.reply.{name} cannot be read: {wrong}") from None
        return found

    def build(
        self, found: Mapping[str, Json], body: Json, *, has_prefix: bool, is_plain: bool
    ) -> Token:
        """Make the token of what was found.

        Args:
            found: By :meth:`find`.
            body: Of the reply.
            has_prefix: Whether the file says how a token is sent, of whatever type it is.
            is_plain: Whether tokens are asked for without TLS, so that calls may be made so too.

        Raises:
            PageShapeError: There is no token, or none that can be used.
        """
        access, refresh = found["access_token"], found["refresh_token"]
        if not isinstance(access, str) or not access:
            own = self.access_token
            place = "body.access_token" if own is None else own.text
            raise PageShapeError(
                f"the token reply has {describe(access)} at {place}, expected a token as text; say "
                "under http.auth.reply where it stands"
            )
        if max(len(access), len(refresh) if isinstance(refresh, str) else 0) > _LONGEST:
            raise PageShapeError(
                f"the token reply has a token of more than {_LONGEST} characters, which is not used"
            )
        kind = body.get("token_type") if isinstance(body, dict) else None
        if not has_prefix and isinstance(kind, str) and kind.strip().lower() not in _BEARER:
            raise PageShapeError(
                f"the token reply has a token of type {shorten(kind)}, expected Bearer; set "
                "http.auth.prefix where it is to be sent all the same"
            )
        lifetime_s = grants.read_lifetime(found["expires_in"])
        if self.expires_in_ms is not None:
            lifetime_s = grants.read_lifetime(found["expires_in_ms"], per_second=1000)
        return Token(
            access=Secret(access),
            lifetime_s=None if self.expires_at is not None else lifetime_s,
            ends_at_s=grants.read_end(found["expires_at"]),
            refresh=Secret(refresh) if isinstance(refresh, str) and refresh else None,
            base_url=self._read_base_url(found["base_url"], is_plain=is_plain),
        )

    def _read_base_url(self, value: Json, *, is_plain: bool) -> str:
        """Return where calls go; which hosts may be called is seen to when they are made."""
        if self.base_url is None:
            return ""
        schemes = ("https", "http") if is_plain else ("https",)
        try:
            parts = urlsplit(value) if isinstance(value, str) else None
            is_good = parts is not None and parts.scheme in schemes and bool(parts.hostname)
            is_good = is_good and parts is not None and "@" not in parts.netloc
        except ValueError:
            is_good = False
        if not is_good:
            found = shorten(value) if isinstance(value, str) else describe(value)
            raise PageShapeError(
                f"the token reply has {found} at {self.base_url.text}, expected an address that "
                f"begins with {' or '.join(f'{scheme}://' for scheme in schemes)}"
            )
        assert isinstance(value, str)
        return value.partition("?")[0].partition("#")[0].rstrip("/")
