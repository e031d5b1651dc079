"""Whether a person's consent is there, and for what the file asks now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from integrationd.engine.rows import format_time
from integrationd.model.json import Json
from integrationd.wire.consent import Terms
from integrationd.wire.grants import BY_CONSENT, Kept


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentState:
    """How a consent stands."""

    given_at: datetime | None = None
    """When it was given that holds now."""
    problem: str = ""
    """Why nothing can be asked until a person gives it; empty where it holds."""
    remark: str = ""
    """What a person should know though it holds."""

    def to_json(self) -> Json:
        """Return it as people see it."""
        return {
            "given_at": format_time(self.given_at),
            "problem": self.problem,
            "remark": self.remark,
        }


def judge_consent(name: str, terms: Terms, kept: Kept, now_s: float) -> ConsentState:
    """Tell how the consent for an integration stands.

    Args:
        name: The integration.
        terms: For what its file asks consent.
        kept: What the vault has.
        now_s: Unix time in seconds.
    """
    usable = kept.is_fresh(terms.origin, now_s)
    lack = "" if usable else find_lack(name, terms, kept)
    if lack:
        return ConsentState(problem=lack)
    at = None if kept.consented_at is None else datetime.fromtimestamp(kept.consented_at, UTC)
    new = [scope for scope in terms.scopes if scope not in kept.scopes]
    remark = ""
    if new:
        what = "scope" if len(new) == 1 else "scopes"
        remark = (
            f"the consent was given without the {what} {', '.join(new)}; where that is wanted: "
            f"{_how(name)}"
        )
    return ConsentState(given_at=at, remark=remark)


def find_lack(name: str, terms: Terms, kept: Kept) -> str:
    """Say why no token can be asked for; empty where there is a refresh token to do it with."""
    if not kept.origin.startswith(BY_CONSENT):
        return f"integration {name} has no consent yet; a person gives it with: {_how(name)}"
    if kept.origin != terms.origin:
        return (
            f"the consent for integration {name} was given to another client_id or token_url than "
            f"its file has now; a person gives it anew with: {_how(name)}"
        )
    if kept.refresh is None:
        return (
            f"the access token of integration {name} is not good any more, and its provider gave "
            "no refresh token with the consent, which some do only for a scope or a parameter "
            "(offline_access, access_type: offline); a person gives consent anew with: "
            f"{_how(name)}"
        )
    return ""


def _how(name: str) -> str:
    return f"integrationd auth login {name}"
