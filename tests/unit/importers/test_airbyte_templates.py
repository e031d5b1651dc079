"""Templates of the low-code language: to ours, to JMESPath, or refused with the reason."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrationd.config.nodes import Position
from integrationd.importers.airbyte import expressions, jinja, writing
from integrationd.importers.airbyte.terms import Const, Name, UnsayableError
from integrationd.transform.expression import Expression
from integrationd.transform.template import Template

PLACE = Position("t.yaml", 1, 1)
ROOTS = {"response": "body", "stream_partition": "each", "record": "record", "headers": "headers"}


def resolve(steps):
    """Return our variable; configuration and parameters are as small as can be."""
    root, *rest = steps
    if root == "config":
        return Name(("secrets" if "key" in rest else "config", *rest))
    if root == "parameters":
        return Const({"path": "orders", "flag": None}.get(rest[0]))
    if root in ROOTS:
        return Name((ROOTS[root], *rest))
    raise UnsayableError(f"the variable {root!r} is not known here")


def written(text):
    """Translate to a template of ours."""
    return writing.write_template(jinja.parse(text, resolve))


def read(text):
    """Translate to JMESPath."""
    return expressions.read_expression(jinja.parse(text, resolve))


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("plain", "plain"),
        ("{{ config['site'] }}", "{{ config.site }}"),
        ('{{ config["a b"] }}', "{{ config['a b'] }}"),
        ("{{ config.get('site') }}", "{{ config.site }}"),
        ("{{ config.get('site', 'eu') }}", "{{ 'eu' if config.site is none else config.site }}"),
        ("{{ config.get('a', {}).get('b') }}", "{{ config.a.b }}"),
        ("Token {{ config['key'] }}", "Token {{ secrets.key }}"),
        ("/{{ parameters['path'] }}/all", "/orders/all"),
        ("{{ parameters.get('flag') or 'none' }}", "none"),
        ("{{ 'a' if parameters.flag else config.b }}", "{{ config.b }}"),
        ("{{ config.a or config.b }}", "{{ config.a or config.b }}"),
        ("{{ config.a ~ '-' ~ config.b }}", "{{ config.a }}-{{ config.b }}"),
        ("{{ config.a | upper }}", "{{ config.a | upper }}"),
        ("{{ config.a | join(',') }}", "{{ config.a | join(',') }}"),
        ("{{ ','.join(config.a) }}", "{{ config.a | join(',') }}"),
        ("{{ config.a.strip() }}", "{{ config.a | trim }}"),
        ("{{ config.a | base64encode }}", "{{ config.a | b64encode }}"),
        ("{{ config.a if config.b else 'x' }}", "{{ config.a if config.b else 'x' }}"),
        ("{% if config.a %}x{% else %}y{% endif %}", "{{ 'x' if config.a else 'y' }}"),
        ("{% set id = config.a %}{{ id }}", "{{ config.a }}"),
        ("q:{{ '{' }}{{ config.a }}", "q:{{ '{' }}{{ config.a }}"),
        ("{{ stream_partition.id }}", "{{ each.id }}"),
        ("{{ config.a | regex_search('x(.)') }}", "{{ config.a | regex_find('x(.)') }}"),
        ("{{ config.a | hash('sha256') }}", "{{ config.a | sha256 }}"),
        ("{{ format_datetime(config.a, '%s') }}", "{{ config.a | format_time('unix') }}"),
        ("{{ timestamp(config.a) }}", "{{ config.a | format_time('unix') }}"),
        (
            "{{ timestamp(config.a) * 1000 }}",
            "{{ (config.a | format_time('unix')) | multiply(1000) }}",
        ),
        ("{{ config.a[:4] }}", "{{ config.a[:4] }}"),
        ("{{ config.a[4:6] }}", "{{ config.a[4:6] }}"),
        ("{{ max(config.a, config.b) }}", "{{ ([config.a, config.b]) | max }}"),
        ("{{ min(config.several) }}", "{{ config.several | min }}"),
        ("{{ sanitize_url(config.a) }}", "{{ config.a | urlencode }}"),
        ("{{ 'a{}-{}'.format(config.a, config.b) }}", "a{{ config.a }}-{{ config.b }}"),
        ("{{ config.a | default('x', true) }}", "{{ config.a or 'x' }}"),
        ("{{ now_utc().strftime('%Y-%m-%d') }}", "{{ now | format_time('date') }}"),
        ("{{ now_utc().strftime('%Y') }}", "{{ (now | format_time('date'))[0:4] }}"),
        ("{{ config.a.strftime('%m') }}", "{{ (config.a | format_time('date'))[5:7] }}"),
        ("{{ today_utc() }}", "{{ now | format_time('date') }}"),
        (
            "{{ (now_utc() - duration('P2D')).strftime('%s') }}",
            "{{ (now | shift_time('-2d')) | format_time('unix') }}",
        ),
        (
            "{{ day_delta(-7, format='%Y-%m-%d') }}",
            "{{ (now | shift_time('-7d')) | format_time('date') }}",
        ),
        (
            "{{ str_to_datetime(config.a).strftime('%Y-%m-%d') }}",
            "{{ config.a | format_time('date') }}",
        ),
        (
            "{{ (str_to_datetime(config.a) - duration('P1DT2H')).strftime('%d/%m/%Y') }}",
            "{{ (config.a | shift_time('-26h')) | format_time('%d/%m/%Y') }}",
        ),
    ],
)
def test_template_is_translated(text, ours):
    """It means the same to us, and our own parser takes it."""
    assert written(text) == ours
    Template.parse(ours, PLACE)


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("{{ response.next }}", "body.next"),
        ("{{ response.get('next', {}) }}", "body.next"),
        ("{{ response['a-b'][0].c }}", 'body."a-b"[0].c'),
        ("{{ response.items[-1].id }}", "body.items[-1].id"),
        ("{{ not response.get('next', {}) }}", "!(body.next)"),
        ("{{ response.get('count', 0) < 10 }}", "not_null(body.count, `0`) < `10`"),
        ("{{ headers['X-Next'] }}", 'headers."X-Next"'),
        ("{{ record['a']['b'] }}", "a.b"),
        ("{{ record }}", "@"),
        ("{{ record.a in ['x', 'y'] }}", 'contains(`["x", "y"]`, a)'),
        ("{{ record.a == 'x' and record.b != 1 }}", "(a == 'x') && (b != `1`)"),
        ("{{ record.a is defined }}", "a != `null`"),
        ("{{ record.a if record.b else '' }}", "(b && [a] || [''])[0]"),
        (
            "{{ record.a }}-{{ record.b }}",
            "join('', [to_string(not_null(a, '')), '-', to_string(not_null(b, ''))])",
        ),
        ("{{ [record.a, 1] | join('|') }}", "join('|', [to_string(not_null(a, '')), '1'])"),
        ("{{ record.a.split('-')[0] }}", "(split(a, '-'))[0]"),
        ("{{ record.id + 1 }}", "add(id, `1`)"),
        ("{{ record.a | length }}", "length(a)"),
        ("{{ max(record.a, 2) }}", "max([a, `2`])"),
        ("{{ config.a }}", "var('config.a')"),
        ("{{ record.a | hash('sha1') }}", "sha1(a)"),
        ("{{ 'code' in response }}", "body.code != `null`"),
        (
            "{{ 'x' not in record.tags }}",
            "!(contains((type(tags) == 'object' && keys(tags) || tags || ''), 'x'))",
        ),
        (
            "{{ format_datetime(record.at, '%Y-%m-%d', '%s') }}",
            "format_time(parse_time(at, 'unix'), 'date')",
        ),
    ],
)
def test_template_becomes_an_expression(text, ours):
    """It reads the same from an answer or a record, and our own parser takes it."""
    assert read(text) == ours
    Expression.parse(ours, PLACE)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{ nothing.x }}", "the variable 'nothing' is not known here"),
        ("{{ config[record.a] }}", "a key that is itself a variable cannot be translated"),
        ("{% for a in config.b %}{{ a }}{% endfor %}", "a loop, {% for %}, cannot be translated"),
        ("{{ config.a.frobnicate() }}", "the method .frobnicate() is not known here"),
        ("{{ launch() }}", "the macro launch() is not known here"),
        ("{{ config.a", "the template is not one that Jinja can read"),
        ("{{ config.a | hmac('x') }}", "templates have no 'hmac' yet"),
        ("{{ config.a | hash('md5', 'salt') }}", "there is no digest of this kind yet"),
        (
            "{{ format_datetime(config.a, '%j') }}",
            "no word of ours is for a time written as '%j'",
        ),
        ("{{ record.a }}", "a request cannot use what an answer holds (record)"),
        (
            "{{ now_utc().strftime('%j') }}",
            "no word of ours is for a time written as '%j'",
        ),
    ],
)
def test_what_cannot_be_said_is_refused_with_the_reason(text, reason):
    """Nothing is guessed."""
    with pytest.raises(UnsayableError) as caught:
        written(text)

    assert str(caught.value) == reason


@given(st.text(alphabet="{}%# '\"abc.|[]()-", max_size=40))
def test_any_text_is_translated_or_refused(text):
    """Whatever stands there, there is a template that our parser takes, or a reason."""
    try:
        made = written(text)
    except UnsayableError:
        return
    Template.parse(made, PLACE)


@given(st.text(max_size=30))
@example("{{")
@example("{% a {# b {{ c }}\n")
def test_constant_text_stays_itself(text):
    """What the source has as text is written so that it is the same text here."""
    made = writing.write_template(jinja.parse("{{ config.a }}", lambda _: Const(text)))

    assert Template.parse(made, PLACE).render({}) == text


def test_depth_of_a_template_is_bounded():
    """A template of many brackets is refused, and Python's own stack is left alone."""
    with pytest.raises(UnsayableError):
        written("{{ " + "(" * 5000 + "config.a" + ")" * 5000 + " }}")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("{{ record.a[:4] }}", slice(None, 4)),
        ("{{ record.a[4:] }}", slice(4, None)),
        ("{{ record.a[1:3] }}", slice(1, 3)),
        ("{{ record.a[:-1] }}", slice(None, -1)),
        ("{{ record.a[1:-2] }}", slice(1, -2)),
        ("{{ record.a[-2:] }}", slice(-2, None)),
    ],
)
@pytest.mark.parametrize("value", ["2026-01-31", "ab", "", [1, 2, 3, 4, 5, 6], []])
def test_part_of_a_text_or_a_list_is_what_python_takes(text, part, value):
    """JMESPath's own slices are null of a text, which would empty the field in silence."""
    assert Expression.parse(read(text), PLACE).search({"a": value}) == value[part]


@pytest.mark.parametrize(
    ("text", "ours"),
    [
        ("{{ 'a' in config }}", "{{ config.a is not none }}"),
        ("{{ 'a' not in config['inner'] }}", "{{ config.inner.a is none }}"),
    ],
)
def test_name_is_looked_for_in_what_lies_flat_here(text, ours):
    """An object of the configuration is several values, none of which has its name."""

    def resolve_flat(steps):
        if len(steps) == 1 or steps[1:] == ("inner",):
            raise UnsayableError("stands for several values")
        return Name(steps)

    assert writing.write_template(jinja.parse(text, resolve_flat)) == ours
