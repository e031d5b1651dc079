"""A stream: an operation that is read again and again into the record store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, ClassVar, Final

from typing_extensions import override

from integrationd.config.decode import INVALID, Bounds, Invalid, Kinds, Marked, Site, decode
from integrationd.config.nodes import Fields, Items, Node, Position
from integrationd.config.sites import Written
from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.spec.schedule import MANUAL, Schedule
from integrationd.transform.bounds import TimeNotation, number_bound, time_bound
from integrationd.transform.cursors import CursorType
from integrationd.transform.expression import Expression
from integrationd.transform.mapping import FIELD_NAME, FieldRule
from integrationd.transform.scopes import Scope
from integrationd.transform.template import JsonTemplate
from integrationd.wire import paginate
from integrationd.wire.call import CallShape
from integrationd.wire.paginate.paginator import Paginator
from integrationd.wire.places import Place
from integrationd.wire.tokens import OPTIONAL, REPLY


@dataclass(frozen=True, slots=True)
class Key:
    """The expressions whose values, joined, are a record's external id."""

    FORM: ClassVar[Written] = Written((Expression, tuple[Expression, ...]))

    parts: tuple[Expression, ...]

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> Key | Invalid:
        """Read one expression or a list of them."""
        nodes = node.items if isinstance(node, Items) else (node,)
        if not nodes:
            return site.expected(node, "an expression or a list of them")
        parts = [decode(part, Expression, site) for part in nodes]
        return INVALID if any(part is INVALID for part in parts) else cls(tuple(parts))


_NOT_LESS: Final = Bounds(0, 10**18)
_LOOKBACKS: Final[Mapping[CursorType, tuple[tuple[type, ...], str]]] = {
    CursorType.TIME: ((timedelta,), "write a duration such as 10m"),
    CursorType.NUMBER: ((int, float), "write a number, in the cursor's own unit"),
    CursorType.TEXT: ((), "text has no distance; leave it out"),
}
"""What a lookback is for each type of cursor, and what to do where it is something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incremental:
    """Reading only what changed since the last complete reading."""

    field: Expression
    """The record's value that grows with each change."""
    into: Annotated[Place, OPTIONAL]
    """Where the lower bound (included) goes in the request."""
    json: Annotated[JsonTemplate | None, Scope(("config", "cursor"))] = None
    """Sent at ``into`` as JSON text instead of the bare cursor."""
    type: CursorType = CursorType.TIME
    """How values compare: ``time`` (ISO 8601), ``number`` or ``text``."""
    lookback: timedelta | Annotated[int, _NOT_LESS] | Annotated[float, _NOT_LESS] | None = None
    """How far before the cursor each reading begins, where rows turn up late: ``10m`` for a time, a
    number for a number. The cursor itself is kept as the provider wrote it."""
    format: TimeNotation | None = None
    """How the bound is written where the provider does not take back its own notation: ``iso``,
    ``unix``, ``unix_ms``, ``date``, or a pattern such as ``%Y-%m-%d %H:%M:%S``, in UTC."""
    sorted: bool = False
    """The provider sorts by ``field``, so that the cursor may move while a reading goes on. Where
    that is not true, rows can be lost; a page that is out of order is noticed and undoes it."""

    def bound(self, cursor: Json) -> Json:
        """Return what is sent for a cursor: as received where nothing else is said.

        Raises:
            ExpressionError: The cursor cannot be written so.
        """
        if not self.lookback and self.format is None:
            return cursor
        try:
            if isinstance(self.lookback, int | float):
                return number_bound(cursor, self.lookback)
            return time_bound(cursor, self.lookback or timedelta(), self.format)
        except ValueError as wrong:
            raise ExpressionError(f"incremental.lookback: {wrong}") from None

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse a lookback of another kind than the cursor, and a format of what is no time."""
        told: Invalid | None = None
        wanted = _LOOKBACKS[self.type]
        if self.lookback is not None and not isinstance(self.lookback, wanted[0]):
            message = f"{site.path}.lookback does not go with 'type: {self.type}'; {wanted[1]}"
            told = site.refuse(node.key_position("lookback"), "E114", message)
        if self.format is not None and self.type is not CursorType.TIME:
            message = f"{site.path} has 'format', which goes with 'type: time' alone"
            told = site.refuse(node.key_position("format"), "E114", message)
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream(CallShape):
    """One stream. One without a request is filled by webhooks alone."""

    position: Position
    paginate: Annotated[Paginator | None, Kinds(paginate.KINDS)] = None
    """How the list is walked; ``http.paginate`` by default. A warning where neither says."""
    records: Annotated[Expression | None, REPLY] = None
    """Finds the list of records in a response; ``body`` by default. Null fails the page."""
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
    incremental: Incremental | None = None
    """Read what changed since last time; a full reading each time without it."""
    schedule: Schedule = MANUAL
    """``30m``, ``manual``, ``{every: 30m, jitter: 1m}``, ``{cron: "0 2 * * *"}`` or
    ``{at: "02:00"}``, the last two with ``timezone`` and ``jitter`` where wanted."""
    enabled: bool = True
    """Whether the schedule runs."""
    sweep: bool = True
    """After a complete full reading, records that were not in it become tombstones. Never where
    another stream of the integration has the same entity."""
    max_pages: Annotated[int, Bounds(1, 10_000_000)] = 100_000
    """A reading that is longer than this ends with an error."""

    def is_read(self) -> bool:
        """Whether the stream asks for itself, rather than being filled by webhooks."""
        return self.method is not None

    @override
    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse also what only makes sense where something is asked."""
        told = CallShape.check(self, node, site)
        for key in ("fields", "custom"):
            if key in node.entries and self.mapping is None:
                message = f"{site.name} has {key!r}, which is laid over a 'mapping'; name one"
                told = site.refuse(node.key_position(key), "E114", message)
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


_READING: Final = ("paginate", "records", "schedule", "max_pages")
"""Fields of a stream that a webhook alone does not need."""
