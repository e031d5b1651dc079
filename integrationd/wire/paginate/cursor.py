"""Paging by token: each page says how to ask for the next one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from integrationd.config.problems import shorten
from integrationd.errors import PaginationLoopError
from integrationd.model.json import Json
from integrationd.transform.expression import Expression
from integrationd.wire import tokens
from integrationd.wire.messages import Page, Request
from integrationd.wire.places import Place
from integrationd.wire.tokens import OPTIONAL, REPLY, PageSize


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorPaging:
    """Send back a token that is found in each response: in its body, a header, its last record.

    APIs that give a whole URL have ``type: next_url`` instead. A page without a token, or where
    ``stop_when`` holds, is the last; an empty page with a token is not.

    Source:
        Slack sends ``response_metadata.next_cursor``, empty at the end. Stripe is
        ``next: body.data[-1].id`` with ``stop_when: "!(body.has_more)"``.
    """

    kind: ClassVar[str] = "cursor"
    positional: ClassVar[bool] = False

    next: Annotated[Expression, REPLY]
    """Finds the token of the next page; null, false or empty on the last one."""
    into: Annotated[Place, OPTIONAL]
    """Where the token goes, ``query.cursor`` or ``json.cursor``."""
    size: PageSize | None = None
    """How many records a page is asked to hold; the provider decides by default."""
    stop_when: Annotated[Expression | None, REPLY] = None
    """True on the last page."""

    def apply(self, request: Request, token: Json) -> Request:
        """Return the request for the page that ``token`` stands for; the first one has none."""
        request = self.into.put(request, token)
        return request if self.size is None else self.size.into.put(request, self.size.value)

    def advance(self, token: Json, page: Page) -> Json:
        """Return the token of the next page, or None at the end.

        Raises:
            PageShapeError: The token is neither text nor a whole number.
            PaginationLoopError: It is the token that this page was asked with. Some providers
                repeat the last token for ever instead of ending.
        """
        if tokens.holds(self.stop_when, page):
            return None
        following = tokens.read_token(self.next, page)
        if following is not None and token is not None and str(following) == str(token):
            # The repr of the text, as it was sent; a number looks the same in a query.
            shown = f"{self.into.name}={shorten(str(following))}"
            message = f"page token {shown} was returned twice in a row"
            hint = "set 'stop_when' if this API repeats its last token"
            raise PaginationLoopError(f"{message}; {hint}")
        return following

    def total(self, page: Page) -> int | None:
        """Return None: a token says nothing of how much there is."""
        _ = page
        return None
