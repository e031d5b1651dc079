"""No paging: one answer holds all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from integrationd.model.json import Json
from integrationd.wire.messages import Page, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPaging:
    """Read one page and end."""

    kind: ClassVar[str] = "none"
    positional: ClassVar[bool] = False
    rereads: ClassVar[bool] = False

    def apply(self, request: Request, token: Json) -> Request:
        """Return the request as it is."""
        _ = token
        return request

    def advance(self, token: Json, page: Page) -> Json:
        """End after the first page."""
        _ = token, page

    def total(self, page: Page) -> int | None:
        """Return the page's own count, which is all there is."""
        return page.count
