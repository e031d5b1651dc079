"""The requests of one list: its first page may be asked for otherwise than the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from integrationd.model.json import Json
from integrationd.wire.messages import Request

PAGE: Final = "page"
"""What templates call it."""


class Requests(NamedTuple):
    """Those of a walk, before paging and credentials."""

    first: Request
    """For the page that the list begins with."""
    later: Request
    """For all pages after it."""

    def of(self, *, first: bool) -> Request:
        """Return the one for a page."""
        return self.first if first else self.later


def of_page(variables: Mapping[str, Json], *, first: bool) -> Mapping[str, Json]:
    """Return variables with ``page``."""
    return {**variables, PAGE: {"first": first}}


def build_requests(
    build: Callable[[Mapping[str, Json]], Request],
    variables: Mapping[str, Json],
    *,
    differ: bool,
) -> Requests:
    """Build the requests of a walk.

    Args:
        build: Makes one of variables.
        variables: Without ``page``.
        differ: Whether a template looks at ``page``.

    Raises:
        ExpressionError: A template has no value.
        RefusedError: A value does not fit.
    """
    first = build(of_page(variables, first=True))
    return Requests(first, build(of_page(variables, first=False)) if differ else first)
