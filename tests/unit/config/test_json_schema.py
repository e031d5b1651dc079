"""JSON Schema over nodes: violations at their places, nothing fetched, nothing raised."""

# ruff: noqa: E501 - whole messages stand on one line, as they are printed

import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from integrationd.config.problems import Problems
from integrationd.config.schema import _build_node as build_node
from integrationd.config.schema import _find_violations, schema_problems, validate_against
from integrationd.config.schema import _is_plain_schema as is_plain_schema
from integrationd.config.sites import Site
from integrationd.config.yaml import parse_yaml


def check(schema, text):
    """Validate a text; return the verdict and what was told."""
    problems = Problems()
    node = parse_yaml(text.encode(), file="a.yaml", problems=problems)
    verdict = validate_against(schema, node, Site(problems, "config"))
    return verdict, [str(found) for found in problems.found]


@pytest.mark.parametrize(
    ("schema", "text", "told"),
    [
        ({"type": "string"}, "1", "1:1: E305: config is 1, expected text"),
        ({"type": ["integer", "null"]}, "a", "1:1: E305: config is 'a', expected a whole number or nothing"),
        ({"enum": ["a", 1, None, True, ""]}, "b", "1:1: E305: config is 'b', expected one of a, 1, null, true, ''"),
        ({"const": "a"}, "b", "1:1: E305: config is 'b', expected a"),
        ({"minLength": 2}, "b", "1:1: E305: config is 'b', expected at least 2 characters"),
        ({"maxLength": 2}, "bcd", "1:1: E305: config is 'bcd', expected at most 2 characters"),
        ({"minItems": 1}, "[]", "1:1: E305: config is a list, expected at least 1 items"),
        ({"maxItems": 1}, "[1, 2]", "1:1: E305: config is a list, expected at most 1 items"),
        ({"minProperties": 1}, "{}", "1:1: E305: config is an object, expected at least 1 fields"),
        ({"maxProperties": 0}, "{a: 1}", "1:1: E305: config is an object, expected at most 0 fields"),
        ({"items": {"minimum": 1.5}}, "[2, 1]", "1:5: E305: config[1] is 1, expected at least 1.5"),
        ({"maximum": 1}, "2", "1:1: E305: config is 2, expected at most 1"),
        ({"exclusiveMinimum": 2}, "2", "1:1: E305: config is 2, expected more than 2"),
        ({"exclusiveMaximum": 2}, "2", "1:1: E305: config is 2, expected less than 2"),
        ({"multipleOf": 3}, "2", "1:1: E305: config is 2, expected a multiple of 3"),
        ({"pattern": "^a+$"}, "b", "1:1: E305: config is 'b', expected text that matches '^a+$'"),
        ({"uniqueItems": True}, "[1, 1]", "1:1: E305: config is a list, expected no item twice"),
        ({"not": {"type": "null"}}, "~", "1:1: E305: config is empty, expected what 'not' in its schema allows"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "1", "1:1: E305: config is 1, expected text or nothing"),
        ({"oneOf": [{"properties": {"a": {"type": "null"}}}, {"type": "null"}]}, "{a: 1}", "1:5: E305: config.a is 1, expected nothing"),
        ({"oneOf": [{"minimum": 1}, {"type": "integer"}]}, "1", "1:1: E305: config is 1, expected a value that fits one alternative of its schema, not several"),
        ({"required": ["a", "b"]}, "{a: 1}", "1:1: E305: config has no 'b', which is required"),
        ({"properties": {"abc": {}}, "patternProperties": {"^x": {}}, "additionalProperties": False}, "xa: 1\nabcd: 2\nabc: 3", "2:1: E305: unknown field 'abcd' in config; did you mean 'abc'?"),
        ({"additionalProperties": {"type": "null"}}, "a: 1", "1:4: E305: config.a is 1, expected nothing"),
        ({"propertyNames": {"maxLength": 1}}, "a: 1\nbc: 2", "2:1: E305: config has the name 'bc', expected at most 1 characters"),
        ({"properties": {"a": False}}, "a: 1", "1:1: E305: config has a value where its schema allows none"),
        ({"format": "uri"}, "no scheme", "1:1: E305: config is 'no scheme', expected a URI such as https://example.org/path"),
        ({"format": "date"}, "'2026-02-30'", "1:1: E305: config is '2026-02-30', expected a date such as 2026-12-31"),
        ({"format": "date-time"}, "'2026-02-28'", "1:1: E305: config is '2026-02-28', expected a date and time such as 2026-12-31T23:59:00Z"),
        ({"format": "email"}, "a", "1:1: E305: config is 'a', expected an e-mail address"),
        ({"$ref": "#"}, "a", "1:1: E305: config cannot be checked: schema refers to itself without an end"),
        ({"type": "text"}, "a", "1:1: E305: config cannot be checked: schema.type is 'text', expected one of array, boolean, integer, null, number, object, string or a list"),
    ],
)  # fmt: skip
def test_violation_is_told_at_its_value(schema, text, told):
    """Each keyword has its words, and the position is that of the wrong value."""
    assert check(schema, text) == (False, [f"a.yaml:{told}"])


