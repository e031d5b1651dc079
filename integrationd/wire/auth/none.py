"""No credentials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from integrationd.model.json import Json
from integrationd.wire.messages import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class NoAuth:
    """Ask as nobody."""

    kind: ClassVar[str] = "none"

    def apply(self, request: Request, variables: Mapping[str, Json]) -> Request:
        """Return the request as it is."""
        _ = variables
        return request
