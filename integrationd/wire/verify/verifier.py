"""What every way of proving a sender offers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Protocol

from integrationd.model.json import Json
from integrationd.wire.messages import Call, Request


class Verifier(Protocol):
    """Checks inbound calls, and signs like the sender so that one can be played."""

    kind: ClassVar[str]

    def verify(self, call: Call, variables: Mapping[str, Json], now: datetime) -> None:
        """Return when the call is authentic; ``variables`` holds ``config`` and ``secrets``.

        Raises:
            SignatureError: Which check failed; never the signature that was expected.
            SecretError: No key is configured: the endpoint stays closed (503).
        """
        ...

    def sign(self, request: Request, body: bytes, variables: Mapping[str, Json]) -> Request:
        """Return the request as the sender would sign it with its newest key."""
        ...
