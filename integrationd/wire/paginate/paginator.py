"""What every way of paging offers."""

from __future__ import annotations

from typing import ClassVar, Protocol

from integrationd.model.json import Json
from integrationd.wire.messages import Page, Request


class Paginator(Protocol):
    """Walks pages by tokens: JSON values that can be stored, so that a run resumes from one.

    The token of the first page is None. ``advance`` is pure: the same token and page always give
    the same answer, and None ends the walk.
    """

    kind: ClassVar[str]
    positional: ClassVar[bool]
    """Whether a token counts places in the list, so that it points elsewhere when rows move."""
    rereads: ClassVar[bool]
    """Whether a page may well be the one before, because it looks at its records itself."""

    def apply(self, request: Request, token: Json) -> Request:
        """Return the request for the page that ``token`` stands for."""
        ...

    def advance(self, token: Json, page: Page) -> Json:
        """Return the token of the page after ``page``, or None at the end.

        Raises:
            PageShapeError: What the spec points at is not there or not of a usable type.
            PaginationLoopError: The token did not move.
        """
        ...

    def total(self, page: Page) -> int | None:
        """Return how many records the provider says there are, where the spec reads it."""
        ...
