"""A list first and a feed afterwards: where the feed begins, and what its changes are about."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from integrationd.engine.calling import Caller
from integrationd.engine.kept import find_reply_cursor
from integrationd.engine.plans import StreamPlan
from integrationd.engine.progress import forgotten
from integrationd.engine.world import World
from integrationd.errors import PageShapeError, RefusedError, SkippedError
from integrationd.model.json import Json
from integrationd.model.records import DeleteReason, Removal
from integrationd.model.runs import Debt, Mode
from integrationd.model.secret import mask
from integrationd.ports.store import ReadingState
from integrationd.spec.feed import Beginning, Fetch
from integrationd.spec.incremental import Incremental
from integrationd.transform.cursors import CursorType, aware
from integrationd.transform.shape import Shaped, Shaper
from integrationd.transform.times import ISO
from integrationd.wire.call import BaseCall, build_request
from integrationd.wire.reply import ReplyShape

_FROM: Final = "feed.from.cursor"
_GONE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
FETCHES_MAX: Final = 8
"""Records of one page that are asked for at the same time, where ``limits.concurrency`` lets it."""


@dataclass(slots=True, kw_only=True)
class Opening:
    """Where a feed begins, found while its list is read and kept with the list's pages."""

    rule: Incremental
    start: Beginning | str
    hidden: Callable[[], Mapping[str, Json]]
    """Secrets, none of which may be kept."""
    began: datetime
    """When the list's reading began, by our clock."""
    clock: Callable[[], datetime]
    given: Json = None
    """What a call of its own gave."""

    def note(self, state: ReadingState, reply: Mapping[str, Json], *, first: bool) -> ReadingState:
        """Return the state after a page of the list, with what it says of the feed's beginning.

        Raises:
            PageShapeError: What stands there cannot be kept.
        """
        found: Json = None
        if self.start == "now":
            found = self._write(self._begin_at(reply)) if first else None
        elif isinstance(self.start, Beginning) and self.start.method is not None:
            found = self.given if first else None
        elif isinstance(self.start, Beginning) and (first or self.start.page == "last"):
            found = find_reply_cursor(self.start.cursor, reply, _FROM)
        if found is None:
            return state
        self.refuse_secret(found)
        return replace(state, high_water=found, sure=found)

    async def ask(
        self, base: BaseCall, caller: Caller, plan: StreamPlan, variables: Mapping[str, Json]
    ) -> None:
        """Make the call of its own, where there is one, before the list is asked for.

        Raises:
            ProviderError: From the call, or it gives nothing.
        """
        start = self.start
        if not isinstance(start, Beginning) or start.method is None:
            return
        request = build_request(start, base=base, variables=variables)
        shape = ReplyShape(decoder=start.decode, errors=(*start.errors, *plan.http.errors))
        try:
            reply = await caller.ask(request, shape)
        except SkippedError as skipped:
            raise RefusedError(f"feed.from: {skipped}; the feed has no beginning then") from None
        self.given = find_reply_cursor(start.cursor, reply, _FROM)
        if self.given is None:
            text = start.cursor.text
            raise PageShapeError(f"{_FROM}: {text} found nothing, so the feed has no beginning")
        self.refuse_secret(self.given)

    def refuse_secret(self, found: Json) -> None:
        """Raise PageShapeError where a secret would be kept."""
        if mask(str(found), self.hidden()) != str(found):
            raise PageShapeError(f"{_FROM}: holds a secret, which is kept nowhere")

    def _begin_at(self, reply: Mapping[str, Json]) -> datetime:
        """Return when the reading began by the provider's clock, where that is behind ours."""
        said = reply["headers"].get("date")
        with suppress(ValueError, TypeError, IndexError, OverflowError):
            behind = self.clock() - aware(parsedate_to_datetime(said))
            return self.began - max(behind, timedelta())
        return self.began

    def _write(self, moment: datetime) -> Json:
        """Write a time as records of the feed have it, cut to what the notation can say."""
        if self.rule.cursor is not None or self.rule.type is not CursorType.TIME:
            return ISO.write(moment)
        notation = next(iter(self.rule.scale.notations), ISO)
        return notation.write(moment, self.rule.scale.zone)


