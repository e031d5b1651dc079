"""What paging reads of the records themselves, where a token is the last record's own."""

from __future__ import annotations

from integrationd.errors import UsageError
from integrationd.model.json import Json
from integrationd.spec.stream import Stream
from integrationd.testing.values import Wanted
from integrationd.transform.cursors import CursorType
from integrationd.transform.inverse import Mark, Tree, UnsolvableError, outline, solve
from integrationd.wire.paginate.cursor import CursorPaging
from integrationd.wire.paginate.keyset import KeysetPaging
from integrationd.wire.paginate.next_url import NextUrlPaging
from integrationd.wire.paginate.paginator import Paginator


def read_beside(stream: Stream, paginator: Paginator) -> list[Tree]:
    """Return what paging reads of a record, where its token is the last record's own."""
    if isinstance(paginator, KeysetPaging):
        is_time = paginator.compare is CursorType.TIME
        leaf = Wanted(name="", unique=not is_time, grows=CursorType.TIME if is_time else None)
        return [outline(paginator.field.text, leaf)]
    if not isinstance(paginator, CursorPaging | NextUrlPaging):
        return []
    also = paginator.also if isinstance(paginator, CursorPaging) else ()
    probe = ["integrationd-records"]
    text = "body" if stream.records is None else stream.records.text
    try:
        place = solve(text, probe)
    except UnsolvableError as wrong:
        raise UsageError(f"{text!r} cannot be played: {wrong}") from None
    trees: list[Tree] = []
    for expression in (paginator.next, *(part.next for part in also)):
        found = _descend(place, outline(expression.text, Wanted(name="")), probe)
        items = found if isinstance(found, list) else []
        trees += [item for item in items if isinstance(item, dict)]
    return trees


def _descend(place: Tree, tree: Tree, probe: Json) -> Tree:
    """Return the part of a tree that stands where the records do."""
    if place == probe:
        return tree
    if isinstance(place, dict) and isinstance(tree, dict):
        for key, inner in place.items():
            found = _descend(inner, tree.get(key, Mark.FREE), probe)
            if found is not Mark.FREE:
                return found
    return Mark.FREE
