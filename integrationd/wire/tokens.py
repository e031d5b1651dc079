"""What paginators read out of a page: tokens, totals and ends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Protocol

from integrationd.config.decode import Bounds, Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.config.problems import shorten
from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.transform.expression import Expression
from integrationd.transform.printing import describe
from integrationd.transform.scopes import Roots
from integrationd.wire import places
from integrationd.wire.messages import Page, Request
from integrationd.wire.places import Place

REPLY: Final = Roots(("status", "headers", "body"))
"""The roots of an expression over a response."""
SENT: Final = places.Roots(places.SENT)
OPTIONAL: Final = places.Roots(tuple(root for root in places.SENT if root not in places.HOLES))
"""Where a value goes that the first request has not yet: a path cannot do without its part."""
"""The places that a page's number, offset or token can be put."""
_FLAGS: Final = {"true": True, "false": False, "1": True, "0": False}
_DIGITS = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSize:
    """How many records a page is asked to hold."""

    value: Annotated[int, Bounds(1, 1_000_000)]
    """Records for each page; a provider may give fewer."""
    into: Annotated[Place | None, SENT] = None
    """Where the number goes, ``query.limit``. Nowhere by default, for providers that always give
    so many."""
    exact: bool = False
    """The provider gives no fewer while there are more, so that a page with fewer is the last one,
    the first page too. It saves a request for each list that fits on one page, and loses records
    where a provider caps what it gives."""

    def put(self, request: Request) -> Request:
        """Ask for so many."""
        return request if self.into is None else self.into.put(request, self.value)


def is_true(value: Json) -> bool:
    """Tell whether JMESPath counts a value as true: zero does; null, false and the empty do not."""
    return value is not None and value is not False and value not in ("", [], {})


def holds(expression: Expression | None, page: Page) -> bool:
    """Tell whether a condition over the response is there and true."""
    return expression is not None and is_true(expression.search(page.reply, {}))


def is_last(stop_when: Expression | None, has_more: Expression | None, page: Page) -> bool:
    """Tell whether a page says that it is the last; False where the spec does not ask it.

    Raises:
        PageShapeError: What ``has_more`` finds is neither true nor false.
    """
    if holds(stop_when, page):
        return True
    return has_more is not None and not _read_flag(has_more, page)


def _read_flag(expression: Expression, page: Page) -> bool:
    """Return a flag, which some write as a number or as text; an answer without a body has none."""
    value = expression.search(page.reply, {})
    if isinstance(value, bool) or (value is None and page.reply["body"] is None):
        return value is True
    name = str(value).lower() if isinstance(value, str | int) else ""
    if name not in _FLAGS:
        found = f"the text {shorten(value)}" if isinstance(value, str) else describe(value)
        message = f"paginate.has_more found {found}, expected true or false"
        raise PageShapeError(f"{message}; without it the walk might end too early")
    return _FLAGS[name]


class Counting(Protocol):
    """A kind of paging that may tell the last page by its length."""

    @property
    def stop_when(self) -> Expression | None:
        """True on the last page."""

    @property
    def has_more(self) -> Expression | None:
        """False on the last page."""

    @property
    def full_pages(self) -> bool:
        """Whether every page but the last is full."""

    @property
    def size(self) -> PageSize | None:
        """How many records a page is asked to hold."""


def is_short(paging: Counting, page: Page, last: int) -> bool:
    """Tell whether a page is the last for holding less than the one before, or than was asked for.

    Not where pages need not be full, or where the provider says which one is the last.
    """
    is_told = paging.stop_when is not None or paging.has_more is not None
    if is_told or not paging.full_pages:
        return False
    size = paging.size
    return page.count < (last if size is None or not size.exact else size.value)


def expect_more(has_more: Expression | None, following: Json, page: Page) -> None:
    """Refuse a page that has no token although it says that there is more.

    Raises:
        PageShapeError: So it is; the rest of the list would be lost in silence.
    """
    if has_more is None or following is not None or page.reply["body"] is None:
        return
    message = "paginate.has_more is true but paginate.next found nothing"
    raise PageShapeError(f"{message}, so the rest cannot be asked for; is its path right?")


def read_token(expression: Expression, page: Page) -> str | int | None:
    """Return the token that an expression finds, or None at the end of the walk.

    Raises:
        PageShapeError: It is neither text nor a whole number; guessing would send ``True``
            or ``1e+20``.
    """
    token = expression.search(page.reply, {})
    if not is_true(token):
        return None
    if isinstance(token, bool) or not isinstance(token, str | int):
        found = describe(token) if not isinstance(token, float) else "a fraction"
        raise PageShapeError(f"page token is {found}, expected text or a whole number")
    return token


def read_number(expression: Expression, page: Page, name: str) -> int:
    """Return a whole number, which a header writes as text.

    Raises:
        PageShapeError: There is none; a walk without a known end must not pass for a short one.
    """
    number = find_number(expression, page)
    if number is None:
        found = describe(expression.search(page.reply, {}))
        raise PageShapeError(f"paginate.{name} found {found}, expected a whole number")
    return number


def find_number(expression: Expression | None, page: Page) -> int | None:
    """Return a whole number where an expression finds one, else None."""
    value = None if expression is None else expression.search(page.reply, {})
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, float) and value.is_integer() and value >= 0:
        return int(value)
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else None


def another_kind() -> PageShapeError:
    """Return why a stored token is of no use."""
    return PageShapeError("the stored page token is of another kind of paging; read with --full")


def read_member(token: Json, name: str) -> str | int | float:
    """Return the text or number of a stored token.

    Raises:
        PageShapeError: It was stored by another kind of paging.
    """
    value: Json = token.get(name) if isinstance(token, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise another_kind()
    return value


SAY_START: Final = "say with 'start' what stands there"


def check_start(into: Place, node: Fields, site: Site, mend: str) -> Invalid | None:
    """Refuse a place in the path or in a text for which the first request has no value.

    Args:
        into: The place.
        node: What ``paginate`` says.
        site: Of it.
        mend: What to do where the first request has none; empty where it has one.
    """
    if into.root not in places.HOLES or not mend:
        return None
    message = f"{site.path} puts its token into {into}, for which the first request has none"
    return site.refuse(node.key_position("into"), "E114", f"{message}; {mend}")


def read_stored(token: Json, *names: str) -> tuple[int, ...]:
    """Return the numbers of a stored token, in the order of ``names``.

    Raises:
        PageShapeError: It was stored by another kind of paging.
    """
    values: list[Json] = [token.get(name) if isinstance(token, Mapping) else None for name in names]
    if any(isinstance(value, bool) or not isinstance(value, int) for value in values):
        raise another_kind()
    return tuple(values)
