"""How a list is walked, told by the names of parameters and by what its answer has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from integrationd.importers import guessing
from integrationd.importers.guessing import find_named, squeeze
from integrationd.importers.literals import to_expression
from integrationd.importers.openapi.calls import Parameter
from integrationd.importers.openapi.lists import Listing
from integrationd.importers.openapi.shapes import Shape, Shapes
from integrationd.model.json import Json

_SIZE: Final = 100
_SIZE_MAX: Final = 1000
_LEADING: Final = frozenset(
    {"meta", "metadata", "paging", "pagination", "pageinfo", "responsemetadata", "page", "links"}
    | {"cursors", "result", "data", "info", "listinfo"}
)
"""Objects in an answer that say where in the list one is."""


@dataclass(frozen=True, slots=True)
class Paging:
    """What ``paginate`` says, and why."""

    said: Any
    why: str
    used: frozenset[str] = frozenset()
    """The parameters that it fills in."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What there is to go by."""

    listing: Listing
    shapes: Shapes
    query: Mapping[str, Parameter]
    members: Mapping[tuple[str, ...], Shape]
    """Of the answer, those outside the records."""

    def parameter(self, words: tuple[str, ...]) -> Parameter | None:
        name = find_named(self.query, words)
        return None if name is None else self.query[name]

    def member(self, words: tuple[str, ...], types: frozenset[str]) -> tuple[str, ...] | None:
        """Return the way to a member, the best name first, then the least deep."""
        for word in words:
            for steps, shape in self.members.items():
                if squeeze(steps[-1]) == word and (not shape.types or shape.types & types):
                    return steps
        return None

    def expression(self, words: tuple[str, ...], *types: str) -> str | None:
        steps = self.member(words, frozenset(types))
        return None if steps is None else to_expression(steps, "body")

    def size(self) -> dict[str, Any] | None:
        """Return how many records a page is asked to hold, where that can be said."""
        found = self.parameter(guessing.SIZES)
        if found is None:
            return None
        shape = self.shapes.read(found.schema)
        if shape.types and not shape.types & {"integer", "number", "string"}:
            return None
        most, usual = shape.facts.get("maximum"), shape.facts.get("default")
        value: Json = next((each for each in (most, usual) if _is_count(each)), _SIZE)
        return {"into": f"query.{found.name}", "value": min(value, _SIZE_MAX)}


def find_paging(listing: Listing, shapes: Shapes) -> Paging:
    """Return how a list is walked; ``none`` where nothing tells it.

    What an answer says itself goes before what only a parameter's name says.
    """
    query = {each.name: each for each in listing.call.named("query")}
    seen = _Seen(listing, shapes, query, dict(_members(listing.body, shapes, listing.steps)))
    for find in _FINDERS:
        found = find(seen)
        if found is not None:
            return found
    return Paging("none", "no parameter and no member of the answer looks like paging")


def _members(
    body: Shape, shapes: Shapes, records: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Shape]]:
    deeper: list[tuple[str, Shape]] = []
    for name, spot in body.properties.items():
        if (name,) == records:
            continue
        shape = shapes.read(spot)
        yield (name,), shape
        if shape.is_object and squeeze(name) in _LEADING:
            deeper.append((name, shape))
    for name, shape in deeper:
        for inner, spot in shape.properties.items():
            found = shapes.read(spot)
            yield (name, inner), found
            for last, deepest in found.properties.items() if found.is_object else ():
                yield (name, inner, last), shapes.read(deepest)


def _find_link(seen: _Seen) -> Paging | None:
    headers = _header_names(seen.listing)
    return Paging({"type": "link"}, "its answer has a Link header") if "link" in headers else None


def _header_names(listing: Listing) -> dict[str, str]:
    answer = listing.call.answer()
    headers = None if answer is None else answer.get("headers")
    return {} if headers is None else {name.lower(): name for name, _ in headers.entries()}


def _find_url(seen: _Seen) -> Paging | None:
    steps = seen.member(guessing.NEXT_URLS, frozenset({"string"})) or _find_plain_url(seen)
    if steps is not None:
        shown = to_expression(steps, "body")
        return Paging({"type": "next_url", "next": shown}, f"{shown} is a URL, by its name")
    return None


