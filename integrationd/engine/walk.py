"""One walk over a stream's pages: ask, find, shape, commit; the next page is asked meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final, TypeAlias

from integrationd.engine.alternatives import Forms
from integrationd.engine.calling import Caller
from integrationd.engine.counting import Tally
from integrationd.engine.feeding import ChangeReader, Opening
from integrationd.engine.floor import Floor
from integrationd.engine.kept import explain_age, find_cursor
from integrationd.engine.lookups import look_up
from integrationd.engine.pages import Requests
from integrationd.engine.parts import Part
from integrationd.engine.plans import StreamPlan
from integrationd.engine.progress import (
    Reading,
    Trust,
    abandoned,
    advance_in_order,
    after_page,
    distrusted,
    is_in_order,
)
from integrationd.engine.world import World
from integrationd.errors import ExpressionError, PageShapeError, RefusedError, SkippedError
from integrationd.model.json import Json
from integrationd.model.runs import Counts
from integrationd.model.secret import mask
from integrationd.model.unstorable import find_unstorable, shown, sift
from integrationd.ports.store import Lease, PageCommit, ReadingState
from integrationd.signals import PageCommitted
from integrationd.transform.cursors import Comparable
from integrationd.transform.shape import Latest, Shaped, Shaper
from integrationd.wire.call import BaseCall
from integrationd.wire.messages import Page
from integrationd.wire.paginate.guard import WalkGuard
from integrationd.wire.reply import Judged

SLICE_RECORDS = 500
"""Records shaped between two looks at the event loop; at 20 us each that is 10 ms."""

AHEAD_MAX = timedelta(days=1)
"""How far a provider's clock may be ahead of ours; a cursor value beyond that is a broken one."""
NO_PAGE: Final = Page(reply={"status": None, "headers": {}, "body": None}, count=0)
"""What stands for an answer that was skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """One page as it came, and where the walk goes on."""

    token: Json
    page: Page
    records: list[Json]
    following: Json
    """The token of the next page, None at the end."""


@dataclass(slots=True, kw_only=True)
class Track:
    """What is known of a reading so far; it grows from page to page, over all its walks."""

    state: ReadingState
    committed: ReadingState
    """What is stored of it."""
    pages: int = 0
    counts: Counts = field(default_factory=Counts)
    in_order: bool = False
    """The spec says that the provider sorts, and nothing has shown otherwise."""
    skipped: bool = False
    """A rule of the spec took an answer for nothing: what the walk did not see may be there."""
    blank: bool = False
    """A page had no body, which may be a fault as well as the end of a list."""
    unknown: int = 0
    """Records whose key could not be read: they may be any of the stored ones."""
    form: int | None = None
    """Which request of ``first_of`` is read."""

    @property
    def missed(self) -> str:
        """Say why what it did not see may be there all the same; empty where it may not."""
        if self.skipped:
            return "was skipped"
        return "had no body" if self.blank else ""


Ending: TypeAlias = Callable[[ReadingState], ReadingState]
"""Gives the state that is committed with the last page of a walk."""


@dataclass(slots=True, kw_only=True)
class Walk:
    """One list under way, from its first page to its last."""

    world: World
    plan: StreamPlan
    part: Part
    reading: Reading
    caller: Caller
    requests: Requests
    """Of the stream, before paging and credentials."""
    base: BaseCall
    """What its calls have in common."""
    variables: Mapping[str, Json]
    """``config``, ``secrets``, ``each`` and ``input``."""
    run_id: str
    lease: Lease
    track: Track
    token: Json
    """Of the page that it begins with."""
    resumed: bool
    tally: Tally | None = None
    """Of a cursor that counts."""
    opening: Opening | None = None
    """Of a list that is followed by a feed."""
    stored: Callable[[Json], Json] | None = None
    """What is kept of a page's token where that is more than the token itself."""
    forms: Forms | None = None
    """The requests of ``first_of``, until one of them is found."""
    ending: Ending
    tracks_seen: bool
    """Whether the run may end in a sweep."""
    least: Comparable | None = None
    """The lower bound, as records compare with it."""
    floor: Floor | None = field(init=False)
    """Where a list that falls need not be read on."""
    cut: bool = False
    """It ended where the provider gives no more for one question; see ``reset_after``."""
    read: int = 0
    widest: int = 0
    """Of the largest page."""
    pages: int = 0
    latest: Latest = field(init=False)
    """Of a feed."""
    rising: bool = field(init=False)
    """From the first page on no cursor value was below the one before."""

    def __post_init__(self) -> None:
        """Begin; of the pages before a resumed one nothing is known any more."""
        self.rising = not self.resumed
        rule = self.plan.stream.incremental
        self.latest = Latest(rises=bool(rule and rule.rises), falls=bool(rule and rule.falls))
        cursor = (self.plan.sorter or self.plan.shaper).cursor
        self.floor = None
        if rule is not None and rule.falls and cursor is not None and self.least is not None:
            self.floor = Floor(rule=cursor, least=self.least)

    async def run(self) -> None:
        """Read to the end; what is committed stays when it breaks off.

        Raises:
            ProviderError: From the call, the page or the guard.
            StoreError: From the commit.
        """
        guard = WalkGuard(pages_max=self.plan.stream.max_pages)
        fetched = await self._fetch(self.token, guard)
        while fetched.following is not None:
            ahead = asyncio.create_task(self._fetch(fetched.following, guard), name="next page")
            try:
                await self._keep(fetched)
            except BaseException:
                ahead.cancel()
                with suppress(Exception, asyncio.CancelledError):
                    await ahead
                raise
            fetched = await ahead
        await self._keep(fetched)

    async def _fetch(self, token: Json, guard: WalkGuard) -> Fetched:
        try:
            judged = await self._ask(token)
        except SkippedError:
            self.track.skipped = True
            return Fetched(token=token, page=NO_PAGE, records=[], following=None)
        except RefusedError as refused:
            sent = self.reading.cursor is not None or self.resumed
            follows, rule = self.plan.sorter is not None, self.plan.stream.incremental
            raise explain_age(refused, rule, sent=sent, follows=follows) from None
        self.track.blank = self.track.blank or judged.blank
        records = self.plan.records_of(judged.reply, self.variables)
        page = Page(reply=judged.reply, count=len(records), records=records)
        if self.tally is not None:
            self.tally.check(token, records)
        following = self.plan.paginator.advance(token, page)
        if self._is_cut(page.count, ends=following is None):
            following, self.cut = None, True
        seen, records = records, self._explode(records)
        if judged.loose:
            _refuse_token(following)
            seen = [shown(record) for record in sift(seen)]
            records = sift(records)
        if self.plan.paginator.rereads:
            seen = []
        records = self.part.take_in(records)
        if self.floor is not None and self.floor.is_passed(records, self.variables):
            following = None
        guard.admit(token=token, following=following, records=seen)
        return Fetched(token=token, page=page, records=records, following=following)

    async def _ask(self, token: Json) -> Judged:
        """Ask for a page; the first one settles which request of ``first_of`` is read."""
        first = token is None or (token == self.token and not self.resumed)
        if self.forms is None:
            request = self.plan.paginator.apply(self.requests.of(first=first), token)
            return await self.caller.ask_judged(request, self.plan.reply)
        found, judged = await self.forms.find(self.caller, token, first=first)
        self.plan, self.requests, self.track.form = found.plan, found.requests, found.number
        self.forms = None
        return judged

    def _is_cut(self, count: int, *, ends: bool) -> bool:
        """Count a page; tell whether the provider may refuse the one after it, or hide it.

        A short page before the limit is the end of the list. A full one need not be, whatever the
        provider says: some leave out the page that their limit would cut.
        """
        self.read += count
        self.widest = max(self.widest, count)
        rule = self.plan.stream.incremental
        if rule is None or rule.reset_after is None:
            return False
        if self.read + max(self.widest, self.plan.page_size) <= rule.reset_after:
            return False
        return not ends or count == self.widest or self.read >= rule.reset_after

    def _explode(self, records: list[Json]) -> list[Json]:
        explode = self.plan.stream.explode
        if explode is None:
            return records
        try:
            return explode.apply(records, self.variables)
        except ExpressionError as wrong:
            raise PageShapeError(f"explode: {wrong}") from None

    async def _keep(self, fetched: Fetched) -> None:
        shaped = await self._shape(fetched.records)
        state = self._advance(fetched, shaped)
        upserts, track = shaped.upserts, self.track
        self.world.failpoints.reach("page.fetched")
        counts = await self.world.store.commit_page(
            self.plan.tenant,
            PageCommit(
                run_id=self.run_id,
                key=self.plan.key,
                partition=self.part.key,
                entity=self.plan.entity,
                lease=self.lease,
                upserts=upserts,
                removals=shaped.removals,
                aside=shaped.aside,
                shape=self.plan.prints.shape,
                state=track.committed if self.reading.keeps else None,
                at=self.world.clock.now(),
                counts=self.caller.take_counts().plus(
                    Counts(
                        read=len(fetched.records),
                        cleaned=shaped.tally.cleaned,
                        dropped=shaped.tally.dropped,
                    )
                ),
                track_seen=self.tracks_seen,
                below=shaped.below,
                ids=self.world.new_uuids(len(upserts)),
                relays=shaped.relays,
            ),
        )
        self.world.failpoints.reach("page.committed")
        track.state = state
        self.pages += 1
        track.pages += 1
        track.counts = track.counts.plus(counts)
        track.unknown += sum(not item.keyed for item in shaped.aside)
        self.world.signals.emit(
            PageCommitted(
                integration=self.plan.integration.name,
                stream=self.plan.name,
                run_id=self.run_id,
                page=track.pages,
                counts=counts,
                total=self.plan.paginator.total(fetched.page),
            )
        )

    def _advance(self, fetched: Fetched, shaped: Shaped) -> ReadingState:
        """Return the state after a page, and put what is stored of it on the track."""
        track, scale = self.track, self.plan.scale
        first = fetched.token is None and not self.resumed
        self._take_cursor(fetched, shaped, first=first)
        token = fetched.token if self.stored is None else self.stored(fetched.token)
        state = after_page(track.state, shaped, token=token, first=first, scale=scale)
        if self.opening is not None:
            state = self.opening.note(state, fetched.page.reply, first=first)
        if self.tally is not None:
            state = self.tally.add(state, fetched.token, fetched.page.records)
        self.rising = self.rising and is_in_order(track.state, shaped, scale)
        if track.in_order and not self.rising:
            track.in_order = False
            state = distrusted(state)
        if track.in_order and fetched.following is None and self.pages and not self.cut:
            # A row that changes in the very tick in which a page ends may come to stand before that
            # end: the next reading begins where the last page did.
            state = replace(state, high_water=track.state.high_water)
        committed = self._committed(state)
        if fetched.following is None:
            state = self.ending(state)
            committed = self.ending(committed)
        if self.reading.renames:
            committed = abandoned(distrusted(state))
        # Only from its first page on is it known which change of a record is the newest.
        falls = not self.rising and bool(self.plan.sorter and self.plan.sorter.cursor)
        if committed.walking and (falls or self._tells_secret(fetched.token)):
            # A next-URL that repeats our key: nothing of it may lie in the database.
            committed = replace(committed, walking=False, page_token=None, round="")
        track.committed = committed
        return state

    def _committed(self, state: ReadingState) -> ReadingState:
        """Return what is stored with a page: where a walk that breaks off is gone on with."""
        if self.tally is not None:
            return abandoned(state)
        return advance_in_order(state, self.plan.scale) if self.track.in_order else state

    def _take_cursor(self, fetched: Fetched, shaped: Shaped, *, first: bool) -> None:
        """Put a cursor that the answer itself has in the place of one of the records."""
        rule = self.plan.stream.incremental
        if rule is None or rule.cursor is None or (rule.page == "first" and not first):
            return
        shaped.high_water = find_cursor(rule, fetched.page.reply)
        if self._tells_secret(shaped.high_water):
            raise PageShapeError("incremental.cursor: holds a secret, which is kept nowhere")

    async def _shape(self, records: list[Json]) -> Shaped:
        if self.plan.sorter is not None:
            return await self._follow(self.plan.sorter, records)
        shaped = await self._prepare(records)
        await self._shape_into(records, shaped)
        return shaped

    async def _follow(self, sorter: Shaper, changes: list[Json]) -> Shaped:
        """Shape the records that changes are about, and tell which are gone."""
        early = await self._prepare([])
        told = sorter.sort(changes, self.variables, early, self.latest)
        reader = ChangeReader(
            plan=self.plan, caller=self.caller, base=self.base, variables=self.variables
        )
        found = await reader.find(told)
        records = self.part.take_in(found.records)
        shaped = await self._prepare(records)
        shaped.take_told(early)
        found.tell(sorter, self.variables, shaped)
        await self._shape_into(records, shaped)
        return shaped

    async def _prepare(self, records: list[Json]) -> Shaped:
        found = await look_up(self.world, self.plan, ((one, self.variables) for one in records))
        rule = self.plan.stream.incremental
        least = self.least if rule is not None and rule.filters_here else None
        return Shaped(ceiling=self.world.clock.now() + AHEAD_MAX, floor=least, found=found)

    async def _shape_into(self, records: list[Json], shaped: Shaped) -> None:
        for start in range(0, len(records), SLICE_RECORDS):
            piece = records[start : start + SLICE_RECORDS]
            self.plan.shaper.shape(piece, self.variables, shaped)
            await asyncio.sleep(0)

    def _tells_secret(self, token: Json) -> bool:
        return mask(str(token), self.caller.hidden()) != str(token)

    def trust_in_window(self) -> Trust:
        """Tell how far the cursor may move after a window that is not the last.

        A row that changes leaves the window and comes in a later one, so a walk by tokens or of
        one page misses nothing; where pages are places, those behind it move up.
        """
        trust = self.trust()
        stepped = self.plan.paginator.positional and self.pages > 0  # before this one
        return trust if trust is not Trust.BEGINNING or stepped else Trust.ALL

    def trust(self) -> Trust:
        """Tell, after a complete walk, how far the cursor may move."""
        opaque = self.plan.scale.opaque
        positional = self.plan.paginator.positional and (self.plan.is_list or not opaque)
        if self.track.skipped or (positional and self.resumed):
            return Trust.NOTHING
        if self.track.in_order or opaque or self.opening is not None:
            return Trust.ALL
        return Trust.BEGINNING


def _refuse_token(token: Json) -> None:
    wrong = find_unstorable(token)
    if wrong is not None:
        raise PageShapeError(f"the token of the next page: {wrong}")
