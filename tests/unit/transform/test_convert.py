"""Types of fields: what is taken, what it becomes, and that nothing else ever happens."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.transform.convert import FieldType, converter
from integrationd.transform.times import UNITS, TimeNotation

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
KINDS = [(kind, ()) for kind in FieldType] + [
    (FieldType.DATETIME, (TimeNotation(name),)) for name in UNITS
]
VALUES = [
    (FieldType.TEXT, "a", "a"),
    (FieldType.TEXT, 12, "12"),
    (FieldType.TEXT, 1.5, "1.5"),
    (FieldType.TEXT, True, "true"),
    (FieldType.INTEGER, 5, 5),
    (FieldType.INTEGER, 5.0, 5),
    (FieldType.INTEGER, " -05 ", -5),
    (FieldType.INTEGER, "9" * 24, int("9" * 24)),
    (FieldType.NUMBER, "12", 12),
    (FieldType.NUMBER, "1.50", 1.5),
    (FieldType.NUMBER, "1e3", 1000.0),
    (FieldType.NUMBER, 7, 7),
    (FieldType.DECIMAL, "12.50", "12.50"),
    (FieldType.DECIMAL, 0.1, "0.1"),
    (FieldType.DECIMAL, 1e22, "10000000000000000000000"),
    (FieldType.DECIMAL, 3, "3"),
    (FieldType.BOOLEAN, False, False),
    (FieldType.BOOLEAN, 1, True),
    (FieldType.BOOLEAN, "FALSE", False),
    (FieldType.DATE, "2026-01-31", "2026-01-31"),
    (FieldType.DATE, "2026-01-31T23:30:00-05:00", "2026-01-31"),
    (FieldType.DATETIME, "2026-01-31T23:30:00-05:00", "2026-02-01T04:30:00Z"),
    (FieldType.DATETIME, "2026-01-31 12:00:00", "2026-01-31T12:00:00"),
]


@pytest.mark.parametrize(("kind", "value", "expected"), VALUES)
def test_a_value_becomes_what_its_field_says(kind, value, expected):
    """Each type takes the forms that providers write it in, and gives one."""
    result = converter(kind, ())(value)

    assert (result, type(result)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (FieldType.TEXT, ["a"], "expected text or a number"),
        (FieldType.INTEGER, True, "expected a whole number"),
        (FieldType.INTEGER, 1.5, "expected a whole number"),
        (FieldType.INTEGER, "1_0", "expected a whole number"),
        (FieldType.INTEGER, "١٢", "expected a whole number"),
        (FieldType.NUMBER, "nan", "expected a number"),
        (FieldType.NUMBER, "1e999", "expected a number"),
        (FieldType.NUMBER, False, "expected a number"),
        (FieldType.DECIMAL, "1_000", "expected a decimal number"),
        (FieldType.DECIMAL, "1e999", "expected a decimal number"),
        (FieldType.DECIMAL, "", "expected a decimal number"),
        (FieldType.DECIMAL, True, "expected a decimal number"),
        (FieldType.BOOLEAN, "yes", "expected true or false"),
        (FieldType.BOOLEAN, 2, "expected true or false"),
        (FieldType.DATE, "20260131", "expected a date such as 2026-01-31"),
        (FieldType.DATE, "2026-02-30", "expected a date such as 2026-01-31"),
        (FieldType.DATE, "2026-01-31 later", "expected a date such as 2026-01-31"),
        (FieldType.DATETIME, "soon", "expected a time such as 2026-01-31T12:00:00Z"),
        (
            FieldType.DATETIME,
            "0001-01-01T00:00:00+14:00",
            "expected a time such as 2026-01-31T12:00:00Z",
        ),
    ],
)
def test_a_value_of_another_form_is_refused(kind, value, message):
    """What cannot be read without guessing is refused, and the text does not show the value."""
    with pytest.raises(ValueError) as caught:
        converter(kind, ())(value)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        ("unix", 0, "1970-01-01T00:00:00Z"),
        ("unix", "1600000000", "2020-09-13T12:26:40Z"),
        ("unix", -1, "1969-12-31T23:59:59Z"),
        ("unix_ms", 1600000000500, "2020-09-13T12:26:40.500000Z"),
    ],
)
def test_unix_times_become_instants(form, value, expected):
    """Seconds or milliseconds since 1970, as numbers or as text."""
    assert converter(FieldType.DATETIME, (TimeNotation(form),))(value) == expected


@pytest.mark.parametrize(
    ("kind", "form", "value", "expected"),
    [
        (FieldType.DATETIME, "%d/%m/%Y %H:%M", "03/06/2025 14:00", "2025-06-03T12:00:00Z"),
        (FieldType.DATETIME, "dotnet", "/Date(1748952000000)/", "2025-06-03T12:00:00Z"),
        (FieldType.DATE, "%d.%m.%y", "03.06.25", "2025-06-03"),
        (FieldType.DATE, "unix", 1748952000, "2025-06-03"),
    ],
)
def test_other_notations_become_days_and_instants(kind, form, value, expected):
    """A time without a zone is one of the zone that is said."""
    assert converter(kind, (TimeNotation(form),), ZoneInfo("Europe/Berlin"))(value) == expected


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join((kind[0], *kind[1])))
@given(value=JSON | st.just(10**5000) | st.datetimes().map(datetime.isoformat))
def test_nothing_but_a_value_error_is_raised(kind, value):
    """Any JSON is converted or refused; whatever is refused is not shown."""
    try:
        converter(*kind)(value)
    except ValueError as refused:
        assert str(refused).startswith("expected ")  # noqa: PT017 - it may be taken


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join((kind[0], *kind[1])))
@given(value=JSON)
def test_converting_twice_changes_nothing(kind, value):
    """What a type gives, it takes and leaves as it is."""
    try:
        once = converter(*kind)(value)
    except ValueError:
        return

    assert converter(kind[0])(once) == once
