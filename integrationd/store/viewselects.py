"""The SELECT behind a view: an entity's living records, field by field.

On SQLite each value is given as it is in the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Dialect, Select, func, literal, select

from integrationd.store.tables import records
from integrationd.store.viewnames import WHOLE, NamedView


def select_view(view: NamedView, dialect: Dialect) -> Select[Any]:
    """Build a view's SELECT; its columns are labelled with their names."""
    if dialect.name == "postgresql":
        # Only who uses it pays for loading its dialect.
        from integrationd.store.pgviews import select_living  # noqa: PLC0415

        columns = select_living(view)
    else:
        columns = _select_living(view)
    return columns.where(records.c.entity == literal(view.entity), records.c.deleted.is_(None))


def _select_living(view: NamedView) -> Select[Any]:
    digits = func.lower(func.hex(records.c.id))
    pieces = (func.substr(digits, start, size) for start, size in _UUID)
    seconds = func.strftime("%Y-%m-%dT%H:%M:%S", records.c.changed_at // 1000, "unixepoch")
    changed_at = seconds.concat(func.printf(".%03dZ", records.c.changed_at % 1000))
    columns: list[ColumnElement[Any]] = [
        *(records.c.tenant, records.c.integration, records.c.external_id),
        _joined(pieces).label("id"),
        *_fields(view),
        changed_at.label("changed_at"),
    ]
    return select(*columns)


_UUID: Final = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
"""Where the groups of a UUID's usual form begin, and how long they are."""


def _joined(pieces: Iterator[ColumnElement[Any]]) -> ColumnElement[Any]:
    joined = next(pieces)
    for piece in pieces:
        joined = joined.concat("-").concat(piece)
    return joined


def _fields(view: NamedView) -> Iterator[ColumnElement[Any]]:
    if view.columns is None:
        yield records.c.data.label(WHOLE)
        return
    for column, (field, _) in view.columns.items():
        yield func.json_extract(records.c.data, f'$."{field}"').label(column)
