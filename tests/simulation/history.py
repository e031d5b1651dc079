"""One history, made of a seed: changes, runs, failures and crashes, checked after each step."""

from __future__ import annotations

import functools
import random
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from integrationd.engine.failpoints import Armed
from integrationd.engine.plans import StreamPlan
from integrationd.engine.replay import ReplayOutcome, replay_stream
from integrationd.engine.sync import RunOutcome, RunWish, sync_stream
from integrationd.engine.world import World
from integrationd.model.runs import Mode, RunStatus, Trigger
from integrationd.ports.quarantine import QuarantineQuery
from integrationd.ports.store import ReadingState, RecordQuery
from integrationd.spec.settings import Settings
from integrationd.store.sqlstore import SqlStore
from tests.simulation import oracle
from tests.simulation.api import KEYSET, Api, Kind
from tests.simulation.dataset import Dataset
from tests.simulation.oracle import Held, WrongError, expect
from tests.support.fakes import Dice, Ear, LoopClock, Pockets, Provider, Strongbox
from tests.support.worlds import plan_of

MAPPINGS = {
    "strict": "mapping: shop.order\nfields: {number: id, count: {path: count, type: integer}}\n",
    "lenient": "mapping: shop.order\nfields: {number: id, count: {path: count, type: text}}\n",
}
FAULTS = ("503", "503", "429", "500", "400", "401", "line", "html")
RUN_POINTS = (
    *("run.begun", "page.fetched", "page.fetched", "page.committed", "page.committed"),
    *("run.read", "run.swept", "run.settled"),
)
REPLAY_POINTS = ("replay.begun", "replay.committed", "replay.settled")


class Crash(BaseException):
    """The process dies: what it had in memory is gone."""


class Mortal:
    """A store as one process sees it: after its death it does nothing any more."""

    def __init__(self, store: SqlStore) -> None:
        """Begin to live."""
        self._store = store
        self.is_dead = False

    def die(self) -> None:
        """End here."""
        self.is_dead = True
        raise Crash

    def __getattr__(self, name: str) -> Any:
        """Hand through, while it lives."""
        if self.is_dead:
            raise Crash
        return getattr(self._store, name)


@dataclass(frozen=True, slots=True)
class Before:
    """How things stood when a step began."""

    held: Held
    state: ReadingState


@functools.cache
def compile_plan(kind: Kind, key: str, mapping: str) -> StreamPlan:
    """Compile the stream; the same kinds come again and again."""
    return plan_of(kind.spec(key), "orders", mapping=MAPPINGS[mapping])


def choose_kind(rng: random.Random) -> Kind:
    """Choose what sort of interface the provider has."""
    paging = rng.choice(("page", "offset", "cursor", "cursor", "next_url"))
    order = rng.choice(("id", "rising", "rising", "falling", "scattered"))
    if paging not in KEYSET and order == "scattered":
        order = "id"
    cursor = rng.choice(("none", "number", "time", "number", "time"))
    words = []
    if order == "rising" and cursor != "none" and rng.random() < 0.4:
        words.append("sorted: true")
    if cursor != "none" and rng.random() < 0.3:
        words.append("lookback: 2" if cursor == "number" else "lookback: 2s")
    if cursor == "time" and rng.random() < 0.3:
        words.append(f"format: {rng.choice(('unix', 'iso'))}")
    return Kind(
        paging=paging,
        order=order,
        cursor=cursor,
        size=rng.choice((2, 3, 4)),
        rule="".join(f", {word}" for word in words),
        repeats=paging in KEYSET and "sorted" not in "".join(words) and rng.random() < 0.2,
    )


