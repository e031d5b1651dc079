"""YAML text to a marked tree: what values mean, where they stand, what is refused."""

# ruff: noqa: E501 - whole messages stand on one line, as they are printed

import pytest

from integrationd.config.nodes import Fields, Position, Scalar, to_json, walk
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml


def read(text):
    """Read a text; return its plain value and what was told."""
    problems = Problems()
    data = text if isinstance(text, bytes) else text.encode()
    node = parse_yaml(data, file="a.yaml", problems=problems)
    return (None if node is None else to_json(node)), [str(found) for found in problems.found]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("0", 0),
        ("-17", -17),
        ("123456789012345678901234", 123456789012345678901234),
        ("9" * 300, int("9" * 300)),
        ("0.5", 0.5),
        ("-1.25", -1.25),
        ("1.5e+3", 1500.0),
    ],
)
def test_core_types_are_read(text, value):
    """The values on which every YAML reader agrees have their type."""
    found, told = read(f"a: {text}")

    assert (found, told) == ({"a": value}, [])
    assert type(found["a"]) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "1.2.3", "30s", "10/s", "/usr/bin/x", "1in", "10MB", "127.0.0.1:8471", "10.20.0.0/16",
        "8080:80", "02:00", "::1", "2026-01", "2026-1-1", "--quiet", "+item_id", "1h30m",
        "truely", "nO", "_1", "0x", "0b", "0o8", "0_9", ".", "..", "...x", "-.", "1e", "e5", "1-2",
        "https://a.test:80/x?y=1#z", "0a", "12:60", "1:2:3:99", "utf-8", "a: b".replace(": ", ":"),
        "12e", "infinity", "nan", ".infx", "1,5", "0X1F", "+", "1__a", "2026-01-01x", "3 items",
    ],
)  # fmt: skip
def test_text_that_no_version_misreads_needs_no_quotes(text):
    """Versions, durations, paths, addresses and options are plain text."""
    assert read(f"a: {text}") == ({"a": text}, [])


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("no", "false; put it in quotes, or write false"),
        ("Off", "false; put it in quotes, or write false"),
        ("n", "false; put it in quotes, or write false"),
        ("yes", "true; put it in quotes, or write true"),
        ("ON", "true; put it in quotes, or write true"),
        ("y", "true; put it in quotes, or write true"),
        ("012", "a number; put it in quotes, or write 12"),
        ("089", "a number; put it in quotes, or write 89"),
        ("-0", "a number; put it in quotes, or write 0"),
        ("+34600111222", "a number; put it in quotes, or write 34600111222"),
        ("0o17", "a number; put it in quotes, or write 15"),
        ("0x1F", "a number; put it in quotes, or write 31"),
        ("0b101", "a number; put it in quotes, or write 5"),
        ("1_000", "a number; put it in quotes, or write 1000"),
        ("1_000.5", "a number; put it in quotes, or write 1000.5"),
        ("0x_", "a number; put it in quotes"),
        ("1" * 21 + "_", "a number; put it in quotes"),
        (".5", "a number; put it in quotes, or write 0.5"),
        ("5.", "a number; put it in quotes, or write 5.0"),
        ("1e3", "a number; put it in quotes, or write 1000.0"),
        ("1e10000", "a number; put it in quotes"),
        ("1.0e+400", "a number without bounds; put it in quotes"),
        ("1:30", "a number in base 60; put it in quotes"),
        ("22:22", "a number in base 60; put it in quotes"),
        ("01:30.5", "a number in base 60; put it in quotes"),
        ("2026-01-01", "a date; put it in quotes"),
        ("2026-99-99", "a date; put it in quotes"),
        ("2026-01-01T10:00:00Z", "a date; put it in quotes"),
        ("2026-1-1 10:00:00.5 +02:00", "a date; put it in quotes"),
        (".inf", "a number without bounds; put it in quotes"),
        ("-.Inf", "a number without bounds; put it in quotes"),
        (".NaN", "a number without bounds; put it in quotes"),
        ("=", "a default value; put it in quotes"),
        ("<<", "a merge key; put it in quotes"),
    ],
)
def test_plain_value_read_in_two_ways_is_refused(text, reading):
    """What YAML 1.1 and 1.2 read differently has to say which it is."""
    assert read(f"a: {{b: [x, {text}]}}")[1] == [
        f"a.yaml:1:12: E107: a.b[1] is '{text}', which YAML may read as {reading}"
    ]


@pytest.mark.parametrize("text", ["'no'", '"012"', "|\n  1:30", ">-\n  yes"])
def test_quotes_and_blocks_are_always_text(text):
    """A quoted value is text, whatever is in it."""
    found, told = read(f"a: {text}")

    assert isinstance(found["a"], str)
    assert told == []


def test_number_beyond_300_digits_is_refused():
    """Whole numbers keep every digit, up to a bound below float's and int's own."""
    assert read(f"a: {'9' * 301}")[1] == [
        (
            f"a.yaml:1:4: E107: a is '{'9' * 78}…, which YAML may read as a number of 301 digits; "
            "put it in quotes"
        )
    ]


def test_names_are_text_as_written():
    """Names that look like booleans, numbers or dates stay what was typed."""
    text = "{true: a, no: b, 012: c, 1: d, 2026-01-01: e, ~: f, null: g, '<<': h, =: i}"

    assert read(text) == (
        {"true": "a", "no": "b", "012": "c", "1": "d", "2026-01-01": "e", "~": "f", "null": "g",
         "<<": "h", "=": "i"},
        [],
    )  # fmt: skip


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "\n\n", b"\xef\xbb\xbf"])
def test_file_that_says_nothing_is_an_empty_object(text):
    """An empty settings file is a valid one."""
    assert read(text) == ({}, [])


