"""``uses``: the integration laid over the provider; every value keeps its own file's place."""

from __future__ import annotations

from integrationd.config.nodes import Fields, Node, Scalar


def merge(under: Node, over: Node) -> Node:
    """Lay one tree over another: objects by key, lists and scalars replaced."""
    if isinstance(under, Fields) and isinstance(over, Fields):
        return merge_fields(under, over)
    return over


def merge_fields(under: Fields, over: Fields) -> Fields:
    """Merge two objects; a null in ``over`` removes the key."""
    entries = dict(under.entries)
    places = dict(under.key_positions)
    for key, value in over.entries.items():
        if isinstance(value, Scalar) and value.value is None:
            entries.pop(key, None)
            continue
        entries[key] = merge(entries[key], value) if key in entries else value
        places[key] = over.key_position(key)
    return Fields(entries, over.position, places)


def without(node: Fields, *keys: str) -> Fields:
    """Return the object without some keys."""
    entries = {key: value for key, value in node.entries.items() if key not in keys}
    return Fields(entries, node.position, node.key_positions)
