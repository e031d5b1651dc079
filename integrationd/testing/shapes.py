"""What a stream's records must look like for its spec to find what it looks for."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from integrationd.model.json import Json
from integrationd.spec.entity import RecordShape
from integrationd.spec.stream import Stream
from integrationd.testing.limits import Limits, find_limits
from integrationd.testing.values import Turn, Wanted, build_value, is_lasting
from integrationd.transform.expression import Expression
from integrationd.transform.inverse import Mark, Tree, UnsolvableError, merge, outline, solve, suits
from integrationd.transform.mapping import FieldRule
from integrationd.transform.mapping import Mapping as RecordMapping
from integrationd.transform.times import as_notations

_PLAIN = Wanted(name="")


@dataclass(frozen=True, slots=True)
class Shape:
    """The records of one stream: every place that its spec reads."""

    tree: Tree
    """Objects and lists as in a record, with a :class:`Wanted` at each end."""

    def fill(self, number: int, moment: int, version: int) -> Json:
        """Build a record: the same for the same arguments, another one for another version."""
        wholly = all(map(is_lasting, _leaves(self.tree, "record")))
        turn = Turn(number=number, moment=moment, version=version, wholly=wholly)
        return _fill(self.tree, "record", turn)


def build_shape(stream: Stream, becomes: RecordShape, beside: Iterable[Tree] = ()) -> Shape:
    """Gather what a stream's expressions read of a record.

    Args:
        stream: The stream.
        becomes: What its records become, for the mapping and the schema.
        beside: Shapes that come from elsewhere, as what paging reads of the last record.
    """
    parts = [_outline(part, Wanted(name="", unique=True)) for part in stream.key.parts]
    rule = stream.incremental
    if rule is not None and rule.field is not None:
        first = next(iter(rule.scale.notations), None)
        parts.append(_outline(rule.field, Wanted(name="", grows=rule.type, format=first)))
    if becomes.mapping is not None:
        parts.extend(
            _outline_rule(rule, find_limits(becomes.schema, path))
            for path, rule in becomes.mapping.rules()
        )
        parts.extend(
            _outline(part, _PLAIN)
            for lookup in becomes.mapping.lookups.values()
            for part in lookup.external_id.parts
        )
    conditions = (stream.deleted, stream.where)
    parts.extend(_outline(condition, _PLAIN) for condition in conditions if condition is not None)
    tree = functools.reduce(lambda one, other: merge(one, other, _join), [*parts, *beside])
    is_whole = all("@" in part.text and part.text != "@" for part in stream.key.parts)
    if not isinstance(tree, dict) and is_whole:
        # A digest of the whole record is its key: something has to be in it.
        tree = {"id": Wanted(name="id", unique=True)}
    return Shape(tree)


def choose_branches(mapping: RecordMapping | None, number: int) -> list[Tree]:
    """Decide the conditions of ``first`` rules, so that one record after the other takes each."""
    wishes: list[Tree] = []
    for _, rule in () if mapping is None else mapping.rules():
        options = rule.first or ()
        taken = number % len(options) if options else 0
        for index, option in enumerate(options[: taken + 1]):
            if option.when is not None:
                mark = Mark.TRUE if index == taken else Mark.FALSE
                wishes.extend(_try_solve(option.when, mark))
    return wishes


def overlay(record: Json, wish: Tree) -> Json:
    """Return a record that fulfils a wish; what the wish leaves open stays as it is."""
    if wish is Mark.FREE:
        return record
    if isinstance(wish, Mark):
        if suits(record, wish):
            return record
        return wish is Mark.TRUE or (False if isinstance(record, bool) else None)
    if isinstance(wish, dict):
        under = record if isinstance(record, dict) else {}
        return {**under, **{key: overlay(under.get(key), value) for key, value in wish.items()}}
    if isinstance(wish, list):
        items = record if isinstance(record, list) else []
        padded = [*items, *[None] * (len(wish) - len(items))]
        return [overlay(old, value) for old, value in zip(padded, wish, strict=False)]
    return wish


def _outline(expression: Expression, leaf: Wanted) -> Tree:
    return outline(expression.text, leaf, _join)


def _outline_rule(rule: FieldRule, limits: Limits) -> Tree:
    leaf = Wanted(
        name="",
        type=rule.type,
        format=next(iter(as_notations(rule.format)), None),
        choices=tuple(rule.map or ()),
        limits=limits,
        form="" if rule.clean is None else rule.clean.form,
    )
    if rule.path is not None:
        return _outline(rule.path, leaf)
    parts: list[Tree] = []
    for option in rule.first or ():
        parts.append(_outline(option.value, leaf))
        if option.when is not None:
            parts.append(_outline(option.when, _PLAIN))
    return functools.reduce(lambda one, other: merge(one, other, _join), parts, Mark.FREE)


def _try_solve(expression: Expression, wanted: Tree) -> list[Tree]:
    """Solve where that can be done; a branch that stays undecided is no harm."""
    try:
        return [solve(expression.text, wanted)]
    except UnsolvableError:
        return []


def _join(one: Tree, other: Tree) -> Tree:
    """Say what stands where two expressions read the same place."""
    if isinstance(one, Wanted) and isinstance(other, Wanted):
        return replace(
            one,
            type=one.type or other.type,
            format=one.format or other.format,
            choices=one.choices or other.choices,
            limits=one.limits or other.limits,
            form=one.form or other.form,
            unique=one.unique or other.unique,
            grows=one.grows or other.grows,
        )
    for plain, other_ in ((one, other), (other, one)):
        if isinstance(plain, Wanted | Mark):
            # One reads a whole object or list, the other goes on into it or compares it.
            return plain if isinstance(plain, Wanted) and not _is_tree(other_) else other_
    return one


def _is_tree(value: Tree) -> bool:
    return isinstance(value, dict | list)


def _fill(tree: Tree, name: str, turn: Turn) -> Json:
    if isinstance(tree, Wanted):
        return build_value(replace(tree, name=name), turn)
    if isinstance(tree, dict):
        return {key: _fill(value, key, turn) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_fill(value, _singular(name), turn) for value in tree]
    return None if isinstance(tree, Mark) else tree


def _leaves(tree: Tree, name: str) -> Iterator[Wanted]:
    if isinstance(tree, Wanted):
        yield replace(tree, name=name)
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, key)
    elif isinstance(tree, list):
        for value in tree:
            yield from _leaves(value, _singular(name))


def _singular(name: str) -> str:
    """Name an item after its list: ``emails`` holds e-mail addresses."""
    return name.removesuffix("s")
