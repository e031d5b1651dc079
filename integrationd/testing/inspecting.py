"""Requests for tokens, looked at from the other side: whether one is what the spec would send."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from integrationd.errors import IntegrationError
from integrationd.model.json import Json
from integrationd.testing import signatures
from integrationd.wire import jws, texts
from integrationd.wire.assertions import Assertion
from integrationd.wire.attempt import Attempt
from integrationd.wire.auth.oauth2 import OAuth2Auth
from integrationd.wire.credentials import render_secret
from integrationd.wire.decoding import decode_loosely
from integrationd.wire.encoding import encode
from integrationd.wire.grant_types import SendAs
from integrationd.wire.messages import Answer, Call, Request

_CLIENT: Final = ("client_id", "client_secret", "client_assertion")
Make: TypeAlias = Callable[[Attempt | None], Request]
"""Builds the request as the spec has it; an attempt is what signed parts are made of."""


class Wrong(NamedTuple):
    """Why there is no token."""

    error: str
    """A word of RFC 6749 section 5.2."""
    said: str
    """What is wrong, for people."""


USED_UP: Final = Wrong("invalid_grant", "the refresh token is not good any more")


@dataclass(slots=True)
class Inspector:
    """Compares what comes with what the spec sends; a signed part is taken once."""

    auth: OAuth2Auth
    variables: Mapping[str, Json] = field(repr=False)
    """``config`` and the made-up ``secrets``."""
    _used: set[str] = field(default_factory=set)
    """The ids of signed tokens that were handed in."""

    def find_wrong(self, call: Call, make: Make) -> Wrong | None:
        """Return what is another in a call than in the request of the spec; None for nothing."""
        expected = encode(make(None))
        sent = self.fields(call.url, call.body)
        for name, value in self.fields(expected.url, expected.body or b"").items():
            signer = self._signers.get(name)
            found = sent.get(name)
            if not (
                found == value if signer is None else self._is_signed(signer, name, found, make)
            ):
                error = "invalid_client" if name in _CLIENT else "invalid_request"
                return Wrong(error, f"{name} is missing or another one")
        for name, text in expected.headers.items():
            if name not in ("content-type", "accept") and call.headers.get(name) != text:
                error = "invalid_client" if name == "authorization" else "invalid_request"
                return Wrong(error, f"header {name} is missing or another one")
        return None

    def fields(self, url: str, body: bytes) -> dict[str, Json]:
        """Return the fields of a token request, wherever they stand."""
        if self.auth.send_as is SendAs.JSON:
            found = decode_loosely(body)
            return found if isinstance(found, dict) else {}
        is_query = self.auth.send_as is SendAs.QUERY
        text = urlsplit(url).query if is_query else body.decode("utf-8", "replace")
        return dict(parse_qsl(text, keep_blank_values=True))

    @property
    def _signers(self) -> Mapping[str, Assertion]:
        """Return what signs a field that is new each time."""
        named = {"assertion": self.auth.assertion, "client_assertion": self.auth.client_assertion}
        return {name: signer for name, signer in named.items() if signer is not None}

    def _is_signed(self, signer: Assertion, name: str, token: Json, make: Make) -> bool:
        """Tell whether a token says what the spec has it say, signed by its key, for once."""
        try:
            claims = signatures.read_claims(token if isinstance(token, str) else "")
            end = claims.get("exp", 0) - int(signer.lifetime.total_seconds())
            at = datetime.fromtimestamp(claims.get("iat", end), UTC)
            made = encode(make(Attempt(at=at, nonce=str(claims.get("jti", "")))))
            expected = str(self.fields(made.url, made.body or b"").get(name))
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


def refuse_token(call: Call, wrong: Wrong) -> Answer:
    """Return the answer of a token endpoint that says no, RFC 6749 section 5.2."""
    is_client = wrong.error == "invalid_client"
    status = HTTPStatus.UNAUTHORIZED if is_client else HTTPStatus.BAD_REQUEST
    return answer_json(call, {"error": wrong.error, "error_description": wrong.said}, status=status)


def answer_json(
    call: Call, body: Json, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    """Return an answer that nobody on the way may keep."""
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
