"""What views and columns are called: guessable, usable without quotes, and never twice."""

import re
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.ports.views import EntityShape
from integrationd.store.tables import METADATA
from integrationd.store.viewnames import FIXED, NAME_CHARS, RESERVED, name_views
from integrationd.transform.convert import FieldType


def shape(entity, *fields):
    """Build a shape whose fields have no type."""
    return EntityShape(entity=entity, fields=dict.fromkeys(fields))


def names(*entities):
    """Return each entity's view, and what is told."""
    views, remarks = name_views([shape(entity) for entity in entities])
    return {view.entity: view.name for view in views}, remarks


@pytest.mark.parametrize(
    ("entity", "view"),
    [
        ("student", "student"),
        ("order", "order_"),
        ("user", "user_"),
        ("runs", "runs_"),
        ("events", "events_"),
        ("main-library.items", "main_library_items"),
        ("shop.order", "shop_order"),
    ],
)
def test_view_is_called_as_one_would_guess(entity, view):
    """The entity's name; ``_`` after what SQL or we have already, and for dots and hyphens."""
    assert names(entity) == ({entity: view}, [])


def test_collisions_are_resolved_the_same_way_in_any_order():
    """Entities come first, then by name; who comes later gets a number, and that is told."""
    entities = ["a.b_c", "a-b.c", "a_b_c", "order_", "order"]
    expected = {
        "a_b_c": "a_b_c",
        "a-b.c": "a_b_c_2",
        "a.b_c": "a_b_c_3",
        "order": "order_",
        "order_": "order__2",
    }
    told = [
        "the view of entity 'order_' is called order__2",
        "the view of entity 'a-b.c' is called a_b_c_2",
        "the view of entity 'a.b_c' is called a_b_c_3",
    ]

    assert names(*entities) == (expected, told)
    assert names(*reversed(entities)) == (expected, told)


def test_long_names_are_cut_apart():
    """PostgreSQL would cut both to the same; a digest keeps them apart, and it is told."""
    one, other = f"{'a' * 60}.{'b' * 60}x", f"{'a' * 60}.{'b' * 60}y"

    views, remarks = names(one, other)

    assert {len(name) for name in views.values()} == {NAME_CHARS}
    assert len(set(views.values())) == 2
    assert len(remarks) == 2


def test_fields_beside_our_own_columns_are_told_apart():
    """A field with a name that the view or SQL has gets ``_``; types stay with their fields."""
    fields = {"id": FieldType.INTEGER, "id_": None, "group": FieldType.TEXT, "name": None}

    [view], _ = name_views([EntityShape(entity="student", fields=fields)])

    assert view.columns == {
        "id_": ("id", FieldType.INTEGER),
        "id__2": ("id_", None),
        "group_": ("group", FieldType.TEXT),
        "name": ("name", None),
    }


@given(
    st.lists(
        st.builds(
            lambda entity, fields: shape(entity, *fields),
            st.text(max_size=5)
            | st.from_regex(r"[a-z][a-z0-9-]{0,70}\.[a-z][a-z0-9_]{0,70}", fullmatch=True),
            st.lists(st.sampled_from(["id", "id_", "ID", "order", "a", "\u00e4", 'a"b', "x-y"])),
        ),
        unique_by=lambda shape: shape.entity,
        max_size=8,
    )
)
def test_names_are_safe_and_unique_whatever_is_asked_for(shapes):
    """Letters, digits and underscores of a length that nobody cuts; no two alike."""
    views, _ = name_views(shapes)

    every = [view.name for view in views]
    assert len(set(every)) == len(every) == len(shapes)
    assert not set(every) & (RESERVED | set(METADATA.tables))
    for name in [*every, *(column for view in views for column in view.columns or ())]:
        assert re.fullmatch(r"[a-z0-9_]{0,63}", name)
    for view in views:
        assert not set(view.columns) & (RESERVED | set(FIXED))
        assert all(re.fullmatch(r"\w+", field, re.ASCII) for field, _ in view.columns.values())


@pytest.mark.parametrize("word", [*sorted(RESERVED), "student", "date", "key", "temp", "rowid"])
def test_reserved_words_are_those_that_need_quotes(word):
    """On SQLite every view and column works without quotes; the words are needed, not guessed."""
    [view], _ = name_views([shape(word, word)])
    [column] = view.columns
    with sqlite3.connect(":memory:") as conn:
        conn.execute(f'create view "{view.name}" as select 1 as "{column}"')
        found = conn.execute(
            f"select {column}, {view.name}.{column} from {view.name} where {column} = 1"
        ).fetchall()
    conn.close()

    assert found == [(1, 1)]
