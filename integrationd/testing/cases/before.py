"""What a case has in the store before it begins, put there as a reading would have."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import msgspec

from integrationd.engine.claims import claimed
from integrationd.engine.plans import StreamPlan, build_plan
from integrationd.engine.world import World
from integrationd.errors import MappingError, UsageError
from integrationd.model.json import Json
from integrationd.model.records import Relay, Upsert, digest_of
from integrationd.model.runs import Counts, Mode, RunStatus, Trigger
from integrationd.ports.store import Lease, PageCommit, ReadingState, RunEnd, RunStart
from integrationd.spec.cases import Before, Left
from integrationd.spec.documents import Integration
from integrationd.spec.exchanges import UNSAID
from integrationd.testing.cases.comparing import show

_OWN: Final = "before"
"""The place of what a case says of its own stream."""


async def lay_before(world: World, integration: Integration, name: str, before: Before) -> None:
    """Store what complete earlier readings have left, where a case says that there were any.

    Args:
        world: Of the case.
        integration: Whose streams they are; those that a list discovers are not needed.
        name: The stream that the case is about.
        before: What it says of that and of others.

    Raises:
        UsageError: No reading can have left that.
    """
    # Others first: what a list holds makes streams, and a stream's own may be one of those.
    for other, left in before.streams.items():
        await lay_left(world, integration, other, left, f"before.streams.{other}")
    if name in integration.streams:
        await lay_left(world, integration, name, before, _OWN)


async def lay_left(
    world: World, integration: Integration, name: str, left: Left, where: str
) -> None:
    """Store what is left of one stream; as :func:`lay_before`, which says what is raised.

    Args:
        world: Of the case.
        integration: Whose stream it is.
        name: The stream.
        left: What a complete reading has left.
        where: That place in the case.
    """
    if left.cursor is UNSAID and not left.records and not left.cursors:
        return
    plan = build_plan(integration, name)
    _check_cursor(plan, left.cursor, f"{where}.cursor")
    has_parts = plan.stream.for_each is not None
    if has_parts and left.cursor is not UNSAID:
        raise UsageError(
            f"{where}.cursor: stream {name!r} is read for each of its partitions, which have "
            f"cursors of their own; say {where}.cursors, by the partition's name"
        )
    if left.cursors and not has_parts:
        raise UsageError(
            f"{where}.cursors: stream {name!r} has no 'for_each' and so one cursor; say "
            f"{where}.cursor"
        )
    for part, cursor in left.cursors.items():
        _check_cursor(plan, cursor, f"{where}.cursors[{part!r}]")
    async with claimed(world, plan.tenant, plan.key) as lease:
        assert lease is not None  # nobody else is there
        await _lay(world, plan, left, lease, where)


def _check_cursor(plan: StreamPlan, cursor: Json, where: str) -> None:
    """Refuse a cursor that no reading of the stream can have left behind."""
    if plan.stream.incremental is None and cursor is not UNSAID:
        raise UsageError(f"{where}: stream {plan.name!r} has no 'incremental' that keeps one")
    if cursor is UNSAID or cursor is None:
        return
    try:
        plan.scale.later(cursor, cursor)
    except (ValueError, TypeError) as wrong:
        raise UsageError(f"{where} is {show(cursor)}: {wrong}") from None


async def _lay(world: World, plan: StreamPlan, left: Left, lease: Lease, where: str) -> None:
    run_id = world.new_id("run")
    state = _state(plan, None if left.cursor is UNSAID else left.cursor)
    if plan.stream.for_each is not None:
        state = replace(state, round=run_id)
    start = RunStart(
        id=run_id,
        key=plan.key,
        trigger=Trigger.MANUAL,
        mode=Mode.FULL,
        started_at=world.clock.now(),
    )
    await world.store.begin_run(plan.tenant, start, lease)
    upserts = [_upsert(external_id, data) for external_id, data in left.records.items()]
    whole = PageCommit(
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
        relays=_relays(plan, left, where),
    )
    await world.store.commit_page(plan.tenant, whole)
    for part, cursor in left.cursors.items():
        own = replace(_state(plan, cursor), round=run_id)
        page = replace(whole, partition=part, upserts=(), relays=(), state=own, ids=())
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


def _state(plan: StreamPlan, cursor: Json) -> ReadingState:
    return ReadingState(
        cursor=cursor,
        high_water=cursor,
        fingerprint=plan.prints.progress,
        identity=plan.prints.identity,
        shape=plan.prints.shape,
    )


def _relays(plan: StreamPlan, left: Left, where: str) -> list[Relay]:
    """Return what the records give to child streams, as their own reading would have.

    Raises:
        UsageError: What they give is read of a source record, which a mapping made them of.
    """
    rules = plan.shaper.relays
    if not rules or not left.records:
        return []
    children = ", ".join(dict.fromkeys(rule.child.partition("/")[0] for rule in rules))
    if plan.shaper.mapping is not None and where == _OWN:
        return []  # what the case is about is read by it, and its children are not
    if plan.shaper.mapping is not None:
        raise UsageError(
            f"{where}.records: {children} is read for each record of {plan.name!r} as its provider "
            f"gives it, which its mapping does not show; let an earlier run read {plan.name!r}"
        )
    variables = {"config": dict(plan.integration.config), "each": {}}
    found: list[Relay] = []
    for external_id, data in left.records.items():
        try:
            given = [(rule.child, rule.read(data, variables)) for rule in rules]
        except MappingError as wrong:
            if where == _OWN:
                continue
            raise UsageError(f"{where}.records[{external_id!r}]: {wrong}") from None
        source = digest_of(msgspec.json.encode(data, order="sorted"))[:16]
        found += [
            Relay(child, external_id, msgspec.json.encode(told, order="sorted"), source)
            for child, told in given
        ]
    return found


def _upsert(external_id: str, data: Json) -> Upsert:
    encoded = msgspec.json.encode(data, order="sorted")
    return Upsert(external_id, encoded, digest_of(encoded))
