"""A stream: an operation that is read again and again into the record store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Final

from typing_extensions import override

from integrationd.config.decode import (
    INVALID,
    Bounds,
    Invalid,
    Kinds,
    Marked,
    Site,
    decode_fields,
)
from integrationd.config.nodes import Fields, Node, Position
from integrationd.config.sites import OWN, LaidOver, Written
from integrationd.spec.deferred import Deferred
from integrationd.spec.feed import Feed
from integrationd.spec.for_each import ForEach
from integrationd.spec.incremental import Incremental
from integrationd.spec.inputs import Inputs
from integrationd.spec.merge import merge_fields
from integrationd.spec.names import WORD_NAME
from integrationd.spec.operation import tell_same_names
from integrationd.spec.preludes import PAGED, REQUEST, SEEN, StreamAlternative, StreamStep
from integrationd.spec.schedule import MANUAL, Schedule
from integrationd.transform.cursors import CursorType
from integrationd.transform.explode import Explode
from integrationd.transform.expression import Expression
from integrationd.transform.key import Key
from integrationd.transform.mapping import FIELD_NAME, FieldRule
from integrationd.transform.scopes import Scope
from integrationd.transform.template import Template
from integrationd.transform.zones import Zone
from integrationd.wire import paginate
from integrationd.wire.call import CallShape
from integrationd.wire.paginate.paginator import Paginator
from integrationd.wire.tokens import REPLY

OBJECTS_MAX: Final = 500
"""Streams that one list gives where it does not say how many it may: each has a schedule, a view
and a line in ``status``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRule:
    """How often everything is read, so that what is gone is noticed."""

    every: timedelta
    """The longest time between two readings that see everything, ``7d``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream(CallShape):
    """One stream. One without a request is filled by webhooks alone."""

    variables: ClassVar[Scope] = PAGED

    position: Position
    input: Inputs = Inputs()  # noqa: RUF009 - frozen
    """What ``sync NAME/STREAM --input NAME=VALUE`` may narrow one run to, each with a JSON Schema;
    ``{{ input.id }}`` in the request. Without a value, as in all other runs, it is its ``default``,
    else null. ``since``, ``until`` and the names of ``for_each`` need not be declared."""
    steps: tuple[StreamStep, ...] = ()
    """Requests that are made before the stream is read; what they give is ``{{ steps.NAME }}``."""
    first_of: tuple[StreamAlternative, ...] = ()
    """In the place of a request: several of which the first that finds something is read. All its
    pages come from that one, also in a run that goes on with another."""
    deferred: Deferred | None = None
    """In the place of a request: the provider makes a file of the records first."""
    auth: Marked | None = None
    """Who asks, where that is another than ``http.auth``: a name of ``http.auths``."""
    paginate: Annotated[Paginator | None, Kinds(paginate.KINDS)] = None
    """How the list is walked; ``http.paginate`` by default. A warning where neither says."""
    records: Annotated[Expression | None, REPLY, SEEN] = None
    """Finds the list of records in a response; ``body`` by default. Null fails the page. ``var()``
    brings in ``config``, ``now``, ``each``, ``steps`` and ``object``:
    ``body[*].merge(@, {site: var('each.site')})``."""
    explode: Explode | None = None
    """One record for each item of a list inside a record: ``lines``, or an object. What follows
    reads the items."""
    item_error: Expression | None = None
    """True of an item that says that it could not be read, in an answer that is none the less a
    success: it is set aside, and nothing is deleted for the lack of it. Where one such item shall
    fail the page, say so under ``errors``."""
    key: Key
    """What makes a record itself: one expression over the record, or a list of them."""
    deleted: Expression | None = None
    """True where the source deleted the record."""
    where: Expression | None = None
    """Keep only these; a stored record that no longer passes becomes a tombstone."""
    mapping: Marked | None = None
    """The name of a mapping; without one the record is kept as it came."""
    fields: Annotated[Mapping[str, FieldRule], FIELD_NAME] = field(default_factory=dict)
    """Laid over the fields of the mapping: for one account, where a shared mapping does not fit."""
    custom: Annotated[Mapping[str, FieldRule], FIELD_NAME] = field(default_factory=dict)
    """The tenant's own fields, declared in the settings; a record holds them under ``custom``."""
    timezone: Zone | None = None
    """Of times that name none, in its mapping and its cursor, unless these say it themselves."""
    for_each: ForEach | None = None
    """Read once for each value: the id of each record of another stream, each item of a list."""
    incremental: Incremental | None = None
    """Read what changed since last time; a full reading each time without it."""
    feed: Feed | None = None
    """Its changes, followed once the list was read: ``incremental`` is that of the feed then, and
    the request of the stream itself is for the whole list."""
    schedule: Schedule = MANUAL
    """``30m``, ``manual``, ``{every: 30m, jitter: 1m}``, ``{cron: "0 2 * * *"}`` or
    ``{at: "02:00"}``, the last two with ``timezone`` and ``jitter`` where wanted."""
    enabled: bool = True
    """Whether the schedule runs."""
    sweep: bool | SweepRule = True
    """After a complete full reading, records that were not in it become tombstones. Never where
    another stream of the integration has the same entity. ``{every: 7d}`` has a stream that is
    otherwise read from its cursor read in full at least so often; ``false`` deletes nothing."""
    max_pages: Annotated[int, Bounds(1, 10_000_000)] = 100_000
    """A reading that is longer than this ends with an error."""
    discover: Discover | None = None
    """Each of its records is an object of which there are records: a table, a sheet, a form. There
    is a stream for each."""

    @property
    def sweeps_every(self) -> timedelta | None:
        """Return the longest time between two full readings; None where nothing asks for one."""
        return self.sweep.every if isinstance(self.sweep, SweepRule) else None

    @property
    def keeps_progress(self) -> bool:
        """Tell whether a reading may leave out what has not changed."""
        follows = self.for_each is not None and self.for_each.follows
        return self.incremental is not None or follows

    def is_read(self) -> bool:
        """Whether the stream asks for itself, rather than being filled by webhooks."""
        return self.method is not None or self.deferred is not None or bool(self.first_of)

    @property
    def variants(self) -> tuple[Stream, ...]:
        """Return it with each of its requests; itself where there is only one."""
        return tuple(self._with(one) for one in self.first_of) or (self,)

    def _with(self, one: StreamAlternative) -> Stream:
        request: dict[str, Any] = {name: getattr(one, name) for name in REQUEST}
        plain = replace(self, first_of=(), **request)
        paging, records = one.paginate or self.paginate, one.records or self.records
        return replace(plain, paginate=paging, records=records)

    @override
    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse also what only makes sense where something is asked."""
        told = CallShape.check(self, node, site)
        if self.sweeps_every is not None and not self.keeps_progress:
            message = (
                f"{site.path}.sweep has 'every', but the stream has no 'incremental': it is read "
                "in full each time anyway; leave it out"
            )
            told = site.refuse(node.key_position("sweep"), "E114", message)
        for check in (
            self._check_requests,
            self._check_list,
            self._check_mapping,
            self._check_feed,
        ):
            told = check(node, site) or told
        if self.is_read():
            return told
        for key in _READING:
            if key in node.entries:
                message = (
                    f"{site.name} has {key!r} but no request; add one, such as 'get: /items', or "
                    f"leave {key!r} out"
                )
                told = site.refuse(node.key_position(key), "E114", message)
        return told

    def _check_list(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a list of what there is that nobody reads again."""
        if self.discover is None or "schedule" in node.entries:
            return None
        message = (
            f"{site.name} has 'discover' but no 'schedule', which says how often the list is read, "
            "as in 'schedule: 1d'"
        )
        return site.refuse(node.key_position("discover"), "E102", message)

    def _check_mapping(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse what is laid over a mapping where there is none."""
        told: Invalid | None = None
        for key in ("fields", "custom"):
            if key in node.entries and self.mapping is None:
                message = f"{site.name} has {key!r}, which is laid over a 'mapping'; name one"
                told = site.refuse(node.key_position(key), "E114", message)
        return told

    def _check_feed(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a feed that does not go with the rest."""
        feed, rule, told = self.feed, self.incremental, None
        if feed is None:
            return None
        if rule is None:
            message = f"{site.path}.feed needs 'incremental', which says from where on it is asked"
            return site.refuse(node.key_position("feed"), "E102", message)
        wrong = {
            "explode": self.explode is not None,
            "incremental.count": rule.count,
            "incremental.filter": rule.filters_here,
            "incremental.start": rule.start is not None,
            "incremental.window": rule.window is not None,
        }
        for name in (name for name, is_there in wrong.items() if is_there):
            message = f"{site.path} has {name!r}, which does not go with 'feed'"
            told = site.refuse(node.key_position(name.partition(".")[0]), "E114", message)
        is_time = rule.cursor is not None or rule.type is CursorType.TIME
        needs = ""
        if feed.from_ == "now" and not is_time:
            needs = f"'from: now', which is a time, and a cursor of 'type: {rule.type}'"
        elif feed.from_ == "records" and rule.field is None:
            needs = "'from: records', which reads 'incremental.field', and there is none"
        elif feed.keeps is not None and (rule.field is None or rule.type is not CursorType.TIME):
            needs = "'keeps', which needs a cursor whose age can be told: a 'field' of 'type: time'"
        if needs:
            message = f"{site.path}.feed has {needs}"
            told = site.refuse(node.key_position("feed"), "E114", message)
        return told

    def _check_requests(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse two kinds of requests at once, and steps of one name."""
        told = tell_same_names([step.name for step in self.steps], site)
        instead = [key for key in _INSTEAD if getattr(self, key)]
        if not instead or (self.method is None and len(instead) == 1):
            return told
        what = "a request" if self.method is not None else repr(instead[0])
        message = f"{site.name} has {what} and {instead[-1]!r}, expected one of them"
        return site.refuse(node.key_position(instead[-1]), "E114", message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discover:
    """A stream for each record of the one that has this.

    What the list holds is kept: while it cannot be read, its streams go on. The stream of an object
    that is listed no more is not read any more; its records stay. An object is known by the ``key``
    of the list, so one that gets another name keeps its stream.
    """

    FORM: ClassVar[Written] = Written((OWN,))

    position: Position
    name: Annotated[Template, Scope(("config", "object"))]
    """What its stream is called, ``"{{ object.name }}"``. Signs that no name has become
    underscores; of two with the same name the one that was listed first has it, the other one gets
    a number. Null or an empty text gives no stream."""
    stream: Stream
    """The stream of each; ``{{ object.NAME }}`` is a field of the list's record, as it is stored.
    Among its parents, under ``for_each``, can be lists alone."""
    streams: Annotated[Mapping[str, Annotated[Fields, LaidOver(Stream)]], WORD_NAME] = field(
        default_factory=dict
    )
    """Laid over ``stream`` for single ones, by their names: ``{contacts: {schedule: 5m}, log:
    {enabled: false}}``."""
    max: Annotated[int, Bounds(1, 10_000)] = OBJECTS_MAX
    """How many streams there may be; objects that would be more are told in ``status``."""
    special: Mapping[str, Stream] = field(default_factory=dict, metadata={"internal": True})
    """What ``streams`` makes of ``stream``."""

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Discover | Invalid:
        """Read it, and each stream of which something else is said."""
        built = decode_fields(node, cls, site)
        if isinstance(built, Invalid):
            return INVALID
        assert isinstance(node, Fields)
        common = node.entries["stream"]
        assert isinstance(common, Fields)
        special: dict[str, Stream] = {}
        for name, laid in built.streams.items():
            own = site.key("streams").key(name)
            one = decode_fields(merge_fields(common, laid), Stream, own)
            if isinstance(one, Invalid) or _refuse_misfit(one, own) is not None:
                return INVALID
            special[name] = one
        if _refuse_misfit(built.stream, site.key("stream")) is not None:
            return INVALID
        return replace(built, special=special)

    @property
    def all(self) -> Mapping[str, Stream]:
        """Return every stream that it says, by name; the common one has none."""
        return {"": self.stream, **self.special}


def _refuse_misfit(stream: Stream, site: Site) -> Invalid | None:
    """Tell what a stream cannot say that is one of many."""
    if not stream.is_read():
        message = f"{site.path} makes no request, so that nothing would be read of an object"
        return site.refuse(stream.position, "E102", message)
    if stream.discover is not None:
        message = f"{site.path} has 'discover' itself; a list of lists is read with 'for_each'"
        return site.refuse(stream.position, "E114", message)
    for parent in () if stream.for_each is None else stream.for_each.parents:
        message = f"{site.path} has a parent, {str(parent)!r}; expected a 'list' alone"
        return site.refuse(parent.position, "E114", message)
    return None


_INSTEAD: Final = ("first_of", "deferred")
"""Fields in the place of a request."""
_READING: Final = (
    "auth",
    "steps",
    "discover",
    "paginate",
    "records",
    "schedule",
    "max_pages",
    "for_each",
    "explode",
    "item_error",
    "input",
    "feed",
)
"""Fields of a stream that a webhook alone does not need."""
