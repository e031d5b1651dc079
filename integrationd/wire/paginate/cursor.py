"""Paging by token: each page says how to ask for the next one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from integrationd.config.decode import Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.config.problems import shorten
from integrationd.errors import PaginationLoopError
from integrationd.model.json import Json
from integrationd.transform.expression import Expression
from integrationd.wire import tokens
from integrationd.wire.messages import Page, Request
from integrationd.wire.places import Place
from integrationd.wire.tokens import OPTIONAL, REPLY, SENT, PageSize


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPart:
    """One more value that asks for the next page."""

    next: Annotated[Expression, REPLY]
    """Finds the value; where it is null, its parameter is left out."""
    into: Annotated[Place, OPTIONAL]
    """Where the value goes, ``query.after_id``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CursorPaging:
    """Send back a token that is found in each response: in its body, a header, its last record.

    APIs that give a whole URL have ``type: next_url`` instead. A page without a token, or where
    ``stop_when`` or ``has_more`` says so, is the last; an empty page with a token is not.

    Source:
        Slack sends ``response_metadata.next_cursor``, empty at the end. Stripe is
        ``next: body.data[-1].id`` with ``has_more: body.has_more``. Solr, OpenAlex and Crossref
        begin with ``*``. Azure's tables and S3's versions take two values.
    """

    kind: ClassVar[str] = "cursor"
    positional: ClassVar[bool] = False
    rereads: ClassVar[bool] = False

    next: Annotated[Expression, REPLY]
    """Finds the token of the next page; null, false or empty on the last one."""
    into: Annotated[Place, SENT]
    """Where the token goes, ``query.cursor`` or ``json.cursor``."""
    also: tuple[TokenPart, ...] = ()
    """Further values that go with the token, for a provider that wants two."""
    start: int | str | None = None
    """What the first page is asked with; it is asked without the parameter by default."""
    size: PageSize | None = None
    """How many records a page is asked to hold; the provider decides by default."""
    stop_when: Annotated[Expression | None, REPLY] = None
    """True on the last page."""
    has_more: Annotated[Expression | None, REPLY] = None
    """Finds true while there is more and false on the last page. Safer than ``stop_when``: an
    answer that has neither fails the run instead of ending it."""

    def apply(self, request: Request, token: Json) -> Request:
        """Return the request for the page that ``token`` stands for.

        Raises:
            PageShapeError: It was stored by another kind of paging.
        """
        first, *rest = [self.start] if token is None else self._split(token)
        request = self.into.put(request, first)
        for part, value in zip(self.also, rest, strict=False):
            request = part.into.put(request, value)
        return request if self.size is None else self.size.put(request)

    def advance(self, token: Json, page: Page) -> Json:
        """Return the token of the next page, or None at the end.

        Raises:
            PageShapeError: The token is neither text nor a whole number, or missing although there
                is more.
            PaginationLoopError: It is the token that this page was asked with. Some providers
                repeat the last token for ever instead of ending.
        """
        if tokens.is_last(self.stop_when, self.has_more, page):
            return None
        found = tokens.read_token(self.next, page)
        tokens.expect_more(self.has_more, found, page)
        if found is None:
            return None
        parts: list[Json] = [found, *(tokens.read_token(part.next, page) for part in self.also)]
        asked = [self.start] if token is None else self._split(token)
        if asked[0] is not None and list(map(str, parts)) == list(map(str, asked)):
            # The repr of the text, as it was sent; a number looks the same in a query.
            shown = f"{self.into.name}={shorten(str(found))}"
            message = f"page token {shown} was returned twice in a row"
            hint = "set 'stop_when' if this API repeats its last token"
            raise PaginationLoopError(f"{message}; {hint}")
        return parts if self.also else found

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a first page without what its path needs."""
        mend = tokens.SAY_START if self.start is None else ""
        return tokens.check_start(self.into, node, site, mend)

    def total(self, page: Page) -> int | None:
        """Return None: a token says nothing of how much there is."""
        _ = page
        return None

    def _split(self, token: Json) -> list[Json]:
        """Return the values of a token: one, or as many as there are places."""
        parts = token if isinstance(token, list) else [token]
        if len(parts) != 1 + len(self.also):
            raise tokens.another_kind()
        return parts