@dataclass
class History:
    """One history under way."""

    store: SqlStore
    seed: int
    rng: random.Random = field(init=False)
    kind: Kind = field(init=False)
    data: Dataset = field(init=False)
    api: Api = field(init=False)
    key: str = "id"
    mapping: str = "strict"
    moved: bool = False
    """Rows moved in a list by places while it was read: some may have been stepped over."""
    seen: Before | None = None
    """As the last step left everything; None where the files have changed since."""
    told: list[str] = field(default_factory=list)
    """What happened, for whoever looks into a failure."""

    def __post_init__(self) -> None:
        """Make everything of the seed."""
        self.rng = random.Random(self.seed)
        self.kind = choose_kind(self.rng)
        self.data = Dataset(self.rng)
        self.api = Api(self.kind, self.data)
        for _ in range(self.rng.randrange(13)):
            self.data.insert(at_end=True)

    @property
    def plan(self) -> StreamPlan:
        """Return the stream as its files are now, in a tenant of this history's own."""
        plan = compile_plan(self.kind, self.key, self.mapping)
        return replace(plan, integration=replace(plan.integration, tenant=f"t{self.seed}"))

    async def run(self) -> None:
        """Go through all of it, and check the end."""
        for _ in range(self.rng.randrange(2, 7)):
            await self._step()
        await self._end()

    async def _step(self) -> None:
        rng = self.rng
        for _ in range(rng.choice((0, 1, 2, 5, 9))):
            self._change()
        if rng.random() < 0.1:
            self.api.era += 1
            self._tell("tokens expire")
        if rng.random() < 0.12:
            await self._change_mapping()
        if rng.random() < 0.06:
            await self._change_key()
            return
        self._plan_trouble()
        await self._sync(full=rng.random() < 0.15, crash=self._plan_crash())

    def _change(self) -> None:
        change = self.rng.choice(
            (self._insert, self._insert, *[self.data.change] * 4, self.data.delete)
        )
        change()

    def _insert(self) -> None:
        self.data.insert(at_end=self.kind.paging not in KEYSET or self.rng.random() < 0.5)

    def _plan_trouble(self) -> None:
        """Say what goes wrong, and what changes, while the next run reads."""
        rng = self.rng
        self.api.faults = {}
        if rng.random() < 0.4:
            first = rng.randrange(4)
            fault = rng.choice(FAULTS)
            self.api.faults = dict.fromkeys(range(first, first + rng.choice((1, 2))), fault)
        self.api.meanwhile = {}
        if rng.random() < 0.5 and self.kind.order != "falling":
            often = range(rng.choice((1, 2, 3)))
            changes = [self._change_meanwhile] * rng.choice((1, 1, 3))
            self.api.meanwhile = {rng.randrange(4): list(changes) for _ in often}

    def _change_meanwhile(self) -> None:
        self._tell("changes meanwhile")
        if self.kind.paging in KEYSET:
            self._change()
        elif self.kind.order == "id":
            # Nothing moves up: no row is taken away, and new ones come at the end.
            self.rng.choice((self._insert, self.data.change))()
        else:
            self.moved = True
            self.data.change()

    def _plan_crash(self) -> tuple[str, int] | None:
        if self.rng.random() > 0.3:
            return None
        return self.rng.choice(RUN_POINTS), self.rng.choice((1, 1, 2, 3))

    def _world(self, store: Mortal, crash: tuple[str, int] | None) -> World:
        world = World(
            store=store,
            http=Provider(self.api.respond),
            secrets=Pockets(),
            vault=Strongbox(),
            clock=LoopClock(),
            randomness=Dice(generator=random.Random(self.rng.random())),
            signals=Ear(),
            holder="local:boot",
        )
        return world if crash is None else replace(world, failpoints=Armed(*crash, store.die))

    async def _sync(
        self, *, full: bool = False, confirmed: bool = False, crash: tuple[str, int] | None = None
    ) -> RunOutcome | None:
        """Read once, as a process of its own; None where it died."""
        before, mortal = self.seen or await self._look(), Mortal(self.store)
        self.api.begin()
        await self.store.release_node("local")
        wish = RunWish(trigger=Trigger.MANUAL, full=full, confirmed=confirmed)
        outcome: RunOutcome | None = None
        world = self._world(mortal, crash)
        with suppress(Crash):
            outcome = await sync_stream(world, self.plan, wish, settings=Settings(), budget=None)
        how = "died" if outcome is None else f"{outcome.status} {outcome.error}"
        self._tell(f"sync full={full} confirmed={confirmed} crash={crash}: {how}")
        after = await self._look()
        await self._check(before, after, outcome, crash)
        return outcome

    async def _check(
        self,
        before: Before,
        after: Before,
        outcome: RunOutcome | None,
        crash: tuple[str, int] | None,
    ) -> None:
        oracle.check_nothing_invented(after.held, self.data)
        last = [run async for run in self.store.runs(self.plan.tenant, key=self.plan.key, limit=1)]
        whole = bool(last) and not last[0].resumed and last[0].mode == Mode.FULL
        ended = outcome is not None and outcome.status is RunStatus.DONE
        late = outcome is None and crash is not None and crash[0] in ("run.swept", "run.settled")
        renamed = before.state.identity not in ("", self.plan.prints.identity)
        seen = None if self.moved or renamed else self.data
        oracle.check_swept(before.held, after.held, allowed=whole and (ended or late), data=seen)
        old, new = before.held.cursor, after.held.cursor
        if None not in (old, new) and before.state.fingerprint == after.state.fingerprint:
            expect(new >= old, "the cursor moved back", old, new)
        if not self.moved:
            oracle.check_cursor(after.held, self.data, self.key, self.mapping)

    async def _change_mapping(self) -> None:
        """Change the shape, and map again what waits, as the daemon does after a reload."""
        self.mapping = {"strict": "lenient", "lenient": "strict"}[self.mapping]
        self.seen = None
        self._tell(f"mapping {self.mapping}")
        if self.rng.random() < 0.7:
            crash = (self.rng.choice(REPLAY_POINTS), 1) if self.rng.random() < 0.3 else None
            await self._replay(crash)

    async def _replay(self, crash: tuple[str, int] | None) -> None:
        before, mortal = self.seen or await self._look(), Mortal(self.store)
        await self.store.release_node("local")
        outcome: ReplayOutcome | None = None
        with suppress(Crash):
            outcome = await replay_stream(self._world(mortal, crash), self.plan)
        self._tell(f"replay crash={crash}: {'died' if outcome is None else outcome.counts}")
        after = await self._look()
        oracle.check_nothing_invented(after.held, self.data)
        oracle.check_swept(before.held, after.held, allowed=False, data=None)
        expect(after.state == before.state, "a replay moved the progress")
        if outcome is not None:
            strict = self.mapping == "strict"
            left = [row for row in after.held.aside.values() if row["id"] is not None]
            expect(strict or not left, "still in quarantine", left)

    async def _change_key(self) -> None:
        """Give the records other names: refused, then confirmed until it succeeds."""
        self.key = {"id": "uid", "uid": "id"}[self.key]
        self.seen = None
        self._tell(f"key {self.key}")
        before = await self._look()
        if before.state.identity:
            outcome = await self._sync(full=self.rng.random() < 0.5)
            expect(outcome is not None and outcome.run_id == "", "a new key was not refused")
            expect(await self._look() == before, "a refused reading changed something")
        for trouble in (True, True, False):
            self._plan_trouble()
            if not trouble:
                self.api.faults = {}
            crash = self._plan_crash() if trouble else None
            outcome = await self._sync(full=True, confirmed=True, crash=crash)
            if outcome is not None and outcome.status is RunStatus.DONE:
                break
        after = await self._look()
        expect(after.state.identity == self.plan.prints.identity, "the new key was not accepted")
        wrong = [name for name in after.held.living if name.startswith("u") != (self.key == "uid")]
        expect(not wrong, "called by the old names", wrong)

    async def _end(self) -> None:
        """Read in quiet: first what changed, then everything."""
        self.api.faults, self.api.meanwhile = {}, {}
        self.data.mend()
        for _ in range(3):
            outcome = await self._sync()
            if outcome is not None and outcome.status is RunStatus.DONE:
                break
        else:
            message = f"a quiet reading fails: {outcome}"
            raise WrongError(message)
        outcome = await self._sync(full=True)
        expect(outcome is not None and outcome.status is RunStatus.DONE, "a full reading fails")
        final = await self._look()
        oracle.check_all(final.held, self.data, self.key, self.mapping)

    async def _look(self) -> Before:
        plan, store = self.plan, self.store
        state = await store.load_state(plan.tenant, plan.key, "")
        query = RecordQuery(integration="shop", stream="orders")
        living: dict[str, Any] = {}
        dead: dict[str, str] = {}
        async for record in store.records(plan.tenant, query):
            if record.deleted is None:
                living[record.external_id] = record.data
            else:
                dead[record.external_id] = record.deleted
        waiting = QuarantineQuery(integration="shop", stream="orders")
        aside = {
            row.fingerprint: row.source async for row in store.quarantine(plan.tenant, waiting)
        }
        worth = state.cursor is not None and state.fingerprint == plan.prints.progress
        cursor = self.kind.read_at(str(state.cursor)) if worth else None
        self.seen = Before(Held(living, dead, aside, cursor), state)
        return self.seen

    def _tell(self, what: str) -> None:
        self.told.append(what)
