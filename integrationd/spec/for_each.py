"""``for_each``: a stream that is read once for each of some values, its partitions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from integrationd.config.decode import INVALID, Bounds, Invalid, Marked, Site, decode
from integrationd.config.nodes import Fields, Items, Node
from integrationd.config.problems import shorten
from integrationd.config.sites import Written
from integrationd.spec.names import WORD_NAME
from integrationd.transform.explode import FIELD
from integrationd.transform.expression import Expression
from integrationd.transform.relay import RelayRule
from integrationd.transform.scopes import Scope
from integrationd.transform.template import JsonTemplate

_OF_PARENTS = ("value", "when", "carry", "changed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One set of values: from the records of another stream, or a list.

    What is read of a parent record is read when the parent is, and kept, so that the child never
    asks for its parent. Where the parent itself is read once for each, its own values stand beside
    this one.
    """

    stream: Marked | None = None
    """The parent: another stream of the same file."""
    value: Expression | None = None
    """The value, read from the parent's source record; a list gives one for each item, null none.
    An object keeps its fields, ``{{ each.place.id }}``."""
    when: Expression | None = None
    """Only parent records for which this is true."""
    carry: Annotated[Mapping[str, Expression], FIELD] = field(default_factory=dict)
    """Fields added to each of the child's records before ``key`` is read, from the parent's."""
    changed: bool = False
    """After the first reading only those parent records that have changed since; a full reading
    takes all of them."""
    list: Annotated[JsonTemplate | None, Scope(("config",))] = None
    """The values themselves, ``[open, closed]`` or ``"{{ config.sites }}"``."""
    as_: Marked
    """The name of the value: ``{{ each.NAME }}`` in the request, ``var('each.NAME')`` where it is
    read."""
    batch: Annotated[int | None, Bounds(1, 10_000)] = None
    """So many values at a time, as a list."""

    def check(self, node: Fields, site: Site) -> Invalid | None:
        """Refuse two sources of values or none, and what belongs to the other one."""
        told: Invalid | None = None
        if (self.stream is None) == (self.list is None):
            message = f"{site.name} needs either 'stream' (and 'value') or 'list'"
            told = site.refuse(node.position, "E114", message)
        elif self.stream is not None and self.value is None:
            message = f"{site.name} has no 'value', which is read from each record of the parent"
            told = site.refuse(node.position, "E102", message)
        if not re.fullmatch(WORD_NAME.pattern, self.as_):
            message = f"{site.path}.as is {shorten(self.as_)}, expected {WORD_NAME.what}"
            told = site.refuse(self.as_.position, "E109", message)
        for key in _OF_PARENTS:
            if self.list is not None and key in node.entries:
                message = f"{site.path} has {key!r}, which goes with 'stream' alone"
                told = site.refuse(node.key_position(key), "E114", message)
        if self.batch is not None and self.carry:
            message = f"{site.path} has 'carry' and 'batch'; a batch has no single parent record"
            told = site.refuse(node.key_position("batch"), "E114", message)
        return told


@dataclass(frozen=True, slots=True)
class ForEach:
    """One set of values, or several: then each value of one with each of the others."""

    FORM: ClassVar[Written] = Written((Dimension, tuple[Dimension, ...]))

    dimensions: tuple[Dimension, ...]

    @classmethod
    def decode_node(cls, node: Node, site: Site) -> ForEach | Invalid:
        """Read one dimension or a list of them."""
        nodes = node.items if isinstance(node, Items) else (node,)
        if not nodes:
            return site.expected(node, "an object with 'stream' or 'list', or a list of them")
        sites = [site.item(at) for at in range(len(nodes))] if isinstance(node, Items) else [site]
        read = [decode(part, Dimension, at) for part, at in zip(nodes, sites, strict=True)]
        if any(part is INVALID for part in read):
            return INVALID
        names = [str(part.as_) for part in read]
        for at, part in enumerate(read):
            if str(part.as_) in names[:at]:
                message = f"{site.path} has two values with the name {str(part.as_)!r}"
                return site.refuse(part.as_.position, "E114", message)
        return cls(tuple(read))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of its own values."""
        return tuple(str(dimension.as_) for dimension in self.dimensions)

    @property
    def follows(self) -> bool:
        """Tell whether some of its values are those of changed parents alone."""
        return any(dimension.changed for dimension in self.dimensions)

    @property
    def parents(self) -> tuple[Marked, ...]:
        """Return the streams that it takes values of."""
        return tuple(part.stream for part in self.dimensions if part.stream is not None)

    def relays(self, child: str, parent: str) -> Iterator[RelayRule]:
        """Yield what a parent's records give to it.

        Args:
            child: The name of the stream that has this.
            parent: The name of the parent.
        """
        for part in self.dimensions:
            if part.stream == parent:
                assert part.value is not None
                yield RelayRule(
                    child=relay_name(child, part),
                    value=part.value,
                    when=part.when,
                    carry=part.carry,
                )


def relay_name(child: str, dimension: Dimension) -> str:
    """Return how what is kept for a child is called; another parent's is another."""
    return f"{child}/{dimension.stream}/{dimension.as_}"
