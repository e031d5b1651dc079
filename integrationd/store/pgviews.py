"""The SELECT behind a view on PostgreSQL, with typed columns.

What a record holds is whatever a mapping of any time made of it, and one cast that fails would fail
the whole SELECT. So a value is made into its column's type only where it has that form; elsewhere
the column is null.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import (
    TIMESTAMP,
    Boolean,
    ColumnElement,
    Date,
    Numeric,
    Select,
    Text,
    and_,
    case,
    cast,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from integrationd.store.tables import records
from integrationd.store.viewnames import WHOLE, NamedView
from integrationd.transform.convert import FieldType

_NUMBER: Final = r"^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$"
_NUMBER_CHARS: Final = 1000
"""PostgreSQL's numbers end at 131,072 digits."""

_DAY: Final = (
    r"(?!0000)([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
    r"|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
    r"|([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)-02-29)"
)
"""Days that there are, leap years included; PostgreSQL has no year 0."""
_CLOCK: Final = r"[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
_ZONE: Final = r"(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"


def select_living(view: NamedView) -> Select[Any]:
    """Build the SELECT, without its conditions."""
    # Parsed once for each row that is wanted: OFFSET keeps the planner from copying it into every
    # column, LATERAL leaves it free to look records up by their index first. PostgreSQL's JSON
    # knows no NUL.
    data = func.replace(records.c.data, r"\u0000", r"\ufffd")
    whole = select(cast(data, JSONB).label("json")).correlate(records)
    parsed = whole.offset(0).lateral("parsed")
    changed_at: ColumnElement[Any] = literal_column(
        "timestamptz 'epoch'"
    ) + records.c.changed_at * literal_column("interval '1 millisecond'")
    columns: list[ColumnElement[Any]] = [
        *(records.c.tenant, records.c.integration, records.c.external_id),
        cast(cast(func.encode(records.c.id, "hex"), UUID), Text).label("id"),
        *_fields_postgres(view, parsed.c.json),
        changed_at.label("changed_at"),
    ]
    return select(*columns).select_from(records.join(parsed, true()))


def _fields_postgres(view: NamedView, json: ColumnElement[Any]) -> Iterator[ColumnElement[Any]]:
    if view.columns is None:
        yield json.label(WHOLE)
        return
    for column, (field, type_) in view.columns.items():
        yield _typed(json[field].astext, type_).label(column)


def _typed(text: ColumnElement[str], type_: FieldType | None) -> ColumnElement[Any]:
    match type_:
        case FieldType.INTEGER | FieldType.NUMBER | FieldType.DECIMAL:
            short = func.length(text) <= _NUMBER_CHARS
            return _where(and_(short, text.regexp_match(_NUMBER)), cast(text, Numeric))
        case FieldType.BOOLEAN:
            return _where(text.in_(["true", "false"]), cast(text, Boolean))
        case FieldType.DATE:
            return _where(text.regexp_match(f"^{_DAY}$"), cast(text, Date))
        case FieldType.DATETIME:
            zoned = text.regexp_match(f"{_ZONE}$")
            utc = text.concat(case((zoned, ""), else_="Z"))
            moment = text.regexp_match(f"^{_DAY}{_CLOCK}{_ZONE}?$")
            return _where(moment, cast(utc, TIMESTAMP(timezone=True)))
        case _:
            return text


def _where(condition: ColumnElement[bool], value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the value where it has the form, else null: CASE looks at the condition first."""
    return case((condition, value))
