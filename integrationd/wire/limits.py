"""What a spec says of how much may be asked, beyond one rate: by path, by cost, by headers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final, NamedTuple
from urllib.parse import urlsplit

from integrationd.config.decode import Bounds, Invalid, Keys, Site
from integrationd.config.nodes import Fields
from integrationd.config.units import Rate
from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.model.secret import reveal
from integrationd.transform.expression import Expression
from integrationd.transform.scopes import Reference
from integrationd.wire.judge import WAIT_MAX_S
from integrationd.wire.messages import Request, Text
from integrationd.wire.rules import Wait, read_number
from integrationd.wire.tokens import REPLY

COST_MAX: Final = 100_000
CALL_PATTERN: Final = Keys(
    r"(?:(?:get|post|put|patch|delete) )?(?:/(?:\*|[^\s?#*/]*)){1,100}(?:/\*\*)?",
    "a path such as /search, /items/*/lines or 'post /orders/**', its method in small letters",
)
"""What a limit is about. A star is a whole part, so that a match takes no time to speak of."""
_STARS: Final = {"**": ".*", "*": "[^/]*"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PathLimit:
    """How often some paths may be asked for, and what such a request costs."""

    rate: Rate | tuple[Rate, ...] | None = None
    """Requests in a span of time, beside those of all paths; one or several."""
    cost: Annotated[int | None, Bounds(1, COST_MAX)] = None
    """How many requests one of these counts as, unless the call says it itself; 1 by default."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse one that says nothing."""
        if self.cost is not None or rates_of(self.rate):
            return None
        message = f"{site.name} is empty, expected 'rate', 'cost' or both"
        return site.refuse(node.position, "E102", message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learn:
    """Where answers say what is left, so that nobody asks until the provider refuses.

    An answer that does not say it changes nothing.

    Source:
        GitHub has ``x-ratelimit-remaining`` and, in Unix time, ``x-ratelimit-reset``; Shopify's
        GraphQL has ``extensions.cost.throttleStatus`` in the body.
    """

    remaining: Annotated[Expression, REPLY]
    """Finds how much is left, ``headers."x-ratelimit-remaining"``."""
    reset: Wait
    """When it is full again: ``{value: headers."x-ratelimit-reset", format: unix}``, or after how
    long, ``60s``."""
    keep: Annotated[int, Bounds(0, 1_000_000_000)] = 0
    """What is left to others who use the same account."""

    @property
    def references(self) -> tuple[Reference, ...]:
        """Return none: it names only what the answer has."""
        return ()

    def find(self, reply: Mapping[str, Json], now: datetime) -> Allowance | None:
        """Return what an answer says is left; None where it does not say it.

        Args:
            reply: ``{status, headers, body}``.
            now: For a moment in it.
        """
        try:
            left = read_number(self.remaining.search(dict(reply), {}))
        except ExpressionError:
            return None
        reset_s = self.reset.seconds(reply, now)
        if left is None or reset_s is None:
            return None
        return Allowance(int(left) - self.keep, min(reset_s, WAIT_MAX_S))


class Allowance(NamedTuple):
    """What a provider says may still be asked."""

    left: int
    reset_s: float
    """Seconds until there is more."""


class Charge(NamedTuple):
    """What one request takes of a budget."""

    cost: int = 1
    lanes: tuple[tuple[str, Rate], ...] = ()
    """The rates of its path, with what they are for."""


@dataclass(frozen=True, slots=True)
class Meter:
    """Tells what each request takes, and what each answer says of the rest."""

    base_url: Text = ""
    paths: Mapping[str, PathLimit] = field(default_factory=dict)
    learn: Learn | None = None

    def charge(self, request: Request) -> Charge:
        """Return what a request takes; every pattern that fits holds, and the greatest cost."""
        found = list(self._find(request))
        costs = [limit.cost for _, limit in found if limit.cost is not None]
        return Charge(
            request.cost or max(costs, default=1),
            tuple((name, rate) for name, limit in found for rate in rates_of(limit.rate)),
        )

    def _find(self, request: Request) -> Iterator[tuple[str, PathLimit]]:
        if self.paths:
            base, path = (urlsplit(reveal(url)).path for url in (self.base_url, request.url))
            rest = path.removeprefix(base.rstrip("/")) or "/"
            for pattern, limit in self.paths.items():
                if _fits(pattern, request.method, rest):
                    yield pattern, limit


def rates_of(rate: Rate | tuple[Rate, ...] | None) -> tuple[Rate, ...]:
    """Return the rates that were said, one or several."""
    if rate is None:
        return ()
    return (rate,) if isinstance(rate, Rate) else rate


def _fits(pattern: str, method: str, path: str) -> bool:
    wanted, _, shape = pattern.rpartition(" ")
    if wanted and wanted.upper() != method:
        return False
    parts = (_STARS.get(part) or re.escape(part) for part in shape.split("/"))
    return re.fullmatch("/".join(parts), path) is not None
