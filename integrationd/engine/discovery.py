"""What lists hold, as streams: looked up for every bundle, and anew after each reading of a list.

The records of a list are its objects, so all that protects records protects streams: a list that
could not be read whole takes none away, and one that shrank too much waits for a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from integrationd.engine.world import World
from integrationd.model.objects import Found, Listing
from integrationd.ports.objects import ObjectStore
from integrationd.ports.store import RecordQuery, StoreReader
from integrationd.signals import DiscoveryAdvised, StreamsDiscovered
from integrationd.spec.bundle import Bundle
from integrationd.spec.discovered import expand, list_objects
from integrationd.spec.documents import Integration


class ListReader(StoreReader, ObjectStore, Protocol):
    """A store that knows records and objects; one that is only looked at will do."""


async def with_discovered(store: ListReader, bundle: Bundle) -> Bundle:
    """Return a bundle with the streams of all objects that are listed; writes nothing."""
    found = {
        name: expand(integration, (await _look(store, integration))[1])
        for name, integration in bundle.integrations.items()
        if integration.moulds
    }
    return replace(bundle, integrations={**bundle.integrations, **found}) if found else bundle


async def discover(world: World, bundle: Bundle) -> Bundle:
    """Do the same, keep what is new, and tell it.

    Raises:
        StoreError: The store does not answer.
    """
    found = {
        name: expand(integration, await _settle(world, integration))
        for name, integration in bundle.integrations.items()
        if integration.moulds
    }
    return replace(bundle, integrations={**bundle.integrations, **found}) if found else bundle


async def _settle(world: World, integration: Integration) -> Mapping[str, Listing]:
    known, listings = await _look(world.store, integration)
    before = {(one.of, one.key): one for one in known}
    now = [one for listing in listings.values() for one in listing.found]
    changed = [one for one in now if before.get((one.of, one.key)) != one]
    if not changed:
        return listings
    await world.store.keep_objects(integration.tenant, integration.name, changed)
    # Another process may have named the same object, or given the same name, a moment before.
    _, listings = await _look(world.store, integration)
    for name, listing in listings.items():
        _tell(world, integration, name, listing, before)
    return listings


async def _look(
    store: ListReader, integration: Integration
) -> tuple[Sequence[Found], Mapping[str, Listing]]:
    """Return what is kept of an integration's objects, and what its lists hold now."""
    tenant = integration.tenant
    known = list(await store.objects(tenant, integration.name))
    kept, listings = list(known), dict[str, Listing]()
    for name in integration.moulds:
        query = RecordQuery(integration=integration.name, stream=name, deleted=False)
        living = [(row.external_id, row.data) async for row in store.records(tenant, query)]
        listings[name] = list_objects(integration, name, living, known)
        known += listings[name].found  # so that the next list gives no name twice
    return kept, listings


def _tell(
    world: World,
    integration: Integration,
    name: str,
    listing: Listing,
    before: Mapping[tuple[str, str], Found],
) -> None:
    listed = listing.streams
    were = {one.stream for one in before.values() if one.of == name and one.listed}
    if listed != were:
        world.signals.emit(
            StreamsDiscovered(
                integration=integration.name,
                stream=name,
                streams=len(listed),
                added=tuple(sorted(listed - were)),
                gone=tuple(sorted(were - listed)),
            )
        )


def tell_remarks(world: World, before: Bundle, after: Bundle) -> None:
    """Tell what a person may want to change of lists, unless it was so in the bundle before."""
    for name, integration in after.integrations.items():
        old = before.integrations.get(name)
        for stream, listing in integration.listings.items():
            known = (
                () if old is None or stream not in old.listings else old.listings[stream].remarks
            )
            for remark in listing.remarks:
                if remark not in known:
                    advised = DiscoveryAdvised(integration=name, stream=stream, advice=remark)
                    world.signals.emit(advised)
