"""One walk over a stream's pages: ask, find, shape, commit; the next page is asked meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from integrationd.engine.calling import Caller
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
from integrationd.errors import SkippedError
from integrationd.model.json import Json
from integrationd.model.runs import Counts
from integrationd.model.secret import mask
from integrationd.ports.store import Lease, PageCommit, ReadingState
from integrationd.signals import PageCommitted
from integrationd.transform.cursors import CursorType
from integrationd.transform.shape import Shaped
from integrationd.wire.messages import Page, Request
from integrationd.wire.paginate.guard import WalkGuard

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
class Walk:
    """A reading under way."""

    world: World
    plan: StreamPlan
    reading: Reading
    caller: Caller
    first: Request
    """Of the stream, before paging and credentials."""
    variables: Mapping[str, Json]
    """``config`` and ``secrets``."""
    run_id: str
    lease: Lease
    state: ReadingState
    """As it grows from page to page; what is stored of it is ``committed``."""
    committed: ReadingState
    pages: int = 0
    counts: Counts = field(default_factory=Counts)
    in_order: bool = False
    """The spec says that the provider sorts, and nothing has shown otherwise."""
    skipped: bool = False
    """A rule of the spec took an answer for nothing: what the walk did not see may be there."""
    rising: bool = field(init=False)
    """From the first page on no cursor value was below the one before."""
    unknown: int = 0
    """Records whose key could not be read: they may be any of the stored ones."""

    def __post_init__(self) -> None:
        """Begin; of the pages before a resumed one nothing is known any more."""
        self.rising = not self.reading.resumed

    async def run(self) -> None:
        """Read to the end; what is committed stays when it breaks off.

        Raises:
            ProviderError: From the call, the page or the guard.
            StoreError: From the commit.
        """
        guard = WalkGuard(pages_max=self.plan.stream.max_pages)
        fetched = await self._fetch(self.reading.token, guard)
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
        request = self.plan.paginator.apply(self.first, token)
        try:
            reply = await self.caller.ask(request, self.plan.reply)
        except SkippedError:
            self.skipped = True
            return Fetched(token=token, page=NO_PAGE, records=[], following=None)
        records = self.plan.records_of(reply)
        page = Page(reply=reply, count=len(records), last=records[-1] if records else None)
        following = self.plan.paginator.advance(token, page)
        guard.admit(token=token, following=following, records=records)
        return Fetched(token=token, page=page, records=records, following=following)

    async def _keep(self, fetched: Fetched) -> None:
        shaped = await self._shape(fetched.records)
        type_ = self._cursor_type()
        state = after_page(self.reading, self.state, shaped, token=fetched.token, type_=type_)
        self.rising = self.rising and is_in_order(self.state, shaped, type_)
        if self.in_order and not self.rising:
            self.in_order = False
            state = distrusted(state)
        self.committed = advance_in_order(state, type_) if self.in_order else state
        if self.reading.renames:
            self.committed = abandoned(distrusted(state))
        if self._tells_secret(fetched.token):
            # A next-URL that repeats our key: nothing of it may lie in the database.
            self.committed = replace(self.committed, walking=False, page_token=None)
        upserts = shaped.upserts
        self.world.failpoints.reach("page.fetched")
        counts = await self.world.store.commit_page(
            self.plan.tenant,
            PageCommit(
                run_id=self.run_id,
                key=self.plan.key,
                partition="",
                entity=self.plan.entity,
                lease=self.lease,
                upserts=upserts,
                removals=shaped.removals,
                aside=shaped.aside,
                shape=self.plan.prints.shape,
                state=self.committed,
                at=self.world.clock.now(),
                counts=self.caller.take_counts().plus(
                    Counts(
                        read=len(fetched.records),
                        cleaned=shaped.tally.cleaned,
                        dropped=shaped.tally.dropped,
                    )
                ),
                track_seen=self.tracks_seen(),
                ids=self.world.new_uuids(len(upserts)),
            ),
        )
        self.world.failpoints.reach("page.committed")
        self.state = state
        self.pages += 1
        self.counts = self.counts.plus(counts)
        self.unknown += sum(not item.keyed for item in shaped.aside)
        self.world.signals.emit(
            PageCommitted(
                integration=self.plan.integration.name,
                stream=self.plan.name,
                run_id=self.run_id,
                page=self.pages,
                counts=counts,
                total=self.plan.paginator.total(fetched.page),
            )
        )

    async def _shape(self, records: list[Json]) -> Shaped:
        shaped = Shaped(ceiling=self.world.clock.now() + AHEAD_MAX)
        for start in range(0, len(records), SLICE_RECORDS):
            piece = records[start : start + SLICE_RECORDS]
            self.plan.shaper.shape(piece, self.variables, shaped)
            await asyncio.sleep(0)
        return shaped

    def _tells_secret(self, token: Json) -> bool:
        return mask(str(token), self.caller.hidden()) != str(token)

    def tracks_seen(self) -> bool:
        """Tell whether this reading may end in a sweep."""
        wanted = self.plan.sweeps or (self.reading.renames and not self.plan.shares)
        return wanted and self.reading.is_whole()

    def may_sweep(self) -> bool:
        """Tell, after a complete walk, whether what it did not see is gone.

        Not where a record's key could not be read: it may be any of the stored ones, unless those
        have other names by now.
        """
        told_apart = self.unknown == 0 or self.reading.renames
        return self.tracks_seen() and told_apart and not self.skipped

    def trust(self) -> Trust:
        """Tell, after a complete walk, how far the cursor may move."""
        positional = self.plan.paginator.positional
        if self.skipped or (positional and self.reading.resumed):
            return Trust.NOTHING
        if self.in_order:
            return Trust.ALL
        return Trust.BEGINNING

    def _cursor_type(self) -> CursorType:
        rule = self.plan.stream.incremental
        return CursorType.TEXT if rule is None else rule.type