def test_each_value_and_name_knows_its_place():
    """Lines and columns count from 1, in characters."""
    node = parse_yaml("é: [ü, {b: c}]\nd:\n  e: 1.10".encode(), file="f", problems=Problems())

    assert [str(inner.position) for inner in walk(node)] == [
        "f:1:1", "f:1:4", "f:1:5", "f:1:8", "f:1:12", "f:3:3", "f:3:6",
    ]  # fmt: skip
    assert str(node.key_position("d")) == "f:2:1"
    assert str(node.key_position("nowhere")) == "f:1:1"
    assert node.get("d").get("e") == Scalar(1.1, Position("f", 3, 6), written="1.10")


def test_byte_order_mark_and_other_line_ends_are_read():
    """Files from other systems need no conversion."""
    assert read(b"\xef\xbb\xbfa: 1\r\nb: no\r\n") == (
        {"a": 1, "b": "no"},
        ["a.yaml:2:4: E107: b is 'no', which YAML may read as false; put it in quotes, or write false"],
    )  # fmt: skip


def test_all_problems_of_a_file_are_told_at_once():
    """One reading tells duplicates, tags, merge keys and misread values together."""
    text = "a: no\nb: {c: 012, c: 1, c: 2}\na: 1\nd: !secret x\ne: {<<: {f: 1}, g: 2}\n? [h]\n: 3\n"

    assert read(text) == (
        {"a": "no", "b": {"c": "012"}, "d": "x", "e": {"g": 2}},
        [
            "a.yaml:1:4: E107: a is 'no', which YAML may read as false; put it in quotes, or write false",
            "a.yaml:2:8: E107: b.c is '012', which YAML may read as a number; put it in quotes, or write 12",
            "a.yaml:2:13: E104: b has 'c' twice, on line 2; keep one of them",
            "a.yaml:2:19: E104: b has 'c' twice, on line 2; keep one of them",
            "a.yaml:3:1: E104: the document has 'a' twice, on lines 1 and 3; keep one of them",
            "a.yaml:4:4: E108: d has the tag '!secret', expected none; remove it",
            "a.yaml:5:5: E108: e has the merge key '<<'; write its fields out here",
            "a.yaml:6:3: E105: the document has a name that is not plain text; write it as text",
        ],
    )


@pytest.mark.parametrize("text", ["a: !!str 5", "a: !!python/object:os.system x", "a: ! x"])
def test_every_tag_is_refused(text):
    """Not even YAML's own tags are needed."""
    tag = text.split()[1]

    assert read(text)[1] == [f"a.yaml:1:4: E108: a has the tag '{tag}', expected none; remove it"]


def test_tagged_collections_and_names_are_refused():
    """A tag on a list, an object or a name is told as well."""
    assert read("a: !x [1]\n!y b: !z {c: 1}")[1] == [
        "a.yaml:1:4: E108: a has the tag '!x', expected none; remove it",
        "a.yaml:2:1: E108: the document has the tag '!y', expected none; remove it",
        "a.yaml:2:7: E108: b has the tag '!z', expected none; remove it",
    ]


def test_alias_repeats_its_anchor():
    """Anchors and aliases may be used to say a thing once."""
    assert read("a: &x {b: 1}\nc: *x\nd: &y 2\ne: [*y, *x]\n&z f: *z") == (
        {"a": {"b": 1}, "c": {"b": 1}, "d": 2, "e": [2, {"b": 1}], "f": "f"},
        [],
    )


@pytest.mark.parametrize("text", ["a: *x", "a: &x [*x]", "b: &x 1\na: &x [*x]"])
def test_alias_without_a_finished_anchor_is_refused(text):
    """An alias to nothing, or to what contains it, is told and leaves the rest readable."""
    value, told = read(text)

    assert value is not None
    assert [line.split(": ", 1)[1] for line in told] == [
        "E105: alias '*x' has no finished '&x' before it; put it in quotes if it is text"
    ]


@pytest.mark.parametrize("text", ["a: {{ config.x }}", "a:\n  - {{ x }}", "a: [{{ x }}]"])
def test_unquoted_template_is_told_as_such(text):
    """The commonest slip gets its own words, at the braces."""
    value, told = read(text)

    line, column = (2, 5) if "\n" in text else (1, text.index("{") + 1)
    assert value is not None
    assert told == [
        (
            f"a.yaml:{line}:{column}: E105: not valid YAML: a template stands in quotes, "
            'as in "{{ config.x }}"'
        )
    ]


def test_second_document_is_refused_and_the_first_kept():
    """One file is one thing."""
    assert read("a: 1\n---\nb: 2\n") == (
        {"a": 1},
        [
            (
                "a.yaml:2:1: E106: a second document begins here, expected one; "
                "put it in a file of its own"
            )
        ],
    )


def test_problem_of_a_refused_value_is_told_once():
    """A refused value is marked, so that decoding says nothing more about it."""
    node = parse_yaml(b"a: no", file="f", problems=Problems())

    assert node == Fields(
        {"a": Scalar("no", Position("f", 1, 4), told=True)},
        Position("f", 1, 1),
        {"a": Position("f", 1, 1)},
    )
