"""``feed``: a stream whose list is read once, and whose changes are followed from then on."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Final, Literal

from typing_extensions import override

from integrationd.config.decode import Invalid, Kinds, Site
from integrationd.config.nodes import Fields, Position
from integrationd.spec.operation import tell_no_request
from integrationd.transform.expression import Expression
from integrationd.transform.key import Key
from integrationd.transform.scopes import Scope
from integrationd.wire import paginate
from integrationd.wire.call import CallShape
from integrationd.wire.paginate.paginator import Paginator
from integrationd.wire.tokens import REPLY

_SEEN: Final = Scope(("config", "each"))
_GIVEN: Final = ("config", "secrets", "now", "each", "object", "steps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning(CallShape):
    """Where the provider itself says what the feed is to be asked with first."""

    variables: ClassVar[Scope] = Scope(_GIVEN)

    cursor: Annotated[Expression, REPLY]
    """Finds it, ``body.startPageToken``: in the answer of this call, which is made before the list
    is read; without a request, in the answers of the list itself."""
    page: Literal["first", "last"] = "last"
    """Of which of the list's pages; of ``last``, the last that has one."""

    @override
    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse also to choose a page of a call that has one answer."""
        told = CallShape.check(self, node, site)
        if self.method is not None and "page" in node.entries:
            message = f"{site.path} has 'page' and a request of its own, which has one answer"
            told = site.refuse(node.key_position("page"), "E114", message)
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch(CallShape):
    """The request for one record, where a change only says which one it is."""

    variables: ClassVar[Scope] = Scope((*_GIVEN, "change"))

    record: Annotated[Expression | None, REPLY] = None
    """Finds the record in the answer; ``body`` by default."""

    @override
    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse also one without a request."""
        told = CallShape.check(self, node, site)
        return tell_no_request(node, site) if self.method is None else told


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed(CallShape):
    """What changed, once the list was read; ``incremental`` says how it is asked from where on.

    A cursor that the provider refuses, with 410 or by a rule with ``then: restart``, leads back to
    the list.

    Source:
        Google's change lists and sync tokens, Microsoft Graph's delta queries, Stripe's events.
    """

    variables: ClassVar[Scope] = Scope((*_GIVEN, "cursor", "page"))

    position: Position
    from_: Literal["now", "records"] | Beginning
    """Where the feed begins once the list was read; it is fixed before the list is asked for, so
    that nothing is lost that changes meanwhile. ``now``: at the time when the reading of the list
    began. ``records``: at the greatest ``incremental.field`` of the list that is safe.
    ``{cursor: body.sync}``: what the list's answers give. ``{get: /changes/start, cursor:
    body.token}``: what a call of its own gives."""
    paginate: Annotated[Paginator | None, Kinds(paginate.KINDS)] = None
    """How the feed is walked; ``http.paginate`` by default."""
    records: Annotated[Expression | None, REPLY, _SEEN] = None
    """Finds the list of changes in a response; ``body`` by default."""
    key: Key | None = None
    """Which record a change is about, read from the change; the stream's ``key`` by default."""
    deleted: Expression | None = None
    """True of a change that says that the record is gone; the stream's ``deleted`` by default."""
    record: Expression | None = None
    """The record in a change, as the list would give it, ``data.object``, ``{id: item, name:
    new.name}``; the whole change by default. The stream's ``key``, ``where`` and ``mapping`` go by
    it."""
    fetch: Fetch | None = None
    """Where a change only says which record it is: the request for that, ``get: "/items/{{
    change.id }}"``. Each is asked for once a page; one that answers 404 or 410 is gone, and of one
    that a rule of ``errors`` skips the change is set aside."""
    keeps: timedelta | None = None
    """For how long the provider keeps changes, ``30d``: the list is read again where the cursor is
    older, as the feed would leave out what lies between."""

    def request(self) -> dict[str, Any]:
        """Return the fields that say what is asked."""
        return {field.name: getattr(self, field.name) for field in fields(CallShape)}

    @override
    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse also one without a request, and two sources of the record."""
        told = CallShape.check(self, node, site)
        if self.method is None:
            told = tell_no_request(node, site)
        if self.fetch is not None and self.record is not None:
            message = f"{site.path} has 'record' and 'fetch', which says 'record' itself"
            told = site.refuse(node.key_position("record"), "E114", message)
        return told
