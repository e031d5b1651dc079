"""Files that are broken, or meant to break the reader."""

# ruff: noqa: E501 - whole messages stand on one line, as they are printed

import subprocess
import sys

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationd.config.nodes import to_json, walk
from integrationd.config.problems import Problems
from integrationd.config.syntax import explain
from integrationd.config.yaml import ALIASES_MAX, BYTES_MAX, DEPTH_MAX, NODES_MAX, parse_yaml
from tests.support.spending import cpu_s

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8)
)
GROWTH = "a: &a [x,x,x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)},*{chr(97 + i)}]\n" for i in range(10)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} {{<<: [*{chr(97 + i)}, *{chr(97 + i)}]}}\n" for i in range(8)
)
DEEP = "E106: more than 32 levels inside each other; write it flatter"
TOO_LARGE = "E106: more than 20000 values, aliases counted in full; split the file"


def read(data):
    """Read bytes; return the tree and what was told."""
    problems = Problems()
    node = parse_yaml(data, file="a.yaml", problems=problems)
    return node, [str(found) for found in problems.found]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[" * 100_000, f"1:33: {DEEP}"),
        ("{" * 100_000, f"1:33: {DEEP}"),
        ("- " * 50_000, f"1:65: {DEEP}"),
        ("? " * 50_000, f"1:65: {DEEP}"),
        ("[a: " * 10_000, f"1:65: {DEEP}"),
        (LAUGHS, "4:14: E106: more than 20 aliases; write the values out"),
        (GROWTH, f"11:8: {TOO_LARGE}"),
        ("[" + "a," * 400_000 + "]", f"1:40000: {TOO_LARGE}"),
        ("a: &a " + "[" * 20 + "]" * 20 + "\nb: " + "[" * 20 + "*a" + "]" * 20, f"2:24: {DEEP}"),
        ("a: &a [" + "[" * 19 + "]" * 19 + ", x]\nb: " + "[" * 20 + "*a" + "]" * 20, f"2:24: {DEEP}"),
        ("x" * BYTES_MAX + "y", "1:1: E106: the file has 1048577 bytes, expected at most 1048576; split it"),
        ("%TAG !a! b\n" * 60_000, "1:1: E108: a %TAG line, expected none as tags are not allowed; remove it"),
        ("a: \x00", "1:4: E113: character U+0000 cannot stand in a file; remove it, or write \\u0000 in double quotes"),
        ("a: 1\r\nb:\x1b", "2:3: E113: character U+001B cannot stand in a file; remove it, or write \\u001b in double quotes"),
        ("a: b\u2028c", "1:5: E113: character U+2028 cannot stand in a file; remove it, or write \\u2028 in double quotes"),
        ("a: \ufeff", "1:4: E113: character U+FEFF cannot stand in a file; remove it, or write \\ufeff in double quotes"),
    ],
)  # fmt: skip
def test_file_beyond_a_limit_is_refused_in_one_line(text, told):
    """Depth, size, count, aliases and characters have bounds, and each says so."""
    assert read(text.encode()) == (None, [f"a.yaml:{told}"])


def test_error_without_a_place_is_told_at_the_beginning():
    """What PyYAML cannot place is one line all the same."""
    found = explain(yaml.YAMLError("out of luck\nsnippet"), "a: 1")

    assert (found.line, found.column, found.message) == (1, 1, "not valid YAML: out of luck")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\xff\xfea\x00", "1:1: E113: the file is UTF-16, expected UTF-8; save it as UTF-8"),
        (b"\xfe\xff\x00a", "1:1: E113: the file is UTF-16, expected UTF-8; save it as UTF-8"),
        (b"a: 1\nb: caf\xe9", "2:7: E113: byte 0xe9 is not UTF-8; save the file as UTF-8"),
        (b"\xed\xa0\x80", "1:1: E113: byte 0xed is not UTF-8; save the file as UTF-8"),
    ],
)
def test_other_encodings_are_refused(data, told):
    """Only UTF-8 is read."""
    assert read(data) == (None, [f"a.yaml:{told}"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: b: c", "1:5: E105: not valid YAML: ': ' cannot stand here; put the text in quotes, or check the indentation"),
        ("a: 1\nb\nc: 2", "2:1: E105: not valid YAML: a name without ':'; write 'name: value', or indent it as text"),
        ("a:\n  b: 1\n c: 2", "3:2: E105: not valid YAML: a name was expected here; check the indentation and the quotes"),
        ("a: [1, 2\nb: 3", "2:2: E105: not valid YAML: '[' of line 1 is not closed, or ',' is missing before this"),
        ("a: {b: 1 c: 2}", "1:11: E105: not valid YAML: '{' of line 1 is not closed, or ',' is missing before this"),
        ("a: [", "2:1: E105: not valid YAML: a value was expected here; add it or put it in quotes"),
        ("a: 'b\nc: d", "1:4: E105: not valid YAML: the quotes that open here are not closed"),
        ("a:\n\tb: 1", "2:1: E105: not valid YAML: a tab cannot stand here; indent with spaces"),
        ("a: b\n\tc: 1", "2:1: E105: not valid YAML: a tab cannot stand here; indent with spaces"),
        ("a: @b", "1:4: E105: not valid YAML: '@' cannot begin a value; put it in quotes"),
        ("a: `b`", "1:4: E105: not valid YAML: '`' cannot begin a value; put it in quotes"),
        ("a: *", "1:5: E105: not valid YAML: '*' and '&' begin an alias or an anchor; put the text in quotes"),
        ("a: - b", "1:4: E105: not valid YAML: '- ' cannot stand here; put the list on lines of its own, or the text in quotes"),
        ('a: "\\d"', "1:5: E105: not valid YAML: an unknown escape in double quotes; write the backslash twice, or use single quotes"),
        ("a: | x", "1:6: E105: not valid YAML: the text after '|' or '>' begins on the next line; put this text in quotes"),
        ("- a\nb: 1", "2:1: E105: not valid YAML: '- ' was expected here; check the indentation"),
        ("'a' b", "1:5: E105: not valid YAML: the document has ended before this; check the indentation and the quotes"),
        ("a: {{ config.x }}/b", '1:4: E105: not valid YAML: a template stands in quotes, as in "{{ config.x }}"'),
        ("a: 1\nb:\n  - {{ x }} y", '3:5: E105: not valid YAML: a template stands in quotes, as in "{{ config.x }}"'),
        ("%YAML 9.9\n---\na: 1", "1:1: E105: not valid YAML: found incompatible YAML document"),
    ],
)  # fmt: skip
def test_syntax_error_is_one_line_that_says_what_to_change(text, told):
    """What libyaml finds is told in our words, without its snippet."""
    assert read(text.encode()) == (None, [f"a.yaml:{told}"])


