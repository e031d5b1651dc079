"""One partition read from its first window to its last, and a stream that has only one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import NamedTuple

from integrationd.engine.alternatives import FORM, Forms
from integrationd.engine.asking import Asking
from integrationd.engine.calling import Caller
from integrationd.engine.counting import tally_of
from integrationd.engine.credentials import NOBODY
from integrationd.engine.deferred import JOB, Work
from integrationd.engine.feeding import Opening, opening_of
from integrationd.engine.moments import NOW, Moment, token_in
from integrationd.engine.pages import Requests
from integrationd.engine.parts import Part
from integrationd.engine.plans import StreamPlan, bounded, walk_requests
from integrationd.engine.preludes import Prelude
from integrationd.engine.progress import (
    STRAYS,
    Reading,
    Trust,
    Window,
    accepted,
    after_list,
    after_reading,
    after_reset,
    after_window,
    forgotten,
    plan_reading,
    plan_round,
)
from integrationd.engine.walk import Track, Walk
from integrationd.engine.windows import Leg, legs_of, rest_of
from integrationd.engine.world import World
from integrationd.errors import ExpiredError, RefusedError
from integrationd.model.json import Json
from integrationd.model.runs import Counts, Debt, Mode
from integrationd.ports.store import Lease, PageCommit, ReadingState
from integrationd.spec.preludes import Span
from integrationd.wire.messages import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What every partition of a run has in common."""

    world: World
    plan: StreamPlan
    ready: Asking
    run_id: str
    lease: Lease
    now: datetime
    """When the run began to read."""
    tracks_seen: bool
    """Whether the run may end in a sweep."""
    input: Mapping[str, Json]
    """What templates see of ``--input``."""
    prelude: Prelude
    """What is asked before."""


class _Start(NamedTuple):
    """What a walk begins with."""

    plan: StreamPlan
    requests: Requests
    token: Json
    stored: Callable[[Json], Json] | None = None
    forms: Forms | None = None


def plan_stream(plan: StreamPlan, stored: ReadingState, *, full: bool, run_id: str) -> Reading:
    """Decide how a stream is read next, as a whole or part by part.

    Args:
        plan: The stream.
        stored: Its progress.
        full: Whether everything is asked for, whatever is stored.
        run_id: Of the run; a new round is called by it.
    """
    incremental, rule = plan.stream.incremental is not None, plan.stream.for_each
    if rule is None:
        reading = plan_reading(stored, prints=plan.prints, incremental=incremental, full=full)
        begins_anew = plan.stream.feed is not None and reading.is_whole()
        if begins_anew and stored.identity and not stored.shape:
            # A first list broke off: what it stored may be gone before this feed's beginning.
            return replace(reading, state=replace(reading.state, shape=STRAYS))
        return reading
    incremental = incremental or rule.follows
    # One that is under way is gone on with, or it might never come to its end.
    due = stored.owes is Debt.DUE and not (stored.walking and stored.mode is Mode.FULL)
    return plan_round(
        stored, prints=plan.prints, incremental=incremental, full=full or due, run_id=run_id
    )


