"""A shared text that the sender shows."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from integrationd.config.decode import INVALID, Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.errors import SignatureError
from integrationd.model.json import Json
from integrationd.wire import signable
from integrationd.wire.inbound.candidates import Source
from integrationd.wire.inbound.fetched import NOTHING, Fetched
from integrationd.wire.inbound.keys import SharedKeys
from integrationd.wire.messages import Call, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Token(Source):
    """Where the sender shows the token."""

    what: ClassVar[str] = "a token"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenVerifier(SharedKeys):
    """Accept what shows a shared token. Nothing is signed: whoever sees one call can make others.

    GitLab's:

        verify:
          type: token
          keys: ["{{ secrets.token }}"]
          token: {from: header.x-gitlab-token}

    Source:
        GitLab, "Webhooks", X-Gitlab-Token; CloudEvents "HTTP 1.1 Web Hooks" section 3.
    """

    kind: ClassVar[str] = "token"

    token: Token
    """Where the token stands; with ``prefix: "Bearer "`` in ``header.authorization``."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse an empty list of keys."""
        return INVALID if self.tell_empty(node, site) else None

    def verify(
        self,
        call: Call,
        variables: Mapping[str, Json],
        now: datetime,
        fetched: Fetched = NOTHING,
    ) -> None:
        """Return when the call shows one of the tokens.

        Raises:
            SignatureError: It does not.
            SecretError: A token is empty: the endpoint stays closed.
        """
        _ = fetched
        # Digests are compared, so that time does not tell the length either.
        keys = [hashlib.sha256(key).digest() for key in self.read_keys(call, variables, now)]
        self.demand(call, variables)
        matches = False
        for text in self.token.read_texts(call):
            shown = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
            for key in keys:
                matches |= hmac.compare_digest(shown, key)
        if not matches:
            where = " or ".join(map(str, self.token.places))
            raise SignatureError(f"the token in {where} is not the one that is expected")

    def sign(
        self, request: Request, body: bytes, variables: Mapping[str, Json], now: datetime
    ) -> Request:
        """Return the request with the newest token; raises SecretError where it is empty."""
        _ = body
        key = self.read_keys(None, variables, now)[0]
        return self.token.put(request, signable.as_text(key))
