"""Cursors that count: how many records of a list that only grows at its end were read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from integrationd.config.problems import shorten
from integrationd.engine.parts import Part
from integrationd.engine.plans import StreamPlan
from integrationd.engine.progress import Reading
from integrationd.errors import ExpiredError, ExpressionError, MappingError
from integrationd.model.json import Json
from integrationd.model.runs import Mode
from integrationd.model.unstorable import Unstorable
from integrationd.ports.store import ReadingState
from integrationd.spec.stream import Stream
from integrationd.transform.finding import references_in
from integrationd.wire.paginate.offset import OffsetPaging
from integrationd.wire.paginate.page import PageNumberPaging

COUNT: Final = "count"
LAST: Final = "last"


@dataclass(frozen=True, slots=True)
class Reached:
    """How much of a list was read."""

    count: int = 0
    last: str | None = None
    """What the last of these records is called, where that can be told."""

    @classmethod
    def read(cls, kept: Json) -> Reached:
        """Read what :meth:`to_json` wrote; nothing was read where nothing is kept."""
        return cls(kept[COUNT], kept[LAST]) if isinstance(kept, dict) else cls()

    def to_json(self) -> Json:
        """Return it as it is kept, as a cursor."""
        return {COUNT: self.count, LAST: self.last}


def tally_of(
    plan: StreamPlan, reading: Reading, part: Part, variables: Mapping[str, Json]
) -> Tally | None:
    """Return what counts a reading's records; None where its cursor does not count.

    The last record that was read is read once more: only so can it be seen whether the list is the
    one that was counted.
    """
    rule, paginator = plan.stream.incremental, plan.paginator
    if rule is None or not rule.count:
        return None
    begun = Reached.read(reading.cursor)
    first, overlap = None, min(begun.count, 1)
    if begun.count and _begins_at_place(plan.stream):
        place = begun.count - 1
        if isinstance(paginator, PageNumberPaging):
            overlap += place - paginator.first_of(place)
        assert isinstance(paginator, OffsetPaging | PageNumberPaging)
        first = paginator.at(place)
    kept = reading.state
    return Tally(
        begun=begun,
        first=first,
        overlap=overlap,
        advances=reading.mode is Mode.INCREMENTAL or (kept.cursor is None and not kept.shape),
        name=_naming(plan, part, variables),
    )


def _begins_at_place(stream: Stream) -> bool:
    """Tell whether the paging itself is to begin at a place, as nothing else says it."""
    assert stream.incremental is not None
    named = any(reference.path[0] == "cursor" for reference in references_in(stream))
    return stream.incremental.into is None and not named


def _naming(
    plan: StreamPlan, part: Part, variables: Mapping[str, Json]
) -> Callable[[Json], str | None]:
    def name(record: Json) -> str | None:
        """Return what a record of the list is called, None where that cannot be told."""
        with suppress(ExpressionError, MappingError):
            explode = plan.stream.explode
            found = [record] if explode is None else explode.apply([record], variables)
            *_, last = part.take_in(found) or [None]
            if last is not None and not isinstance(last, Unstorable):
                return plan.shaper.external_id(last, variables)
        return None

    return name


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts what a walk reads; only the pages that were stored are in what it comes to."""

    begun: Reached
    """What was read before this walk, None of it by a full one."""
    first: Json
    """The token of the page that the walk begins with."""
    overlap: int
    """Records of that page which were counted before."""
    advances: bool
    """Whether the cursor goes on with each page. Not where a list is read that was counted before:
    what is gone from it is only told by its end."""
    name: Callable[[Json], str | None]
    """Says what a record is called."""
    reached: Reached = field(init=False)

    def __post_init__(self) -> None:
        """Begin where the last reading ended."""
        self.reached = self.begun

    def check(self, token: Json, records: Sequence[Json]) -> None:
        """See on the first page whether the list still begins with what was counted.

        Raises:
            ExpiredError: It is shorter, or another record stands there.
        """
        if not self.overlap or token != self.first:
            return
        count, last = self.begun.count, self.begun.last
        if len(records) < self.overlap:
            raise ExpiredError(
                f"incremental.count: {count} records were read, and the list has fewer now"
            )
        found = self.name(records[self.overlap - 1])
        if None not in (last, found) and found != last:
            raise ExpiredError(
                f"incremental.count: record {count} of the list was {shorten(last)} and is "
                f"{shorten(found)} now, so the list is another one"
            )

    def add(self, state: ReadingState, token: Json, records: Sequence[Json]) -> ReadingState:
        """Return the state with a page counted, which is about to be stored.

        There is no page to come back to: whoever goes on after a failure begins at the last record
        that was stored, and sees there whether the list is still the same.
        """
        before = self.reached
        known = self.overlap if token == self.first else 0
        fresh = len(records) - known
        if fresh > 0:
            self.reached = Reached(before.count + fresh, self.name(records[-1]))
        kept = self.reached.to_json()
        cursor = kept if self.advances else state.cursor
        return replace(state, cursor=cursor, high_water=kept, sure=None)
