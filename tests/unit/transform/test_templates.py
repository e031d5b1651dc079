"""Templates: what they give, with which type, and what they say when they cannot."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.decode import INVALID, Site
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.errors import ExpressionError, RefusedError
from integrationd.transform.scopes import Reference, Scope
from integrationd.transform.template import JsonTemplate, Template

CONFIG = {
    "site": "acme",
    "env": "sandbox",
    "n": 1,
    "none": None,
    "day": "2026-01-31T12:00:00Z",
    "list": [{"x": 1}, {"x": 2}],
    "empty": [],
    "map": {"a": 1, "b": 2},
    "items": "plain",
}
YAML_ONCE = (
    "E107: the document is '.inf', which YAML may read as a number without bounds; put it in quotes"
)
"""Told by the reader of YAML, and not again."""
URLS = "{{ {'production': 'https://a', 'sandbox': 'https://b'}[config.env] }}/v2"


def render(text, **more):
    """Render a template over the configuration."""
    return Template.parse(text, None).render({"config": CONFIG, **more})


def refusal(text, **more):
    """Return why a template cannot be rendered."""
    with pytest.raises(ExpressionError) as caught:
        render(text, **more)
    return str(caught.value)


def decode(yaml, kind=Template, *notes):
    """Decode YAML; return the value and the problems as text."""
    problems = Problems()
    node = parse_yaml(yaml.encode(), file="a.yaml", problems=problems)
    made = kind.decode_node(node, Site(problems, "http.x", notes))
    return made, [f"{problem.code}: {problem.message}" for problem in problems.found]


@pytest.mark.parametrize("value", [None, True, 5, 0.1, 10**40, "", "text", "}} {"])
def test_constant_keeps_its_type(value):
    """What has no marks in it is the value itself."""
    made = Template.parse(value, None)

    assert made.is_constant
    assert made.references == ()
    assert (made.render({}), type(made.render({}))) == (value, type(value))


@pytest.mark.parametrize(
    "value", [None, True, False, 0, 7, 0.1, 1e300, 10**40, "007", "", [1], {"a": [None]}]
)
def test_native_value_keeps_its_type(value):
    """A template that is one ``{{ }}`` gives the value, whether it names or computes it."""
    for text in ("{{ v }}", "{{v|default(none)}}", "{{ v if true else 1 }}", "{{ [v][0] }}"):
        found = render(text, v=value)

        assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (None, ""),
        (1.0, "1"),
        (0.1, "0.1"),
        (1e300, "1e+300"),
        (1e20, "100000000000000000000"),
        (10**40, "1" + "0" * 40),
        (-0.5, "-0.5"),
        ("007", "007"),
    ],
)
def test_values_become_text(value, text):
    """In a text, values are printed as URLs and headers want them; null prints nothing."""
    assert render("<{{ v }}>", v=value) == f"<{text}>"
    assert render("{{ '<' ~ v ~ '>' }}", v=value) == f"<{text}>"
    assert (Template.parse("{{ v }}", None).render_text({"v": value}) or "") == text


def test_null_alone_stays_none():
    """A caller leaves out what is null."""
    assert Template.parse("{{ config.none }}", None).render_text({"config": CONFIG}) is None
    assert Template.parse(None, None).render_text({}) is None


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ([1], "found a list where a single value is wanted"),
        ({}, "found an object where a single value is wanted"),
        (float("nan"), "found a number without bounds (NaN or infinity)"),
        pytest.param(10**5000, "found a number of thousands of digits", id="digits"),
    ],
)
def test_what_has_no_text_is_refused(value, found):
    """Lists, objects and endless numbers are not guessed at."""
    with pytest.raises(ExpressionError) as caught:
        Template.parse("{{ v }}", None).render_text({"v": value})

    assert str(caught.value) == found
    assert refusal("a{{ v }}", v=value) == found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (URLS, "https://b/v2"),
        ("{{ config['site'] | upper }}", "ACME"),
        ("{{ config.day[:10] }}", "2026-01-31"),
        ("{{ config.list[-1].x }}", 2),
        ("{{ config.list[config.n].x + 1 }}", 3),
        ("{{ config.none | default('d', true) }}", "d"),
        ("{{ config.gone | default('d') }}", "d"),
        ("{{ config.empty | first | default('d') }}", "d"),
        ("{{ config.gone is defined }}", False),
        ("{{ config.none is none and config.site in ['acme'] }}", True),
        ("{{ config.items }}", "plain"),
        ("{{ config.list | map(attribute='x') | join('-') }}", "1-2"),
        ("{{ config.list | selectattr('x', 'gt', 1) }}", [{"x": 2}]),
        ("{{ config.list | rejectattr('x', 'gt', 1) }}", [{"x": 1}]),
        ("{{ config.list | search('[?x > `1`].x') }}", [2]),
        ("{{ 'a b/ü' | urlencode }}", "a%20b%2F%C3%BC"),
        ("{{ config.map | urlencode }}", "a=1&b=2"),
        ("{{ config.map | tojson }}", '{"a":1,"b":2}'),
        ("{{ 'aaa' | replace('a', 'b') }}", "bbb"),
        ("{{ ' x ' | trim | length }}", 1),
        ("{{ 'portrait' | title }}", "Portrait"),
        ("{{ [3, 1, 3] | unique | sort }}", [1, 3]),
        ("{{ [1, 0, none] | select }}", [1]),
        ("{{ [1, none] | reject('none') }}", [1]),
        ("{{ '12' | int + 1 }}", 13),
        ("{{ '1.5' | float }}", 1.5),
        ("{{ 3.7 | int }}", 3),
        ("{{ 'x' | int(7) }}", 7),
        ("{{ 2.345 | round(1) }}", 2.3),
        ("{{ 'user:pw' | b64encode | b64decode }}", "user:pw"),
        ("{{ result }}", 5),
        ("{{ result + 1 }}", 6),
        (
            "{% for k, v in config.map | items if v > 1 %}{{ k }}={{ v }}{% endfor %}",
            "b=2",
        ),
        (
            "{% for a in config.list %}{{ a.x }}{% if not loop.last %},{% endif %}{% endfor %}",
            "1,2",
        ),
        ("{% for a in [] %}x{% else %}none{% endfor %}\n", "none\n"),
        ("{# nothing #}a", "a"),
        ("{% raw %}{{ a }}{% endraw %}", "{{ a }}"),
    ],
)
def test_templates_give(text, value):
    """What the language offers, one of each."""
    assert render(text, result=5) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ config.gone }}", "'config.gone' has no value; supply it, or add | default(…)"),
        ("{{ config['gone'] }}!", "'config.gone' has no value; supply it, or add | default(…)"),
        ("{{ config.none.a }}!", "'config.none.a' has no value; supply it, or add | default(…)"),
        ("{{ gone }}/", "'gone' has no value; supply it, or add | default(…)"),
        ("{{ config.list[7] }}", "'config.list[7]' has no value; supply it, or add | default(…)"),
        (
            "{% for a in config.list %}{{ a.y }}{% endfor %}",
            "'y' has no value; supply it, or add | default(…)",
        ),
        ("{{ config[config.site] }}", "a key in square brackets finds nothing"),
        ("{{ config.empty | last }}", "last: found nothing in the list"),
        ("{{ config.site | int }}", "int: expected a whole number, found text"),
        ("{{ config.site + 1 }}", "'+' takes two numbers, found text and a number"),
        ("{{ config.site - 'a' }}", "'-' takes two numbers, found text and text"),
        (
            "{{ config.site < 1 }}",
            "the template compares or combines values of kinds that do not fit",
        ),
        ("{{ 1 / 0 }}", "the template cannot be filled in with these values"),
        ("{{ 'Y!Q==' | b64decode }}", "b64decode: expected Base64 of text in UTF-8"),
        ("{{ config.day | b64decode }}", "b64decode: expected Base64 of text in UTF-8"),
        (
            "{% for a in config.site %}x{% endfor %}",
            "a loop runs over a list or an object, found text",
        ),
        ("{{ config.n | join }}", "join: expected a list, found a number"),
        ("{{ 1 | round(-3) }}", "round: expected a precision from 0 to 20"),
    ],
)
def test_failure_names_the_variable_and_no_value(text, message):
    """A message has names, kinds and what was expected."""
    assert refusal(text) == message


def test_encode_reaches_values_only():
    """Literal text stays as it is written; each value is encoded once."""

    def encode(value):
        return f"<{value}>"

    def text_of(text):
        return Template.parse(text, None).render_text({"config": CONFIG}, encode=encode)

    assert text_of("/a b/{{ config.site }}/{{ config.n }}") == "/a b/<acme>/<1>"
    assert text_of("{{ config.site ~ '/' ~ config.n }}") == "<acme/1>"
    assert text_of("/a b") == "/a b"
    assert text_of("{{ config.none }}") is None


def test_what_encode_raises_is_not_changed():
    """The caller's own refusal comes out as it is."""

    def encode(_):
        raise RefusedError("no")

    for text in ("/{{ config.site }}", "{{ config.site }}"):
        with pytest.raises(RefusedError) as caught:
            Template.parse(text, None).render_text({"config": CONFIG}, encode=encode)
        assert str(caught.value) == "no"


