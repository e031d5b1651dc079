"""Paging by URL: each page holds the whole address of the next one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.transform.expression import Expression
from integrationd.wire import tokens, urls
from integrationd.wire.messages import Page, Request
from integrationd.wire.tokens import REPLY


@dataclass(frozen=True, slots=True, kw_only=True)
class NextUrlPaging:
    """Follow a URL that is found in each response, absolute or relative, as it was received.

    The query of the first request is not added to it, unless ``with_query`` says so; credentials
    and headers are. For a URL in the ``Link`` header there is ``type: link``.

    Source:
        Shippo sends ``next``, absolute; Twilio ``next_page_uri`` and Salesforce
        ``nextRecordsUrl``, both relative.
    """

    kind: ClassVar[str] = "next_url"
    positional: ClassVar[bool] = False
    rereads: ClassVar[bool] = False

    next: Annotated[Expression, REPLY]
    """Finds the URL of the next page; null or empty on the last one."""
    stop_when: Annotated[Expression | None, REPLY] = None
    """True on the last page."""
    has_more: Annotated[Expression | None, REPLY] = None
    """Finds true while there is more and false on the last page. Safer than ``stop_when``: an
    answer that has neither fails the run instead of ending it."""
    with_query: bool = False
    """Whether the query of the first request goes along, as far as the URL has no parameter of that
    name: some providers write only the token into it."""

    def apply(self, request: Request, token: Json) -> Request:
        """Return the request for the page that ``token`` stands for."""
        return urls.follow(request, token, with_query=self.with_query)

    def advance(self, token: Json, page: Page) -> Json:
        """Return the token of the next page, or None at the end.

        Raises:
            PageShapeError: What was found is no URL.
            PaginationLoopError: It is the URL of this page.
        """
        if tokens.is_last(self.stop_when, self.has_more, page):
            return None
        found = tokens.read_token(self.next, page)
        tokens.expect_more(self.has_more, found, page)
        if isinstance(found, int):
            raise PageShapeError("the next URL is a number, expected text")
        return urls.advance_url(token, found)

    def total(self, page: Page) -> int | None:
        """Return None: a URL says nothing of how much there is."""
        _ = page
        return None
