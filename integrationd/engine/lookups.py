"""What mappings look up, asked of the store once for all records of a page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from integrationd.engine.plans import StreamPlan
from integrationd.engine.world import World
from integrationd.errors import MappingError
from integrationd.model.json import Json
from integrationd.model.records import StoredRecord
from integrationd.model.unstorable import Unstorable
from integrationd.transform.lookup import NOTHING, SELF, Found, LookUp, Target
from integrationd.transform.scopes import Variables

SLICE_RECORDS: Final = 500
"""Records between two looks at the event loop."""


async def look_up(
    world: World, plan: StreamPlan, records: Iterable[tuple[Json, Variables]]
) -> Found:
    """Find what the look-ups of a stream's mapping ask for, in one query for each entity.

    Args:
        world: Its store is asked.
        plan: The stream.
        records: Each with the variables of its mapping.

    Raises:
        StoreError: The store cannot be read.
    """
    mapping = plan.shaper.mapping
    if mapping is None or not mapping.lookups:
        return NOTHING
    wanted: dict[Target, dict[str, None]] = {}
    for at, (record, variables) in enumerate(records, start=1):
        if at % SLICE_RECORDS == 0:
            await asyncio.sleep(0)
        for target, external_id in _wanted(mapping.lookups, record, variables):
            wanted.setdefault(target, {})[external_id] = None
    found: dict[Target, Mapping[str, StoredRecord]] = {}
    for target, external_ids in wanted.items():
        integration, entity = target
        found[target] = await world.store.find_records(
            plan.tenant,
            integration=plan.key.integration if integration == SELF else integration,
            entity=entity,
            external_ids=[*external_ids],
        )
    return Found(found)


def _wanted(
    lookups: Mapping[str, LookUp], record: Json, variables: Variables
) -> Iterator[tuple[Target, str]]:
    """Yield what one record asks for; what is wrong with it is told when it is mapped."""
    if isinstance(record, Unstorable):
        return
    for name, lookup in lookups.items():
        with suppress(MappingError):
            external_id = lookup.find_id(record, variables, name)
            if external_id is not None:
                yield lookup.target, external_id
