"""``explode``: which records come of one record, and how it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.decode import INVALID, Site, decode
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.errors import ExpressionError
from integrationd.transform.explode import Explode

ORDER = {"id": 7, "date": "2026-01-31", "lines": [{"id": 1, "sku": "A"}, {"id": 2, "sku": "B"}]}


def read(text):
    """Decode YAML; return the value and the problems as text."""
    problems = Problems()
    node = parse_yaml(text.encode(), file="a.yaml", problems=problems)
    made = decode(node, Explode, Site(problems, "explode"))
    return made, [f"{problem.code}: {problem.message}" for problem in problems.found]


def explode(text, *records):
    """Take records apart."""
    made, told = read(text)
    assert told == []
    return made.apply(records, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lines", [{"id": 1, "sku": "A"}, {"id": 2, "sku": "B"}]),
        ("{path: lines, as: line}", [{"line": line} for line in ORDER["lines"]]),
        (
            "{path: lines, as: line, keep: [id, date], position: at}",
            [
                {"line": line, "at": at, "id": 7, "date": "2026-01-31"}
                for at, line in enumerate(ORDER["lines"], start=1)
            ],
        ),
        (
            "{path: lines, keep: {order_id: id}}",
            [{"id": 1, "sku": "A", "order_id": 7}, {"id": 2, "sku": "B", "order_id": 7}],
        ),
        ("{path: lines, keep: [id]}", [{"id": 7, "sku": "A"}, {"id": 7, "sku": "B"}]),
        ("{path: 'lines[].sku', as: sku, keep: [id]}", [{"sku": s, "id": 7} for s in "AB"]),
        ("{path: 'lines[].sku', keep: [id]}", ["A", "B"]),
        ("lines[0]", [{"id": 1, "sku": "A"}]),
    ],
)
def test_items_become_records(text, expected):
    """By their own fields, or in a field; what is kept comes last."""
    assert explode(text, ORDER) == expected


@pytest.mark.parametrize("record", [{"id": 7, "lines": []}, {"id": 7, "lines": None}, {"id": 7}])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{path: lines, keep: [id]}", []),
        ("{path: lines, keep: [id], keep_empty: true}", [{"id": 7}]),
        (
            "{path: lines, as: line, keep: [id], position: at, keep_empty: true}",
            [{"line": None, "at": None, "id": 7}],
        ),
    ],
)
def test_an_empty_list_gives_none_unless_it_is_kept(record, text, expected):
    """An order without lines is then one record without a line."""
    assert explode(text, record) == expected


def test_records_keep_their_order():
    """First the items of the first."""
    assert explode("l", {"l": [1, 2]}, {"l": []}, {"l": [3]}) == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "{path: lines, keep: [id, 'a.b']}",
            "E111: explode.keep[1] is 'a.b', expected the name of a field, once",
        ),
        (
            "{path: lines, keep: [id, id]}",
            "E111: explode.keep[1] is 'id', expected the name of a field, once",
        ),
        ("{keep: [id]}", "E102: explode has no 'path', which is required"),
        ("'a['", "E201: explode: the expression ends too early"),
    ],
)
def test_what_is_wrong_is_told(text, told):
    """When the file is read."""
    made, problems = read(text)

    assert made is INVALID
    assert problems == [told]


def test_a_list_that_cannot_be_found_is_an_error():
    """Nothing is dropped in silence."""
    with pytest.raises(ExpressionError) as caught:
        explode("lower(lines)", {"lines": 1})

    assert str(caught.value) == "function lower() got number, expected string"


@given(st.lists(st.lists(st.integers())))
def test_no_item_is_lost_or_made(lists):
    """As many records as items, each where it was."""
    records = [{"id": at, "l": items} for at, items in enumerate(lists)]

    found = explode("{path: l, as: item, keep: [id], position: at}", *records)

    assert found == [
        {"item": item, "at": at, "id": number}
        for number, items in enumerate(lists)
        for at, item in enumerate(items, start=1)
    ]
