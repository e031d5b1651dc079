"""Values as the text that goes into queries, headers, forms and paths."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import RefusedError
from integrationd.model.secret import Secret
from integrationd.transform import printing
from integrationd.wire import texts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", ""),
        ("00123", "00123"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-7, "-7"),
        (10**30, "1" + "0" * 30),
        (1.0, "1"),
        (-0.0, "0"),
        (2.50, "2.5"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1e-7, "1e-07"),
        ([1, "a"], '[1,"a"]'),
        ({"since": {">=": "ñ"}}, '{"since":{">=":"ñ"}}'),
    ],
)
def test_value_has_one_text(value, text):
    """Numbers are canonical, true and false lower case, the rest JSON text; null is none."""
    assert texts.to_text(value) == text


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, [math.nan], {"a": math.inf}])
def test_number_without_bounds_is_refused(value):
    """NaN and infinity have no text that a provider would read."""
    with pytest.raises(RefusedError) as caught:
        texts.to_text(value)

    assert str(caught.value) == "a number without bounds (NaN or infinity) cannot be sent"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_float_reads_back(value):
    """The text of a float is a JSON number of the same value."""
    assert json.loads(texts.to_text(value)) == value


def test_text_made_of_a_secret_is_a_secret():
    """JSON text with a secret inside is masked as a whole, and whole when revealed."""
    text = texts.to_text({"key": [Secret("s3cr3t")]})

    assert text == Secret('{"key":["s3cr3t"]}')
    assert str(text) == "***"


def test_list_repeats_and_null_is_left_out():
    """Each item of a list is one text; nulls among them are not sent."""
    assert texts.to_texts([1, None, "a", [2]]) == ("1", "a", "[2]")
    assert texts.to_texts(None) == ()
    assert texts.to_texts("abc") == ("abc",)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "true or false"),
        (1, "a number"),
        (1.5, "a number"),
        ("x", "text"),
        ([], "a list"),
        ({}, "an object"),
    ],
)
def test_value_is_named_as_people_do(value, name):
    """No message shows a name of Python's."""
    assert printing.describe(value) == name