def opening_of(plan: StreamPlan, clock: Callable[[], datetime], caller: Caller) -> Opening | None:
    """Return what finds the beginning of a stream's feed; None where its records do."""
    feed, rule = plan.stream.feed, plan.rule
    if feed is None or rule is None or feed.from_ == "records":
        return None
    return Opening(rule=rule, start=feed.from_, hidden=caller.hidden, began=clock(), clock=clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """A page of changes, told apart."""

    gone: list[str] = field(default_factory=list)
    """Records that are there no more, by external id."""
    records: list[Json] = field(default_factory=list)
    """As the list would give them."""
    empty: list[tuple[Json, str]] = field(default_factory=list)
    """Changes without a record, and why."""

    def take(self, change: Json, record: Json, missing: str) -> None:
        """Take what was found for a change."""
        if record is None:
            self.empty.append((change, missing))
        else:
            self.records.append(record)

    def tell(self, sorter: Shaper, variables: Mapping[str, Json], into: Shaped) -> None:
        """Tell what leads to no record: what is gone, and what is set aside."""
        for change, reason in self.empty:
            sorter.refuse_change(change, variables, into, reason)
        for name in self.gone:
            into.kept[name] = Removal(name, DeleteReason.SOURCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeReader:
    """Finds the records that changes are about."""

    plan: StreamPlan
    """Of the feed."""
    caller: Caller
    base: BaseCall
    variables: Mapping[str, Json] = field(repr=False)
    """``config``, ``secrets`` and ``each``."""

    async def find(self, changes: Mapping[str, Json]) -> Sorted:
        """Return the records, or ask for them where a change only says which one it is about.

        Args:
            changes: Of one page, by external id; null for a record that is gone.

        Raises:
            ProviderError: A record could not be had; nothing of the page is kept then.
            ExpressionError: ``feed.record`` cannot read a change, or a template has no value.
        """
        feed = self.plan.stream.feed
        assert feed is not None
        found = Sorted(gone=[name for name, change in changes.items() if change is None])
        waiting = [(name, change) for name, change in changes.items() if change is not None]
        if feed.fetch is None:
            for _, change in waiting:
                record = change if feed.record is None else feed.record.search(change)
                found.take(change, record, "feed.record found nothing in it")
            return found
        queue, count = iter(waiting), min(FETCHES_MAX, self.plan.http.limits.concurrency)
        workers = [
            asyncio.create_task(self._work(feed.fetch, queue, found), name="changed records")
            for _ in range(min(count, len(waiting)))
        ]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        return found

    async def _work(self, fetch: Fetch, queue: Iterator[tuple[str, Json]], found: Sorted) -> None:
        for name, change in queue:
            try:
                record = await self._fetch(fetch, change)
            except SkippedError as skipped:
                # Nobody is told of the change a second time, so it has to be seen to be missing.
                found.empty.append((change, f"feed.fetch was skipped: {skipped}"))
                continue
            except RefusedError as refused:
                if refused.status not in _GONE:
                    raise
                found.gone.append(name)
                continue
            found.take(change, record, "feed.fetch found nothing for it")

    async def _fetch(self, fetch: Fetch, change: Json) -> Json:
        variables = {**self.variables, "change": change}
        request = build_request(fetch, base=self.base, variables=variables)
        shape = ReplyShape(decoder=fetch.decode, errors=(*fetch.errors, *self.plan.http.errors))
        reply = await self.caller.ask(request, shape)
        return reply["body"] if fetch.record is None else fetch.record.search(dict(reply))


def without_old(plan: StreamPlan, state: ReadingState, now: datetime) -> ReadingState:
    """Return progress without a cursor that is older than what the feed keeps."""
    feed, rule = plan.stream.feed, plan.rule
    if feed is None or rule is None or feed.keeps is None or state.cursor is None:
        return state
    if aware(rule.scale.find(state.cursor)[1]) >= now - feed.keeps:
        return state
    if state.walking and state.mode is Mode.FULL:
        return replace(state, cursor=None)  # the list is being read already
    return forgotten(state)


async def with_debt(world: World, plan: StreamPlan, stored: ReadingState) -> ReadingState:
    """Return a stream's own progress with what its partitions owe before a new round begins.

    That is a round of all lists, where the cursor of one does not hold, or where a first list
    will be begun anew: what it has stored may be gone before its feed begins.
    """
    if not plan.owes_lists or stored.owes is not Debt.NONE:
        return stored
    now = world.clock.now()
    parts = await world.store.load_partitions(plan.tenant, plan.key)
    states = (without_old(plan, state, now) for name, state in parts.items() if name)
    if stored.walking:
        states = (state for state in states if state.round != stored.round)
    found = list(states)
    lost = any(not state.fingerprint or _was_begun(state) for state in found)
    cannot_tell = not lost and any(state.cursor is None for state in found)
    if lost or (cannot_tell and await _was_narrowed(world, plan)):
        return replace(stored, owes=Debt.DUE)
    return stored


async def _was_narrowed(world: World, plan: StreamPlan) -> bool:
    """Tell whether a person has narrowed a run since the last one of the stream's own.

    What that has stored of a partition without a feed yet may be gone, which nobody tells.
    """
    async for run in world.store.runs(plan.tenant, key=plan.key):
        if run.mode in (Mode.FULL, Mode.INCREMENTAL):
            return False
        if run.mode == Mode.INPUT:
            return True
    return False


def _was_begun(state: ReadingState) -> bool:
    """Tell whether the first list of a partition broke off, or is not to be trusted."""
    return state.cursor is None and (state.walking or state.high_water is not None)