def test_only_item_access():
    """A key that is also a method's name is the key, and a method is nothing."""
    assert render("{{ config.items }}{{ v.upper }}", v={"upper": 1}) == "plain1"
    assert render("{{ config.site.upper is defined }}") is False
    assert render("{% for a in [1] %}{{ loop.cycle is defined }}{% endfor %}") == "false"


def test_references_are_the_free_names():
    """Loop variables are none; constant keys are part of the path, however they are written."""
    loop = "{% for x in a.l %}{{ x.y }}{{ e[x] }}{% endfor %}{{ x }}"
    text = "{{ a.b['c'][0].d }}" + loop + "{{ a.b['c'][0].d }}"

    assert Template.parse(text, "here").references == (
        Reference(("a", "b", "c", "0", "d"), "here"),
        Reference(("a", "l"), "here"),
        Reference(("e",), "here"),
        Reference(("x",), "here"),
    )


def test_references_are_found_everywhere():
    """In the condition and the ``else`` of a loop, in objects, arguments and subscripts."""
    text = (
        "{% for x in a if b %}{% else %}{{ c }}{% endfor %}{{ {'k': d}['k'] }}"
        "{{ e | default(f) }}{{ g[h:i] }}{{ j if k in l else m ~ n }}{{ [o] | first is eq(p) }}"
    )

    found = {reference.path[0] for reference in Template.parse(text, None).references}

    assert found == set("abcdefghijklmnop")


