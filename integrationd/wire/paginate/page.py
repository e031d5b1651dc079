"""Paging by number: page 1, page 2, page 3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from integrationd.config.decode import Bounds, Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.model.json import Json
from integrationd.transform.expression import Expression
from integrationd.wire import tokens
from integrationd.wire.messages import Page, Request
from integrationd.wire.places import Place
from integrationd.wire.tokens import REPLY, SENT, PageSize


@dataclass(frozen=True, slots=True, kw_only=True)
class PageNumberPaging:
    """Ask for one page after the other by its number.

    The walk ends at an empty page, where ``stop_when`` or ``has_more`` says so, and when
    ``total`` records or ``total_pages`` pages were read. Where none of these is given but ``size``
    is, it also ends at a short page, see ``full_pages``. Its token is ``{page, read, last}``.
    """

    kind: ClassVar[str] = "page"
    positional: ClassVar[bool] = True
    rereads: ClassVar[bool] = False

    into: Annotated[Place, SENT]
    """Where the page's number goes, ``query.page``."""
    start: Annotated[int, Bounds(0)] = 1
    """The number of the first page."""
    send_start: bool = True
    """Whether the first request says ``start`` too; ``false`` where it is to go without."""
    size: PageSize | None = None
    """How many records a page is asked to hold; the provider decides by default."""
    total_: Annotated[Expression | None, REPLY] = None
    """Finds how many records there are, ``headers."x-total-count"``."""
    total_pages: Annotated[Expression | None, REPLY] = None
    """Finds how many pages there are."""
    stop_when: Annotated[Expression | None, REPLY] = None
    """True on the last page."""
    has_more: Annotated[Expression | None, REPLY] = None
    """Finds true while there is more and false on the last page. Safer than ``stop_when``: an
    answer that has neither fails the run instead of ending it."""
    full_pages: bool = True
    """Every page but the last is full, so that a page with fewer records than the one before it
    is the last. ``false`` where the provider leaves records out of pages after counting them:
    then only an empty page ends the walk. A first page is never short, unless ``size`` is
    ``exact``: many providers give fewer records than asked for, and say nothing."""

    def apply(self, request: Request, token: Json) -> Request:
        """Return the request for the page that ``token`` stands for."""
        first = self.start if self.send_start else None
        number = first if token is None else tokens.read_stored(token, "page")[0]
        request = self.into.put(request, number)
        return request if self.size is None else self.size.put(request)

    def advance(self, token: Json, page: Page) -> Json:
        """Return the token of the next page, or None at the end.

        Raises:
            PageShapeError: A total that the spec reads is not there.
        """
        names = ("page", "read", "last")
        first = (self.start, 0, 0)
        number, read, last = first if token is None else tokens.read_stored(token, *names)
        read += page.count
        if self._ends(page, number=number, read=read, last=last):
            return None
        return {"page": number + 1, "read": read, "last": page.count}

    def at(self, place: int) -> Json:
        """Return the token of the page that has a place, counted from 0; ``size`` is said."""
        assert self.size is not None
        first = self.first_of(place)
        return {"page": self.start + first // self.size.value, "read": first, "last": 0}

    def first_of(self, place: int) -> int:
        """Return the first place of the page that has a place."""
        assert self.size is not None
        return place - place % self.size.value

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a first page without what its path needs."""
        mend = "" if self.send_start else "leave 'send_start: false' out"
        return tokens.check_start(self.into, node, site, mend)

    def total(self, page: Page) -> int | None:
        """Return how many records the provider says there are."""
        return tokens.find_number(self.total_, page)

    def _ends(self, page: Page, *, number: int, read: int, last: int) -> bool:
        if page.count == 0 or tokens.is_last(self.stop_when, self.has_more, page):
            return True
        if self.total_ is not None and read >= tokens.read_number(self.total_, page, "total"):
            return True
        if self.total_pages is not None:
            pages = tokens.read_number(self.total_pages, page, "total_pages")
            return number - self.start + 1 >= pages
        if self.total_ is not None or self.size is None:
            return False
        return tokens.is_short(self, page, last)
