"""``clean`` in a mapping: before the type, counted, and what happens to the unfit."""

import pytest

from integrationd.errors import MappingError
from integrationd.transform.clean import Region, Tally
from integrationd.transform.expression import Expression
from integrationd.transform.mapping import FieldRule
from tests.unit.transform.test_mapping import read


def apply(fields, record, more=""):
    """Map one record; return the entity and what was counted."""
    tally = Tally()
    mapping = read(f"entity: thing\nfields: {{{fields}}}\n{more}")
    return mapping.apply(record, {}, tally), tally


def test_a_value_is_cleaned_before_it_is_translated_converted_and_filled():
    """What cleaning leaves is looked up, converted, or replaced by the default where it is null."""
    fields = (
        "a: {path: a, clean: [trim], map: {y: '1'}, type: integer}, "
        "b: {path: a, clean: [trim, {max_length: 1}]}, c: {path: e, clean: [empty], default: '?'}, "
        "d: {first: [{value: e}], clean: [empty]}"
    )

    entity, tally = apply(fields, {"a": " y", "e": " "})

    assert entity == {"a": 1, "b": "y", "c": "?", "d": None}
    assert tally == Tally(cleaned=4)


def test_a_clean_value_is_not_counted():
    """Only changes count: a run over clean data says nothing of cleaning."""
    entity, tally = apply("a: {path: a, clean: [trim, nfc, empty]}", {"a": "Ana"})

    assert (entity, tally) == ({"a": "Ana"}, Tally())


def test_an_unfit_value_is_null_and_counted():
    """A record is not lost for a field that it does not need."""
    entity, tally = apply("a: {path: a, clean: [email]}, b: b", {"a": "n/a", "b": 1})

    assert (entity, tally) == ({"a": None, "b": 1}, Tally(dropped=1))


def test_an_unfit_value_of_a_required_field_sets_the_record_aside():
    """The reason says what was expected, and never what was found."""
    with pytest.raises(MappingError) as caught:
        apply("a: {path: a, clean: [email]}", {"a": "secret@"}, "required: [a]")

    wrong = caught.value
    assert wrong.reason == "field 'a': expected an e-mail address such as ana@example.org"
    assert (wrong.code, wrong.field) == ("clean", "a")


def test_a_mapping_is_bound_to_a_country():
    """Shared by many countries it says ``phone``; the tenant's own region makes numbers whole."""
    mapping = read(
        "entity: p\n"
        "fields: {a: {path: a, clean: [phone]}, b: {path: a, clean: [{phone: DE}]}, c: c}\n"
    )
    other = read("entity: p\nfields: {b: {path: a, clean: [trim, {phone: DE}]}}\n")

    bound = mapping.bound(Region("EC"))

    assert bound.apply({"a": "0991234567"}, {}) == {
        "a": "+593991234567",
        "b": "+49991234567",
        "c": None,
    }
    assert mapping.apply({"a": "0991234567"}, {})["a"] == "0991234567"
    assert other.bound(Region("EC")) is other


def test_fields_of_a_tenant_stand_apart():
    """They are under ``custom``, only where they have a value, and are cleaned like any other."""
    rule = read("entity: p\nfields: {x: {path: h, clean: [trim, empty]}}\n").fields["x"]
    mapping = read("entity: p\nfields: {a: a}\n").overlaid({"b": rule}, {"house": rule, "n": rule})
    tally = Tally()

    entity = mapping.apply({"a": 1, "h": " north"}, {}, tally)

    assert entity == {"a": 1, "b": "north", "custom": {"house": "north", "n": "north"}}
    assert mapping.apply({"h": ""}, {}) == {"a": None, "b": None, "custom": {}}
    assert tally.cleaned == 3
    assert [path for path, _ in mapping.rules()] == ["a", "b", "custom.house", "custom.n"]


def test_a_failing_expression_of_a_tenants_field_is_blamed_on_it():
    """The field is named as it stands in the record."""
    rule = FieldRule(path=Expression.parse("sum(h)", None))
    mapping = read("entity: p\nfields: {a: a}\n").overlaid({}, {"house": rule})

    with pytest.raises(MappingError) as caught:
        mapping.apply({"h": "text"}, {})

    assert (caught.value.field, caught.value.code) == ("custom.house", "expression")
