"""What views and their columns are called: names that plain SQL takes without quotes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Final

from integrationd.ports.views import EntityShape
from integrationd.store.tables import METADATA
from integrationd.transform.convert import FieldType

FIXED: Final = ("tenant", "integration", "external_id", "id", "changed_at")
"""Columns that every view has."""
WHOLE: Final = "data"
"""The column of records that no mapping made."""
NAME_CHARS: Final = 63
"""PostgreSQL cuts a longer name without a word."""

_RESERVED_WORDS: Final = (
    "add all alter analyse analyze and any array as asc asymmetric authorization autoincrement "
    "between binary both case cast check collate collation column commit concurrently constraint "
    "create cross current_catalog current_date current_role current_schema current_time "
    "current_timestamp current_user default deferrable delete desc distinct do drop else end "
    "escape except exists false fetch for foreign freeze from full grant group having ilike in "
    "index initially inner insert intersect into is isnull join lateral leading left like limit "
    "localtime localtimestamp natural not nothing notnull null offset on only or order outer "
    "overlaps placing primary raise references returning right select session_user set similar "
    "some symmetric table tablesample then to trailing transaction true union unique update user "
    "using values variadic verbose when where window with"
)
RESERVED: Final = frozenset(_RESERVED_WORDS.split())
"""Words that SQLite or PostgreSQL do not take for a table or a column; tried, not read up."""

_OTHER: Final = re.compile(r"[^a-z0-9_]")
_WORD: Final = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedView:
    """One view with its names; these are small letters, digits and underscores only."""

    name: str
    entity: str
    columns: Mapping[str, tuple[str, FieldType | None]] | None
    """Field and type by column, in order; None: the whole record in :data:`WHOLE`."""


def name_views(shapes: Sequence[EntityShape]) -> tuple[list[NamedView], list[str]]:
    """Name every view and its columns, the same for the same shapes in any order.

    A name that SQL reserves, or that one of our own tables has, gets ``_`` at its end. Entities
    come first, then what no mapping made, by name; whoever comes later to a name that is taken gets
    a number.

    Returns:
        The views, and a remark for each name that one would not guess.
    """
    views: list[NamedView] = []
    remarks: list[str] = []
    taken = set(METADATA.tables)
    for shape in sorted(shapes, key=lambda shape: ("." in shape.entity, shape.entity)):
        plain = _plain(shape.entity, METADATA.tables)
        name = _claim(plain, taken)
        if name != plain:
            remarks.append(f"the view of entity {shape.entity!r} is called {name}")
        views.append(NamedView(name=name, entity=shape.entity, columns=_columns(shape)))
    return views, remarks


def _columns(shape: EntityShape) -> Mapping[str, tuple[str, FieldType | None]] | None:
    if shape.fields is None:
        return None
    taken = set(FIXED)
    return {
        _claim(_plain(field, FIXED), taken): (field, type_)
        for field, type_ in shape.fields.items()
        # A mapping has no other fields; the name also stands in a path into the record.
        if _WORD.fullmatch(field)
    }


def _plain(name: str, ours: Collection[str]) -> str:
    """Return the name that one would guess."""
    name = _OTHER.sub("_", name.lower())
    # PostgreSQL looks among its own tables first.
    taken = name in RESERVED or name in ours or name.startswith("pg_")
    return f"{name}_" if taken else name


def _claim(name: str, taken: set[str]) -> str:
    """Return the name, or the first free one with a number, and take it."""
    numbered = (f"{name}_{number}" for number in count(2))
    free = next(cut for one in chain([name], numbered) if (cut := _cut(one)) not in taken)
    taken.add(free)
    return free


def _cut(name: str) -> str:
    if len(name) <= NAME_CHARS:
        return name
    digest = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{name[: NAME_CHARS - len(digest) - 1]}_{digest}"
