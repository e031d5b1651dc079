"""A manifest as components: references followed, parameters handed down, kinds filled in.

Nothing is copied ahead of time: a component is made when it is looked at, so that a manifest whose
references would grow without bound costs no more than what is read of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from integrationd.config.nodes import Fields, Items, Node, Position, Scalar, to_json
from integrationd.config.problems import find_nearest, shorten
from integrationd.errors import IntegrationError
from integrationd.importers.airbyte.kinds import CUSTOM, DEFAULTS, FIELDS, find_homes
from integrationd.importers.report import Report
from integrationd.model.json import Json

REF: Final = "$ref"
PARAMETERS: Final = "$parameters"
MERGE: Final = "<<"
_CHAIN_MAX: Final = 100
"""References that lead to references; a circle has no end."""
_DEPTH_MAX: Final = 60


class ManifestError(IntegrationError):
    """A manifest that cannot be read at all."""


@dataclass(slots=True)
class Manifest:
    """The whole tree, and where findings are told."""

    root: Fields
    report: Report

    def follow(self, node: Node) -> Node:
        """Return what a node stands for: its reference followed, its merge keys merged."""
        for _ in range(_CHAIN_MAX):
            if isinstance(node, Scalar) and _is_reference(node.value):
                node = self._look_up(str(node.value), node.position)
            elif isinstance(node, Fields) and (REF in node.entries or MERGE in node.entries):
                over = self._merge(node)
                if not isinstance(over, Fields):
                    return over
                node = over
            else:
                return node
        raise ManifestError(f"{node.position}: the reference leads back to itself")

    def _merge(self, node: Fields) -> Node:
        """Lay an object over what it refers to."""
        entries: dict[str, Node] = {}
        places: dict[str, Position] = {}
        for base in self._bases(node):
            found = self.follow(base)
            if not isinstance(found, Fields):
                return found
            entries.update(found.entries)
            places.update(found.key_positions)
        for key, value in node.entries.items():
            if key not in (REF, MERGE):
                entries[key] = value
                places[key] = node.key_position(key)
        return Fields(entries, node.position, places)

    def _bases(self, node: Fields) -> Iterator[Node]:
        merged = node.get(MERGE)
        if isinstance(merged, Items):
            yield from reversed(merged.items)
        elif merged is not None:
            yield merged
        if REF in node.entries:
            yield node.entries[REF]

    def _look_up(self, reference: str, position: Position) -> Node:
        rest = reference.removeprefix("#/")
        here: Node = self.root
        while rest:
            here = self.follow(here)
            if isinstance(here, Fields) and rest in here.entries:
                return here.entries[rest]
            head, _, rest = rest.partition("/")
            found = _step(here, head)
            if found is None:
                message = f"{position}: the reference {shorten(reference)} leads nowhere"
                raise ManifestError(message)
            here = found
        return here


@dataclass(frozen=True, slots=True)
class Part:
    """One component, with its kind and the parameters that reach it."""

    manifest: Manifest = field(repr=False)
    node: Fields = field(repr=False)
    kind: str
    path: str
    """As people are told it, ``streams[0].retriever``."""
    parameters: Mapping[str, Node] = field(default_factory=dict, repr=False)
    depth: int = 0

    @property
    def position(self) -> Position:
        """Return where it begins."""
        return self.node.position

    @property
    def report(self) -> Report:
        """Return where findings are told."""
        return self.manifest.report

    def place(self, key: str) -> Position:
        """Return where a field's name stands."""
        return self.node.key_position(key)

    def has(self, key: str) -> bool:
        """Tell whether a field says anything."""
        found = self.get(key)
        return found is not None and not _is_empty(found)

    def get(self, key: str) -> Node | None:
        """Return a field, or the parameter that stands in for it."""
        own = self.node.get(key)
        if own is not None:
            own = self.manifest.follow(own)
            if not _is_falsy(own):
                return own
        handed = self.parameters.get(key)
        return own if handed is None else self.manifest.follow(handed)

    def scalar(self, key: str) -> Scalar | None:
        """Return a field that is a single value."""
        found = self.get(key)
        return found if isinstance(found, Scalar) else None

    def value(self, key: str) -> Json:
        """Return a field's plain value, references inside it followed."""
        found = self.get(key)
        return None if found is None else self.plain(found)

    def text(self, key: str) -> str:
        """Return a field that is text, or nothing."""
        found = self.value(key)
        return found if isinstance(found, str) else ""

    def is_true(self, key: str) -> bool:
        """Tell whether a switch is on."""
        return self.value(key) is True

    def plain(self, node: Node, depth: int = 0) -> Json:
        """Return a node's plain value, references inside it followed."""
        node = self.manifest.follow(node)
        if depth > _DEPTH_MAX:
            raise ManifestError(f"{node.position}: more than {_DEPTH_MAX} levels in each other")
        match node:
            case Items():
                return [self.plain(item, depth + 1) for item in node.items]
            case Fields():
                return {key: self.plain(value, depth + 1) for key, value in node.entries.items()}
            case _:
                return to_json(node)

    def child(self, key: str) -> Part | None:
        """Return the component in a field."""
        found = self.get(key)
        return self._open(key, found) if isinstance(found, Fields) else None

    def children(self, key: str) -> list[Part]:
        """Return the components in a field that holds a list of them, or one."""
        found = self.get(key)
        if isinstance(found, Fields):
            return [self._open(key, found)]
        if not isinstance(found, Items):
            return []
        nodes = [self.manifest.follow(item) for item in found.items]
        return [
            self._open(key, node, f"[{at}]")
            for at, node in enumerate(nodes)
            if isinstance(node, Fields)
        ]

    def named(self, key: str) -> dict[str, Part]:
        """Return the components in an object of names."""
        found = self.get(key)
        if not isinstance(found, Fields):
            return {}
        nodes = {name: self.manifest.follow(node) for name, node in found.entries.items()}
        return {
            name: self._open(key, node, f".{name}")
            for name, node in nodes.items()
            if isinstance(node, Fields)
        }

    def _open(self, key: str, node: Fields, behind: str = "") -> Part:
        if self.depth >= _DEPTH_MAX:
            raise ManifestError(f"{node.position}: more than {_DEPTH_MAX} levels in each other")
        place = f"{self.kind}.{key}"
        parameters = {name: value for name, value in self.parameters.items() if name != key}
        own = node.get(PARAMETERS)
        own = own if own is None else self.manifest.follow(own)
        if isinstance(own, Fields):
            parameters.update(own.entries)
        path = f"{self.path}.{key}{behind}".removeprefix(".")
        part = Part(self.manifest, node, _kind(node, place), path, parameters, self.depth + 1)
        part.tell_unknown()
        return part

    def tell_unknown(self) -> None:
        """Tell the names that its kind does not have; Airbyte passes over them in silence."""
        known = FIELDS.get(self.kind)
        if known is None:
            return
        for name in self.node.entries:
            if name not in known and not name.startswith(("x-", "$")):
                message = f"{self.path} has {name!r}, which is no field of {self.kind}"
                self.report.note(self.place(name), f"{message}; {_hint(name, known)}")


def _hint(name: str, known: frozenset[str]) -> str:
    near = find_nearest(name, known)
    homes = sorted(find_homes(name))
    ignored = "Airbyte does nothing with it"
    if near is not None:
        return f"{ignored}; was {near!r} meant?"
    return f"{ignored}; it is one of {', '.join(homes[:3])}" if homes else ignored


def _kind(node: Fields, place: str) -> str:
    said = node.get("type")
    if isinstance(said, Scalar) and isinstance(said.value, str):
        return said.value
    return (CUSTOM if "class_name" in node.entries else DEFAULTS).get(place, "")


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and value.startswith("#/")


def _step(node: Node, name: str) -> Node | None:
    if isinstance(node, Fields):
        return node.get(name)
    if isinstance(node, Items) and re.fullmatch("[0-9]{1,6}", name) and int(name) < len(node.items):
        return node.items[int(name)]
    return None


def _is_falsy(node: Node) -> bool:
    return not to_json(node) if isinstance(node, Scalar) else _is_empty(node)


def _is_empty(node: Node) -> bool:
    match node:
        case Items():
            return not node.items
        case Fields():
            return not node.entries
        case _:
            return node.value is None or node.value == ""
