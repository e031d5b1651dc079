"""The token endpoint of a played provider: who may have a token, and which one is good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from integrationd.errors import IntegrationError, UsageError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.testing import guards, signatures
from integrationd.testing.options import PlayOptions
from integrationd.testing.replies import ReplyBuilder
from integrationd.transform.inverse import merge
from integrationd.wire import jws, texts
from integrationd.wire.assertions import Assertion
from integrationd.wire.attempt import Attempt
from integrationd.wire.auth.oauth2 import OAuth2Auth
from integrationd.wire.credentials import render_secret
from integrationd.wire.decoding import decode_loosely
from integrationd.wire.encoding import encode
from integrationd.wire.grant_types import SendAs
from integrationd.wire.messages import Answer, Call

_CLIENT: Final = ("client_id", "client_secret", "client_assertion")
NEVER: Final = "2100-01-01T00:00:00Z"
"""A player has no calendar: a token whose end is a date ends by being refused."""


@dataclass(slots=True, kw_only=True)
class TokenBooth:
    """Grants tokens for the credentials that the spec would send, and knows them again."""

    auth: OAuth2Auth
    variables: Mapping[str, Json] = field(repr=False)
    """``config`` and the made-up ``secrets``."""
    options: PlayOptions
    origin: str
    """Where the player is reached."""
    path: str = field(init=False)
    """Of the token endpoint, decoded."""
    refresh: str | None = None
    """The refresh token that is good now; None while any of its own line is taken for that."""
    granted: int = 0
    _ends: dict[str, float] = field(default_factory=dict)
    _used: set[str] = field(default_factory=set)
    """The ids of signed tokens that were handed in."""

    def __post_init__(self) -> None:
        """Find the endpoint, and make a reply to see whether that can be done.

        Raises:
            UsageError: The spec reads the reply in a way that cannot be turned round.
        """
        url = self.auth.token_url.render_text(self.variables)
        self.path = unquote(urlsplit(reveal(url or "")).path or "/")
        self._reply("access", "refresh")

    def answer(self, call: Call, now_s: float) -> Answer | None:
        """Answer a request for a token; None where the call is another one."""
        if not self.is_own(call):
            return None
        fault = self._find_fault(call)
        if fault is not None:
            error, said = fault
            is_client = error == "invalid_client"
            status = HTTPStatus.UNAUTHORIZED if is_client else HTTPStatus.BAD_REQUEST
            return _answer(call, {"error": error, "error_description": said}, status=status)
        self.granted += 1
        access = f"play-token-{self.granted}"
        self._ends[access] = now_s + self.options.token_lifetime_s
        refresh = None
        given = self._given()
        if given is not None and self.options.rotate_tokens:
            sent = self._fields(call.url, call.body).get("refresh_token", given)
            refresh = self.refresh = f"{given}.{_number(sent, given) + 1}"
        reply = self._reply(access, refresh)
        return _answer(call, reply["body"], status=reply["status"], headers=reply["headers"])

    def admits(self, call: Call, now_s: float) -> bool:
        """Tell whether a call carries a token that was granted here and has not ended."""
        self._ends = {token: end for token, end in self._ends.items() if end > now_s}
        return any(
            guards.carries(call, self.auth, {**self.variables, "token": Secret(token)})
            for token in self._ends
        )

    @property
    def gives(self) -> bool:
        """Return True."""
        return True

    def is_own(self, call: Call) -> bool:
        """Tell whether a call asks for a token."""
        return call.method == "POST" and call.path == self.path

    def challenge(self) -> Mapping[str, str]:
        """Return what a bearer of a bad token is told, RFC 6750 section 3."""
        return {"www-authenticate": 'Bearer error="invalid_token"'}

    def revoke(self) -> None:
        """Let every token end."""
        self._ends.clear()

    def _given(self) -> str | None:
        given = self.auth.given_refresh_token(self.variables)
        return None if given is None else given.reveal()

    def _find_fault(self, call: Call) -> tuple[str, str] | None:
        """Return an error of RFC 6749 section 5.2 and what is wrong, None where nothing is."""
        expected = encode(self.auth.token_request(self.variables, None))
        form = self._fields(call.url, call.body)
        for name, value in self._fields(expected.url, expected.body or b"").items():
            signer = self._signers.get(name)
            sent = form.get(name)
            if not (sent == value if signer is None else self._is_signed(signer, name, sent)):
                error = "invalid_client" if name in _CLIENT else "invalid_request"
                return error, f"{name} is missing or another one"
        for name, value in expected.headers.items():
            if name not in ("content-type", "accept") and call.headers.get(name) != value:
                error = "invalid_client" if name == "authorization" else "invalid_request"
                return error, f"header {name} is missing or another one"
        given = self._given()
        if given is None:
            return None
        sent = form.get("refresh_token", "")
        good = _number(sent, given) >= 0 if self.refresh is None else sent == self.refresh
        return None if good else ("invalid_grant", "the refresh token is not good any more")

    @property
    def _signers(self) -> Mapping[str, Assertion]:
        """Return what signs a field that is new each time."""
        named = {"assertion": self.auth.assertion, "client_assertion": self.auth.client_assertion}
        return {name: signer for name, signer in named.items() if signer is not None}

    def _is_signed(self, signer: Assertion, name: str, token: Json) -> bool:
        """Tell whether a token says what the spec has it say, signed by its key, for once."""
        try:
            claims = signatures.read_claims(token if isinstance(token, str) else "")
            end = claims.get("exp", 0) - int(signer.lifetime.total_seconds())
            at = datetime.fromtimestamp(claims.get("iat", end), UTC)
            attempt = Attempt(at=at, nonce=str(claims.get("jti", "")))
            made = encode(self.auth.token_request(self.variables, None, attempt))
            expected = str(self._fields(made.url, made.body or b"").get(name))
            key = render_secret(signer.key, self.variables, f"auth.{name}.key")
            own = key.reveal().encode() if signer.algorithm.is_shared else key
            is_own = jws.is_signed(signer.algorithm, own, token, f"auth.{name}.key")
        except (ValueError, TypeError, OverflowError, IntegrationError):
            return False
        same = expected.rpartition(".")[0] == token.rpartition(".")[0]
        is_new = "jti" not in claims or claims["jti"] not in self._used
        if same and is_own and is_new:
            self._used.add(str(claims.get("jti", "")))
        return same and is_own and is_new

    def _fields(self, url: str, body: bytes) -> dict[str, Json]:
        """Return the fields of a token request, wherever they stand."""
        if self.auth.send_as is SendAs.JSON:
            found = decode_loosely(body)
            return found if isinstance(found, dict) else {}
        text = urlsplit(url).query if self.auth.send_as is SendAs.QUERY else _text(body)
        return dict(parse_qsl(text, keep_blank_values=True))

    def _reply(self, access: str, refresh: str | None) -> Mapping[str, Json]:
        """Make a reply in which the spec finds what it looks for."""
        builder = ReplyBuilder("http.auth")
        builder.tree = {"body": {}}
        lifetime_s = max(1, round(self.options.token_lifetime_s))
        values: dict[str, Json] = {
            "access_token": access,
            "expires_in": lifetime_s,
            "refresh_token": refresh,
        }
        reply = self.auth.reply
        builder.wish(reply.expires_in_ms, lifetime_s * 1000)
        builder.wish(reply.expires_at, NEVER)
        builder.wish(reply.base_url, self.origin)
        plain: dict[str, Json] = {"token_type": "Bearer"}
        for name, value in values.items():
            expression = getattr(self.auth.reply, name)
            if value is not None and expression is not None:
                builder.wish(expression, value)
            elif value is not None:
                plain[name] = value
        body = builder.tree["body"] if isinstance(builder.tree, dict) else None
        if isinstance(body, dict):
            builder.tree = merge(builder.tree, {"body": plain})
        elif len(plain) > 1:
            raise UsageError("http.auth cannot be played: its token reply is no object")
        return builder.build()


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def _number(sent: str, given: str) -> int:
    """Return how often a refresh token was rotated, -1 where it is none of this line."""
    if sent == given:
        return 0
    start, _, number = sent.rpartition(".")
    return int(number) if start == given and number.isascii() and number.isdigit() else -1


def _answer(
    call: Call, body: Json, *, status: int, headers: Mapping[str, str] | None = None
) -> Answer:
    return Answer(
        status=status,
        headers={
            "content-type": "application/json",
            "cache-control": "no-store",
            **(headers or {}),
        },
        body=texts.dump_json(body).encode(),
        url=call.url,
    )
