"""Record schemas: what may be written, what a record must be, and how little time it takes."""

import re

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from integrationd.config.decode import Site
from integrationd.config.printing import print_yaml
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.errors import MappingError
from integrationd.transform.schema import engine
from integrationd.transform.schema.record import RecordSchema
from tests.support.spending import cpu_s

NAMES = st.sampled_from(["a", "b", "c", "x/y", "~"])
SCALARS = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "a", "ab", "2026-01-31"])
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
)
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "null", "array", "object"])


def schemas(inner):
    """Build schemas of the keywords that both libraries understand alike."""
    small = st.integers(0, 3)
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
            "enum": st.lists(SCALARS, min_size=1, max_size=3),
            "const": SCALARS,
            "minimum": st.integers(-3, 3),
            "exclusiveMaximum": st.integers(-3, 3),
            "multipleOf": st.integers(1, 3),
            "minLength": small,
            "maxLength": small,
            "pattern": st.sampled_from(["^a", "b$", "^[ab]*$", "^$"]),
            "minItems": small,
            "uniqueItems": st.booleans(),
            "items": inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "contains": inner,
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "required": st.lists(NAMES, max_size=2, unique=True),
            "additionalProperties": inner,
            "propertyNames": st.just({"pattern": "^[ab]"}),
            "minProperties": small,
            "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, unique=True, max_size=2)),
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "if": inner,
            "then": inner,
            "$ref": st.sampled_from(["#/$defs/one", "#/$defs/two"]),
        },
    )


SCHEMAS = st.recursive(st.booleans() | st.just({}), schemas, max_leaves=5)
DEFINITIONS = st.fixed_dictionaries({"one": st.just({"type": ["string", "null"]}), "two": SCHEMAS})


def read(text):
    """Read a schema; return it with what was told of it."""
    problems = Problems()
    node = parse_yaml(text.encode(), file="e.yaml", problems=problems)
    assert node is not None
    return RecordSchema.decode_node(node, Site(problems, "schema")), [
        str(p) for p in problems.found
    ]


def good(text):
    """Read a schema of which nothing is told."""
    schema, told = read(text)
    assert told == []
    return schema


def fits(schema, record):
    """Tell whether a record is taken."""
    try:
        schema.check(record)
    except MappingError:
        return False
    return True


@given(
    properties=st.dictionaries(NAMES, SCHEMAS, max_size=3),
    more=SCHEMAS,
    definitions=DEFINITIONS,
    record=st.dictionaries(NAMES, VALUES, max_size=4),
)
def test_records_are_judged_as_by_the_reference_library(properties, more, definitions, record):
    """What is taken and what is not is what JSON Schema says, by another implementation."""
    schema = {"properties": properties, "allOf": [more], "$defs": definitions}
    ours, told = read(print_yaml(schema))
    assume(told == [])

    theirs = jsonschema.Draft202012Validator(schema)

    assert fits(ours, record) == theirs.is_valid(record)


@given(
    schema=st.recursive(
        SCALARS | st.just("#") | st.just("(") | st.just("http://x.test"),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        *(
                            "type",
                            "properties",
                            "$ref",
                            "$defs",
                            "allOf",
                            "items",
                            "pattern",
                            "not",
                        ),
                        *("enum", "format", "required", "a", "$id", "minLength", "$anchor"),
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    ),
    record=st.dictionaries(NAMES, VALUES, max_size=3),
)
def test_any_schema_is_a_problem_or_can_be_used(schema, record):
    """Whatever stands in a file: it is told, with a place, or records are held against it."""
    try:
        read_schema, told = read(print_yaml(schema))
    except AssertionError:
        assume(False)

    if told:
        assert all(re.match(r"e\.yaml:[0-9]+:[0-9]+: E[0-9]{3}: ", line) for line in told)
    else:
        assert fits(read_schema, record) in (True, False)


STUDENT = good(
    """
required: [number]
additionalProperties: false
properties:
  number: {type: string, pattern: "^[0-9]{3}$"}
  status: {enum: [enrolled, left]}
  born_on: {type: [string, "null"], format: date}
  mail: {type: string, format: email, maxLength: 20}
  marks:
    type: array
    uniqueItems: true
    items: {type: object, properties: {of: {type: integer, minimum: 1}}}
  extra: {anyOf: [{type: string}, {type: object, properties: {room: {const: 5}}}]}
  names: {type: object, propertyNames: {maxLength: 2}, minProperties: 1}
  never: false
  sum: {multipleOf: 2, exclusiveMinimum: 3, not: {const: 8}}
"""
)


