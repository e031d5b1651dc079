"""A stream made ready to be read: everything compiled, once for each bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from integrationd.engine.pages import Requests, build_requests
from integrationd.errors import PageShapeError
from integrationd.model.fingerprints import Fingerprints
from integrationd.model.json import Json
from integrationd.model.runs import Mode
from integrationd.ports.store import StreamKey
from integrationd.spec.documents import Integration
from integrationd.spec.families import relays_of
from integrationd.spec.feed import Feed
from integrationd.spec.http import TOKEN_STAND_IN, HttpSpec
from integrationd.spec.incremental import Incremental
from integrationd.spec.narrowing import Narrowing
from integrationd.spec.stream import Stream
from integrationd.transform.cursors import Comparable, CursorType, Scale
from integrationd.transform.expression import NO_VARIABLES
from integrationd.transform.finding import references_in
from integrationd.transform.shape import CursorRule, Shaper
from integrationd.wire.call import BaseCall, CallShape, build_request
from integrationd.wire.messages import Request
from integrationd.wire.paginate.none import NoPaging
from integrationd.wire.paginate.paginator import Paginator
from integrationd.wire.reply import ReplyShape
from integrationd.wire.tokens import PageSize


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamPlan:
    """What a reading needs to know of its stream."""

    integration: Integration
    name: str
    stream: Stream
    http: HttpSpec
    paginator: Paginator
    reply: ReplyShape
    shaper: Shaper
    entity: str
    shares: bool
    """Whether another stream of the integration has the same entity."""
    given: Mapping[str, Json] = field(default_factory=dict)
    """Of a stream that a list discovers, ``object``."""
    reads: frozenset[str] = frozenset()
    """The variables that anything in its stream uses."""
    sorter: Shaper | None = None
    """Of a feed: what tells its changes apart."""
    listing: StreamPlan | None = None
    """Of a stream with a feed: how its list is read."""
    following: StreamPlan | None = None
    """Of a stream with a feed: how that is read."""

    def of(self, mode: Mode) -> StreamPlan:
        """Return how a reading reads: the feed for what changed, the list for everything else."""
        found = self.following if mode is Mode.INCREMENTAL else self.listing
        return found or self

    @property
    def may_forget(self) -> bool:
        """Tell whether a cursor that does not hold leads back to a list, which has to be swept."""
        counts = self.rule is not None and self.rule.count
        return counts or self.stream.feed is not None

    @property
    def owes_lists(self) -> bool:
        """Tell whether its partitions owe a round of all lists where a cursor is lost."""
        return self.may_forget and self.sweeps and self.stream.for_each is not None

    @property
    def variants(self) -> Sequence[StreamPlan]:
        """Return it with each request of ``first_of``; itself where there is only one request."""
        if not self.stream.first_of:
            return [self]
        return [
            replace(
                self,
                stream=variant,
                paginator=_paginator_of(variant, self.http),
                reply=_reply_of(variant, self.http),
            )
            for variant in self.stream.variants
        ]

    @property
    def is_list(self) -> bool:
        """Tell whether it reads a list that is followed by a feed."""
        return self.stream.feed is not None and self.rule is not self.stream.incremental

    @property
    def rule(self) -> Incremental | None:
        """Return what the stream's file says of its cursor."""
        return self.integration.streams[self.name].incremental

    @property
    def sweeps(self) -> bool:
        """Tell whether a complete reading deletes what it did not see.

        Not where the entity is shared: what this stream misses the other may still have.
        """
        rule = None if self.stream.feed is not None else self.stream.incremental
        is_partial = rule is not None and rule.is_partial()
        return bool(self.stream.sweep) and not self.shares and not is_partial

    def narrowed(self, to: Narrowing | None) -> StreamPlan:
        """Return it for a run that a person narrowed; itself where nobody did."""
        if to is None or self.stream.feed is not None:
            return self
        rule = to.of_rule(self.stream.incremental)
        return replace(self, stream=replace(self.stream, incremental=rule))

    @property
    def page_size(self) -> int:
        """Return how many records a page is asked to hold; 0 where that is not said."""
        size = getattr(self.paginator, "size", None)
        return size.value if isinstance(size, PageSize) else 0

    @property
    def scale(self) -> Scale:
        """Return how its cursor values compare."""
        return Scale(type=CursorType.TEXT) if self.rule is None else self.rule.scale

    @property
    def tenant(self) -> str:
        """Return whose data it is."""
        return self.integration.tenant

    @property
    def key(self) -> StreamKey:
        """Return the stream's name in the store."""
        return StreamKey(self.integration.name, self.name)

    @property
    def prints(self) -> Fingerprints:
        """Return what stored state must match."""
        return self.integration.fingerprints[self.name]

    def records_of(
        self, reply: Mapping[str, Json], variables: Mapping[str, Json] = NO_VARIABLES
    ) -> list[Json]:
        """Find the records of a page; an answer without a body has none.

        Args:
            reply: ``status``, ``headers`` and ``body``.
            variables: ``config`` and ``each``.

        Raises:
            PageShapeError: There is no list there.
        """
        expression = self.stream.records
        if expression is None:
            found, where = reply["body"], "body"
        else:
            found, where = expression.search(dict(reply), variables), expression.text
        if isinstance(found, list):
            return found
        if isinstance(found, dict) and expression is not None:
            return [found]
        if reply["body"] is None:
            return []
        hint = "" if found is not None else f"; write '{where} || `[]`' where that is normal"
        raise PageShapeError(
            f"records: {where} found {_NAMES.get(type(found), 'no list')}, expected a list{hint}"
        )


