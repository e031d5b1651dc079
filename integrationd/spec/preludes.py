"""What a stream asks before it is read, and a request of its own that has several forms."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, ClassVar, Final

from typing_extensions import override

from integrationd.config.decode import Invalid, Kinds, Marked, Site
from integrationd.config.nodes import Fields, Position
from integrationd.spec.operation import Condition, Output, tell_bad_name, tell_no_request
from integrationd.transform.expression import Expression
from integrationd.transform.finding import references_in
from integrationd.transform.scopes import Roots, Scope
from integrationd.wire import paginate
from integrationd.wire.call import CallShape
from integrationd.wire.paginate.paginator import Paginator
from integrationd.wire.tokens import REPLY

SEEN: Final = Scope(("config", "now", "each", "object", "steps"))
"""What ``var()`` may name where answers of a stream are read."""
ASKED: Final = Scope((*CallShape.variables.names, "input"))
"""What the requests before a stream is read may use."""
PAGED: Final = Scope((*ASKED.names, "page"))
"""What the requests of a stream's pages may use; ``page.first`` is true of the first one alone."""
_GIVEN: Final = Roots(SEEN.names)


class Span(IntEnum):
    """How long what a step gave is good for."""

    RUN = 0
    """It is the same for the whole run."""
    PART = 1
    """It depends on a value of ``for_each``."""
    WALK = 2
    """It depends on where the reading begins or on its window."""

    @override
    def __str__(self) -> str:
        """Name it for people."""
        return ("run", "each", "walk")[self]


_SPANS: Final = {"each": Span.PART, "cursor": Span.WALK, "window": Span.WALK}


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStep(CallShape):
    """One of the requests that are made before a stream is read, one after the other.

    It is made once for each run; again for each value of ``for_each`` where it uses ``each``, or a
    step that does; and for each window where it uses ``cursor`` or ``window``. A run that goes on
    with another makes it anew.
    """

    variables: ClassVar[Scope] = ASKED

    name: Marked
    """How later steps and the stream's request call what it gives, ``{{ steps.NAME }}``."""
    position: Position
    when: Annotated[Condition | None, _GIVEN] = None
    """Ask only where it is true, ``"each.kind == 'shop'"``; always by default. A step that was not
    asked gives null."""
    output: Annotated[Output | None, SEEN] = None
    """What it gives: an expression over ``{status, headers, body}``, or an object of them; ``body``
    by default."""
    secret: bool = False
    """Whether what it gives is secret, such as a token: it is masked wherever a request or an error
    is shown, and stands in no expression but ``when``, as those make records and outputs."""

    @override
    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse also one without a request, and a name that templates cannot use."""
        told = CallShape.check(self, node, site)
        if self.method is None:
            told = tell_no_request(node, site)
        return tell_bad_name(self.name, site) or told


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamAlternative(CallShape):
    """One of several requests of a stream: the first that finds something is the one it has.

    One is passed over where a rule of ``errors`` says ``skip`` of its answer, such as a 404.
    """

    variables: ClassVar[Scope] = PAGED

    position: Position
    when: Annotated[Condition | None, _GIVEN] = None
    """Ask only where it is true, ``"config.edition == 'pro'"``; always by default."""
    found: Annotated[Expression | None, REPLY, SEEN] = None
    """Whether its first answer is what was looked for, ``"length(body.items) > `0`"``; any success
    is by default."""
    paginate: Annotated[Paginator | None, Kinds(paginate.KINDS)] = None
    """How its list is walked; as the stream says by default."""
    records: Annotated[Expression | None, REPLY, SEEN] = None
    """Finds its records in a response; as the stream says by default."""

    @override
    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse also one without a request."""
        told = CallShape.check(self, node, site)
        return tell_no_request(node, site) if self.method is None else told


REQUEST: Final[tuple[str, ...]] = tuple(field.name for field in dataclasses.fields(CallShape))
"""The fields that make a request."""


def spans_of(steps: tuple[StreamStep, ...]) -> tuple[Span, ...]:
    """Tell of each step how long it is good for; one that uses another lasts no longer than it."""
    known: dict[str, Span] = {}
    for step in steps:
        span = Span.RUN
        for reference in references_in(step):
            root, *rest = reference.path
            span = max(span, _SPANS.get(root, Span.RUN))
            if root == "steps":
                used = known.values() if not rest else (known.get(rest[0], Span.RUN),)
                span = max((span, *used))
        known[str(step.name)] = span
    return tuple(known.values())