@pytest.mark.parametrize(
    ("record", "field", "reason"),
    [
        ({}, "number", "field 'number': expected a value, it is required"),
        ({"number": 5}, "number", "field 'number': expected text"),
        ({"number": "12"}, "number", "field 'number': expected text that matches '^[0-9]{3}$'"),
        (
            {"number": "123", "status": "x"},
            "status",
            "field 'status': expected one of enrolled, left",
        ),
        (
            {"number": "123", "born_on": "2026-02-30"},
            "born_on",
            "field 'born_on': expected a date such as 2026-12-31",
        ),
        (
            {"number": "123", "mail": "Ana <ana@x.org>"},
            "mail",
            "field 'mail': expected an e-mail address",
        ),
        ({"number": "123", "zz": 1}, "zz", "field 'zz': no such field"),
        (
            {"number": "123", "marks": [{"of": 1}, {"of": 0}]},
            "marks[1].of",
            "field 'marks[1].of': expected at least 1",
        ),
        ({"number": "123", "marks": [1, 1]}, "marks", None),
        ({"number": "123", "extra": 5}, "extra", "field 'extra': expected text or an object"),
        (
            {"number": "123", "extra": {"room": 6}},
            "extra.room",
            "field 'extra.room': expected 5",
        ),
        (
            {"number": "123", "names": {"abc": 1}},
            "names",
            "field 'names': a name in it: expected at most 2 characters",
        ),
        ({"number": "123", "never": 1}, "never", "field 'never': expected something else"),
        ({"number": "123", "sum": 8}, "sum", "field 'sum': expected something else"),
        (
            {"number": 1, "status": 1, "born_on": 1, "mail": 1},
            None,
            None,
        ),
    ],
)
def test_a_reason_names_the_field_and_what_was_expected(record, field, reason):
    """Never what was found; three fields at most, so that a reason stays readable."""
    with pytest.raises(MappingError) as caught:
        STUDENT.check(record)

    wrong = caught.value
    assert wrong.code == "schema"
    if reason is None:
        assert wrong.reason.count("field '") <= 3
        assert ("and more" in wrong.reason) == (len(record) > 3)
    else:
        assert (wrong.field, wrong.reason) == (field, reason)


def test_what_was_found_is_never_told():
    """A record may hold anything, and quarantine is read by many."""
    secret = "hunter2" * 100

    with pytest.raises(MappingError) as caught:
        STUDENT.check(
            {"number": secret, "mail": secret, "status": secret, "extra": {"room": secret}}
        )

    assert "hunter2" not in caught.value.reason


def test_text_that_cannot_be_stored_does_not_break_the_check():
    """Half of a surrogate pair is no text for the engine; the record is set aside."""
    with pytest.raises(MappingError) as caught:
        STUDENT.check({"number": "\ud800"})

    assert caught.value.reason == "the record cannot be held against its schema"


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "^(a|a)*$", "^(a?){60}a{60}$", "(x+x+)+y", "^(.*)*=$"]
)
def test_no_pattern_takes_long(pattern):
    """Patterns that would keep a backtracking engine busy for years take no tenth of a second."""
    schema = good(f"properties: {{a: {{pattern: '{pattern}'}}}}")

    for text in ("a" * 100_000 + "!", "x" * 100_000):
        assert cpu_s(lambda text=text: fits(schema, {"a": text})) < 0.5


def test_a_pattern_that_would_fill_the_memory_is_refused():
    """A few characters can stand for a machine of a million parts."""
    _, told = read("properties: {a: {pattern: '((a{99}){99}){99}'}}")

    (line,) = told
    assert line == (
        "e.yaml:1:27: E116: schema.properties.a has the pattern '((a{99}){99}){99}', which is no "
        "regular expression, or too large a one"
    )


def test_references_that_double_are_refused():
    """Thirty lines of references could stand for a milliard of schemas, run on every record."""
    lines = [
        f"d{n}: {{allOf: [{{$ref: '#/$defs/d{n + 1}'}}, {{$ref: '#/$defs/d{n + 1}'}}]}}"
        for n in range(30)
    ]
    _, told = read(
        f"{{properties: {{a: {{$ref: '#/$defs/d0'}}}}, $defs: {{{', '.join(lines)}, d30: {{}}}}}}"
    )

    assert told == [
        "e.yaml:1:1: E116: schema stands for more than 5,000 schemas, all references written out"
    ]


def test_what_a_schema_does_not_use_may_refer_to_itself():
    """Only what is run on a record has to end."""
    schema = good("{properties: {a: {type: string}}, $defs: {x: {items: {$ref: '#/$defs/x'}}}}")

    assert fits(schema, {"a": ""})


def test_nothing_is_fetched_by_the_engine_itself():
    """A reference that got past every check of ours is refused by the second line."""
    with pytest.raises(ValueError, match="nothing is fetched: https://schemas"):
        engine.compile_schema({"$ref": "https://schemas.test/x.json"})


@pytest.mark.parametrize("name", sorted(engine.FORMATS))
def test_every_format_that_is_taken_is_checked(name):
    """There is text that is refused in each of them, so none is passed over in silence."""
    schema = good(f"properties: {{a: {{format: {name}}}}}")

    assert not all(fits(schema, {"a": text}) for text in ("\\ (", "#/~2", "{", "a b", "-1", "%"))


@pytest.mark.parametrize(
    ("text", "is_open"),
    [
        ("properties: {a: {}}", False),
        ("{properties: {a: {}}, additionalProperties: false}", False),
        ("{properties: {a: {}}, additionalProperties: true}", True),
        ("{properties: {a: {}}, additionalProperties: {type: string}}", True),
        ("{properties: {a: {}}, patternProperties: {'^x': {}}}", True),
        ("{properties: {a: {}}, allOf: [{properties: {b: {}}}]}", True),
    ],
)
def test_a_schema_is_open_where_it_says_so(text, is_open):
    """A mapping is held to the properties, unless the schema allows others in so many words."""
    assert good(text).is_open == is_open
