"""What providers do, one case for each: it holds, and not without what the table says it needs."""

from __future__ import annotations

import pytest

from tests.behaviours.items import numbers
from tests.behaviours.table import Row, read_table
from tests.behaviours.trying import Try, names_of_cases, try_cases

ROWS = [row for group in read_table() for row in group.rows]
SHOWN = [row for row in ROWS if (row.file, row.case) in names_of_cases()]
by_number = pytest.mark.parametrize("row", ROWS, ids=[row.number for row in ROWS])


@pytest.fixture(scope="module")
def as_they_are():
    """Every case, run once."""
    return run({row.number: Try(file=row.file, case=row.case) for row in SHOWN})


@pytest.fixture(scope="module")
def without():
    """Every case, run without what its row says that it needs."""
    return run(
        {
            row.number: Try(file=row.file, case=row.case, edits=row.without)
            for row in SHOWN
            if row.without
        }
    )


def run(tries):
    """Run all of them in one store; what came of each by its number."""
    return dict(zip(tries, try_cases(list(tries.values())), strict=True))


def test_every_item_has_its_row():
    """The table has a row for each item, under its number, and about the same system."""
    assert [row.number for row in ROWS] == list(numbers())
    others = [row.number for row in ROWS if not says_who(row)]
    assert others == []


def says_who(row: Row) -> bool:
    """Tell whether the first of those who do it is the one that the list of items names."""
    return bool(row.who) and row.who[0].startswith(numbers()[row.number])


@by_number
def test_row_is_full(row):
    """A row says what is done, by whom, and what its case cannot do without; the case is there."""
    assert row.does.endswith(".")
    assert row.who
    assert row.without
    assert (row.file, row.case) in names_of_cases()


def test_every_case_is_named():
    """No case is there that no row is about."""
    assert names_of_cases() - {(row.file, row.case) for row in ROWS} == set()


@by_number
def test_case_holds(row, as_they_are):
    """The case that a row names does what the row says."""
    tried = as_they_are[row.number]

    assert tried.problems == []
    assert tried.faults == []


@by_number
def test_case_needs_what_it_shows(row, without):
    """Without what says the behaviour, the files are good and the case does not hold."""
    tried = without[row.number]

    assert tried.problems == []
    assert tried.faults
    assert not [fault for fault in tried.faults if "fault of this program" in fault]
