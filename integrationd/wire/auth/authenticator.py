"""What every way of saying who asks offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

from integrationd.model.json import Json
from integrationd.wire.messages import Request


class Authenticator(Protocol):
    """Adds credentials to a request; pure, as its templates are rendered from ``variables``."""

    kind: ClassVar[str]

    def apply(self, request: Request, variables: Mapping[str, Json]) -> Request:
        """Return the request with credentials; ``variables`` holds ``config`` and ``secrets``."""
        ...