def test_merge_bomb_is_read_in_no_time():
    """Merge keys are never carried out, so that they cannot multiply."""
    node, told = read(MERGES.encode())

    assert set(to_json(node)) == set("abcdefghi")
    assert told[0] == "a.yaml:2:8: E108: b has the merge key '<<'; write its fields out here"
    assert len(told) == 8


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000, '"' * 1_000_000, "'" * 1_000_000, "\n" * 1_000_000, "a\n" * 500_000,
        ":" * 1_000_000, "---\n" * 200_000, "...\n" * 200_000, "%FOO a\n" * 90_000, "\t" * 1_000_000,
        "{" + "a: 1," * 9_000 + "}", "[" + "no," * 19_000 + "]", "[" + "!x y," * 19_000 + "]",
        "a: 1" + ":1" * 400_000, "a: 1" + "_" * 900_000 + "x", "a: 0." + "1" * 900_000,
        "a: " + "9" * 20_000, "{" + '"a" ' * 200_000, "a: >\n" + "  x\n\n" * 150_000, LAUGHS, GROWTH,
    ],
    ids=range(21),
)  # fmt: skip
def test_no_file_takes_long(text):
    """A file of any kind within the bounds costs a fraction of a second."""
    assert cpu_s(lambda: read(text.encode())) < 1


SCRAPS = ["a", ":", " ", "\n", "- ", "? ", "[", "]", "{", "}", ",", "&a ", "*a", "!t ", "|", ">", "'",
          '"', "%", "#", "<<", "\t", "---\n", "...", "\\", "no", "012", "é", "\x00", "{{ x }}", "  ",
          "1:30", "\r", "\ufeff", "😀", "@"]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(SCRAPS), max_size=40).map("".join).map(str.encode) | st.binary())
def test_any_bytes_give_a_tree_or_an_error(data):
    """Nothing is raised, there is a reason when there is no tree, and problems lie in the file."""
    problems = Problems()
    node = parse_yaml(data, file="a", problems=problems)

    assert node is not None or problems.has_errors
    assert all(found.position >= ("a", 1, 1) for found in problems.found)


def test_limits_are_reached_and_not_passed():
    """A file exactly at each limit is read."""
    depth = "[" * DEPTH_MAX + "]" * DEPTH_MAX
    nodes = "[" + "a," * (NODES_MAX - 1) + "]"
    aliases = "[&a x," + "*a," * ALIASES_MAX + "]"

    for text in (depth, nodes, aliases, "#" * BYTES_MAX):
        node, told = read(text.encode())
        assert told == []
        assert node is not None
    assert len(list(walk(read(nodes.encode())[0]))) == NODES_MAX


def test_missing_c_parser_is_told_clearly():
    """Without libyaml no file is read, and the message says what to install."""
    code = (
        "import yaml; del yaml.CSafeLoader\n"
        "from integrationd.config import yaml as reader, problems\n"
        "try: reader.parse_yaml(b'', file='a', problems=problems.Problems())\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == (
        "SettingsError PyYAML is installed without its C parser, which is needed to read files "
        "within limits; install PyYAML from a binary wheel, or build it with libyaml\n"
    )


def test_schema_library_is_not_loaded_with_the_room():
    """What costs a tenth of a second is loaded when a schema is met, not before."""
    code = (
        "import sys\n"
        "import integrationd.config.decode, integrationd.config.schema, integrationd.config.yaml\n"
        "print('jsonschema' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
