"""Which calls give a list, where its records are, and what makes a record itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from integrationd.importers.guessing import IDS, WRAPPERS, is_alike, squeeze, to_singular
from integrationd.importers.literals import to_expression
from integrationd.importers.openapi.calls import Call, is_json
from integrationd.importers.openapi.shapes import Shape, Shapes

_ASIDE: Final = frozenset(
    {"errors", "error", "warnings", "warning", "links", "link", "messages", "meta", "facets"}
    | {"included", "debug", "details", "relatedobjects"}
)
"""Lists in an answer that are not what was asked for."""
_ENDS: Final = re.compile(r"\}(?:\.\w+)?/?$")
_PLAIN: Final = frozenset({"string", "integer"})


@dataclass(frozen=True, slots=True)
class Listing:
    """A call that gives a list."""

    call: Call
    body: Shape
    steps: tuple[str, ...]
    """The members that lead to the records."""
    item: Shape
    why: str

    @property
    def records(self) -> str:
        """Return the expression that finds the records."""
        return to_expression(self.steps, "body")


@dataclass(frozen=True, slots=True)
class _Candidate:
    score: int
    steps: tuple[str, ...]
    item: Shape
    why: str


def find_listing(call: Call, shapes: Shapes) -> Listing | None:
    """Return the list that a call gives; None where it gives none that can be told.

    A GET whose path does not end with a value, and whose answer is a list of objects or holds one.
    """
    if call.method != "get" or _ENDS.search(call.path) is not None:
        return None
    schema = next((spot for kind, spot in call.contents().items() if is_json(kind)), None)
    body = shapes.read(schema)
    if body.is_array:
        item = shapes.read(body.items)
        return Listing(call, body, (), item, "its answer is a list") if item.is_object else None
    found = sorted(_search(call, body, shapes, ()), key=lambda each: (-each.score, len(each.steps)))
    least = 2 if "id" in body.properties else 1
    if not found or found[0].score < least:
        return None
    best = found[0]
    return Listing(call, body, best.steps, best.item, best.why)


def _search(
    call: Call, body: Shape, shapes: Shapes, above: tuple[str, ...]
) -> Iterator[_Candidate]:
    """Yield the lists of objects in an answer, with how likely each is meant."""
    members = {
        name: shapes.read(spot)
        for name, spot in body.properties.items()
        if squeeze(name) not in _ASIDE
    }
    lists = {
        name: shapes.read(shape.items)
        for name, shape in members.items()
        if shape.is_array and shapes.read(shape.items).is_object
    }
    for name, shape in members.items():
        if shape.is_object and not above and _leads(name, call):
            yield from _search(call, shape, shapes, (name,))
    for name, item in lists.items():
        steps = (*above, name)
        if is_alike(name, _resource(call)):
            yield _Candidate(3, steps, item, f"{name!r} is named as the path")
        elif squeeze(name) in WRAPPERS:
            yield _Candidate(2, steps, item, f"{name!r} is what lists are often called")
        elif len(lists) == 1:
            yield _Candidate(1, steps, item, f"{name!r} is the only list of objects")


def _leads(name: str, call: Call) -> bool:
    word = squeeze(name)
    return word in WRAPPERS or word in ("embedded", "response") or is_alike(name, _resource(call))


def _resource(call: Call) -> str:
    """Return what a path is about: its last part that is no value."""
    parts = [part for part in call.path.split("/") if part and "{" not in part]
    return parts[-1].partition(".")[0] if parts else ""


def find_id(item: Shape, shapes: Shapes, hole: str, resource: str) -> str | None:
    """Return the member of a record that stands for it in a path.

    Args:
        item: The record.
        shapes: Who reads schemas.
        hole: How the path calls the value, ``course_id``; nothing where there is no such path.
        resource: What the records are called.
    """
    plain = {
        squeeze(name): name
        for name, spot in item.properties.items()
        if shapes.read(spot).types <= _PLAIN
    }
    words = [squeeze(hole)] if hole else []
    short = squeeze(to_singular(resource.lower()))
    if hole and short:
        words.append(squeeze(hole).removeprefix(short))
    words += [end for end in ("id", "uuid", "sid", "guid") if squeeze(hole).endswith(end)]
    words += [*IDS, *(f"{short}{end}" for end in IDS)]
    words += [f"{word}{end}" for word in _last_words(resource) for end in ("id", "uuid")]
    return next((plain[word] for word in words if word in plain), None)


def _last_words(resource: str) -> list[str]:
    """Return ``payment`` of ``online_payments``."""
    word = to_singular(resource.lower()).replace("-", "_").rpartition("_")[2]
    return [squeeze(word)] if word else []