def test_every_violation_is_told():
    """One wrong value does not hide the others."""
    schema = {
        "type": "object",
        "required": ["x", "y"],
        "properties": {"a": {"type": "string"}, "b": {"items": {"$ref": "#/$defs/n"}}},
        "$defs": {"n": {"type": "integer"}},
    }

    verdict, told = check(schema, "a: 1\nb: [1, z, q]")

    assert not verdict
    assert sorted(told) == [
        "a.yaml:1:1: E305: config has no 'x', which is required",
        "a.yaml:1:1: E305: config has no 'y', which is required",
        "a.yaml:1:4: E305: config.a is 1, expected text",
        "a.yaml:2:11: E305: config.b[2] is 'q', expected a whole number",
        "a.yaml:2:8: E305: config.b[1] is 'z', expected a whole number",
    ]


@pytest.mark.parametrize(
    ("name", "text", "fits"),
    [
        ("uri", "https://staff.library.org", True),
        ("uri", "urn:isbn:123", True),
        ("uri", "https:///path", False),
        ("uri", "https://a b", False),
        ("uri", "https://a/%zz", False),
        ("uri", "//a/b", False),
        ("date", "2024-02-29", True),
        ("date", "20240229", False),
        ("date", "2024-W01-1", False),
        ("date-time", "2026-12-31T23:59:60Z", True),
        ("date-time", "2026-12-31t23:59:59.123456789+05:30", True),
        ("date-time", "2026-12-31T23:59:59", False),
        ("date-time", "2026-12-31T24:00:00Z", False),
        ("date-time", "2026-12-31 23:59:59Z", False),
        ("date-time", "2026-13-31T23:59:59Z", False),
        ("date-time", "2026-12-31T23:59:59+25:00", False),
        ("email", "ops@acme.example", True),
        ("email", "o'brien+x@localhost", True),
        ("email", "a@b@c", False),
        ("email", "a b@c", False),
        ("email", "a@.c", False),
        ("uri-reference", "/a/b", True),
        ("uri-reference", "http://[", False),
        ("regex", "a+", True),
        ("regex", "(", False),
        ("regex", "a{99999999999}", False),
    ],
)
def test_format_is_checked(name, text, fits):
    """Formats are asserted without any further library."""
    assert check({"format": name}, "'" + text.replace("'", "''") + "'")[0] is fits
    assert check({"format": name}, "1") == (True, [])


