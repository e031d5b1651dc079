"""Partition routers to ``for_each``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from integrationd.importers.airbyte import unsaid
from integrationd.importers.airbyte.parts import Part
from integrationd.importers.airbyte.places import read_place
from integrationd.importers.airbyte.scope import Scope
from integrationd.importers.airbyte.writing import path_of
from integrationd.importers.naming import distinct, to_word
from integrationd.model.json import Json


@dataclass(frozen=True, slots=True)
class Parent:
    """The stream whose records another one is read for each of."""

    name: str
    scope: Scope


FindParent: TypeAlias = Callable[[Part], Parent | None]
"""From a stream in the source to the one of ours."""


@dataclass(slots=True)
class Partitions:
    """What a stream is read for each of."""

    dimensions: list[dict[str, Any]] = field(default_factory=list)
    each: dict[str, str] = field(default_factory=dict)
    """Our names by the source's."""
    sent: list[tuple[str, str]] = field(default_factory=list)
    """Places and the variables that go there."""
    parent: Scope | None = None
    extras: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Further fields of parents, by their names: the dimension, and where they stand."""
    is_whole: bool = True
    """Whether all of it could be said; a stream that lacks a part asks for something else."""

    def carry(self, name: str, field_name: str) -> bool:
        """Add a value to each record, if it is one of a parent's; tells whether it is."""
        for dimension in self.dimensions:
            if dimension["as"] == name and "stream" in dimension and "batch" not in dimension:
                dimension.setdefault("carry", {})[field_name] = dimension["value"]
                return True
        return False

    def carry_extra(self, name: str, field_name: str) -> bool:
        """Add a further field of a parent to each record; tells whether there is such a field."""
        if name not in self.extras:
            return False
        at, value = self.extras[name]
        self.dimensions[at].setdefault("carry", {})[field_name] = value
        return True


def read_partitions(retriever: Part, scope: Scope, find_parent: FindParent) -> Partitions:
    """Return what ``for_each`` says of all routers together."""
    made = Partitions()
    reader = _Routers(scope, find_parent, made)
    for router in retriever.children("partition_router"):
        reader.read(router)
    return made


class _Routers:
    """Reads the routers of one stream."""

    def __init__(self, scope: Scope, find_parent: FindParent, made: Partitions) -> None:
        self._scope = scope
        self._find_parent = find_parent
        self._made = made

    def read(self, part: Part) -> None:
        match part.kind:
            case "ListPartitionRouter":
                self._read_list(part)
            case "SubstreamPartitionRouter":
                self._read_parents(part)
            case "GroupingPartitionRouter":
                self._read_groups(part)
            case _:
                unsaid.lose_kind(part)
                self._made.is_whole = False

    def _read_list(self, part: Part) -> None:
        node = part.get("values")
        values: Any = None
        if node is not None:
            values = self._scope.template(part, node, f"{part.path}.values")
        if not isinstance(values, list) and not (isinstance(values, str) and "{{" in values):
            unsaid.lose(part, "list_template", field="values")
            self._made.is_whole = False
            return
        self._add(part, part.text("cursor_field"), {"list": values})

    def _read_parents(self, part: Part) -> None:
        configs = part.children("parent_stream_configs")
        if len(configs) != 1:
            unsaid.lose(part, "several_parents")
            self._made.is_whole = False
            return
        (config,) = configs
        stream = config.child("stream")
        parent = None if stream is None else self._find_parent(stream)
        if parent is None:
            message = f"{config.path}: the parent stream could not be translated"
            config.report.lose(config.position, message)
            self._made.is_whole = False
            return
        self._made.parent = parent.scope
        dimension: dict[str, Any] = {
            "stream": parent.name,
            "value": path_of(config.text("parent_key").split("/")),
        }
        if config.is_true("incremental_dependency"):
            dimension["changed"] = True
        extras = config.value("extra_fields")
        for path in extras if isinstance(extras, list) else []:
            steps = [str(step) for step in path] if isinstance(path, list) else [str(path)]
            self._made.extras[".".join(steps)] = (len(self._made.dimensions), path_of(steps))
        self._add(config, config.text("partition_field"), dimension)

    def _read_groups(self, part: Part) -> None:
        inner, size = part.child("underlying_partition_router"), part.value("group_size")
        before = len(self._made.dimensions)
        if inner is not None:
            self.read(inner)
        for dimension in self._made.dimensions[before:]:
            dimension["batch"] = size

    def _add(self, part: Part, name: str, dimension: dict[str, Any]) -> None:
        word = to_word(name)
        if word in _taken(self._made.parent):
            word = to_word(f"{dimension.get('stream', 'own')}_{word}")
        word = distinct(word, [*self._made.each.values(), *_taken(self._made.parent)])
        self._made.each[name] = word
        self._made.dimensions.append({**dimension, "as": word})
        option = part.child("request_option")
        place = None if option is None else read_place(option, self._scope)
        if place is not None:
            self._made.sent.append((place, f"each.{word}"))


def _taken(scope: Scope | None) -> set[str]:
    """Return the names of all ancestors' values."""
    found: set[str] = set()
    while scope is not None:
        found.update(scope.each.values())
        scope = scope.parent
    return found


def send(said: dict[str, Any], place: str, value: Json) -> None:
    """Put a value into a request at a place."""
    root, _, name = place.partition(".")
    if root == "json":
        *outer, last = name.split(".")
        here = said.setdefault("json", {})
        for key in outer:
            here = here.setdefault(key, {})
        here[last] = value
    else:
        key = {"header": "headers"}.get(root, root)
        said.setdefault(key, {})[name] = value
