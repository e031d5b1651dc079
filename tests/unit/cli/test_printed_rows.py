"""Rows as people and programs read them: widths, escapes, and what is never printed."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.cli.output import SAMPLE_ROWS, WIDTH_MAX, print_json, print_rows


class Terminal(io.TextIOWrapper):
    """A standard output that says whether somebody looks at it."""

    def __init__(self, *, looked_at):
        super().__init__(io.BytesIO(), encoding="utf-8", newline="")
        self.looked_at = looked_at

    def isatty(self):
        return self.looked_at

    def getvalue(self):
        self.flush()
        return self.buffer.getvalue().decode()


def run(coroutine):
    """Run what never waits, without a loop."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError


def printed(rows, columns=("a", "b"), *, style="table", as_json=False, terminal=False):
    """Print rows; returns the text and the count."""
    out = Terminal(looked_at=terminal)

    async def given_rows():
        for row in rows:
            yield row

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", out)
        count = run(print_rows(given_rows(), columns, style=style, as_json=as_json))
    return out.getvalue(), count


def test_table_is_as_wide_as_its_widest_cell():
    """Columns are lined up, and nothing trails."""
    rows = [{"a": "x", "b": None}, {"a": "long one", "b": 1.5, "c": 9}, {"b": {"k": [True]}}]

    text, count = printed(rows)

    assert text == 'A         B\nx\nlong one  1.5\n          {"k":[true]}\n'
    assert count == 3


def test_long_cells_of_a_table_are_cut():
    """Whole up to the largest width, then cut with a sign that something is missing."""
    fits, long = "x" * WIDTH_MAX, "y" * (WIDTH_MAX + 1)

    text, _ = printed([{"a": fits, "b": "1"}, {"a": long, "b": "2"}])

    assert text.splitlines()[1:] == [f"{fits}  1", f"{'y' * (WIDTH_MAX - 1)}…  2"]


def test_widths_are_decided_by_the_first_rows():
    """Later rows are cut to fit, so that a table of any length is printed in bounded memory."""
    rows = [{"a": "123", "b": "1"}] * SAMPLE_ROWS + [{"a": "12345", "b": "2"}, {"a": "1", "b": "3"}]

    text, count = printed(rows)

    assert count == SAMPLE_ROWS + 2
    assert text.splitlines()[-2:] == ["12…  2", "1    3"]
    assert text.count("A    B") == 1


def test_rows_are_printed_as_they_come():
    """Behind the first rows nothing is held back."""
    out, seen = Terminal(looked_at=False), []

    async def given_rows():
        for number in range(SAMPLE_ROWS + 3):
            seen.append(out.getvalue().count("\n"))
            yield {"a": number}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", out)
        run(print_rows(given_rows(), ["a"], style="table", as_json=False))

    assert seen[SAMPLE_ROWS] == 0
    assert seen[SAMPLE_ROWS + 1 :] == [SAMPLE_ROWS + 2, SAMPLE_ROWS + 3]


def test_nothing_stored_prints_nothing_but_a_csv_its_columns():
    """A table of nothing is nothing; a CSV without its first line is no CSV."""
    assert printed([]) == ("", 0)
    assert printed([], style="ndjson") == ("", 0)
    assert printed([], style="csv") == ("a,b\n", 0)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\tb\nc\r", "a\ufffdb\ufffdc\ufffd"),
        ("\x1b[31mred", "\ufffd[31mred"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),
        ("\x00\x7f\x9b", "\ufffd\ufffd\ufffd"),
        ("\u00e4 \u4e2d \U0001f600", "\u00e4 \u4e2d \U0001f600"),
        (None, ""),
        (True, "true"),
        (10**30, "1" + "0" * 30),
        (["\x1b"], '["\\u001b"]'),
    ],
)
def test_terminal_is_safe_from_what_a_provider_sends(value, shown):
    """Control characters and those that turn text around are marked, letters are kept."""
    text, _ = printed([{"a": value, "b": "."}])

    assert text.splitlines()[1] == f"{shown:<{max(len(shown), 1)}}  ."


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30 1", "'+49 30 1"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-", "'-"),
        ("\t=1", "\ufffd=1"),
        ("-5", "-5"),
        ("-5.25", "-5.25"),
        (-5, "-5"),
        (-1.5e-9, "-1.5e-9"),
        ("a=1", "a=1"),
        ("", ""),
        (None, ""),
        ('say "x", y', 'say "x", y'),
        ({"=a": 1}, '{"=a":1}'),
    ],
)
def test_csv_holds_no_formula(value, cell):
    """A text that a spreadsheet would compute is marked as text; numbers stay numbers."""
    text, _ = printed([{"a": value, "b": 1}], style="csv")

    assert list(csv.reader(io.StringIO(text))) == [["a", "b"], [cell, "1"]]


@given(value=st.text())
def test_no_cell_of_a_csv_begins_a_formula(value):
    """Whatever a provider sends, and each row is one line."""
    text, _ = printed([{"a": value, "b": 1}], style="csv")

    (_, row) = csv.reader(io.StringIO(text))
    assert text.count("\n") == 2
    assert row[0][:1] not in set("=+@\t\r\n")
    assert not row[0].startswith("-") or float(row[0]) <= 0


@given(rows=st.lists(st.dictionaries(st.text(), st.text() | st.integers(0, 9) | st.none())))
def test_ndjson_holds_each_row_whole(rows):
    """One line for each row, every field, every character."""
    text, count = printed(rows, style="ndjson")

    lines = text.split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == rows
    assert count == len(rows)


@pytest.mark.parametrize(
    ("style", "as_json", "terminal", "expected"),
    [
        (None, False, True, "A  B\n1\n"),
        (None, False, False, '{"a":1}\n'),
        ("csv", False, True, "a,b\n1,\n"),
        ("table", False, False, "A  B\n1\n"),
        ("ndjson", False, True, '{"a":1}\n'),
        ("csv", True, True, '{"a":1}\n'),
        (None, True, True, '{"a":1}\n'),
    ],
)
def test_form_is_chosen_by_who_reads(style, as_json, terminal, expected):
    """A table on a terminal, lines elsewhere; what was said wins, ``--json`` before all."""
    assert printed([{"a": 1}], style=style, as_json=as_json, terminal=terminal)[0] == expected


def test_one_value_is_printed_indented(capsys):
    """For people and programs alike."""
    print_json({"a": [1, "\u00e4"], "b": {}})

    assert capsys.readouterr().out == '{\n  "a": [\n    1,\n    "\u00e4"\n  ],\n  "b": {}\n}\n'
