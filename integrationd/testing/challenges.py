"""Digest authentication from the other side: a challenge, and the answer to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from integrationd.errors import IntegrationError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.testing.signatures import bare_request
from integrationd.wire.attempt import Attempt
from integrationd.wire.auth.digest import DigestAuth
from integrationd.wire.challenges import parse_challenges, quote_text
from integrationd.wire.credentials import USUAL_PLACE
from integrationd.wire.messages import Answer, Call
from integrationd.wire.showing import STAND_IN

_CHALLENGES_MAX: Final = 100
"""Challenges that are good at the same time."""
_COUNT: Final = re.compile("[0-9a-f]{8}")


@dataclass(slots=True)
class DigestGuard:
    """Challenges whoever comes, and takes each answer once."""

    auth: DigestAuth
    variables: Mapping[str, Json]
    number: int = 0
    """Of the newest challenge."""
    _counts: dict[str, set[int]] = field(default_factory=dict)
    """The counts that came for each nonce that is good."""

    def answer(self, call: Call, now_s: float) -> Answer | None:
        """Return None: the challenge comes with a 401."""
        _ = call, now_s
        return None

    def admits(self, call: Call, now_s: float) -> bool:
        """Tell whether a call answers the challenge, counted on from the last."""
        _ = now_s
        header = call.headers.get("authorization", "")
        given = next((one.parameters for one in parse_challenges(header)), {})
        nonce, count = given.get("nonce", ""), given.get("nc", "")
        used = self._counts.get(nonce)
        if used is None or not _COUNT.fullmatch(count) or int(count, 16) in used:
            return False
        attempt = Attempt(
            at=STAND_IN.at,
            nonce=given.get("cnonce", ""),
            challenge=_challenge(nonce),
            count=int(count, 16),
        )
        try:
            signed = self.auth.sign(bare_request(call, USUAL_PLACE), self.variables, attempt)
        except IntegrationError:
            return False
        if reveal(signed.headers["authorization"]) != header:
            return False
        used.add(int(count, 16))
        return True

    @property
    def gives(self) -> bool:
        """Return True: a challenge ends."""
        return True

    def is_own(self, call: Call) -> bool:
        """Return False: a challenge comes with a 401."""
        _ = call
        return False

    def challenge(self) -> Mapping[str, str]:
        """Return a new challenge."""
        self.number += 1
        nonce = f"play-nonce-{self.number}"
        kept = list(self._counts.items())[-_CHALLENGES_MAX:]
        self._counts = {**dict(kept), nonce: set()}
        return {"www-authenticate": _challenge(nonce)}

    def revoke(self) -> None:
        """Take no challenge that was given before."""
        self._counts.clear()


def _challenge(nonce: str) -> str:
    parts = [f"realm={quote_text('played')}", f"nonce={quote_text(nonce)}"]
    return f'Digest {", ".join(parts)}, qop="auth", algorithm=SHA-256'
