"""Templates cannot get out and cannot take over the machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import ExpressionError
from integrationd.model.secret import Secret
from integrationd.transform.template import Template
from tests.support.spending import cpu_s

ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ v.__class__ }}",
    "{{ v['__class__'] }}",
    "{{ v|attr('__class__') }}",
    "{{ [].append(1) }}",
    "{{ v.items() }}",
    "{{ v.__init__.__globals__ }}",
    "{{ self }}",
    "{{ self.__init__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ _meter }}",
    "{{ _result }}",
    "{{ config.__class__.__init__.__globals__['os'] }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{{ cycler }}{{ namespace }}{{ lipsum }}{{ joiner }}{{ dict }}",
    "{{ lipsum.__globals__ }}",
    "{{ range(3) }}",
    "{{ dict(a=1) }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ '{0.__class__}'|format(1) }}",
    "{{ ''.format_map({}) }}",
    "{{ v|map('attr', '__class__')|first }}",
    "{{ [''] | map(attribute='__class__') | first }}",
    "{{ [''] | selectattr('__class__') | first }}",
    "{{ [''] | sort(attribute='__class__') | first.upper }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}{{ os }}",
    "{% from 'os' import path %}{{ path }}",
    "{% extends 'x' %}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
    "{% call m() %}{% endcall %}",
    "{% for a in [1] %}{{ loop.__class__ }}{% endfor %}",
    "{% for a in [1] %}{{ loop._iterator }}{% endfor %}",
    "{% for a in [1] %}{{ loop.cycle }}{% endfor %}",
    "{% for a in [1] %}{{ loop }}{% endfor %}",
    "{% for _a in [1] %}{{ _a }}{% endfor %}",
    "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{% set x = ''.__class__ %}{{ x.y }}",
    "{% with a = 1 %}{{ a.real }}{% endwith %}",
    "{% do v.clear() %}{{ v.x }}",
    "{% debug %}",
    "{{ 1.0.__class__ }}",
    "{{ (1,)[0].real }}",
    "{{ caller }}{{ varargs }}{{ kwargs }}",
    "{{ v | xmlattr }}",
    "{{ v | pprint }}",
    "{{ gone.__class__ }}",
    "{{ gone|default({}).__class__ }}",
    "{{ 'a' | upper(*[1]) }}",
    "{{ {v: 1} }}{{ v.a }}",
]
GREEDY_LOOPS = (
    "{% for a in v %}{% for b in v %}{% for c in v %}{% endfor %}{% endfor %}{% endfor %}"
)
LONG = "'" + "a" * 10_000 + "'"
TALL = "[" + ",".join("1" * 200) + "]"
GREEDY = [
    "{{ 'a' * 10**9 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%1000000000d' | format(1) }}",
    "{{ 'a'.ljust(10**9) }}",
    "{{ 'a' | center(1000000000) }}",
    "{{ 'a' | indent(1000000000) }}",
    "{{ 'a' | wordwrap(1) }}",
    "{{ range(99999) | list }}",
    "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
    "{% for a in v %}{% for b in v %}x{% endfor %}{% endfor %}",
    "{% for a in v %}{% for b in v %}{% endfor %}{% endfor %}",
    "{% for a in v %}{% for b in v %}{% for c in v %}{% endfor %}{% endfor %}{% endfor %}",
    "{{ big ~ big ~ big }}",
    "{{ big + big + big }}",
    "{{ (big + big + big) | length }}",
    "{% for a in v %}{% if v == [] %}{% endif %}{% endfor %}",
    "{{ [big, big, big] }}",
    "{{ [big, big, big] | join }}",
    "{{ big }}{{ big }}{{ big }}",
    "{{ big | replace('a', big) }}",
    "{{ 'aaaa' | replace('a', big) | replace('a', 'aaaa') }}",
    "{{ big | upper | lower | upper | lower | upper | lower }}",
    "{% for a in v %}{% if big | upper == 'x' %}y{% endif %}{% endfor %}",
    "{% for a in v %}{% if big[1:] == 'x' %}y{% endif %}{% endfor %}",
    "{% for a in v %}{% if a in v %}{% endif %}{% endfor %}",
    "{{ v | select('in', v) | length }}",
    "{{ v | map(attribute=big) | length }}",
    "{{ big | trim(big) }}",
    "{{ 1 | round(1000000000) }}",
    "{{ 1 | round(-1000000000) }}",
    "{{ '9' * 5000 }}",
    "{{ " + "9" * 5000 + " }}",
    "{{ 1e999 }}",
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "{{ " + "[" * 60 + "1" + "]" * 60 + " }}",
    "{{ a" + ".b" * 60 + " }}",
    "{{ " + " ~ ".join(["1"] * 2001) + " }}",
    "{{ " + LONG + " ~ " + LONG + " }}",
    "{% for a in " + TALL + " %}{% for b in " + TALL + " %}{{ big }}{% endfor %}{% endfor %}",
]


def attempt(text, **values):
    """Return what a template gives, or ExpressionError; anything else fails the test."""
    try:
        return Template.parse(text, None).render(values)
    except ExpressionError as wrong:
        return wrong


@pytest.mark.parametrize("text", ESCAPES)
def test_nobody_gets_out(text):
    """Attributes, methods, calls, files and the engine's own names are all refused."""
    found = attempt(text, v={"x": 1}, config={})

    assert isinstance(found, ExpressionError) or found in (None, "", "None")


