"""``deferred``: a stream whose provider makes a file of its records first, and gives it later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, Final

from typing_extensions import override

from integrationd.config.decode import Invalid, Site
from integrationd.config.nodes import Fields, Position
from integrationd.spec.operation import tell_no_request
from integrationd.transform.expression import Expression
from integrationd.transform.scopes import Scope
from integrationd.wire.call import CallShape
from integrationd.wire.tokens import REPLY

EVERY_MIN: Final = timedelta(milliseconds=100)
_GIVEN: Final = ("config", "secrets", "now", "each", "object", "steps")
"""What does not change while the work is waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _PartOfDeferred(CallShape):
    position: Position

    @override
    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse also one without a request."""
        told = CallShape.check(self, node, site)
        return tell_no_request(node, site) if self.method is None else told


@dataclass(frozen=True, slots=True, kw_only=True)
class Create(_PartOfDeferred):
    """The request that begins the work."""

    variables: ClassVar[Scope] = Scope((*CallShape.variables.names, "input"))

    id: Annotated[Expression, REPLY]
    """Finds what the work is called, ``body.id``; it is ``{{ job.id }}`` afterwards, and kept, so
    that a run that breaks off is gone on with and does not begin the work again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll(_PartOfDeferred):
    """The request that tells how far the work is."""

    variables: ClassVar[Scope] = Scope((*_GIVEN, "job"))

    every: timedelta = timedelta(seconds=10)
    """How long to wait before asking again."""
    timeout: timedelta = timedelta(hours=1)
    """After this it is given up, and the run fails; a run that goes on with the work of another
    has as long again."""
    done: Annotated[Expression, REPLY]
    """True when the file can be had, ``"body.status == 'done'"``."""
    failed: Annotated[Expression | None, REPLY] = None
    """True when it never will be: the run fails, and the next one begins anew."""

    @override
    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse also to ask all the time."""
        told = _PartOfDeferred.check(self, node, site)
        if self.every < EVERY_MIN:
            message = f"{site.path}.every is less than 100ms, expected 100ms at least"
            told = site.refuse(node.key_position("every"), "E111", message)
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Download(_PartOfDeferred):
    """The request for what was made. ``paginate``, where the stream has it, walks its pages."""

    variables: ClassVar[Scope] = Scope((*_GIVEN, "job", "poll", "page"))
    WHOLE_URLS: ClassVar[bool] = True

    sign: bool = True
    """Whether ``http.auth`` is added. Say false for an address that is signed itself, which most
    stores of files refuse together with credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abort(_PartOfDeferred):
    """The request that ends work that took too long."""

    variables: ClassVar[Scope] = Scope((*_GIVEN, "job"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferred:
    """Create, poll, download; in the place of a stream's own request.

    Source:
        Salesforce's bulk queries, Shopify's bulk operations and Amazon's reports work so.
    """

    create: Create
    """Begins the work; ``cursor``, ``window`` and ``each`` are for this one."""
    poll: Poll
    """Asked again and again until the work is done; its last answer is ``{{ poll.body }}``."""
    download: Download
    """Gets what was made: ``/exports/{{ job.id }}/result``, or ``"{{ poll.body.url }}"``, whose
    host has to be one of those that may be called."""
    abort: Abort | None = None
    """Asked once where ``poll.timeout`` is over."""
