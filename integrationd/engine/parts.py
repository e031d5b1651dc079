"""The partitions of a stream, one for each value of its ``for_each``; nobody is asked for them."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any, Final, NamedTuple

from integrationd.config.problems import shorten
from integrationd.engine.plans import StreamPlan
from integrationd.engine.world import World
from integrationd.errors import ExpressionError
from integrationd.model.json import Json
from integrationd.model.unstorable import Unstorable
from integrationd.spec.for_each import Dimension, relay_name
from integrationd.transform.expression import NO_VARIABLES

PARTS_MAX: Final = 50_000
"""Partitions of one stream; their progress is held in memory while they are read."""
SLICE_PARTS: Final = 500
"""Made between two looks at the event loop."""
_KEY_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class Part:
    """One partition."""

    key: str = ""
    """How its progress is called; the one of a stream without ``for_each`` has no name."""
    each: Mapping[str, Json] = field(default_factory=dict)
    """Its values by name, those of its ancestors included."""
    carry: Mapping[str, Json] = field(default_factory=dict)
    """Fields that each of its records gets."""

    def take_in(self, records: list[Json]) -> list[Json]:
        """Return the records with what they carry."""
        return [self._carry_to(one) for one in records] if self.carry else records

    def _carry_to(self, record: Json) -> Json:
        if isinstance(record, Unstorable):
            both = self._carry_to(record.record), self._carry_to(record.shown)
            return Unstorable(*both, record.reason)
        return {**record, **self.carry} if isinstance(record, dict) else record

    @property
    def label(self) -> str:
        """Say which one it is, for people: ``course_id=5``."""
        return ", ".join(f"{name}={_print(value)}" for name, value in self.each.items())


WHOLE: Final = Part()


class Parts(NamedTuple):
    """All partitions of one round."""

    parts: Sequence[Part]
    mark: int
    """The greatest ``seq`` of what parents gave: later rounds may look at what came after it."""


async def find_parts(
    world: World, plan: StreamPlan, *, after: int, only: Mapping[str, Json] = NO_VARIABLES
) -> Parts:
    """Find the partitions that a round reads; of equal ones the first.

    Args:
        world: Its store has what parents gave.
        plan: A stream with ``for_each``.
        after: Of parents that are only followed by their changes, what came after it; 0 is all.
        only: Values by name, where only the partitions that have them are meant.

    Raises:
        ExpressionError: A list is none.
        StoreError: The store cannot be read.
    """
    rule = plan.stream.for_each
    assert rule is not None
    mark, sides = after, []
    for dimension in rule.dimensions:
        if dimension.list is not None:
            values = read_list(dimension, plan.integration.config)
        else:
            since = after if dimension.changed else 0
            child = relay_name(plan.name, dimension)
            values, seq = await _read_relayed(world, plan, child, dimension, since)
            mark = max(mark, seq)
        if str(dimension.as_) in only:
            values = _only(values, dimension, only)
        sides.append(values if dimension.batch is None else batches(values, dimension))
    count = prod(map(len, sides))
    if count > PARTS_MAX:
        raise ExpressionError(
            f"for_each gives {count:,} partitions, and at most {PARTS_MAX:,} are read; use "
            "'batch', 'when' or fewer values"
        )
    parts: dict[str, Part] = {}
    for number, part in enumerate(combine(sides)):
        if number % SLICE_PARTS == 0:
            await asyncio.sleep(0)
        parts.setdefault(part.key, part)
    return Parts(list(parts.values()), mark)


def combine(sides: Sequence[Sequence[Part]]) -> Iterator[Part]:
    """Yield each value of one side with each of the others; the same may come more than once."""
    for chosen in product(*sides):
        each: dict[str, Json] = {}
        carry: dict[str, Json] = {}
        for part in chosen:
            each |= part.each
            carry |= part.carry
        yield Part(name_of(each), each, carry)


def read_list(dimension: Dimension, config: Mapping[str, Json]) -> list[Part]:
    """Return the values of a list; raises ExpressionError where it is none."""
    assert dimension.list is not None
    found = dimension.list.render({"config": config})
    if not isinstance(found, list):
        raise ExpressionError("for_each.list is no list")
    return [Part(each={str(dimension.as_): value}) for value in found if value not in (None, "")]


async def _read_relayed(
    world: World, plan: StreamPlan, child: str, dimension: Dimension, after: int
) -> tuple[list[Part], int]:
    key, name = plan.key, str(dimension.as_)
    found: list[Part] = []
    seq = 0
    async for given in world.store.relays(plan.tenant, key.integration, child, after=after):
        data: Any = given.data
        seq = max(seq, given.seq)
        above, carry = data.get("each", {}), data.get("carry", {})
        found += [Part("", {**above, name: value}, carry) for value in data["values"]]
    return found, seq


def _only(parts: list[Part], dimension: Dimension, only: Mapping[str, Json]) -> list[Part]:
    """Return those that have the value that a person typed."""
    name = str(dimension.as_)
    found = [part for part in parts if _print(part.each[name]) == _print(only[name])]
    if not found:
        raise ExpressionError(f"input.{name}: nothing is read for {shorten(only[name])}")
    return found


def batches(parts: list[Part], dimension: Dimension) -> list[Part]:
    """Put values together; those below different ancestors stay apart."""
    assert dimension.batch is not None
    name = str(dimension.as_)
    groups: dict[str, tuple[dict[str, Json], dict[str, Json]]] = {}
    for part in parts:
        above = {key: value for key, value in part.each.items() if key != name}
        _, values = groups.setdefault(name_of(above), (above, {}))
        values.setdefault(_print(part.each[name]), part.each[name])
    return [
        Part(each={**above, name: some})
        for above, values in groups.values()
        for some in _pieces(list(values.values()), dimension.batch)
    ]


def _pieces(values: list[Json], size: int) -> Iterator[list[Json]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def name_of(each: Mapping[str, Json]) -> str:
    """Return how the progress of a partition with these values is called."""
    texts = (_print(value).replace("%", "%25").replace("/", "%2F") for value in each.values())
    text = "/".join(texts)
    if len(text) <= _KEY_CHARACTERS and text.isprintable():
        return text
    return f"#{hashlib.blake2b(text.encode(errors='replace'), digest_size=16).hexdigest()}"


def _print(value: Json) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