@pytest.mark.parametrize("text", GREEDY)
def test_nobody_takes_the_machine(text):
    """Whatever is asked for, the answer is no, and soon."""
    values = {"v": list(range(5000)), "big": "a" * 500_000}

    def take():
        assert isinstance(attempt(text, **values), ExpressionError)

    assert cpu_s(take) < 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{{ big }}{{ big }}{{ big }}",
            "the text grows over 1,000,000 characters",
        ),
        (
            "{% for a in v %}{% for b in v %}{% endfor %}{% endfor %}",
            "the template takes too many steps; give it less to work on",
        ),
        (
            "{{ " + LONG + " ~ " + LONG + " }}",
            "template has 20,013 characters, expected at most 16,384",
        ),
        (
            "{{ " + " ~ ".join(["1"] * 2001) + " }}",
            "template has more than 2,000 parts; make it shorter",
        ),
        ("{{ " + "[" * 60 + "1" + "]" * 60 + " }}", "template is nested deeper than 40 levels"),
        (
            "{{ 'a' * 9 }}",
            "template uses '*', which it may not; allowed are + - / // ~ and comparisons",
        ),
        (
            "{% set a = 1 %}",
            (
                "template uses {% set %}, which it may not; allowed are {{ }}, {% if %}, {% for %} "
                "and {# #}"
            ),
        ),
        (
            "{% trans %}",
            (
                "template uses {% trans %}, which it may not; "
                "allowed are {{ }}, {% if %}, {% for %} and {# #}"
            ),
        ),
        (
            "{{ range(3) }}",
            (
                "template uses a call, which it may not; a value is changed by a filter, "
                "as in name | upper"
            ),
        ),
        (GREEDY_LOOPS, "template has more than 2 loops within each other"),
        ("{{ 'a' if v }}", "template uses 'a if b' without an 'else'; say what it is then"),
        (
            "{{ {v: 1} }}",
            "template uses an object with a computed key; keys are text in quotes",
        ),
        ("{{ _a }}", "template uses the name '_a', which is not for templates"),
        (
            "{{ v | upper(*v) }}",
            "template uses '*' before an argument; arguments are written one by one",
        ),
        (
            "{{ v | search(v) }}",
            "template computes what 'search' looks for; write it in quotes",
        ),
        (
            "{{ v | search('var(`\"a\"`)') }}",
            None,
        ),
        (
            "{{ v | search(\"var('a.b')\") }}",
            "template uses var() in 'search'; there it sees only its value",
        ),
        (
            "a\r\n{{ v }}",
            "template holds a carriage return, which would be lost; write {{ '\\r' }} for it",
        ),
    ],
)
def test_refusal_says_what_is_allowed(text, message):
    """Each rule has its own words."""
    found = attempt(text, v=list(range(5000)), big="a" * 500_000)

    assert isinstance(found, ExpressionError)
    assert message in (None, str(found))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([10**40, 10**400, "12", "x" * 2000, Secret("s")]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "items", "0"]) | st.text(max_size=3), inner)
    ),
    max_leaves=12,
)
VALUES = [
    "v",
    "v.a",
    "v['b']",
    "v[0]",
    "v[-1]",
    "w",
    "w.items",
    "v[w]",
    "1",
    "'x'",
    "[v, w]",
    "v[1:]",
]
NAMES = [
    "abs",
    "b64decode",
    "b64encode",
    "capitalize",
    "first",
    "float",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lower",
    "max",
    "min",
    "reverse",
    "round",
    "select",
    "reject",
    "sort",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "urlencode",
    "map(attribute='a')",
    "sort(attribute='a')",
]
FORMS = [
    "{{{{ {0} }}}}",
    "a{{{{ {0} }}}}b",
    "{{{{ {0} ~ {1} }}}}",
    "{{{{ {0} + {1} }}}}",
    "{{{{ {0} / {1} }}}}",
    "{{{{ {0} // {1} }}}}",
    "{{{{ -{0} }}}}",
    "{{{{ {0} < {1} }}}}",
    "{{{{ {0} == {1} }}}}",
    "{{{{ {0} in {1} }}}}",
    "{{{{ {0} is in({1}) }}}}",
    "{{{{ {0}[{1}:] }}}}",
    "{{{{ {0}[::{1}] }}}}",
    "{{{{ {0} if {1} else 0 }}}}",
    "{{% for x in {0} %}}{{{{ loop.index }}}}{{{{ x }}}}{{% endfor %}}",
    "{{% for x, y in {0} | items %}}{{{{ x ~ y }}}}{{% endfor %}}",
    "{{% for x, y in {0} %}}{{{{ x }}}}{{% endfor %}}",
    "{{% if {0} is defined and {0} %}}{{{{ {1} }}}}{{% endif %}}",
    "{{{{ {0} | replace({1}, 'y') }}}}",
    "{{{{ {0} | join({1}) }}}}",
    "{{{{ {0} | default({1}) | round({1}) }}}}",
    "{{{{ {0} | selectattr('a', 'gt', {1}) }}}}",
    "{{{{ {0} | search('[0].a || a.b') }}}}",
    *(f"{{{{{{{{ {{0}} | {name} }}}}}}}}" for name in NAMES),
]