@dataclass(slots=True)
class PartReading:
    """One partition."""

    common: Common
    part: Part
    reading: Reading
    settles: bool
    """Whether its last page settles its progress too; otherwise the run's end does."""
    plan: StreamPlan = field(init=False)
    """How it reads: of a stream with a feed that, or the list."""
    caller: Caller = field(init=False)
    track: Track = field(init=False)
    moment: Moment = field(init=False)
    walk: Walk | None = None

    def __post_init__(self) -> None:
        """Begin with what is stored."""
        self.plan = self.common.plan.of(self.reading.mode)
        rule = self.plan.stream.incremental
        self.caller = replace(self.common.ready.caller, counts=Counts())
        self.track = Track(
            state=self.reading.state,
            committed=self.reading.state,
            in_order=rule is not None and rule.rises,
        )
        token = self.reading.token if self.reading.resumed else None
        self.moment = Moment.of(token, self.common.ready.variables, is_used=NOW in self.plan.reads)

    async def run(self) -> None:
        """Read to the end; what is committed stays when it breaks off.

        Raises:
            ProviderError: From a call, a page or the guard.
            ExpressionError: A template has no value.
            StoreError: From a commit.
        """
        try:
            await self._read()
        except ExpiredError:
            await self._forget()
            raise

    async def _read(self) -> None:
        common, reading, prelude = self.common, self.reading, self.common.prelude
        own = {
            **common.ready.variables,
            **common.plan.given,
            "each": dict(self.part.each),
            "input": dict(common.input),
            NOW: self.moment.now,
        }
        given = dict(prelude.given)
        skipped = await prelude.ask(Span.PART, self.caller, own, given)
        self.track.skipped = prelude.skipped or skipped
        goes_on = reading.resumed
        before = {**own, "steps": given}
        tally = tally_of(self.plan, reading, self.part, before)
        begins_at = None if tally is None else tally.first
        opening = await self._open(before)
        for leg in self._legs():
            track = self.track
            track.state = self._enter(leg.window)
            variables = {**own, "steps": await self._ask_for_walk(leg, own, given)}
            token = token_in(reading.token) if goes_on else begins_at
            start = await self._begin(leg, variables, token)
            self.walk = Walk(
                world=common.world,
                plan=start.plan,
                part=self.part,
                reading=reading,
                caller=self.caller,
                requests=start.requests,
                base=common.ready.base,
                tally=tally,
                opening=opening,
                stored=self.moment.over(start.stored),
                forms=start.forms,
                variables=variables,
                run_id=common.run_id,
                lease=common.lease,
                track=track,
                token=start.token,
                resumed=goes_on,
                ending=partial(self._end, leg.following),
                tracks_seen=common.tracks_seen,
                # What has an old name is all read once more.
                least=None if reading.renames else leg.bounds.least,
            )
            goes_on = False
            await self.walk.run()

    async def _open(self, variables: Mapping[str, Json]) -> Opening | None:
        """Find out where the feed begins that follows the list, as far as can be had before."""
        if not self.plan.is_list or not self.reading.keeps:
            return None
        clock = self.common.world.clock
        opening = opening_of(self.plan, clock.now, self.caller)
        if opening is not None and not self.reading.resumed:
            await opening.ask(self.common.ready.base, self.caller, self.plan, variables)
        return opening

    @property
    def has_begun_a_list(self) -> bool:
        """Tell whether something of a list is stored that a feed follows."""
        return self.plan.is_list and (self.track.pages > 0 or self.reading.resumed)

    async def _forget(self) -> None:
        """Let a cursor go that the provider refuses, or that counts another list."""
        if self.reading.mode is Mode.INCREMENTAL and self.plan.may_forget:
            await self._keep_state(forgotten(self.track.state))

    async def _begin(self, leg: Leg, variables: Mapping[str, Json], token: Json) -> _Start:
        """Return what a walk begins with; where a provider makes it first, that is waited for."""
        common, rule = self.common, self.plan.stream.deferred
        if rule is None and self.plan.stream.first_of:
            return self._choose(leg, variables, token)
        if rule is None:
            asked = walk_requests(self.plan, common.ready.base, variables, leg.bounds)
            return _Start(self.plan, asked, token)
        kept = token if isinstance(token, dict) else {}
        self.caller.credentials = common.ready.caller.credentials
        work = Work(
            world=common.world,
            plan=self.plan,
            ready=common.ready,
            caller=self.caller,
            variables=variables,
            bounds=leg.bounds,
            keep=self._keep_job,
            job=kept.get(JOB),
        )
        start = _Start(self.plan, await work.requests(), kept.get("token"), work.stored)
        if not rule.download.sign:
            self.caller.credentials = NOBODY
        return start

    async def _ask_for_walk(
        self, leg: Leg, variables: Mapping[str, Json], given: Mapping[str, Json]
    ) -> Mapping[str, Json]:
        """Return what all steps gave, those included that depend on what a walk covers."""
        known = dict(given)
        scope = bounded(self.plan, variables, leg.bounds)
        skipped = await self.common.prelude.ask(Span.WALK, self.caller, scope, known)
        self.track.skipped = self.track.skipped or skipped
        return known

    def _choose(self, leg: Leg, variables: Mapping[str, Json], token: Json) -> _Start:
        """Begin with the request that is read already, or with all that may be."""
        common, track = self.common, self.track
        if isinstance(token, dict) and FORM in token:
            track.form, token = token[FORM], token["token"]
        forms = Forms(
            plan=self.plan, base=common.ready.base, variables=variables, bounds=leg.bounds
        )
        if track.form is None:
            none = Request(method="GET", url="")  # before one is found nothing else is asked
            return _Start(self.plan, Requests(none, none), token, self._stored_form, forms)
        form = forms.form(track.form)
        return _Start(form.plan, form.requests, token, self._stored_form)

    def _stored_form(self, token: Json) -> Json:
        """Return what is kept of a page's token: it belongs to one of several requests."""
        return {FORM: self.track.form, "token": token}

    async def _keep_job(self, job: Json) -> None:
        """Commit what the work is called, before it is waited for."""
        token = self.moment.stored({JOB: job, "token": None})
        if self.reading.renames or not self.reading.keeps:
            return  # nothing of such a reading counts before its end, or at all
        await self._keep_state(replace(self.track.state, walking=True, page_token=token))

    async def _keep_state(self, state: ReadingState) -> None:
        """Commit progress alone."""
        common, track = self.common, self.track
        counts = await common.world.store.commit_page(
            common.plan.tenant,
            PageCommit(
                run_id=common.run_id,
                key=common.plan.key,
                partition=self.part.key,
                entity=common.plan.entity,
                lease=common.lease,
                upserts=(),
                removals=(),
                aside=(),
                shape=common.plan.prints.shape,
                state=state,
                at=common.world.clock.now(),
                counts=self.caller.take_counts(),
                track_seen=common.tracks_seen,
            ),
        )
        track.state = track.committed = state
        track.counts = track.counts.plus(counts)

    def _legs(self) -> Iterator[Leg]:
        """Yield what the walks cover; one that the provider cut is followed by what it left."""
        common = self.common
        for whole in legs_of(self.plan, self.reading, common.now):
            leg: Leg | None = whole
            while leg is not None:
                yield leg
                leg = self._rest_of(leg)

    def _rest_of(self, leg: Leg) -> Leg | None:
        """Return what a walk left of its leg, None where it read all.

        Raises:
            PageShapeError: It cannot be told where the rest begins.
        """
        rule, track = self.plan.stream.incremental, self.track
        if rule is None or self.walk is None or not self.walk.cut:
            return None
        rest = rest_of(leg, rule, track.state.high_water, in_order=track.in_order)
        track.state = after_reset(track.state, self.common.plan.scale)
        return rest

    def _enter(self, window: Window | None) -> ReadingState:
        """Return the state as a walk begins; what the last window says of the cursor stays."""
        state = self.track.state
        if window is None:
            return replace(state, window=None)
        held = state.window is not None and Window.read(state.window).held
        return replace(state, window=replace(window, held=held).to_json())

    def _end(self, following: Window | None, state: ReadingState) -> ReadingState:
        """Return what is stored with the last page of a walk."""
        assert self.walk is not None
        if self.walk.cut:
            return state
        if following is not None:
            trust = self.walk.trust_in_window()
            return after_window(state, following, self.common.plan.scale, trust=trust)
        return replace(self.done(state), round=self.reading.state.round) if self.settles else state

    def done(self, state: ReadingState) -> ReadingState:
        """Return the state after everything was read."""
        assert self.walk is not None
        plan = self.plan
        held = state.window is not None and Window.read(state.window).held
        trust = Trust.NOTHING if held or self._owes_sweep() else self.walk.trust()
        after = after_list if plan.is_list else after_reading
        read = after(state, plan.scale, trust)
        rewritten = self.reading.mode is Mode.FULL and not self.track.skipped
        return accepted(read, plan.prints, rewritten=rewritten)

    def _owes_sweep(self) -> bool:
        """Tell whether a list has to be read again before its feed is followed.

        Of what went while nobody could follow, only a list that is read in one go and known in
        whole can tell. Of partitions the round sees to it.
        """
        full = self.reading.mode is Mode.FULL and self.plan.may_forget
        could = full and self.plan.sweeps and not self.settles
        was_read = self.reading.state.shape != ""
        doubtful = self.reading.resumed or self.track.unknown or self.track.missed
        return could and was_read and bool(doubtful)


def keeps_old_names(missed: str) -> RefusedError:
    """Return why what is called by old names stays: an answer was missed in some way."""
    return RefusedError(f"an answer {missed}, so what is called by the old names cannot go yet")
