"""Paging by key: ask for what comes after the last value of a field."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, ClassVar

from integrationd.config.decode import Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.config.problems import shorten
from integrationd.errors import PageShapeError, PaginationLoopError
from integrationd.model.json import Json
from integrationd.transform.cursors import Comparable, CursorType, Scale
from integrationd.transform.expression import Expression
from integrationd.transform.printing import describe
from integrationd.wire import tokens
from integrationd.wire.messages import Page, Request
from integrationd.wire.places import Place
from integrationd.wire.tokens import REPLY, SENT, PageSize


class Order(StrEnum):
    """How a provider sorts."""

    ASCENDING = "ascending"
    DESCENDING = "descending"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysetPaging:
    """Ask for the records that come after the last value of a field, ``since_id=1200``.

    The provider has to sort by that field; a page that is out of order fails the run, as rows
    would be lost. What comes and goes meanwhile shifts nothing. The walk ends at an empty page and
    where ``stop_when`` or ``has_more`` says so; without them also at a short page, see
    ``full_pages``. Where
    the values have no order that can be told, as the ids of Stripe, the way is ``type: cursor``
    with ``next: body.data[-1].id``. Its token is
    ``{after, last, full, tie}``.

    Source:
        Shopify and Zendesk Chat have ``since_id``, Xero's journals begin after a number, GitLab has
        ``id_after``.
    """

    kind: ClassVar[str] = "keyset"
    positional: ClassVar[bool] = False
    rereads: ClassVar[bool] = True

    field: Expression
    """The record's value that the list is sorted by."""
    into: Annotated[Place, SENT]
    """Where the last value goes, ``query.since_id``."""
    compare: CursorType = CursorType.NUMBER
    """How values compare: ``number``, ``time`` (ISO 8601) or ``text``."""
    order: Order = Order.ASCENDING
    """How the provider sorts: ``ascending``, ``descending``."""
    inclusive: bool = False
    """The provider gives the rows with the value itself once more. They are told by their key, so
    that several rows may share a value; where so many do that they fill a page, the run fails, as
    what comes after them cannot be asked for. Without it no two rows may share one."""
    start: int | str | None = None
    """What the first page is asked with; it is asked without the parameter by default."""
    size: PageSize | None = None
    """How many records a page is asked to hold; the provider decides by default. Where it gives
    fewer than that at most, write what it gives."""
    stop_when: Annotated[Expression | None, REPLY] = None
    """True on the last page."""
    has_more: Annotated[Expression | None, REPLY] = None
    """Finds true while there is more and false on the last page. Safer than ``stop_when``: an
    answer that has neither fails the run instead of ending it."""
    full_pages: bool = True
    """Every page but the last is full, so that a page with fewer records than the one before it
    is the last. ``false`` where the provider leaves records out of pages after counting them:
    then only an empty page, or one with nothing new, ends the walk."""

    def apply(self, request: Request, token: Json) -> Request:
        """Return the request for the page that ``token`` stands for."""
        after = self.start if token is None else tokens.read_member(token, "after")
        request = self.into.put(request, after)
        return request if self.size is None else self.size.put(request)

    def advance(self, token: Json, page: Page) -> Json:
        """Return the token of the next page, or None at the end.

        Raises:
            PageShapeError: A record has no value that compares, the page is out of order, or rows
                with the same value cannot be told from those that would follow.
            PaginationLoopError: The page does not lie behind the value that it was asked with.
        """
        names = ("last", "full", "tie")
        last, full, tie = (0, 0, 0) if token is None else tokens.read_stored(token, *names)
        after = None if token is None else tokens.read_member(token, "after")
        if page.count == 0:
            return None
        values = [self._read(record) for record in page.records]
        self._check_order(values, after)
        if tokens.is_last(self.stop_when, self.has_more, page):
            return None
        if after is not None and values[-1] == self._parse(after):
            # A page that was followed by something new was as full as the provider makes them.
            self._end_tie(after, page.count, max(full, last if page.count > tie else 0))
            return None
        if tokens.is_short(self, page, last):
            return None
        following = self.field.search(page.records[-1], {})
        if not self.inclusive and len(values) > 1 and values[-1] == values[-2]:
            found = f"the last two records of a page share {self._show(following)}"
            raise PageShapeError(
                f"{found}, so one may be left out; page by a field that no two records share, or "
                "set 'inclusive: true' where the provider includes the value"
            )
        tie = values.count(values[-1])
        return {"after": following, "last": page.count, "full": max(full, last), "tie": tie}

    def total(self, page: Page) -> int | None:
        """Return None: a value says nothing of how much there is."""
        _ = page
        return None

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a first page without what its path needs, and ties that nobody could count."""
        mend = tokens.SAY_START if self.start is None else ""
        told = tokens.check_start(self.into, node, site, mend)
        if self.inclusive and self.size is None:
            message = (
                f"{site.path} has 'inclusive' but no 'size', by which a page is known that is "
                "filled with one value"
            )
            told = site.refuse(node.key_position("inclusive"), "E102", message)
        return told

    def _read(self, record: Json) -> Comparable:
        value = self.field.search(record, {})
        try:
            return self._parse(value)
        except ValueError as wrong:
            message = f"paginate.field found {describe(value)}, {wrong}"
            raise PageShapeError(f"{message}; see 'compare'") from None

    def _parse(self, value: Json) -> Comparable:
        return Scale(type=self.compare).parse(value)

    def _check_order(self, values: list[Any], after: Json) -> None:
        """Refuse a page that is not sorted, or does not begin behind the value asked with."""
        pairs = list(pairwise(values))
        falling = self.order is Order.DESCENDING
        if any(one < two if falling else one > two for one, two in pairs):
            raise PageShapeError(
                f"a page is not in {self.order} order of {self.field.text!r}, so records would be "
                "left out; ask the provider to sort by it, in 'query'"
            )
        if after is None:
            return
        bound: Any = self._parse(after)
        is_before = values[0] > bound if falling else values[0] < bound
        if is_before or (values[0] == bound and not self.inclusive):
            message = f"the page after {self._show(after)} begins with what was read before"
            hint = "the provider may not know the parameter"
            if not is_before:
                hint = "set 'inclusive: true' where it includes that value"
            raise PaginationLoopError(f"{message}; {hint}")

    def _end_tie(self, after: Json, count: int, full: int) -> None:
        """End with a page that holds nothing new, unless it may be one of several."""
        assert self.size is not None
        if count < self.size.value and not (self.full_pages and 0 < full <= count):
            return
        raise PageShapeError(
            f"a page is filled with records that share {self._show(after)}, so what comes after "
            "them cannot be asked for; ask for larger pages, or page by a field that fewer share"
        )

    def _show(self, value: Json) -> str:
        return f"{self.into.name}={shorten(value)}"
