"""Streams that are read once for each record of another one: parents, children, their values."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from integrationd.config.decode import Site
from integrationd.config.problems import nearest
from integrationd.spec.stream import Stream
from integrationd.transform.relay import RelayRule


def check_families(streams: Mapping[str, Stream], site: Site) -> None:
    """Tell a parent that is not there or is not read, a circle, and a name that stands twice."""
    for name, stream in streams.items():
        if stream.for_each is None:
            continue
        for parent in stream.for_each.parents:
            reason = _find_reason(streams, name, parent)
            if reason:
                message = f"stream {name!r} is read for each record of {str(parent)!r}, {reason}"
                site.refuse(parent.position, "E307", message)
        line = ancestors(streams, name)
        above = [value for other in line for value in _own_names(streams, other)]
        for value in (dimension.as_ for dimension in stream.for_each.dimensions):
            if value in above and name not in line:
                message = f"the name {str(value)!r} is that of a value of its parent already"
                site.refuse(value.position, "E114", message)


def _find_reason(streams: Mapping[str, Stream], name: str, parent: str) -> str:
    found = streams.get(parent)
    if found is None:
        return f"which is not there{nearest(parent, streams)}"
    if not found.is_read():
        return "which makes no request, so that nothing is read of it"
    if name == parent or name in ancestors(streams, parent):
        return "which is itself read for each of these; a circle has no beginning"
    return ""


def ancestors(streams: Mapping[str, Stream], name: str) -> list[str]:
    """Return a stream's parents, theirs, and so on: whoever is read first comes first."""
    found: list[str] = []
    _climb(streams, name, found, frozenset({name}))
    return found


def _climb(
    streams: Mapping[str, Stream], name: str, found: list[str], below: frozenset[str]
) -> None:
    stream = streams.get(name)
    if stream is None or stream.for_each is None:
        return
    for parent in map(str, stream.for_each.parents):
        if parent in found:
            continue
        if parent not in below:
            _climb(streams, parent, found, below | {parent})
        found.append(parent)


def each_names(streams: Mapping[str, Stream], name: str) -> tuple[str, ...]:
    """Return the values that what a stream says may use, those of its ancestors first."""
    names = [*ancestors(streams, name), name]
    return tuple(dict.fromkeys(value for each in names for value in _own_names(streams, each)))


def _own_names(streams: Mapping[str, Stream], name: str) -> tuple[str, ...]:
    stream = streams.get(name)
    return () if stream is None or stream.for_each is None else stream.for_each.names


def relays_of(streams: Mapping[str, Stream], parent: str) -> tuple[RelayRule, ...]:
    """Return what the records of a stream give to its children."""
    return tuple(
        rule
        for child, stream in streams.items()
        if stream.for_each is not None
        for rule in stream.for_each.relays(child, parent)
    )


def parents_first(streams: Mapping[str, Stream], names: Collection[str]) -> list[str]:
    """Return streams as they stand, but parents before their children."""
    found: list[str] = []
    for name in names:
        for each in [*ancestors(streams, name), name]:
            if each in names and each not in found:
                found.append(each)
    return found
