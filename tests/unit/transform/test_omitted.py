"""``omit`` leaves a member out, and ``default`` stands in for null."""

import pytest

from integrationd.config.nodes import Position
from integrationd.errors import ExpressionError
from integrationd.model.secret import Secret
from integrationd.transform.jinja.sandbox import outline
from integrationd.transform.template import JsonTemplate, Template
from integrationd.wire.bodies.json import JsonBodyTemplate
from integrationd.wire.parameters import PLAIN, render_pairs

HERE = Position("x.yaml", 1, 1)
TOLD = "template uses 'omit' inside a text or a value; it stands alone"
INPUT = {"input": {"none": None, "no": False, "zero": 0, "text": "a", "empty": "", "list": []}}


def tree(value):
    """Make templates of every text inside a value."""
    if isinstance(value, dict):
        return {key: tree(item) for key, item in value.items()}
    if isinstance(value, list):
        return [tree(item) for item in value]
    return Template.parse(value, HERE)


def template(value):
    """Make one template of a value."""
    return JsonTemplate(tree(value), HERE)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ input.none | default('d') }}", "d"),
        ("{{ input.gone | default('d') }}", "d"),
        ("{{ input.no | default('d') }}", False),
        ("{{ input.zero | default('d') }}", 0),
        ("{{ input.empty | default('d') }}", ""),
        ("{{ input.zero | default('d', true) }}", "d"),
        ("{{ input.none | default(none) }}", None),
        ("{{ input.gone.deep | default('d') }}", None),
    ],
)
def test_default_stands_in_for_what_is_missing_or_null(text, value):
    """Not for what is false, empty or zero, unless that is asked for."""
    if value is None and "deep" in text:
        with pytest.raises(ExpressionError):
            Template.parse(text, HERE).render(INPUT)
        return
    assert Template.parse(text, HERE).render(INPUT) == value


@pytest.mark.parametrize(
    ("said", "made"),
    [
        ({"a": "{{ omit }}", "b": 1}, {"b": 1}),
        ({"a": "{{ input.none | default(omit) }}", "b": "{{ input.none }}"}, {"b": None}),
        ({"a": {"b": ["{{ omit }}", 1, {"c": "{{ omit }}"}]}}, {"a": {"b": [1, {}]}}),
        ({"a": "{{ input.text if input.text else omit }}"}, {"a": "a"}),
        ({"a": "{{ input.empty or omit }}"}, {}),
        ({"a": "{{ {'x': input.none | default(omit), 'y': [1, omit]} }}"}, {"a": {"y": [1]}}),
        ({"a": "{{ input.list }}"}, {"a": []}),
    ],
)
def test_member_is_left_out_at_any_depth(said, made):
    """Of objects the member, of lists the item; null is a value and stays."""
    body = JsonBodyTemplate({key: template(value) for key, value in said.items()})

    assert template(said).render(INPUT) == made
    assert body.render(INPUT, PLAIN).value == made


def test_whole_body_and_single_values_may_be_left_out():
    """A body is none then; where there is no member to leave out, it is as null."""
    whole = JsonBodyTemplate(None, template("{{ input.none | default(omit) }}"))
    single = Template.parse("{{ omit }}", HERE)

    assert whole.render(INPUT, PLAIN) is None
    assert (single.render(INPUT), single.render_text(INPUT)) == (None, None)
    assert template("{{ omit }}").render(INPUT) is None


def test_parameter_is_left_out():
    """As one that is null; in a list or an object the item alone."""
    pairs = {"a": "{{ omit }}", "b": ["x", "{{ omit }}"], "c": {"d": "{{ omit }}", "e": 1}}

    made = render_pairs({key: template(value) for key, value in pairs.items()}, INPUT)

    assert made == (("b", "x"), ("c", '{"e":1}'))


def test_what_is_left_out_is_no_secret():
    """Beside a secret it is still left out."""
    said = template({"a": "{{ secrets.key or omit }}", "b": "{{ omit if secrets.key else 1 }}"})

    assert said.render({"secrets": {"key": Secret("s")}}) == {"a": Secret("s")}


@pytest.mark.parametrize(
    "text",
    [
        "a{{ omit }}",
        "{{ omit }}{{ omit }}",
        "{{ omit | upper }}",
        "{{ [omit] | length }}",
        "{{ omit == 1 }}",
        "{{ omit.x }}",
        "{{ 'a' ~ omit }}",
        "{{ 1 if omit else 2 }}",
        "{% if omit %}a{% endif %}",
        "{{ config.list[omit] }}",
    ],
)
def test_it_stands_where_a_value_is_given_and_nowhere_else(text):
    """Told when the file is read, not when it is sent."""
    assert [(flaw.code, flaw.message) for flaw in outline(text).flaws] == [
        (
            "E203",
            f"{TOLD}, as in {{{{ name if name else omit }}}}",
        )
    ]


def test_it_is_no_variable():
    """Nothing has to declare it."""
    found = outline("{{ input.a | default(omit) }}")

    assert (found.flaws, found.paths) == ((), (("input", "a"),))