@given(
    form=st.sampled_from(FORMS),
    one=st.sampled_from(VALUES),
    two=st.sampled_from(VALUES),
    v=JSON,
    w=JSON,
)
def test_any_value_gives_a_value_or_an_expression_error(form, one, two, v, w):
    """Whatever stands in the variables, nothing but our own error comes out."""
    made = Template.parse(form.format(one, two), None)
    for render in (made.render, made.render_text):
        try:
            found = render({"v": v, "w": w})
        except ExpressionError:
            continue
        assert found is None or isinstance(found, bool | int | float | str | list | dict | Secret)


@given(st.text(alphabet="{}%#abv. |~[]()'\"0-:,=if", max_size=40))
def test_any_text_is_a_template_or_an_expression_error(text):
    """Parsing never fails in another way, and what parses also compiles."""
    found = attempt(text, v=1, a={"b": 1})

    assert found is None or isinstance(
        found, ExpressionError | bool | int | float | str | list | dict
    )


def test_deep_values_are_an_expression_error():
    """A value nested deeper than Python's stack is refused, not a crash."""
    deep = []
    for _ in range(100_000):
        deep = [deep]

    for text in ("{{ v | tojson }}", "{{ v == w }}", "{{ v | unique }}"):
        assert isinstance(attempt(text, v=deep, w=[deep]), ExpressionError)
