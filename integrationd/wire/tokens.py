"""What paginators read out of a page: tokens, totals and ends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from integrationd.config.decode import Bounds
from integrationd.errors import PageShapeError
from integrationd.model.json import Json
from integrationd.transform.expression import Expression
from integrationd.transform.printing import describe
from integrationd.transform.scopes import Roots
from integrationd.wire import places
from integrationd.wire.messages import Page
from integrationd.wire.places import Place

REPLY: Final = Roots(("status", "headers", "body"))
"""The roots of an expression over a response."""
SENT: Final = places.Roots(places.SENT)
OPTIONAL: Final = places.Roots(tuple(root for root in places.SENT if root is not places.Root.PATH))
"""Where a value goes that the first request has not yet: a path cannot do without its part."""
"""The places that a page's number, offset or token can be put."""
_DIGITS = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSize:
    """How many records a page is asked to hold."""

    into: Annotated[Place, SENT]
    """Where the number goes, ``query.limit``."""
    value: Annotated[int, Bounds(1, 1_000_000)]
    """Records for each page; a provider may give fewer."""


def is_true(value: Json) -> bool:
    """Tell whether JMESPath counts a value as true: zero does; null, false and the empty do not."""
    return value is not None and value is not False and value not in ("", [], {})


def holds(expression: Expression | None, page: Page) -> bool:
    """Tell whether a condition over the response is there and true."""
    return expression is not None and is_true(expression.search(page.reply, {}))


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


def read_stored(token: Json, *names: str) -> tuple[int, ...]:
    """Return the numbers of a stored token, in the order of ``names``.

    Raises:
        PageShapeError: It was stored by another kind of paging.
    """
    values: list[Json] = [token.get(name) if isinstance(token, Mapping) else None for name in names]
    if any(isinstance(value, bool) or not isinstance(value, int) for value in values):
        raise PageShapeError("the stored page token is of another kind of paging; read with --full")
    return tuple(values)
