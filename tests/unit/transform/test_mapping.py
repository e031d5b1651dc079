"""Mappings: one record in, one entity or one reason out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.decode import Site, decode_fields
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.errors import MappingError
from integrationd.transform.mapping import Mapping

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from("abcdefg") | st.text(), inner, max_size=5)
    ),
    max_leaves=12,
)


def read(text):
    """Read a mapping that has no problems."""
    problems = Problems()
    node = parse_yaml(text.encode(), file="m.yaml", problems=problems)
    mapping = decode_fields(node, Mapping, Site(problems, ""))
    assert [str(problem) for problem in problems.found] == []
    return mapping


def apply(fields, record, more=""):
    """Map one record."""
    return read(f"entity: thing\nfields: {{{fields}}}\n{more}").apply(record, {})


EVERYTHING = read("""
entity: thing
fields:
  plain: a
  tidy: {path: a, clean: [html, control, nfc, spaces, {max_length: 20}, empty]}
  mail: {path: b, clean: [email], default: none}
  deep: a.b.c[0].d
  length: "length(a || `[]`)"
  text: {path: b, type: text}
  whole: {path: b, type: integer}
  number: {path: c, type: number}
  exact: {path: c, type: decimal, default: "0"}
  flag: {path: d, type: boolean}
  day: {path: d, type: date}
  at: {path: e, type: datetime}
  unix: {path: e, type: datetime, format: unix_ms}
  named: {path: f, map: {true: yes!, "1": one}, default: other}
  chosen: {first: [{when: a, value: b}, {when: "c > `1`", value: "sum(d)"}, {value: "'x'"}]}
required: [plain]
""")


@given(record=JSON)
def test_any_record_gives_a_payload_or_a_mapping_error(record):
    """Whatever a provider sends, the outcome is an entity with all fields, or one reason."""
    wrong = entity = None
    try:
        entity = EVERYTHING.apply(record, {})
    except MappingError as error:
        wrong = error

    if wrong is None:
        assert entity.keys() == EVERYTHING.fields.keys()
        assert entity["plain"] is not None
    else:
        assert wrong.code in {"expression", "type", "required"}
        assert wrong.field in EVERYTHING.fields
        assert wrong.reason.startswith(f"field {wrong.field!r}")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"a": 1, "b": 2}, "first"),
        ({"a": 0, "b": 2}, "first"),
        ({"a": "", "b": 2}, "second"),
        ({"a": [], "b": {}}, "last"),
        ({}, "last"),
    ],
)
def test_the_first_choice_that_holds_is_taken(record, expected):
    """Zero counts as true, empty and null do not, as in JMESPath."""
    fields = (
        "x: {first: [{when: a, value: \"'first'\"}, {when: b, value: \"'second'\"}, "
        "{value: \"'last'\"}]}"
    )

    assert apply(fields, record) == {"x": expected}


def test_no_choice_that_holds_is_null():
    """A list of conditions without a last resort can find nothing."""
    assert apply("x: {first: [{when: a, value: b}]}", {"b": 1}) == {"x": None}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "on"),
        (False, "off"),
        (1, "one"),
        ("1", "one"),
        (None, "none"),
        (2, "other"),
        ("x", "other"),
    ],
)
def test_a_map_translates_by_text(value, expected):
    """Values are looked up as they are written; what is not there has the default."""
    fields = 'x: {path: a, map: {true: "on", false: "off", "1": one, "null": none}, default: other}'

    assert apply(fields, {"a": value}) == {"x": expected}


def test_a_map_comes_before_the_type():
    """What the map gives is converted; the default is taken as it is written."""
    fields = 'x: {path: a, map: {y: "1"}, type: integer, default: "?"}'

    assert apply(fields, {"a": "y"}) == {"x": 1}
    assert apply(fields, {"a": "n"}) == {"x": "?"}


def test_a_default_stands_for_null_only():
    """False, zero and the empty text are values."""
    assert [
        apply("x: {path: a, default: 5}", {"a": value})["x"] for value in (None, 0, "", False)
    ] == [
        5,
        0,
        "",
        False,
    ]


@pytest.mark.parametrize(
    ("fields", "record", "reason"),
    [
        ("x: {path: a, type: integer}", {"a": "12a"}, "field 'x': expected a whole number"),
        (
            "x: {path: a, map: {b: c}}",
            {"a": []},
            "field 'x': expected a single value to look up in 'map'",
        ),
        ("x: a", {"a": None}, "field 'x' is required and null"),
    ],
)
def test_a_reason_names_the_field_and_not_the_value(fields, record, reason):
    """What goes to quarantine says which field and what was expected there."""
    with pytest.raises(MappingError) as caught:
        apply(fields, record, "required: [x]")

    assert (caught.value.reason, caught.value.field) == (reason, "x")


def test_an_expression_that_fails_is_blamed_on_its_field():
    """Of all fields the one is named whose expression does not fit the record."""
    with pytest.raises(MappingError) as caught:
        apply('x: a, y: "sum(a)"', {"a": "text"})

    assert (caught.value.field, caught.value.code) == ("y", "expression")


def test_variables_are_read_by_var():
    """What an integration is configured with can stand in its entities."""
    mapping = read("entity: thing\nfields: {site: \"var('config.site')\"}\n")

    assert mapping.apply({}, {"config": {"site": "north"}}) == {"site": "north"}
