"""One case from beginning to end; what goes wrong in it stays in it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias, cast

from integrationd.engine.calls import Calls
from integrationd.engine.conductor import Conductor
from integrationd.engine.discovery import discover
from integrationd.engine.renewal import KEPT_AS
from integrationd.engine.sync import RunOutcome, RunWish
from integrationd.engine.world import World
from integrationd.errors import InputError, IntegrationError, UsageError
from integrationd.model.json import Json
from integrationd.model.runs import Counts, Mode, Trigger
from integrationd.ports.store import RecordQuery, Store, StreamKey
from integrationd.signals import RunStarted
from integrationd.spec.bundle import Bundle
from integrationd.spec.cases import (
    CaseRun,
    Moment,
    OperationCase,
    ProbeCase,
    StreamCase,
    WebhookCase,
)
from integrationd.spec.documents import Integration
from integrationd.spec.exchanges import Exchange
from integrationd.spec.narrowing import read_narrowing
from integrationd.spec.settings import Settings
from integrationd.testing.cases.before import lay_before, lay_left
from integrationd.testing.cases.clock import NOW, CaseClock, Steady
from integrationd.testing.cases.inbound import run_webhook
from integrationd.testing.cases.outcomes import (
    SKIPPED,
    Reached,
    Read,
    compare_call,
    compare_read,
    compare_refusal,
)
from integrationd.testing.cases.script import Script
from integrationd.testing.cases.stand_in import (
    Ear,
    FindFault,
    MadeUpSecrets,
    OpenVault,
    ReadBeside,
    ScriptedProvider,
    WatchedStore,
)
from integrationd.testing.cases.tokens import find_givers, made_up_consent
from integrationd.testing.cases.touching import Evidence, Touch
from integrationd.wire.grants import Kept

AnyCase: TypeAlias = StreamCase | OperationCase | ProbeCase | WebhookCase
PATIENCE_S: Final = 2 * 86_400.0
"""Virtual seconds that one reading or call may take: a provider can ask to wait for a day."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Equipment:
    """What running a case needs of the outside."""

    store: Store
    """An empty one in memory; every case has a tenant of its own there."""
    settings: Settings
    find_fault: FindFault


@dataclass(slots=True)
class Watched:
    """What came of a case, for whoever wants to know more than its faults."""

    reads: list[Read] = field(default_factory=list)
    """Of each reading."""
    unscripted: list[str] = field(default_factory=list)
    """Those of its faults that are about requests."""


