"""An engine on the in-memory store, for tests in virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from integrationd.engine.plans import StreamPlan, build_plan
from integrationd.engine.sync import RunOutcome, RunWish, sync_stream
from integrationd.engine.world import World
from integrationd.model.runs import Trigger
from integrationd.ports.store import RecordQuery, StreamKey
from integrationd.spec.build import build_bundle
from integrationd.spec.bundle import Bundle
from integrationd.spec.narrowing import read_narrowing
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings
from integrationd.spec.source import SourceFile
from integrationd.store.sqlstore import SqlStore
from tests.support.fakes import Dice, Ear, LoopClock, Pockets, Provider, Strongbox


def bundle_of(**files: str) -> Bundle:
    """Build a bundle from texts by file name; errors in them are assertions."""
    sources = [SourceFile(f"{name}.yaml", text.encode()) for name, text in files.items()]
    bundle = build_bundle([read_file(source) for source in sources], Settings())
    assert [str(problem) for problem in bundle.errors] == []
    return bundle


def plan_of(text: str, stream: str, **files: str) -> StreamPlan:
    """Compile one stream of an integration file."""
    bundle = bundle_of(integration=text, **files)
    (integration,) = bundle.integrations.values()
    return build_plan(integration, stream)


@dataclass
class Stage:
    """A world and what can be asked of it."""

    world: World
    store: SqlStore
    ear: Ear
    settings: Settings

    async def sync(
        self, plan: StreamPlan, *, full: bool = False, confirmed: bool = False, **texts: str
    ) -> RunOutcome:
        """Read once, with no rate; texts are what ``--input`` says."""
        narrowing = read_narrowing(plan.stream, {}, texts) if texts else None
        wish = RunWish(trigger=Trigger.MANUAL, full=full, confirmed=confirmed, input=narrowing)
        outcome = await sync_stream(self.world, plan, wish, settings=self.settings, budget=None)
        assert outcome is not None
        return outcome

    async def rows(self, plan: StreamPlan, *, deleted: bool = False) -> dict[str, object]:
        """Return the stored data by external id."""
        query = RecordQuery(
            integration=plan.key.integration, stream=plan.key.stream, deleted=deleted
        )
        return {row.external_id: row.data async for row in self.store.records(plan.tenant, query)}

    async def cursor(self, plan: StreamPlan) -> object:
        """Return the stored cursor."""
        key = StreamKey(plan.key.integration, plan.key.stream)
        return (await self.store.load_state(plan.tenant, key, "")).cursor


@asynccontextmanager
async def stage(provider: Provider, **secrets: str) -> AsyncIterator[Stage]:
    """Set a world up around a provider."""
    ear = Ear()
    async with SqlStore.in_memory() as store:
        world = World(
            store=store,
            http=provider,
            secrets=Pockets(secrets),
            vault=Strongbox(),
            clock=LoopClock(),
            randomness=Dice(),
            signals=ear,
            holder="local:boot",
        )
        yield Stage(world, store, ear, Settings())