def _find_links(seen: _Seen) -> Paging | None:
    """Return the way of those that list links by their relation; of one page there may be none."""
    for name, spot in seen.listing.body.properties.items():
        shape = seen.shapes.read(spot)
        item = seen.shapes.read(shape.items) if shape.is_array else Shape()
        if squeeze(name) == "links" and {"href", "rel"} <= item.properties.keys():
            found = f"{to_expression([name], 'body')}[?rel=='next'].href | [0]"
            return Paging({"type": "next_url", "next": found}, f"{name!r} holds links by relation")
    return None


def _find_plain_url(seen: _Seen) -> tuple[str, ...] | None:
    """Return a member ``next`` that holds a URL and no token."""
    for steps, shape in seen.members.items():
        if squeeze(steps[-1]) == "href" and squeeze(steps[-2] if steps[1:] else "") == "next":
            return steps
        if squeeze(steps[-1]) != "next" or not shape.types <= {"string"}:
            continue
        is_url = shape.format in ("uri", "url", "uri-reference")
        if is_url or squeeze(steps[0]) == "links" or not seen.parameter(guessing.CURSORS):
            return steps
    return None


def _find_keyset(seen: _Seen) -> Paging | None:
    """Return the way of those that take the last record's id, as Stripe does."""
    parameter = seen.parameter(guessing.KEYSETS)
    more = seen.expression(guessing.MORES, "boolean")
    if parameter is None or "id" not in seen.listing.item.properties:
        return None
    last = f"{seen.listing.records}[-1].id"
    said = {"type": "cursor", "next": last, "into": f"query.{parameter.name}"}
    return _sized(seen, said, parameter, f"{parameter.name!r} takes the last id", more=more)


def _find_cursor(seen: _Seen) -> Paging | None:
    parameter = seen.parameter(guessing.CURSORS)
    if parameter is None:
        return None
    token = seen.expression(guessing.TOKENS, "string", "integer")
    if token is None:
        return None
    said = {"type": "cursor", "next": token, "into": f"query.{parameter.name}"}
    return _sized(seen, said, parameter, f"{parameter.name!r} takes {token}")


def _find_page(seen: _Seen) -> Paging | None:
    parameter = seen.parameter(guessing.PAGES)
    if parameter is None:
        return None
    shape = seen.shapes.read(parameter.schema)
    facts = shape.facts
    start = next(
        (each for each in (facts.get("default"), facts.get("minimum")) if _is_start(each)), 1
    )
    said: dict[str, Any] = {"type": "page", "into": f"query.{parameter.name}"}
    if start != 1:
        said["start"] = start
    pages = seen.expression(guessing.TOTAL_PAGES, "integer", "number")
    if pages is not None:
        said["total_pages"] = pages
    why = f"{parameter.name!r} is a page's number, the first one {start}"
    more = seen.expression(guessing.MORES, "boolean")
    return _sized(seen, said, parameter, why, more=more, total=pages is None)


def _find_offset(seen: _Seen) -> Paging | None:
    parameter = seen.parameter(guessing.OFFSETS)
    size = seen.size()
    if parameter is None or size is None:
        return None
    shape = seen.shapes.read(parameter.schema)
    if (shape.types and not shape.types & {"integer", "number"}) or shape.format == "date-time":
        return None
    said: dict[str, Any] = {"type": "offset", "into": f"query.{parameter.name}"}
    if shape.facts.get("minimum") == 1 or shape.facts.get("default") == 1:
        said["start"] = 1
    more = seen.expression(guessing.MORES, "boolean")
    why = f"{parameter.name!r} is how many records come before"
    return _sized(seen, said, parameter, why, more=more, total=True)


def _sized(
    seen: _Seen,
    said: dict[str, Any],
    parameter: Parameter,
    why: str,
    *,
    more: str | None = None,
    total: bool = False,
) -> Paging:
    size = seen.size()
    used = {parameter.name}
    if size is not None:
        said["size"] = size
        used.add(str(size["into"]).partition(".")[2])
    if more is not None:
        said["has_more"] = more
    elif total:
        found = _find_total(seen)
        said.update({"total": found} if found is not None else {})
    return Paging(said, why, frozenset(used))


def _find_total(seen: _Seen) -> str | None:
    headers = _header_names(seen.listing)
    name = find_named(headers, guessing.HEADER_TOTALS)
    if name is not None:
        return to_expression([name], "headers")
    return seen.expression(guessing.TOTALS, "integer", "number")


def _is_count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_start(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1


_FINDERS: Final = (
    *(_find_link, _find_url, _find_keyset, _find_cursor, _find_page, _find_offset, _find_links),
)
