"""What a person can do about an answer that says no, to end its message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from integrationd.wire.judge import Outcome

_FORBIDDEN: Final = 403
_MISSING: Final = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedies:
    """What of an integration may be wrong where its provider refuses."""

    asks_as_nobody: bool
    """Whether it is ``none``."""
    where: str = "http.auth"
    """Where the file says who asks."""
    secrets: tuple[str, ...] = ()
    """Names that ``http.auth`` is made of."""
    by_consent: bool = False
    """Whether a person gave consent to what is asked."""

    def hint(self, outcome: Outcome) -> str:
        """Return what to look at, behind a semicolon; empty where nobody knows."""
        if outcome.kind == "auth":
            return f"; {self._about_credentials(outcome)}"
        if outcome.status == _MISSING:
            return "; there is no such thing, or the path or http.base_url is wrong"
        return ""

    def _about_credentials(self, outcome: Outcome) -> str:
        if self.asks_as_nobody:
            return (
                f"no credentials were sent, say under {self.where} which ones this provider wants"
            )
        if self.by_consent:
            return (
                "look at the rights of the person who gave consent and at "
                f"{self.where}.scopes; log in again for what changed there"
            )
        what = " and ".join(f"secrets.{name}" for name in self.secrets) or self.where
        if outcome.status == _FORBIDDEN:
            return f"look at the rights (role, scopes) of the account behind {what}"
        return f"the credentials are not accepted, look at {what}"
