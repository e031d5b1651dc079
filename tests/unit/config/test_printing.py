"""JSON values as YAML: what is printed reads back to the same value."""

# ruff: noqa: E501 - samples of text read best in long lines

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrationd.config.nodes import to_json
from integrationd.config.printing import print_yaml
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml

WORDS = ["no", "y", "<<", "=", "~", "null", "true", "012", "1:30", "0x1F", "2026-01-01", "1e3", ".5", "-",
     "- a", "a: b", "a:", "a #b", "#a", "a\nb", "a\nb\n", "a\n\nb\n\n", " a\nb", "a\n  b", "\na", "a\n ",
     "a\r\nb", "a\tb\nc", "{{ x }}", "*a", "&a", "!a", "%a", "@a", "`a", "'", '"', "\\", "it's \"x\"\\",
     "\x00", "\x85", "\u2028", "\ufeff", "\ufffe", "é", "😀", "\x7f", "a ", " a", "1_0", "---", "...",
     "? a", "a" * 1100, "x: |\n", "\u00a0", "a\n\u2028", "\t", "30s", "https://a.test/b?c=1", "a/b c"]  # fmt: skip
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(WORDS)
LEAVES = st.none() | st.booleans() | st.integers() | TEXTS
VALUES = st.recursive(
    LEAVES | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)


@given(VALUES)
@example({"a" * 1100: [[{}], {"a": [[]]}], "b": {"": [{"c": "d\ne"}, ["f\ng\n"]]}})
@example([WORDS, dict.fromkeys(WORDS, "x"), ["a\n\n", "a\n  "]])
@example(["a\r\nb", {"<<": "a\rb\nc"}])
@example([1e22, 1e-7, 5e-324, -0.0, 1.0, 10**300 - 1, 1 - 10**300])
def test_printed_value_reads_back(value):
    """Reading what was printed gives the value again, types included, and no problem."""
    problems = Problems()
    node = parse_yaml(print_yaml(value).encode(), file="a", problems=problems)

    assert problems.found == []
    assert repr(to_json(node)) == repr(value if value is not None else None)


def test_printing_is_what_a_person_would_write():
    """Plain where it is safe, quotes where it is not, blocks for text of several lines."""
    value = {
        "provider": "koha",
        "docs": "https://api.test/x",
        "every": "30s",
        "rate": "10/s",
        "on": "no",
        "<<": "012",
        "1": "1:30",
        "total": 'headers."x-total"',
        "quote": "it's",
        "body": "first\n  second\n",
        "bare": "a\nb",
        "empty": [{}, [], "", None],
        "list": [[1, 2.5], {"a": True, "b": ["x"]}],
    }

    assert print_yaml(value) == (
        "provider: koha\n"
        "docs: https://api.test/x\n"
        "every: 30s\n"
        "rate: 10/s\n"
        'on: "no"\n'
        '"<<": "012"\n'
        '1: "1:30"\n'
        "total: 'headers.\"x-total\"'\n"
        'quote: "it\'s"\n'
        "body: |\n"
        "  first\n"
        "    second\n"
        "bare: |-\n"
        "  a\n"
        "  b\n"
        "empty:\n"
        "  - {}\n"
        "  - []\n"
        '  - ""\n'
        "  - null\n"
        "list:\n"
        "  - - 1\n"
        "    - 2.5\n"
        "  - a: true\n"
        "    b:\n"
        "      - x\n"
    )


def deep(levels):
    """Build a list in a list, so many times."""
    return [deep(levels - 1)] if levels else 1


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([float("inf")], "a number that is infinite or too long for YAML"),
        ([float("nan")], "a number that is infinite or too long for YAML"),
        ([10**300], "a number that is infinite or too long for YAML"),
        ([10**5000], "a number that is infinite or too long for YAML"),
        (["\ud800"], "text with half a surrogate pair"),
        ({"\ud800\nx": 1}, "text with half a surrogate pair"),
        (["a\n\udc00"], "text with half a surrogate pair"),
        (deep(101), "more than 100 levels inside each other"),
    ],
)
def test_value_that_yaml_cannot_say_is_refused(value, message):
    """Nothing is printed that would not be read back."""
    with pytest.raises(ValueError) as caught:
        print_yaml(value)

    assert str(caught.value) == message


def test_value_that_is_no_json_is_refused():
    """Only JSON values are printed."""
    with pytest.raises(TypeError) as caught:
        print_yaml([b"x"])

    assert str(caught.value) == "bytes is not a JSON value"
