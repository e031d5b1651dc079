"""What a case has in the store before it begins, put there as a reading would have."""

from __future__ import annotations

import msgspec

from integrationd.engine.claims import claimed
from integrationd.engine.plans import StreamPlan
from integrationd.engine.world import World
from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.model.records import Upsert, digest_of
from integrationd.model.runs import Counts, Mode, RunStatus, Trigger
from integrationd.ports.store import Lease, PageCommit, ReadingState, RunEnd, RunStart
from integrationd.spec.cases import Before
from integrationd.spec.exchanges import UNSAID
from integrationd.testing.cases.comparing import show


async def lay_before(world: World, plan: StreamPlan, before: Before) -> None:
    """Store the records and the cursor of a complete earlier reading, where there are any."""
    if before.cursor is UNSAID and not before.records:
        return
    _check_cursor(plan, before.cursor)
    async with claimed(world, plan.tenant, plan.key) as lease:
        assert lease is not None  # nobody else is there
        await _lay(world, plan, before, lease)


def _check_cursor(plan: StreamPlan, cursor: Json) -> None:
    """Refuse a cursor that no reading of the stream can have left behind."""
    if plan.stream.incremental is None and cursor is not UNSAID:
        raise UsageError(f"before.cursor: stream {plan.name!r} has no 'incremental' that keeps one")
    if cursor is UNSAID or cursor is None:
        return
    try:
        plan.scale.later(cursor, cursor)
    except (ValueError, TypeError) as wrong:
        raise UsageError(f"before.cursor is {show(cursor)}: {wrong}") from None


async def _lay(world: World, plan: StreamPlan, before: Before, lease: Lease) -> None:
    run_id, cursor = world.new_id("run"), None if before.cursor is UNSAID else before.cursor
    state = ReadingState(
        cursor=cursor,
        high_water=cursor,
        fingerprint=plan.prints.progress,
        identity=plan.prints.identity,
        shape=plan.prints.shape,
    )
    start = RunStart(
        id=run_id,
        key=plan.key,
        trigger=Trigger.MANUAL,
        mode=Mode.FULL,
        started_at=world.clock.now(),
    )
    await world.store.begin_run(plan.tenant, start, lease)
    upserts = [_upsert(external_id, data) for external_id, data in before.records.items()]
    page = PageCommit(
        run_id=run_id,
        key=plan.key,
        partition="",
        entity=plan.entity,
        lease=lease,
        upserts=upserts,
        removals=(),
        aside=(),
        shape=plan.prints.shape,
        state=state,
        at=world.clock.now(),
        counts=Counts(),
        ids=world.new_uuids(len(upserts)),
    )
    await world.store.commit_page(plan.tenant, page)
    end = RunEnd(
        run_id=run_id,
        key=plan.key,
        partition="",
        lease=lease,
        status=RunStatus.DONE,
        ended_at=world.clock.now(),
        state=state,
        counts=Counts(),
        complete=True,
        rewritten=True,
    )
    await world.store.finish_run(plan.tenant, end)


def _upsert(external_id: str, data: Json) -> Upsert:
    encoded = msgspec.json.encode(data, order="sorted")
    return Upsert(external_id, encoded, digest_of(encoded))
