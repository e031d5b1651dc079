"""``incremental``: reading only what changed since the last complete reading."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from integrationd.config.decode import Bounds, Invalid, Site
from integrationd.config.nodes import Fields
from integrationd.config.units import parse_duration
from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.spec.bounds import BOUNDED, Bound, Filter, Start, Window, bounding
from integrationd.transform.bounds import TimeBound, number_bound
from integrationd.transform.cursors import Comparable, CursorType, Scale, aware
from integrationd.transform.expression import Expression
from integrationd.transform.scopes import Scope
from integrationd.transform.template import JsonTemplate
from integrationd.transform.times import (
    ISO,
    TimeNotation,
    as_notations,
    earlier_by,
    in_utc,
    read_iso,
    settle,
)
from integrationd.transform.zones import Zone
from integrationd.wire import places
from integrationd.wire.places import Place
from integrationd.wire.tokens import OPTIONAL, REPLY

_NOT_LESS: Final = Bounds(0, 10**18)
_SENT: Final = places.Roots((*OPTIONAL.roots, places.Root.URL))
_NEVER: Final = timedelta()
_LOOKBACKS: Final[Mapping[CursorType, tuple[tuple[type, ...], str]]] = {
    CursorType.TIME: ((timedelta,), "write a duration such as 10m"),
    CursorType.NUMBER: ((int, float), "write a number, in the cursor's own unit"),
    CursorType.TEXT: ((), "text has no distance; leave it out"),
}
"""What a lookback is for each type of cursor, and what to do where it is something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incremental:
    """Reading only what changed since the last complete reading."""

    field: Expression | None = None
    """The record's value that grows with each change."""
    cursor: Annotated[Expression | None, REPLY] = None
    """Instead of ``field``: what the provider itself gives in an answer, to be sent back next time,
    ``body.next_sync_token`` or ``headers.etag``. Where it answers 410 the cursor is too old, and
    the stream is read in full."""
    page: Literal["first", "last"] = "last"
    """Of which page's answer ``cursor`` is read; of ``last``, the last that has one."""
    count: bool = False
    """Instead of ``field``: how many records were read, of a list that only grows at its end. What
    is sent is the place of the last one, counted from 0, so that it comes once more: where it is
    not there, or is another one, the list is read anew. ``into`` may be missing where ``paginate``
    is ``offset``, or ``page`` with a ``size``: the walk begins at that place then."""
    into: Annotated[Place | None, _SENT] = None
    """Where the lower bound goes in the request. Without it a template of the request has to name
    ``cursor`` or ``window.start``. ``url`` where ``cursor`` finds a whole URL, used as it came; its
    host has to be one of those that may be called."""
    json: Annotated[JsonTemplate | None, Scope(("config", "cursor", "window"))] = None
    """Sent at ``into`` as JSON text instead of the bare cursor."""
    type: CursorType = CursorType.TIME
    """How values compare: ``time``, ``number`` or ``text``."""
    read: TimeNotation | tuple[TimeNotation, ...] | None = None
    """How records write their times where it is not ISO 8601: ``unix``, ``unix_ms``, ``unix_us``,
    ``rfc2822``, ``dotnet`` (``/Date(…)/``), a pattern such as ``%d/%m/%Y %H:%M``, or a list."""
    timezone: Zone | None = None
    """Of times that do not name theirs, ``Europe/Berlin``, read and written; UTC by default."""
    bound: Bound = Bound.INCLUSIVE
    """``exclusive`` where the provider gives only what lies after the bound: what is sent is then
    one unit earlier, so that no record with the same value is lost."""
    start: Annotated[Start | None, BOUNDED] = None
    """Where the first reading and every full one begin: ``"2024-01-01"``, ``"{{ config.since }}"``,
    ``365d`` before now, or ``"{{ now | format_time('date') }}"``; at the provider's beginning by
    default."""
    window: Window | None = None
    """Read one span of time after the other, from ``start`` on."""
    lookback: timedelta | Annotated[int, _NOT_LESS] | Annotated[float, _NOT_LESS] | None = None
    """How far before the cursor each reading begins, where rows turn up late: ``10m`` for a time, a
    number for a number. The cursor itself is kept as the provider wrote it."""
    format: TimeNotation | None = None
    """How the bound is written where the provider does not take back its own notation: those of
    ``read``, ``iso``, ``date``, ``http_date``, or a pattern such as ``%Y-%m-%d %H:%M:%S``, with
    other text around it if need be; in UTC unless ``timezone`` says otherwise."""
    filter: Filter = Filter.PROVIDER
    """``client`` where the provider cannot leave out what is older: every page is read, and what
    lies before the bound is counted as unchanged without being mapped or stored."""
    sorted: bool | Literal["ascending", "descending"] = False
    """How the provider sorts by ``field``. ``ascending``, or ``true``: the cursor may move while a
    reading goes on. ``descending``: the reading ends with the first page that goes below the bound.
    Where that is not true, rows can be lost; a page that is out of order is noticed and undoes
    it."""

    reset_after: Annotated[int | None, Bounds(1, 1_000_000_000)] = None
    """How many records the provider gives for one question at most, 10000 at Elasticsearch and in
    HubSpot's search. When a walk has read so many it begins anew at the greatest value of ``field``
    so far. Wants ``sorted: true``, as otherwise smaller values might be among the rest."""

    @property
    def scale(self) -> Scale:
        """Return how cursor values compare."""
        if self.field is None:
            return Scale(type=CursorType.TEXT, opaque=True)
        zone = None if self.timezone is None else self.timezone.info
        return Scale(type=self.type, notations=as_notations(self.read), zone=zone)

    @property
    def rises(self) -> bool:
        """Tell whether the provider lists what is older first."""
        return self.sorted in (True, "ascending")

    @property
    def falls(self) -> bool:
        """Tell whether the provider lists what is newer first."""
        return self.sorted == "descending"

    @property
    def filters_here(self) -> bool:
        """Tell whether what lies before the bound is left out by the daemon."""
        return self.filter is Filter.CLIENT

    @property
    def is_exclusive(self) -> bool:
        """Tell whether what equals the bound would not come."""
        return self.bound is Bound.EXCLUSIVE

    @property
    def takes_bounds(self) -> bool:
        """Tell whether a person can say where one reading begins."""
        return self.field is not None

    def read_bound(self, said: Json) -> Comparable:
        """Return what a bound means that a person typed.

        Raises:
            ValueError: It is not of the type; the text says what was expected.
        """
        if self.type is not CursorType.TIME:
            return self.scale.parse(said)
        try:
            return self.read_start(said)
        except ValueError:
            raise ValueError(f"expected {ISO.said()}") from None

    @property
    def _times(self) -> TimeBound:
        return TimeBound(scale=self.scale, notation=self.format, exclusive=self.is_exclusive)

    def lower_bound(self, cursor: Json) -> Json:
        """Return what is sent for a cursor: as received where nothing else is said.

        Of a count it is the place of the last record that was read, None where there was none.

        Raises:
            ExpressionError: The cursor cannot be written so.
        """
        if self.count:
            return cursor["count"] - 1 if cursor["count"] else None
        if not self.lookback and self.format is None and not self.is_exclusive:
            return cursor
        try:
            if self.type is CursorType.NUMBER:
                back = self.lookback if isinstance(self.lookback, int | float) else 0
                return number_bound(cursor, back, exclusive=self.is_exclusive)
            return self._times.of_cursor(cursor, self._back)
        except ValueError as wrong:
            raise ExpressionError(f"incremental.lookback: {wrong}") from None

    def reset_bound(self, value: Json) -> Json:
        """Return what is sent where a walk begins anew at a value, with no ``lookback``.

        Raises:
            ExpressionError: The value cannot be written so.
        """
        return dataclasses.replace(self, lookback=None).lower_bound(value)

    def first_bound(self, config: Mapping[str, Json], now: datetime) -> Json:
        """Return what is sent where there is no cursor; None where all is asked for.

        Raises:
            ExpressionError: ``start`` has no value, or one of another type.
        """
        if self.start is None:
            return None
        found = self.start.find(config, now)
        if self.cursor is not None:
            return found
        try:
            if self.type is CursorType.TIME:
                return self._first_time(found)
            self.scale.parse(found)
            if self.type is CursorType.NUMBER and self.is_exclusive:
                return number_bound(found, 0, exclusive=True)
        except ValueError as wrong:
            raise ExpressionError(f"incremental.start: {wrong}") from None
        return found

    def least(self, cursor: Json, config: Mapping[str, Json], now: datetime) -> Comparable | None:
        """Return the least cursor value that a reading is about; None where it is about all.

        Args:
            cursor: As it is kept; None in a full reading.
            config: Of the integration.
            now: The current time.

        Raises:
            ExpressionError: The cursor, or ``start``, is not of the type.
        """
        try:
            if cursor is None:
                found = None if self.start is None else self.start.find(config, now)
                if found is None or self.type is not CursorType.TIME:
                    return None if found is None else self.scale.parse(found)
                return self.read_start(found)
            if isinstance(self.lookback, int | float):
                cursor = number_bound(cursor, self.lookback)
            least = self.scale.parse(cursor)
        except ValueError as wrong:
            raise ExpressionError(f"incremental: {wrong}") from None
        return earlier_by(least, self._back) if isinstance(least, datetime) else least

    def _first_time(self, found: Json) -> Json:
        assert self.start is not None
        is_bare = self.format is None and self.read is None and self.start.ago is None
        moment = self.read_start(found)
        return self._times.of_cursor(found, _NEVER) if is_bare else self._times.of_time(moment)

    def read_start(self, found: Json) -> datetime:
        """Read what a file says; in ISO 8601, or as records write it."""
        try:
            return aware(settle(read_iso(found), self.scale.zone))
        except ValueError:
            return aware(self.scale.find(found)[1])

    @property
    def _back(self) -> timedelta:
        return self.lookback if isinstance(self.lookback, timedelta) else _NEVER

    def span(self, cursor: Json, config: Mapping[str, Json], now: datetime) -> tuple[datetime, ...]:
        """Return where the windows of a reading begin and end.

        Args:
            cursor: As it is kept; None in a full reading.
            config: Of the integration.
            now: The current time.

        Raises:
            ExpressionError: The cursor, ``start`` or ``end`` is no time.
        """
        assert self.window is not None
        assert self.start is not None
        limit = self.window.end
        try:
            if cursor is None:
                begin = self.read_start(self.start.find(config, now))
            else:
                begin = aware(self.scale.find(cursor)[1]) - self._back
            last = None if limit is None else limit.render(bounding(config, now))
            end = now if last is None else min(self._read_end(last, now), now)
        except (ValueError, OverflowError) as wrong:
            raise ExpressionError(f"incremental.window: {wrong}") from None
        # A window's end is kept as a cursor, which is told from the provider's own by its UTC.
        return in_utc(begin), in_utc(max(begin, end))

    def _read_end(self, last: Json, now: datetime) -> datetime:
        ago = parse_duration(last) if isinstance(last, str) else None
        return self.read_start(last) if ago is None else now - ago

    def write(self, begin: datetime, end: datetime) -> tuple[Json, Json]:
        """Write the bounds of a window."""
        times = self._times
        return times.of_time(begin), times.upper(end)

    def is_partial(self) -> bool:
        """Tell whether even a full reading may leave out what is there.

        What lies too far back; and of windows what changes while they are read: it leaves its own
        and comes to lie behind the last one.
        """
        early = self.start is not None and (self.start.ago is not None or self.falls)
        return self.window is not None or early

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse what does not go with the cursor's type, and windows without a beginning."""
        told = self._check_source(node, site)
        wanted = _LOOKBACKS[self.type]
        if self.lookback is not None and not isinstance(self.lookback, wanted[0]):
            message = f"{site.path}.lookback does not go with 'type: {self.type}'; {wanted[1]}"
            told = site.refuse(node.key_position("lookback"), "E114", message)
        for key in ("format", "window", "read", "timezone"):
            if getattr(self, key) is not None and self.type is not CursorType.TIME:
                message = f"{site.path} has {key!r}, which goes with 'type: time' alone"
                told = site.refuse(node.key_position(key), "E114", message)
        if self.is_exclusive and self.type is CursorType.TEXT:
            message = (
                f"{site.path} has 'bound: exclusive', but nothing comes just before a text: "
                "records with the same value would be lost; leave it out, or read by time or number"
            )
            told = site.refuse(node.key_position("bound"), "E114", message)
        if self.window is not None and self.start is None:
            message = f"{site.path} has 'window' but no 'start', where the first one would begin"
            told = site.refuse(node.key_position("window"), "E102", message)
        if self.reset_after is not None and not self.rises:
            message = (
                f"{site.path} has 'reset_after' but not 'sorted: true'; where the provider cannot "
                "sort by the field, a walk cannot begin anew in its middle"
            )
            told = site.refuse(node.key_position("reset_after"), "E114", message)
        return self._check_place(node, site) or told

    def _check_place(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse what cannot stand where it would go."""
        told: Invalid | None = None
        if self.into is not None and self.into.root is places.Root.URL and self.cursor is None:
            message = f"{site.path} has 'into: url', which goes with 'cursor', and that a whole URL"
            told = site.refuse(node.key_position("into"), "E114", message)
        if self.json is not None and self.into is None:
            message = f"{site.path} has 'json' but no 'into', where it would go"
            told = site.refuse(node.key_position("json"), "E114", message)
        return told

    def _check_source(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse two cursors, none, and what only goes with a value of records."""
        told: Invalid | None = None
        given = [key for key in _SOURCES if getattr(self, key)]
        if len(given) != 1:
            message = f"{site.path} needs 'field', 'cursor' or 'count', and just one of them"
            return site.refuse(node.position, "E102", message)
        (alone,) = given
        for key in _SOURCES[alone]:
            if key in node.entries:
                message = f"{site.path} has {key!r}, which does not go with {alone!r}; leave it out"
                told = site.refuse(node.key_position(key), "E114", message)
        return told


_OF_REPLIES: Final = ("page",)
_OF_RECORDS: Final = (
    "type", "read", "timezone", "bound", "window", "lookback", "format", "filter", "sorted",
    "reset_after",
)  # fmt: skip
"""Fields that need a value of each record."""
_SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "field": _OF_REPLIES,
    "cursor": _OF_RECORDS,
    "count": (*_OF_REPLIES, *_OF_RECORDS, "start"),
}
"""Where a cursor comes from, and what does not go with it."""
