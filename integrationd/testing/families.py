"""Parents and children at play: whose records a stream has, and what a parent has to give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product

from integrationd.engine.parts import WHOLE, Part, batches, combine, name_of, read_list
from integrationd.errors import ExpressionError, MappingError, UsageError
from integrationd.model.json import Json
from integrationd.spec.documents import Integration
from integrationd.spec.families import ancestors
from integrationd.spec.for_each import Dimension
from integrationd.testing.records import ALONE, Atoms, Needs, Source
from integrationd.testing.values import Wanted
from integrationd.transform.expression import Expression
from integrationd.transform.finding import references_in
from integrationd.transform.inverse import Tree, UnsolvableError, merge, outline


@dataclass(slots=True)
class Families:
    """Who is read for each of whose records. Parents come before their children."""

    integration: Integration
    sources: dict[str, Source] = field(default_factory=dict)
    _parts: dict[str, tuple[Json, list[Part]]] = field(default_factory=dict)

    def parts(self, name: str) -> list[Part]:
        """Return the partitions of a stream as they are now.

        Raises:
            UsageError: They cannot be found.
        """
        turns = self._turns(name)
        kept = self._parts.get(name)
        if kept is None or kept[0] != turns:
            kept = self._parts[name] = turns, self._find(name, taken_apart=False)
            if name in self.sources:
                self.sources[name].settle(self.atoms(name))
                # It may have got records of its own by that.
                self._parts[name] = self._turns(name), kept[1]
        return kept[1]

    def atoms(self, name: str) -> Atoms:
        """Return a stream's partitions with batches taken apart."""
        if self.integration.streams[name].for_each is None:
            return ALONE
        return {part.key: part for part in self._find(name, taken_apart=True)}

    def owners(self, name: str, part: Part) -> set[str]:
        """Return the atoms that a partition is of."""
        rule = self.integration.streams[name].for_each
        if rule is None:
            return {WHOLE.key}
        batched = {str(one.as_) for one in rule.dimensions if one.batch is not None}
        sides = [
            [(key, item) for item in value] if key in batched else [(key, value)]
            for key, value in part.each.items()
        ]
        return {name_of(dict(chosen)) for chosen in product(*sides)}

    def _turns(self, name: str) -> Json:
        above = ancestors(self.integration.streams, name)
        return [self.sources[one].turn for one in above if one in self.sources]

    def _find(self, name: str, *, taken_apart: bool) -> list[Part]:
        rule = self.integration.streams[name].for_each
        if rule is None:
            return [WHOLE]
        sides = []
        for dimension in rule.dimensions:
            values = list(self._values(name, dimension))
            if dimension.batch is not None and not taken_apart:
                values = batches(values, dimension)
            sides.append(values)
        found: dict[str, Part] = {}
        for part in combine(sides):
            found.setdefault(part.key, part)
        return list(found.values())

    def _values(self, name: str, dimension: Dimension) -> Iterator[Part]:
        try:
            if dimension.list is not None:
                yield from read_list(dimension, self.integration.config)
                return
            assert dimension.stream is not None
            rule = self.integration.streams[name].for_each
            assert rule is not None
            parent = str(dimension.stream)
            if parent not in self.sources:
                raise UsageError(f"stream {name!r} cannot be played: nor can its parent {parent!r}")
            relay = next(
                relay
                for relay, one in zip(
                    rule.relays(name, parent),
                    (one for one in rule.dimensions if one.stream == parent),
                    strict=True,
                )
                if one is dimension
            )
            self.parts(parent)
            source = self.sources[parent]
            for entry in source.listed():
                if entry.is_bad or entry.is_deleted:
                    continue
                given = relay.read(source.record_of(entry), source.variables_of(entry))
                for value in given["values"]:
                    each = {**given["each"], str(dimension.as_): value}
                    yield Part(name_of(each), each, given["carry"])
        except (ExpressionError, MappingError) as wrong:
            raise UsageError(f"stream {name!r} cannot be played: {wrong}") from None


def needs_of(integration: Integration, parent: str) -> Needs:
    """Return what a parent's records have to have for its children."""
    trees: list[Tree] = []
    whens: list[Expression] = []
    for name, stream in integration.streams.items():
        for one in () if stream.for_each is None else stream.for_each.dimensions:
            if one.stream != parent:
                continue
            assert one.value is not None
            leaf = _leaf_of(integration, name, str(one.as_))
            trees.append(outline(one.value.text, leaf))
            trees += [outline(part.text, Wanted(name="")) for part in one.carry.values()]
            if one.when is not None:
                trees.append(outline(one.when.text, Wanted(name="")))
                whens.append(one.when)
    return Needs(tuple(trees), tuple(whens))


def _leaf_of(integration: Integration, child: str, name: str) -> Tree:
    """Return what a value has to be: an object where requests look into it."""
    leaf = Wanted(name="", unique=True)
    tree: Tree = leaf
    for other, stream in integration.streams.items():
        if other != child and child not in ancestors(integration.streams, other):
            continue
        for reference in references_in(stream):
            root, *path = reference.path
            if root != "each" or not path or path[0] != name:
                continue
            inner: Tree = leaf
            for key in reversed(path[1:]):
                inner = {key: inner} if isinstance(key, str) else [inner]
            if path[1:]:
                tree = inner if isinstance(tree, Wanted) else _lay(tree, inner)
    return tree


def _lay(one: Tree, other: Tree) -> Tree:
    try:
        return merge(one, other, lambda first, _: first)
    except UnsolvableError:
        return one
