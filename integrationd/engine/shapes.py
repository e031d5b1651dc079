"""What the files say of each entity's records, for whoever wants to read them as tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from integrationd.engine.world import World
from integrationd.errors import StoreError
from integrationd.ports.views import EntityShape, ViewsLaid
from integrationd.signals import ViewAdvised, ViewsChanged
from integrationd.spec.bundle import Bundle
from integrationd.transform.convert import FieldType
from integrationd.transform.mapping import CUSTOM, Mapping

_NUMBERS: Final = frozenset({FieldType.INTEGER, FieldType.NUMBER, FieldType.DECIMAL})


async def lay_views(world: World, bundle: Bundle, told: frozenset[str]) -> frozenset[str]:
    """Give every entity its view, and tell what is new; called after every load of the files.

    Nothing else depends on views, so a store that refuses is told and that is all.

    Args:
        world: The store and where signals go.
        bundle: What runs now.
        told: What was said after the last load, not to be said again.

    Returns:
        What is said now, or was and still holds.
    """
    try:
        laid = await world.store.lay_views(entity_shapes(bundle))
    except StoreError as refused:
        laid = ViewsLaid(remarks=(str(refused),))
    if laid.made or laid.dropped:
        world.signals.emit(ViewsChanged(made=laid.made, dropped=laid.dropped))
    for remark in laid.remarks:
        if remark not in told:
            world.signals.emit(ViewAdvised(advice=remark))
    return frozenset(laid.remarks)


def entity_shapes(bundle: Bundle) -> list[EntityShape]:
    """Return the shape of every entity that a stream gives, with the fields of all its mappings.

    Fields stand in the order in which mappings, by name, give them. A field that two mappings make
    of different types is a number if both are, else anything.
    """
    mapped: dict[str, dict[str, FieldType | None]] = {}
    plain: list[str] = []
    for entity, mapping in _entities(bundle):
        if mapping is None:
            plain.append(entity)
            continue
        known = mapped.setdefault(entity, {})
        for name, rule in mapping.fields.items():
            known[name] = _common(known[name], rule.type) if name in known else rule.type
        if mapping.custom:
            # One column for what tenants added, whatever it is: the view is of all of them.
            known[CUSTOM] = None
    shapes = [EntityShape(entity=entity, fields=known) for entity, known in mapped.items()]
    return [*shapes, *(EntityShape(entity=entity, fields=None) for entity in plain)]


def _entities(bundle: Bundle) -> Iterator[tuple[str, Mapping | None]]:
    """Yield what each stream's records become, in the order of mappings' names."""
    found = [
        (str(stream.mapping or ""), integration.entity_of(name), integration.name, name)
        for integration in bundle.integrations.values()
        for name, stream in integration.streams.items()
    ]
    for _, entity, integration_name, name in sorted(found):
        yield entity, bundle.integrations[integration_name].shapes[name].mapping


def _common(one: FieldType | None, other: FieldType | None) -> FieldType | None:
    if one is other:
        return one
    return FieldType.NUMBER if {one, other} <= _NUMBERS else None