_NAMES = {
    type(None): "nothing",
    dict: "an object",
    str: "text",
    int: "a number",
    float: "a number",
    bool: "true or false",
}


def build_plan(integration: Integration, name: str) -> StreamPlan:
    """Compile one stream that makes requests."""
    stream = integration.streams[name]
    integration = integration.asking_as(stream.auth)
    http = integration.http
    assert http is not None
    shape, found = integration.shapes[name], integration.objects.get(name)
    first = stream.variants[0]
    plan = StreamPlan(
        integration=integration,
        name=name,
        stream=stream,
        http=http,
        paginator=_paginator_of(first, http),
        reply=_reply_of(first, http),
        shaper=Shaper(
            item_error=stream.item_error,
            key=stream.key.parts,
            cursor=cursor_rule(stream) if _is_of_records(stream) else None,
            deleted=stream.deleted,
            where=stream.where,
            mapping=shape.mapping,
            schema=shape.schema,
            relays=relays_of(integration.streams, name),
        ),
        entity=integration.entity_of(name),
        shares=_shares_entity(integration, name),
        given={} if found is None else {"object": found.data},
        reads=frozenset(reference.path[0] for reference in references_in(stream)),
    )
    if stream.feed is None:
        return plan
    listing = replace(plan, stream=replace(stream, incremental=None))
    return replace(plan, listing=listing, following=_following(plan, stream.feed))


def _following(plan: StreamPlan, feed: Feed) -> StreamPlan:
    """Return how a feed is read: asked and walked in its own way, its records shaped as others."""
    asked = replace(
        replace(plan.stream, first_of=(), deferred=None),
        **feed.request(),
        paginate=feed.paginate,
        records=feed.records,
    )
    errors = (*feed.errors, *plan.http.errors)
    sorter = Shaper(
        key=(feed.key or plan.stream.key).parts,
        cursor=cursor_rule(plan.stream),
        deleted=feed.deleted or plan.stream.deleted,
    )
    return replace(
        plan,
        stream=asked,
        paginator=_paginator_of(asked, plan.http),
        reply=ReplyShape(decoder=feed.decode, errors=errors, keeps_rest=True),
        shaper=replace(plan.shaper, cursor=None),
        sorter=sorter,
    )


def _is_of_records(stream: Stream) -> bool:
    """Tell whether what the stream itself lists has the cursor's value."""
    return stream.feed is None or stream.feed.from_ == "records"


def _paginator_of(stream: Stream, http: HttpSpec) -> Paginator:
    """Return how the list is walked; what was made for us has pages only where that is said."""
    common = http.paginate if stream.deferred is None else None
    return stream.paginate or common or NoPaging()


