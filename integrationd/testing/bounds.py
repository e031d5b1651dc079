"""The other side of ``incremental``: which records a call's bounds let through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from integrationd.model.json import Json
from integrationd.spec.bounds import Bound
from integrationd.spec.incremental import Incremental
from integrationd.testing.pages import BadCallError
from integrationd.testing.records import Entry, Source
from integrationd.transform.cursors import Scale

TOKEN: Final = "since-"  # noqa: S105 - a position, no secret
"""What the player's own sync tokens begin with; behind it stands the number of the last change."""


def let_through(source: Source, entries: Sequence[Entry], bounds: Mapping[str, str]) -> list[Entry]:
    """Return the entries that a call's bounds let through.

    Raises:
        BadCallError: A bound is written otherwise than the spec says.
    """
    rule = source.stream.incremental
    if rule is None or not bounds:
        return list(entries)
    if rule.count:
        place = bounds.get("lower", "0")
        if not place.isascii() or not place.isdigit():
            raise BadCallError(f"the place is {place!r}, expected a whole number")
        return list(entries[int(place) :])
    if rule.field is None:
        return changed_since(entries, bounds.get("lower"))
    found: list[Entry] = []
    for entry in entries:
        value = rule.field.search(source.record_of(entry), source.variables_of(entry))
        if value is not None and lies_between(rule, value, bounds):
            found.append(entry)
    return found


def changed_since(entries: Sequence[Entry], token: str | None) -> list[Entry]:
    """Return the entries that changed after a token of the player's own.

    Raises:
        BadCallError: It is none.
    """
    if token is None:
        return list(entries)
    moment = token.strip('"').removeprefix(TOKEN)
    if not moment.isascii() or not moment.isdigit():
        raise BadCallError(f"the cursor {token!r} was never given")
    return [entry for entry in entries if entry.turn > int(moment)]


def _read(rule: Incremental, name: str, bound: str | None) -> Any:  # noqa: ANN401 - compares
    if bound is None:
        return None
    try:
        return _sent(rule).parse(bound)
    except ValueError as wrong:
        raise BadCallError(f"the {name} bound is {bound!r}, {wrong}") from None


def _sent(rule: Incremental) -> Scale:
    """Return how bounds are read: as the spec has them written."""
    own = rule.scale
    if rule.format is None:
        return own
    return replace(own, notations=(rule.format,))


def lies_between(rule: Incremental, value: Json, bounds: Mapping[str, str]) -> bool:
    """Tell whether a call's bounds let a value through; what is no cursor value they do.

    Raises:
        BadCallError: A bound is written otherwise than the spec says.
    """
    lower, upper = (_read(rule, name, bounds.get(name)) for name in ("lower", "upper"))
    try:
        found: Any = rule.scale.parse(value)
    except ValueError:
        return True
    if lower is not None and (found <= lower if rule.bound is Bound.EXCLUSIVE else found < lower):
        return False
    return upper is None or bool(found <= upper)
