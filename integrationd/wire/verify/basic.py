"""A user name and a password, as HTTP has them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from integrationd.config.decode import SECRET
from integrationd.errors import SignatureError
from integrationd.model.json import Json
from integrationd.transform.template import Template
from integrationd.wire.credentials import CONSTANTS, USUAL_PLACE, render_secret
from integrationd.wire.inbound.candidates import Encoding
from integrationd.wire.inbound.checks import Demands
from integrationd.wire.inbound.fetched import NOTHING, Fetched
from integrationd.wire.messages import Call, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicVerifier(Demands):
    """Accept what logs in with a user name and a password. Nothing is signed.

    Source:
        RFC 7617. Chargebee, Postmark and others offer it.
    """

    kind: ClassVar[str] = "basic"

    username: Annotated[Template, CONSTANTS]
    """The user name."""
    password: Annotated[Template, CONSTANTS, SECRET]
    """The password."""

    def verify(
        self,
        call: Call,
        variables: Mapping[str, Json],
        now: datetime,
        fetched: Fetched = NOTHING,
    ) -> None:
        """Return when the call has the right ``Authorization``.

        Raises:
            SignatureError: It does not.
            SecretError: The name or the password is empty: the endpoint stays closed.
        """
        _ = now, fetched
        wanted = hashlib.sha256(self._pair(variables)).digest()
        self.demand(call, variables)
        scheme, _, text = (USUAL_PLACE.take(call) or "").partition(" ")
        if scheme.lower() != "basic":
            raise SignatureError(f"{USUAL_PLACE} is missing or none of Basic")
        shown = Encoding.BASE64.read(text.strip())
        if shown is None or not hmac.compare_digest(hashlib.sha256(shown).digest(), wanted):
            raise SignatureError(f"{USUAL_PLACE} has another user name or password")

    def sign(
        self, request: Request, body: bytes, variables: Mapping[str, Json], now: datetime
    ) -> Request:
        """Return the request with the header; raises SecretError where a part is empty."""
        _ = body, now
        encoded = base64.b64encode(self._pair(variables)).decode()
        return USUAL_PLACE.put(request, f"Basic {encoded}")

    def _pair(self, variables: Mapping[str, Json]) -> bytes:
        name = render_secret(self.username, variables, "verify.username")
        password = render_secret(self.password, variables, "verify.password")
        return f"{name.reveal()}:{password.reveal()}".encode()
