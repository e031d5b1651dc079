"""The token endpoint of a played provider: who may have a token, and which one is good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.model.secret import Secret, reveal
from integrationd.testing import routes
from integrationd.testing.options import PlayOptions
from integrationd.testing.replies import ReplyBuilder
from integrationd.transform.inverse import merge
from integrationd.wire import texts
from integrationd.wire.auth.oauth2 import OAuth2Auth
from integrationd.wire.encoding import encode
from integrationd.wire.messages import Answer, Call

_CLIENT: Final = ("client_id", "client_secret")


@dataclass(slots=True, kw_only=True)
class TokenBooth:
    """Grants tokens for the credentials that the spec would send, and knows them again."""

    auth: OAuth2Auth
    variables: Mapping[str, Json] = field(repr=False)
    """``config`` and the made-up ``secrets``."""
    options: PlayOptions
    path: str = field(init=False)
    """Of the token endpoint, decoded."""
    refresh: str | None = None
    """The refresh token that is good now; None while any of its own line is taken for that."""
    granted: int = 0
    _ends: dict[str, float] = field(default_factory=dict)

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
        if call.method != "POST" or call.path != self.path:
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
            sent = dict(_form(call)).get("refresh_token", given)
            refresh = self.refresh = f"{given}.{_number(sent, given) + 1}"
        reply = self._reply(access, refresh)
        return _answer(call, reply["body"], status=reply["status"], headers=reply["headers"])

    def is_authentic(self, call: Call, now_s: float) -> bool:
        """Tell whether a call carries a token that was granted here and has not ended."""
        self._ends = {token: end for token, end in self._ends.items() if end > now_s}
        return any(
            routes.is_authentic(call, self.auth, {**self.variables, "token": Secret(token)})
            for token in self._ends
        )

    def _given(self) -> str | None:
        given = self.auth.given_refresh_token(self.variables)
        return None if given is None else given.reveal()

    def _find_fault(self, call: Call) -> tuple[str, str] | None:
        """Return an error of RFC 6749 section 5.2 and what is wrong, None where nothing is."""
        expected = encode(self.auth.token_request(self.variables, None))
        form = dict(_form(call))
        wanted = parse_qsl((expected.body or b"").decode(), keep_blank_values=True)
        for name, value in wanted:
            if form.get(name) != value:
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

    def _reply(self, access: str, refresh: str | None) -> Mapping[str, Json]:
        """Make a reply in which the spec finds what it looks for."""
        builder = ReplyBuilder("http.auth")
        builder.tree = {"body": {}}
        values = {
            "access_token": access,
            "expires_in": max(1, round(self.options.token_lifetime_s)),
            "refresh_token": refresh,
        }
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


def _form(call: Call) -> list[tuple[str, str]]:
    return parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)


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
