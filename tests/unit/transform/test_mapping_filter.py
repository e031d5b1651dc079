"""``mapping`` in a template: what goes out is mapped by a file, too."""

import pytest

from integrationd.errors import ExpressionError
from integrationd.transform.jinja.meter import MAPPINGS
from integrationd.transform.template import Template
from tests.unit.transform.test_mapping import read

LINE = read("fields: {id: {path: menu_id, type: integer}, quantity: to_string(quantity)}\n")
LINES = [{"menu_id": "7", "quantity": 2}, {"menu_id": 8, "quantity": 1}]


def render(text, value, mappings=None):
    """Fill a template in, with one mapping at hand."""
    if mappings is None:
        mappings = {"shop.line": lambda record: LINE.apply(record, {})}
    return Template.parse(text, None).render({"lines": value, MAPPINGS: mappings})


def test_each_item_of_a_list_is_mapped():
    """The value keeps its type, so that it stands in a JSON body as a list of objects."""
    assert render("{{ lines | mapping('shop.line') }}", LINES) == [
        {"id": 7, "quantity": "2"},
        {"id": 8, "quantity": "1"},
    ]


def test_an_object_is_mapped_alone():
    """One value gives one value, and other filters may follow."""
    assert render("{{ (lines[0] | mapping('shop.line')).quantity }}", LINES) == "2"


def test_a_value_that_cannot_be_mapped_says_why():
    """The reason names the field, and no value."""
    with pytest.raises(ExpressionError) as caught:
        render("{{ lines | mapping('shop.line') }}", [{"menu_id": "secret"}])

    assert str(caught.value) == "mapping: field 'id': expected a whole number"


def test_a_mapping_that_is_not_there_is_told():
    """A template that is tried by itself has no mappings at hand."""
    with pytest.raises(ExpressionError) as caught:
        render("{{ lines | mapping('shop.line') }}", LINES, {})

    assert str(caught.value) == "mapping: the mapping is not there"


def test_a_template_knows_the_mappings_that_it_uses():
    """They are looked for when the file is checked."""
    template = Template.parse("{{ a | mapping('x.y') }} {{ b | mapping('x.z') }}", None)

    assert template.mappings == ("x.y", "x.z")


def test_no_template_can_reach_the_mappings_otherwise():
    """They stand among the variables under a name with a space in it."""
    with pytest.raises(ExpressionError):
        Template.parse("{{ the mappings }}", None)