def test_reference_is_never_fetched():
    """A server that a schema names is not even connected to."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        uri = f"http://127.0.0.1:{server.getsockname()[1]}/x"
        verdict, told = check({"$ref": uri}, "a")

        assert verdict is False
        assert told == [
            (
                f"a.yaml:1:1: E305: config cannot be checked: schema refers to '{uri}', expected "
                "a place inside itself such as '#/$defs/name'; nothing is fetched"
            )
        ]
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:1/x", "file:///etc/passwd", "other.json", "#/no"]
)
def test_reference_out_of_the_schema_is_refused(uri):
    """Nothing is ever fetched, and the message says so."""
    assert schema_problems({"properties": {"a": {"$ref": uri}}}) == [
        (
            f"schema refers to '{uri}', expected a place inside itself such as '#/$defs/name'; "
            "nothing is fetched"
        )
    ]


@pytest.mark.parametrize(
    ("schema", "problems"),
    [
        (True, []),
        ({}, []),
        ({"type": ["string", "null"], "default": None, "description": "x", "format": "uri"}, []),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, []),
        ({"$schema": "https://json-schema.org/draft/2020-12/schema"}, []),
        ({"properties": {"$schema": {"type": "string"}}}, []),
        ({"$dynamicRef": "#x", "$defs": {"a": {"$dynamicAnchor": "x"}}}, []),
        (5, ["schema is 5, expected an object or true or false"]),
        ({"type": ["string", "nul"]}, ["schema.type[1] is 'nul', expected one of array, boolean, integer, null, number, object, string"]),
        ({"type": []}, ["schema.type is a list, expected one of array, boolean, integer, null, number, object, string or at least 1 items"]),
        ({"minLength": -1}, ["schema.minLength is -1, expected at least 0"]),
        ({"minLength": -1, "pattern": "("}, ["schema.minLength is -1, expected at least 0", "schema.pattern is '(', expected a regular expression"]),
        ({"required": ["a", "a"]}, ["schema.required is a list, expected no item twice"]),
        ({"patternProperties": {"(": {}}}, ["schema.patternProperties has the name '(', expected a regular expression"]),
        ({"$ref": "#/minLength", "minLength": 3}, ["schema refers to '#/minLength', which is not a schema"]),
        ({"$dynamicRef": "#/default", "default": {"type": 5}}, ["schema refers to '#/default', which is not a schema"]),
        ({"items": {"$schema": "http://json-schema.org/draft-04/schema#"}}, ["schema has the $schema 'http://json-schema.org/draft-04/schema#', expected 'https://json-schema.org/draft/2020-12/schema' or none"]),
    ],
)  # fmt: skip
def test_schema_itself_is_checked(schema, problems):
    """What is wrong with a schema is known before any value meets it."""
    assert sorted(schema_problems(schema)) == problems


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2)
    | st.sampled_from(["string", "object", "array", "uri", "#", "#/items", "(", "a", "http://["]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["type", "enum", "const", "default", "title", "format", "minLength", "maxItems", "minimum",
         "items", "additionalProperties", "properties", "required", "$ref", "$id", "anyOf", "not",
         "pattern", "propertyNames", "$defs", "$dynamicRef", "oneOf", "multipleOf", "a"]), inner, max_size=4),
    max_leaves=10,
)  # fmt: skip
SCHEMAS = st.dictionaries(
    st.sampled_from(["type", "enum", "items", "properties", "required", "$ref", "anyOf", "minLength",
                     "additionalProperties", "default", "$id", "maximum", "format", "pattern"]),
    JSON,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(SCHEMAS | JSON)
def test_schema_taken_by_the_short_way_is_valid(schema):
    """The check without the library never passes what the library refuses."""
    if is_plain_schema(schema):
        assert Draft202012Validator(Draft202012Validator.META_SCHEMA).is_valid(schema)
        assert _find_violations(schema, build_node(schema)) == []


@settings(max_examples=200, deadline=None)
@given(SCHEMAS | JSON, JSON)
def test_no_schema_and_value_raise(schema, value):
    """Any schema gives a verdict on any value, and a reason when it is no."""
    problems = Problems()
    verdict = validate_against(schema, build_node(value), Site(problems, "config"))

    assert verdict is not problems.has_errors
