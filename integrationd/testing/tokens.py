"""The token endpoint of a played provider: who may have a token, and which one is good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from urllib.parse import unquote, urlsplit

from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.testing import guards
from integrationd.testing.inspecting import (
    USED_UP,
    Inspector,
    Wrong,
    answer_json,
    refuse_token,
)
from integrationd.testing.options import PlayOptions
from integrationd.testing.replies import ReplyBuilder
from integrationd.transform.inverse import merge
from integrationd.wire.attempt import Attempt
from integrationd.wire.auth.oauth2 import OAuth2Auth
from integrationd.wire.messages import Answer, Call, Request

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
    inspector: Inspector = field(init=False)

    def __post_init__(self) -> None:
        """Find the endpoint, and make a reply to see whether that can be done.

        Raises:
            UsageError: The spec reads the reply in a way that cannot be turned round.
        """
        self.inspector = Inspector(self.auth, self.variables)
        url = self.auth.token_url.render_text(self.variables)
        self.path = unquote(urlsplit(reveal(url or "")).path or "/")
        self._reply("access", "refresh")

    def answer(self, call: Call, now_s: float) -> Answer | None:
        """Answer a request for a token; None where the call is another one."""
        if not self.is_own(call):
            return None
        wrong = self._find_fault(call)
        if wrong is not None:
            return refuse_token(call, wrong)
        refresh = None
        given = self._given()
        if given is not None and self.options.rotate_tokens:
            sent = str(self.inspector.fields(call.url, call.body).get("refresh_token", given))
            refresh = self.refresh = f"{given}.{_number(sent, given) + 1}"
        return self.grant(call, refresh, now_s)

    def grant(self, call: Call, refresh: str | None, now_s: float) -> Answer:
        """Answer a call with a new token, and a refresh token where there is one."""
        self.granted += 1
        access = f"play-token-{self.granted}"
        self._ends[access] = now_s + self.options.token_lifetime_s
        reply = self._reply(access, refresh)
        return answer_json(call, reply["body"], status=reply["status"], headers=reply["headers"])

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

    def _find_fault(self, call: Call) -> Wrong | None:
        """Return what is wrong with a request for a token, None where nothing is."""
        wrong = self.inspector.find_wrong(call, partial(self._made, None))
        given = self._given()
        if wrong is not None or given is None:
            return wrong
        sent = str(self.inspector.fields(call.url, call.body).get("refresh_token", ""))
        good = _number(sent, given) >= 0 if self.refresh is None else sent == self.refresh
        return None if good else USED_UP

    def _made(self, refresh: Secret | None, attempt: Attempt | None) -> Request:
        return self.auth.token_request(self.variables, refresh, attempt)

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


def _number(sent: str, given: str) -> int:
    """Return how often a refresh token was rotated, -1 where it is none of this line."""
    if sent == given:
        return 0
    start, _, number = sent.rpartition(".")
    return int(number) if start == given and number.isascii() and number.isdigit() else -1
