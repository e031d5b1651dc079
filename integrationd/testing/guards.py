"""Who may ask a played provider: every way of saying so, seen from the other side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.testing import routes
from integrationd.wire import showing
from integrationd.wire.auth.authenticator import Auth, Authenticator, Signer, authorize
from integrationd.wire.messages import Answer, Call, Request


class Guard(Protocol):
    """Looks at each call before it is answered."""

    def answer(self, call: Call, now_s: float) -> Answer | None:
        """Answer a call of its own, as one for a token; None for all others."""

    def admits(self, call: Call, now_s: float) -> bool:
        """Tell whether a call says rightly who asks."""

    @property
    def gives(self) -> bool:
        """Tell whether it gives something that ends, a token or a session."""

    def is_own(self, call: Call) -> bool:
        """Tell whether a call asks for that."""

    def challenge(self) -> Mapping[str, str]:
        """Return the headers of a 401."""

    def revoke(self) -> None:
        """Take back what was given, if anything was."""


@dataclass(frozen=True, slots=True)
class PlainGuard:
    """Wants the very credentials that the spec sends, the same each time."""

    auth: Authenticator
    variables: Mapping[str, Json]

    def answer(self, call: Call, now_s: float) -> Answer | None:
        """Return None: there is nothing to ask for first."""
        _ = call, now_s
        return None

    def admits(self, call: Call, now_s: float) -> bool:
        """Tell whether the credentials are there."""
        _ = now_s
        return carries(call, self.auth, self.variables)

    @property
    def gives(self) -> bool:
        """Return False."""
        return False

    def is_own(self, call: Call) -> bool:
        """Return False."""
        _ = call
        return False

    def challenge(self) -> Mapping[str, str]:
        """Return none."""
        return {}

    def revoke(self) -> None:
        """Do nothing: what was never given cannot be taken back."""


def carries(call: Call, auth: Authenticator, variables: Mapping[str, Json]) -> bool:
    """Tell whether a call carries exactly the credentials that the spec would send."""
    expected = auth.apply(Request(method=call.method, url="http://player.invalid/"), variables)
    pairs = [(name, reveal(value)) for name, value in expected.query]
    return (
        all(_has_header(call, name, reveal(text)) for name, text in expected.headers.items())
        and all(pair in call.query for pair in pairs)
        and routes.holds_body(call, expected, {})
    )


def credential_names(auth: Auth, variables: Mapping[str, Json]) -> frozenset[str]:
    """Return the query parameters that credentials take."""
    bare = Request(method="GET", url="http://player.invalid/")
    if isinstance(auth, Signer):
        variables = {**variables, "secrets": showing.stand_ins(variables["secrets"])}
    return frozenset(name for name, _ in authorize(auth, bare, variables, showing.STAND_IN).query)


def _has_header(call: Call, name: str, wanted: str) -> bool:
    found = call.headers.get(name, "")
    if name == "cookie":
        return {part.strip() for part in wanted.split(";")} <= {
            part.strip() for part in found.split(";")
        }
    return found == wanted
