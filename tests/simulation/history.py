"""One history, made of a seed: changes, runs, failures and crashes, checked after each step."""

from __future__ import annotations

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
from integrationd.spec.narrowing import read_narrowing
from integrationd.spec.settings import Settings
from integrationd.store.sqlstore import SqlStore
from tests.simulation import oracle
from tests.simulation.api import KEYSET, Api, Kind
from tests.simulation.dataset import GROUPS, Dataset
from tests.simulation.kinds import choose_kind
from tests.simulation.mortal import Crash, Mortal, ProviderClock
from tests.simulation.oracle import Held, WrongError, expect
from tests.simulation.plans import plan_for
from tests.support.fakes import Dice, Ear, LoopClock, Pockets, Provider, Strongbox

FAULTS = ("503", "503", "429", "500", "400", "401", "line", "html")
RUN_POINTS = (
    *("run.begun", "page.fetched", "page.fetched", "page.committed", "page.committed"),
    *("run.read", "run.swept", "run.settled"),
)
REPLAY_POINTS = ("replay.begun", "replay.committed", "replay.settled")


@dataclass(frozen=True, slots=True)
class Before:
    """How things stood when a step began."""

    held: Held
    state: ReadingState


@dataclass
class History:
    """One history under way."""

    store: SqlStore
    seed: int
    rng: random.Random = field(init=False)
    more: random.Random = field(init=False)
    """For what came later, so that the other histories stay the same."""
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
        self.rng, self.more = random.Random(self.seed), random.Random(f"{self.seed} and more")
        self.kind = choose_kind(self.rng, self.more)
        self.data = Dataset(self.rng)
        self.api = Api(self.kind, self.data)
        for _ in range(self.rng.randrange(13)):
            self.data.insert(at_end=True)
        self.data.groups = self.rng.choice((GROUPS, GROUPS, 2)) if self.kind.grouped else GROUPS

    @property
    def plan(self) -> StreamPlan:
        """Return the stream as its files are now, in a tenant of this history's own."""
        return self._plan_of("orders")

    def _plan_of(self, stream: str) -> StreamPlan:
        return plan_for(self.kind, self.key, self.mapping, stream, tenant=f"t{self.seed}")

    async def run(self) -> None:
        """Go through all of it, and check the end."""
        await self._read_groups()
        for _ in range(self.rng.randrange(2, 7)):
            await self._step()
        await self._end()

    async def _step(self) -> None:
        rng = self.rng
        for _ in range(rng.choice((0, 1, 2, 5, 9))):
            self._change()
        if rng.random() < 0.15:
            self.data.delete_first(self.kind.size + 1)
        if rng.random() < 0.1:
            self.api.era += 1
            self._tell("tokens expire")
        await self._step_more()
        if rng.random() < 0.12:
            await self._change_mapping()
        if rng.random() < 0.06:
            await self._change_key()
            return
        if rng.random() < 0.2:
            self.data.groups = GROUPS
            await self._read_groups()
        self._plan_trouble()
        await self._sync(full=rng.random() < 0.15, crash=self._plan_crash())

    async def _step_more(self) -> None:
        if self.more.random() < 0.15:
            self.api.forget()
            self._tell("the feed forgets")
        if self.more.random() < 0.25:
            self._plan_trouble()
            await self._narrow()

    def _change(self) -> None:
        if self.kind.counts:
            self.more.choice((*[self._insert] * 5, self.data.delete))()
            return
        change = self.rng.choice(
            (self._insert, self._insert, *[self.data.change] * 4, self.data.delete)
        )
        change()

    def _insert(self) -> None:
        at_end = self.kind.paging not in KEYSET or self.rng.random() < 0.5
        self.data.insert(at_end=at_end or self.kind.counts)

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
        if self.kind.counts:
            self._insert()
        elif self.kind.paging in KEYSET:
            self._change()
        elif self.kind.order == "id" and not self.kind.step:
            # Nothing moves up: no row is taken away, and new ones come at the end. Out of a window
            # a row that changes is taken away.
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
            clock=ProviderClock(self.data) if self._tells_time else LoopClock(),
            randomness=Dice(generator=random.Random(self.rng.random())),
            signals=Ear(),
            holder="local:boot",
        )
        return world if crash is None else replace(world, failpoints=Armed(*crash, store.die))

    @property
    def _tells_time(self) -> bool:
        feed = self.kind.feed
        return self.kind.step > 0 or (feed is not None and feed.begins == "now")

    async def _narrow(self) -> None:
        """Read what a person asks for, which leaves everything else as it is."""
        before, mortal = self.seen or await self._look(), Mortal(self.store)
        parts = await self.store.load_partitions(self.plan.tenant, self.plan.key)
        texts = self._choose_inputs()
        narrowing = read_narrowing(self.plan.stream, {}, texts)
        wish = RunWish(trigger=Trigger.MANUAL, input=narrowing)
        crash = self._plan_crash()
        self.api.begin()
        await self.store.release_node("local")
        outcome: RunOutcome | None = None
        with suppress(Crash):
            outcome = await sync_stream(
                self._world(mortal, crash), self.plan, wish, settings=Settings(), budget=None
            )
        how = "died" if outcome is None else f"{outcome.status} {outcome.error}"
        self._tell(f"sync {texts} crash={crash}: {how}")
        after = await self._look()
        oracle.check_nothing_invented(after.held, self.data)
        oracle.check_swept(before.held, after.held, allowed=False, data=None)
        same = await self.store.load_partitions(self.plan.tenant, self.plan.key)
        if before.state.identity:
            expect(same == parts, "a narrowed run moved the progress", parts, same)
        else:
            cursors = [state.cursor for state in same.values() if state.cursor is not None]
            expect(not cursors, "a narrowed run has a cursor", cursors)

    def _choose_inputs(self) -> dict[str, str]:
        ways = [{"only": str(self.more.randrange(1, self.data.last_id + 2))}]
        kind = self.kind
        if self.data.groups and kind.grouped:
            ways.append({"group": str(self.more.randrange(self.data.groups))})
        if kind.cursor != "none" and not (kind.feed or kind.counts):
            since = self.more.randrange(self.data.clock + 1)
            span = {"since": str(kind.write_at(since))}
            if kind.step:
                span["until"] = str(kind.write_at(since + self.more.randrange(30)))
            ways.append(span)
        return self.more.choice(ways)

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
        if ended:
            parts = await self.store.load_partitions(self.plan.tenant, self.plan.key)
            open_ = [name for name, state in parts.items() if state.walking]
            expect(not open_, "a run that is done leaves something unread", open_)
        late = outcome is None and crash is not None and crash[0] in ("run.swept", "run.settled")
        renamed = before.state.identity not in ("", self.plan.prints.identity)
        seen = None if self.moved or renamed else self.data
        oracle.check_swept(before.held, after.held, allowed=whole and (ended or late), data=seen)
        old, new = before.held.cursors, after.held.cursors
        if self.kind.counts:
            return
        if before.state.fingerprint == after.state.fingerprint:
            for part in old.keys() & new.keys():
                expect(new[part] >= old[part], "the cursor moved back", part, old, new)
        if not self.moved:
            by_log = self.kind.feed is not None and self.kind.feed.has_tokens
            oracle.check_cursor(after.held, self.data, self.key, self.mapping, by_log=by_log)

    async def _read_groups(self) -> None:
        """Read the parent in quiet."""
        if not self.kind.grouped:
            return
        self.api.faults, self.api.meanwhile = {}, {}
        await self.store.release_node("local")
        world, wish = self._world(Mortal(self.store), None), RunWish(trigger=Trigger.MANUAL)
        outcome = await sync_stream(
            world, self._plan_of("groups"), wish, settings=Settings(), budget=None
        )
        expect(outcome.status is RunStatus.DONE, "the groups cannot be read", outcome)
        self._tell(f"{self.data.groups} groups")

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
            left = [row for row in after.held.aside.values() if row.get("id") is not None]
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
        self.data.groups = GROUPS
        await self._read_groups()
        for _ in range(3):
            outcome = await self._sync()
            if outcome is not None and outcome.status is RunStatus.DONE:
                break
        else:
            message = f"a quiet reading fails: {outcome}"
            raise WrongError(message)
        if self.kind.feed or self.kind.counts:
            await self._follow()
        outcome = await self._sync(full=True)
        expect(outcome is not None and outcome.status is RunStatus.DONE, "a full reading fails")
        final = await self._look()
        swept = self.plan.sweeps
        oracle.check_all(final.held, self.data, self.key, self.mapping, swept=swept)

    async def _follow(self) -> None:
        """Go on until nothing but what changed is read: then nothing is missing, and nothing left.

        After a refused cursor that takes a list that was read in one go, and the feed once more.
        """
        for _ in range(4):
            outcome = await self._sync()
            expect(outcome is not None and outcome.status is RunStatus.DONE, "not quiet", outcome)
            runs = self.store.runs(self.plan.tenant, key=self.plan.key, limit=1)
            if [run.mode async for run in runs] == [Mode.INCREMENTAL]:
                break
        else:
            expect(not self._has_list_first(), "the feed is never followed")
        if not self.moved:
            held = (await self._look()).held
            oracle.check_living(held, self.data, self.key, self.mapping)

    def _has_list_first(self) -> bool:
        """Tell whether there is anything that a cursor could be made of."""
        feed = self.kind.feed
        return feed is None or feed.begins != "records" or bool(self.data.rows)

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
        cursors = {
            part: self.kind.read_cursor(each.cursor)
            for part, each in (await store.load_partitions(plan.tenant, plan.key)).items()
            if each.cursor is not None and each.fingerprint == plan.prints.progress
        }
        self.seen = Before(Held(living, dead, aside, cursors), state)
        return self.seen

    def _tell(self, what: str) -> None:
        self.told.append(what)
