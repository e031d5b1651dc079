"""Paging by the ``Link`` header."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from integrationd.model.json import Json
from integrationd.transform.expression import Expression
from integrationd.wire import links, tokens, urls
from integrationd.wire.messages import Page, Request
from integrationd.wire.tokens import REPLY


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPaging:
    """Follow the link to the next page in each response's ``Link`` header.

    Source:
        RFC 8288. GitHub, Shopify and Koha page so; the relation is registered as ``next``.
    """

    kind: ClassVar[str] = "link"
    positional: ClassVar[bool] = False
    rereads: ClassVar[bool] = False

    rel: str = "next"
    """The relation of the link to follow; letters of either case are the same."""
    stop_when: Annotated[Expression | None, REPLY] = None
    """True on the last page."""
    with_query: bool = False
    """Whether the query of the first request goes along, as far as the URL has no parameter of that
    name: some providers write only the token into it."""

    def apply(self, request: Request, token: Json) -> Request:
        """Return the request for the page that ``token`` stands for."""
        return urls.follow(request, token, with_query=self.with_query)

    def advance(self, token: Json, page: Page) -> Json:
        """Return the token of the next page, or None at the end.

        Raises:
            PageShapeError: The header cannot be read.
            PaginationLoopError: The link leads to this page.
        """
        if tokens.holds(self.stop_when, page):
            return None
        header = page.reply["headers"].get("link", "")
        return urls.advance_url(token, links.find_link(header, self.rel))

    def total(self, page: Page) -> int | None:
        """Return None: a link says nothing of how much there is."""
        _ = page
        return None