@dataclass(slots=True, kw_only=True)
class Performance:
    """One case under way."""

    equipment: Equipment
    case: AnyCase
    integration: Integration
    """For a tenant of the case's own."""
    secrets: Mapping[str, str]
    clock: CaseClock
    read_beside: ReadBeside
    touch: Touch
    """Told what the case touches."""
    vault: OpenVault = field(default_factory=OpenVault)
    ear: Ear = field(default_factory=Ear)
    faults: list[str] = field(default_factory=list)
    provider: ScriptedProvider = field(init=False)
    seen: Watched
    """Told what came of it."""
    watched: WatchedStore = field(init=False)
    conductor: Conductor = field(init=False)
    _files: Bundle = field(init=False)
    """What the files say, without what lists hold."""

    def __post_init__(self) -> None:
        """Put the world together around the case."""
        self.provider = ScriptedProvider(
            self.equipment.find_fault,
            find_givers(self.integration, self.secrets, self.clock.monotonic),
        )
        consent = made_up_consent(
            self.integration, self.secrets, self.case.consent, self.clock.now()
        )
        if consent is not None:
            place = (self.integration.tenant, self.integration.name, KEPT_AS)
            self.vault.kept[place] = consent
        self.watched = WatchedStore(self.equipment.store)
        world = World(
            # What it does not watch it hands on, which no type can say.
            store=cast("Store", self.watched),
            http=self.provider,
            secrets=MadeUpSecrets(self.secrets),
            vault=self.vault,
            clock=self.clock,
            randomness=Steady(),
            signals=self.ear,
            holder="case:case",
        )
        self._files = Bundle(
            integrations={self.integration.name: self.integration},
            providers={},
            problems=(),
            refused=(),
        )
        self.conductor = Conductor(
            world=world, settings=self.equipment.settings, bundle=self._files
        )

    async def perform(self) -> None:
        """Run the case; what is another than expected is in ``faults`` then."""
        case = self.case
        if isinstance(case, StreamCase):
            await self._read_all(case)
        elif isinstance(case, WebhookCase):
            self.faults += await run_webhook(self.conductor.world, self.integration, case)
            self.touch.see_event(str(case.endpoint), accepted=case.expect.accepted)
        else:
            await self._call(case)

    async def _read_all(self, case: StreamCase) -> None:
        world, stream = self.conductor.world, str(case.stream)
        await lay_before(world, self.integration, stream, case.before)
        await self._relist()
        if stream not in self.integration.streams and stream in self._now.streams:
            await lay_left(world, self._now, stream, case.before, "before")
        runs = case.each_run()
        for number, run in enumerate(runs, 1):
            await asyncio.sleep(run.after.total_seconds())
            stream = str(run.stream or case.stream)
            if stream not in self._now.streams:
                raise UsageError(self._tell_unknown(stream, number))
            said = len(self.faults)
            with self._scripted(run.exchanges, in_order=self._in_order(case, stream)):
                read = await self._read(stream, run)
            self.seen.reads.append(read)
            # What was not expected explains what came of it, not the other way round.
            if not self.provider.script.faults:
                self.faults += compare_read(run.expect, read)
            if len(runs) > 1:
                told = [f"run {number}: {line}" for line in self.faults[said:]]
                self.faults[said:] = told

    def _in_order(self, case: StreamCase, stream: str) -> bool:
        if case.order is not None:
            return case.order == "given"
        return self._now.streams[stream].for_each is None

    @property
    def _now(self) -> Integration:
        """Return what is read, with the streams that its lists hold by now."""
        return self.conductor.integration(self.integration.name)

    async def _relist(self) -> None:
        """Take up the streams that lists hold by now, as the daemon does."""
        if self.integration.moulds:
            bundle = await discover(self.conductor.world, self._files)
            self.conductor.swap(bundle)

    def _tell_unknown(self, stream: str, number: int) -> str:
        lists = " or ".join(f"before.streams.{name}.records" for name in self.integration.moulds)
        known = sorted(self._now.objects)
        there = f"they hold {', '.join(known)}" if known else "they hold nothing yet"
        return (
            f"run {number}: no list holds an object whose stream is called {stream!r}, {there}; "
            f"say {lists}, or let an earlier run read it"
        )

    async def _read(self, stream: str, run: CaseRun) -> Read:
        name, world = self.integration.name, self.conductor.world
        heard, pages = len(self.ear.heard), len(self.watched.pages)
        answers = len(self.provider.answered)
        began_s = self.clock.monotonic()
        narrowing = None
        if run.input:
            narrowing = read_narrowing(self._now.streams[stream], dict(run.input), {})
        wish = RunWish(trigger=Trigger.MANUAL, full=run.full, input=narrowing)
        async with asyncio.timeout(PATIENCE_S):
            outcome = await self.conductor.sync(name, stream, wish)
        waited_s = world.clock.monotonic() - began_s
        seen = self._now
        await self._relist()
        read = await self._look(stream, outcome, heard, pages)
        self.touch.see_run(
            seen,
            stream,
            Evidence(
                signals=self.ear.heard[heard:],
                pages=self.watched.pages[pages:],
                answers=self.provider.answered[answers:],
                outcome=read.outcome,
            ),
        )
        return replace(read, waited_s=waited_s)

    async def _look(self, stream: str, outcome: RunOutcome | None, heard: int, pages: int) -> Read:
        """Look at what a reading left behind."""
        store, tenant = self.equipment.store, self.integration.tenant
        key = StreamKey(self.integration.name, stream)
        query = RecordQuery(integration=key.integration, stream=stream)
        stored = [record async for record in store.records(tenant, query)]
        state = await store.load_state(tenant, key, "")
        parts = await store.load_partitions(tenant, key)
        begun = [
            signal
            for signal in self.ear.heard[heard:]
            if isinstance(signal, RunStarted) and signal.stream == stream
        ]
        is_run = outcome is not None and bool(outcome.run_id)
        mode = str(begun[0].mode) if begun else ""
        exact = self._keeps_no_value(stream, mode)
        return Read(
            outcome=str(outcome.status) if outcome is not None and is_run else SKIPPED,
            error="" if outcome is None else outcome.error,
            kind="" if outcome is None else outcome.kind,
            counts=Counts() if outcome is None else outcome.counts,
            mode=mode,
            resumed=begun[0].resumed if begun else False,
            stored=sorted(stored, key=lambda record: record.seq),
            aside=[
                one for page in self.watched.pages[pages:] if page.key == key for one in page.aside
            ],
            cursor=Reached.by(state, exact=exact),
            cursors={name: Reached.by(part, exact=exact) for name, part in parts.items() if name},
            refresh_token=self._refresh_token(),
        )

    def _keeps_no_value(self, stream: str, mode: str) -> bool:
        """Tell whether what a reading keeps as cursor is no value of a record that it read."""
        read = self._now.streams[stream]
        begins_feed = read.feed is not None and mode != Mode.INCREMENTAL
        rule = read.incremental
        return rule is None or rule.count or rule.scale.opaque or begins_feed

    def _refresh_token(self) -> str | None:
        secret = self.vault.kept.get((self.integration.tenant, self.integration.name, KEPT_AS))
        kept = Kept() if secret is None else Kept.parse(secret)
        return None if kept.refresh is None else kept.refresh.reveal()

    async def _call(self, case: OperationCase | ProbeCase) -> None:
        calls, name = Calls(conductor=self.conductor), self.integration.name
        order = case.order if isinstance(case, OperationCase) else None
        began_s = self.clock.monotonic()
        operation = str(case.operation) if isinstance(case, OperationCase) else ""
        heard = len(self.ear.heard)
        with self._scripted(case.exchanges, in_order=order != "any"):
            try:
                if isinstance(case, OperationCase):
                    given = self.integration.operations[operation].input.read(dict(case.input), {})
                    outcome = await calls.call(name, operation, given, delivery=case.delivery)
                else:
                    found = await calls.probe(name)
                    assert found is not None
                    outcome = found
            except InputError as refused:
                self.faults += compare_refusal(case.expect, str(refused))
                self.touch.see_call(operation, self._evidence(heard, "refused"))
                return
        if not self.provider.script.faults:
            waited_s = self.clock.monotonic() - began_s
            self.faults += compare_call(case.expect, outcome, waited_s)
        self.touch.see_call(operation, self._evidence(heard, str(outcome.status)))

    def _evidence(self, heard: int, outcome: str) -> Evidence:
        return Evidence(
            signals=self.ear.heard[heard:],
            pages=(),
            answers=self.provider.answered,
            outcome=outcome,
        )

    @contextmanager
    def _scripted(self, exchanges: tuple[Exchange, ...], *, in_order: bool) -> Iterator[None]:
        """Answer by these exchanges; in the end tell what was not expected and what never came."""
        script = self.provider.script = Script(exchanges, in_order=in_order)
        # Before anything is asked: inside the engine a missing file would be a fault of ours.
        named = [one.response.file for one in exchanges if one.response.file is not None]
        self.provider.files = {name: self.read_beside(name) for name in named}
        yield
        told = script.faults or list(script.unused())
        self.faults += told
        self.seen.unscripted += told


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where and when a case is run."""

    tenant: str
    """For this case alone."""
    now: Moment | None
    """The present time."""
    read_beside: ReadBeside
    """Reads files beside the case's."""
    seen: Watched = field(default_factory=Watched)
    """Told what came of it."""