def _reply_of(stream: Stream, http: HttpSpec) -> ReplyShape:
    read: CallShape = stream if stream.deferred is None else stream.deferred.download
    own = () if read is stream else read.errors
    return ReplyShape(
        decoder=read.decode, errors=(*own, *stream.errors, *http.errors), keeps_rest=True
    )


def cursor_rule(stream: Stream) -> CursorRule | None:
    """Return where the records of a stream have their cursor value; None where they have none."""
    rule = stream.incremental
    if rule is None or rule.field is None:
        return None
    return CursorRule(field=rule.field, scale=rule.scale)


def _shares_entity(integration: Integration, name: str) -> bool:
    entity = integration.entity_of(name)
    return any(
        integration.entity_of(other) == entity for other in integration.streams if other != name
    )


def base_call(
    http: HttpSpec, variables: Mapping[str, Json], token: Mapping[str, Json] | None = None
) -> BaseCall:
    """Render what every call of an integration has in common.

    Args:
        http: Whose.
        variables: ``config`` and ``secrets``.
        token: What a token's reply says; a stand-in where nothing is sent.
    """
    return BaseCall.render(
        base_url=http.base_url,
        headers=http.headers,
        query=http.query,
        encode=http.encode,
        variables={**variables, "token": TOKEN_STAND_IN if token is None else token},
    )


def names_token(http: HttpSpec) -> bool:
    """Tell whether calls go where a token's reply says."""
    return any(reference.path[0] == "token" for reference in http.base_url.references)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between what a walk reads, as it is sent."""

    lower: Json = None
    """None where all is asked for."""
    upper: Json = None
    """Of a window."""
    least: Comparable | None = None
    """The lower bound as records compare with it."""


def bounds_of(plan: StreamPlan, cursor: Json, now: datetime) -> Bounds:
    """Return what a reading without windows sends.

    Args:
        plan: The stream.
        cursor: As it is kept, or None for a full reading; what is sent is made of it.
        now: The current time.

    Raises:
        ExpressionError: The cursor, or ``start``, cannot be written as said.
    """
    rule = plan.stream.incremental
    if rule is None:
        return Bounds()
    config = plan.integration.config
    least = rule.least(cursor, config, now) if rule.filters_here or rule.falls else None
    if cursor is not None:
        return Bounds(rule.lower_bound(cursor), least=least)
    return Bounds(rule.first_bound(config, now), least=least)


def bounded(plan: StreamPlan, variables: Mapping[str, Json], bounds: Bounds) -> Mapping[str, Json]:
    """Return variables with ``cursor`` and ``window``, where a walk has a lower bound."""
    if plan.stream.incremental is None or bounds.lower is None:
        return variables
    window = {"start": bounds.lower, "end": bounds.upper}
    return {**variables, "cursor": bounds.lower, "window": window}


def walk_requests(
    plan: StreamPlan, base: BaseCall, variables: Mapping[str, Json], bounds: Bounds
) -> Requests:
    """Build the requests of a walk, before paging and credentials are added.

    Args:
        plan: The stream.
        base: What its integration's calls have in common.
        variables: ``config``, ``secrets`` and ``each``.
        bounds: What it reads.

    Raises:
        ExpressionError: A template has no value.
    """
    return build_requests(
        lambda scope: first_request(plan, base, scope, bounds),
        variables,
        differ="page" in plan.reads,
    )


def first_request(
    plan: StreamPlan, base: BaseCall, variables: Mapping[str, Json], bounds: Bounds
) -> Request:
    """Build one request of a walk, before paging and credentials are added.

    Args:
        plan: The stream.
        base: What its integration's calls have in common.
        variables: ``config``, ``secrets``, ``each`` and ``page``.
        bounds: What it reads.

    Raises:
        ExpressionError: A template has no value.
    """
    rule = plan.stream.incremental
    work = plan.stream.deferred
    shape: CallShape = plan.stream if work is None else work.create
    scope = bounded(plan, variables, bounds)
    request = build_request(shape, base=base, variables=scope)
    if rule is None or bounds.lower is None:
        return request
    if rule.into is not None:
        lower = bounds.lower if rule.json is None else rule.json.render(scope)
        request = rule.into.put(request, lower)
    if rule.window is not None and rule.window.into is not None:
        request = rule.window.into.put(request, bounds.upper)
    return request
