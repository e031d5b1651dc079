"""What an operation takes: values of declared types, told all at once where they do not fit."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import InputError
from integrationd.spec.inputs import Inputs

HOLD = Inputs(
    {
        "patron_id": {"type": "integer", "description": "as Koha counts them"},
        "library": {"type": "string", "minLength": 2},
        "note": {"type": ["string", "null"], "default": None},
        "copies": {"type": "integer", "minimum": 1, "default": 1},
    }
)


def problems_of(inputs, given, texts=None):
    """Return the lines of the error."""
    with pytest.raises(InputError) as caught:
        inputs.read(given, texts or {})
    return str(caught.value).splitlines()


def test_defaults_are_filled_in():
    """What is not given has its default, and null is a value like any other."""
    assert HOLD.read({"patron_id": 7, "library": "CPL"}, {}) == {
        "patron_id": 7,
        "library": "CPL",
        "note": None,
        "copies": 1,
    }


def test_all_that_does_not_fit_is_told_at_once():
    """Missing, unknown and wrong values are a line each, the unknown with the nearest name."""
    assert problems_of(HOLD, {"patronid": 7, "library": "C", "copies": 0}) == [
        "input 'patron_id' is missing (as Koha counts them)",
        "input.copies is 0, expected at least 1",
        "unknown input 'patronid'; did you mean 'patron_id'?",
        "input.library is 'C', expected at least 2 characters",
    ]


@pytest.mark.parametrize(
    ("schema", "text", "value"),
    [
        ({"type": "string"}, "007", "007"),
        ({"type": "string"}, "true", "true"),
        ({}, "7", "7"),
        ({"type": ["string", "null"]}, "null", "null"),
        ({"type": ["integer", "string"]}, "7", "7"),
        ({"type": "integer"}, "7", 7),
        ({"type": "integer"}, "-123456789012345678901234", -123456789012345678901234),
        ({"type": "number"}, "7.5", 7.5),
        ({"type": "boolean"}, "false", False),
        ({"type": ["integer", "null"]}, "null", None),
        ({"type": "array", "items": {"type": "integer"}}, "[1, 2]", [1, 2]),
        ({"type": "object"}, '{"a": "1"}', {"a": "1"}),
        ({"enum": [1, 2]}, "2", 2),
        ({"enum": ["1", "2"]}, "2", "2"),
        ({"const": True}, "true", True),
    ],
)
def test_text_becomes_what_its_schema_declares(schema, text, value):
    """Text stays text wherever text may stand; nothing is guessed from digits."""
    read = Inputs({"x": schema}).read({}, {"x": text})["x"]

    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("schema", "text", "problem"),
    [
        ({"type": "integer"}, "007", "input.x is '007', expected a whole number"),
        ({"type": "integer"}, "seven", "input.x is 'seven', expected a whole number"),
        ({"type": "integer"}, "7.5", "input.x is 7.5, expected a whole number"),
        ({"type": "integer"}, "true", "input.x is true, expected a whole number"),
        ({"type": "integer"}, "", "input.x is '', expected a whole number"),
        ({"type": "boolean"}, "True", "input.x is 'True', expected true or false"),
        ({"type": "number"}, "NaN", "input.x is 'NaN', expected a number"),
        ({"type": "array"}, "1,2", "input.x is '1,2', expected a list"),
        ({"type": "object"}, "[1]", "input.x is a list, expected an object"),
        ({"enum": [1, 2]}, "3", "input.x is 3, expected one of 1, 2"),
    ],
)
def test_text_that_does_not_fit_is_told_as_it_was_typed(schema, text, problem):
    """What cannot be read by its declared type is refused, not passed on as text."""
    assert problems_of(Inputs({"x": schema}), {}, {"x": text}) == [problem]


def test_typed_value_comes_before_the_one_of_a_file():
    """``key=value`` on the command line replaces what ``--input`` says of the key."""
    read = HOLD.read({"patron_id": 1, "library": "CPL"}, {"patron_id": "2"})

    assert read["patron_id"] == 2


@given(st.text())
def test_any_text_is_a_text(text):
    """Whatever a person types for a text arrives letter by letter."""
    assert Inputs({"x": {"type": "string"}}).read({}, {"x": text}) == {"x": text}


@given(st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_printed_number_is_read_back(number):
    """Python's and JSON's notations of a number agree, to the last digit."""
    read = Inputs({"x": {"type": "number"}}).read({}, {"x": repr(number)})["x"]

    assert read == number
    assert not isinstance(read, float) or math.isfinite(read)