async def run_case(
    equipment: Equipment,
    case: AnyCase,
    make: Callable[[], tuple[Integration, Mapping[str, str], Touch]],
    setting: Setting,
) -> list[str]:
    """Run one case; returns what was another than expected, nothing where all was as said.

    Args:
        equipment: What it is run with.
        case: From a file without errors.
        make: Gives what it is about, its secrets, and what is told which parts are touched; may
            raise UsageError.
        setting: Where and when.
    """
    start = NOW if setting.now is None else setting.now.at
    performance: Performance | None = None
    try:
        integration, secrets, touch = make()
        performance = Performance(
            equipment=equipment,
            case=case,
            integration=replace(integration, tenant=setting.tenant),
            secrets=secrets,
            clock=CaseClock(start, asyncio.get_running_loop().time()),
            read_beside=setting.read_beside,
            touch=touch,
            seen=setting.seen,
        )
        await performance.perform()
    except UsageError as wrong:
        return [str(wrong)]
    except IntegrationError as failed:
        return [*(performance.faults if performance else ()), str(failed)]
    except TimeoutError:
        return [*(performance.faults if performance else ()), "it does not end within two days"]
    except Exception as fault:  # noqa: BLE001 - a case's own guard: the others go on
        _log.exception("case %r", case.name)
        return [f"a fault of this program: {type(fault).__name__}: {fault}"]
    return performance.faults


def name_of(case: AnyCase) -> Mapping[str, Json]:
    """Return what a case is about: a stream, an operation, a probe or an endpoint."""
    match case:
        case StreamCase():
            return {"stream": str(case.stream)}
        case OperationCase():
            return {"operation": str(case.operation)}
        case WebhookCase():
            return {"endpoint": str(case.endpoint)}
        case _:
            return {"probe": True}