def test_facts_of_a_template():
    """Whether it is constant, native or secret is known without rendering it."""

    def facts(text):
        made = Template.parse(text, None)
        return made.is_constant, made.is_native, made.is_secret

    assert facts("a") == (True, False, False)
    assert facts("{{ a }}") == (False, True, False)
    assert facts(" {{ a }}") == (False, False, False)
    assert facts("{{ a }}{{ b }}") == (False, False, False)
    assert facts("{{ secrets.a }}") == (False, True, True)
    assert facts("{% for secrets in a %}{{ secrets }}{% endfor %}") == (False, False, False)


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        (
            '"{{ confg.a }}{{ confg.b }}"',
            (
                "E204: template uses 'confg', variables here are: config, secrets; "
                "did you mean 'config'?"
            ),
        ),
        ('"{{ env.HOME }}"', "E204: template uses 'env', variables here are: config, secrets"),
        (
            '"a\\n {{ config.a b }}"',
            (
                "E202: http.x: template is wrong at its line 2, column 2, in '{{ config.a b }}': "
                "expected '}}', got 'b'"
            ),
        ),
        (
            '"{% if config.a %}"',
            (
                "E202: http.x: template is wrong at its line 1: unexpected end of template; "
                "expected 'elif' or 'else' or 'endif'; still open is 'if'"
            ),
        ),
        ('"a{#"', "E202: http.x: template is wrong at its end: a comment is not closed"),
        (
            '"{{ config.a | replace(1) }}"',
            (
                "E202: http.x: template gives the filter 'replace' other arguments than it takes; "
                "it is written replace(old, new)"
            ),
        ),
        (
            '"{{ config.a | uper }}"',
            "E205: http.x: template uses the filter 'uper', not known; did you mean 'upper'?",
        ),
        (
            '"{{ config.a is nonee }}"',
            "E205: http.x: template uses the test 'nonee', not known; did you mean 'none'?",
        ),
        (
            "\"{{ config.a | search('a[') }}\"",
            "E201: http.x: in search('a['): the expression ends too early",
        ),
        ("[1]", "E103: http.x is a list, expected text"),
        (".inf", YAML_ONCE),
    ],
)
def test_problems_are_told_at_load(yaml, message):
    """One clean line for each, with the code that the reference explains."""
    made, told = decode(yaml, Template, Scope(("config", "secrets")))

    assert made is INVALID
    assert told == [message]


def test_every_problem_is_told():
    """A template with several faults tells them all at once, and each once."""
    made, told = decode('"{{ a() }}{{ b() }}{{ config.x | uper }}"', Template, Scope(("config",)))

    assert made is INVALID
    assert told == [
        (
            "E203: http.x: template uses a call, which it may not; a value is changed by a filter, "
            "as in name | upper"
        ),
        "E205: http.x: template uses the filter 'uper', not known; did you mean 'upper'?",
    ]


def test_json_template_fills_in_its_leaves():
    """Lists and objects keep their shape, keys are plain text, native leaves their type."""
    yaml = (
        '{"{{ k }}": ["{{ config.n }}", "n={{ config.n }}", null, 1], b: {c: "{{ config.map }}"}}'
    )
    made, told = decode(yaml, JsonTemplate, Scope(("config",)))

    assert told == []
    assert made.render({"config": CONFIG}) == {
        "{{ k }}": [1, "n=1", None, 1],
        "b": {"c": {"a": 1, "b": 2}},
    }
    assert [each.text for each in made.templates()] == [
        "{{ config.n }}",
        "n={{ config.n }}",
        "",
        "1",
        "{{ config.map }}",
    ]
    assert [reference.path for reference in made.references] == [
        ("config", "n"),
        ("config", "n"),
        ("config", "map"),
    ]


def test_scope_holds_inside_a_json_template():
    """A wrong name deep in a body is told, too."""
    made, told = decode('{a: [{b: "{{ confg.n }}"}]}', JsonTemplate, Scope(("config",)))

    assert made is INVALID
    assert told == [
        "E204: template uses 'confg', variables here are: config; did you mean 'config'?"
    ]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_base64_is_the_standard_one(value):
    """What is encoded is the UTF-8 text, and decoding gives it back."""
    assert render("{{ v | b64encode }}", v=value) == base64.b64encode(value.encode()).decode()
    assert render("{{ v | b64encode | b64decode }}", v=value) == value
