"""What every way of proving a sender offers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Protocol

from integrationd.model.json import Json
from integrationd.wire.inbound.fetched import NOTHING, Fetched
from integrationd.wire.messages import Call, Request


class Verifier(Protocol):
    """Checks inbound calls, and signs like the sender so that one can be played."""

    kind: ClassVar[str]

    @property
    def covers_body(self) -> bool:
        """Tell whether another body would be refused, as far as a file shows it."""
        ...

    def addresses(self, call: Call, variables: Mapping[str, Json]) -> tuple[str, ...]:
        """Return what has to be fetched before the call can be verified.

        Raises:
            SignatureError: The call names an address that is not allowed.
            SecretError: The file gives no address.
        """
        ...

    def verify(
        self,
        call: Call,
        variables: Mapping[str, Json],
        now: datetime,
        fetched: Fetched = NOTHING,
    ) -> None:
        """Return when the call is authentic.

        Args:
            call: As it came.
            variables: ``config`` and ``secrets``.
            now: When it came, not when it is looked at.
            fetched: What lay at :meth:`addresses`.

        Raises:
            SignatureError: Which check failed; never the signature that was expected.
            SecretError: No key is configured: the endpoint stays closed (503).
        """
        ...

    def sign(
        self, request: Request, body: bytes, variables: Mapping[str, Json], now: datetime
    ) -> Request:
        """Return the request as the sender would sign it with its newest key.

        Args:
            request: Without a signature.
            body: What it carries where it has none itself.
            variables: ``config`` and ``secrets``.
            now: The time that is written into it.

        Raises:
            SecretError: No key is configured, or only the sender can sign.
        """
        ...
