"""Expressions: the library's answers, said errors, and bounds."""

import json
import math
from pathlib import Path

import jmespath
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrationd.config.decode import INVALID, Site
from integrationd.config.nodes import Position, Scalar
from integrationd.config.problems import Problems
from integrationd.errors import ExpressionError
from integrationd.transform.expression import Expression, compile_fields
from integrationd.transform.scopes import Reference, Roots, Scope
from tests.support.spending import cpu_s

HERE = Position("x.yaml", 3, 7)
SUITE = Path(__file__).parents[3].parent / "shared" / "data" / "jmespath-compliance"


def search(text, value, variables=None):
    """Evaluate once."""
    return Expression.parse(text, HERE).search(value, variables or {})


def compliance_cases():
    """Yield every case of the official suite."""
    for file in sorted(SUITE.glob("*.json")):
        for number, group in enumerate(json.loads(file.read_text())):
            for index, case in enumerate(group["cases"]):
                if "bench" not in case:
                    yield pytest.param(group["given"], case, id=f"{file.stem}-{number}-{index}")


@pytest.mark.skipif(not SUITE.is_dir(), reason="the official suite is not beside the checkout")
def test_suite_is_found_whole():
    """The suite has its hundreds of cases, so that an empty folder does not pass for success."""
    assert len(list(compliance_cases())) > 800


@pytest.mark.skipif(not SUITE.is_dir(), reason="the official suite is not beside the checkout")
@pytest.mark.parametrize(("given_", "case"), list(compliance_cases()))
def test_official_suite_passes(given_, case):
    """Each case gives its result, or fails where the suite says it must."""
    if "error" in case:
        with pytest.raises(ExpressionError):
            search(case["expression"], given_)
        return

    assert search(case["expression"], given_) == case["result"]


NAMES = ("a", "b", "c", "id")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, "", "x", "a", "7"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=20,
)
CALLS = (
    "length({0})",
    "to_string({0})",
    "type({0})",
    "keys({0})",
    "values({0})",
    "sort({0})",
    "not_null({0}, {1})",
    "max_by({0}, &{1})",
    "sort_by({0}, &{1})",
    "map(&{0}, {1})",
    "contains({0}, {1})",
    "to_number({0})",
    "sum({0})",
    "reverse({0})",
    "merge({0}, {1})",
    "join('-', {0})",
    "abs({0})",
    "to_array({0})",
    "avg({0})",
    "starts_with({0}, {1})",
)
SHAPES = (
    "{0}.{1}",
    "{0}[0]",
    "{0}[-1]",
    "{0}[1:]",
    "{0}[::-1]",
    "{0}[*].{1}",
    "{0}.*",
    "{0}[]",
    "{0}[].{1}",
    "{0}[?{1}]",
    "{0}[?{1} == {2}].{1}",
    "{0}[?{1} > {2}]",
    "{0} | {1}",
    "{0} || {1}",
    "{0} && {1}",
    "!{0}",
    "({0})",
    "[{0}, {1}]",
    "{{x: {0}, y: {1}}}",
    "{0} == {1}",
    "{0} != {1}",
    "{0} < {1}",
    "{0} >= {1}",
    "{0}.*.{1}",
    "{0}[*].[{1}, {2}]",
)
LEAVES = ("@", "a", "b", "c", "id", "'x'", "''", "`1`", "`0`", "`true`", "`null`", "`[1, 0, true]`")


def grown(inner):
    """Build larger expressions of smaller ones; some are not well-formed, and must both fail."""
    return st.builds(
        lambda shape, parts: shape.format(*parts),
        st.sampled_from(SHAPES + CALLS),
        st.tuples(inner, inner, inner),
    )


@given(text=st.recursive(st.sampled_from(LEAVES), grown, max_leaves=8), value=JSON)
@example(text="a == `0`", value={"a": False})
@example(text="!a", value={"a": 0})
@example(text="a[?b] | [0]", value={"a": [{"b": 0}]})
def test_answers_are_those_of_the_library(text, value):
    """Any expression over any JSON gives what the library gives, or both fail."""
    try:
        expected = jmespath.search(text, value)
    except Exception:  # noqa: BLE001 - the library lets Python's own errors through
        with pytest.raises(ExpressionError):
            search(text, value)
        return
    if isinstance(expected, float) and not math.isfinite(expected):
        return

    answer = search(text, value)

    assert json.dumps(answer, sort_keys=True) == json.dumps(expected, sort_keys=True)


@given(value=JSON, texts=st.lists(st.recursive(st.sampled_from(LEAVES), grown, max_leaves=4)))
def test_fields_together_are_the_fields_one_by_one(value, texts):
    """One function over several expressions gives what each gives alone, or fails as one does."""
    named = {}
    for number, text in enumerate(texts):
        try:
            named[f"f{number}"] = Expression.parse(text, HERE)
        except ExpressionError:
            continue
    try:
        expected = {name: expression.search(value) for name, expression in named.items()}
    except ExpressionError:
        with pytest.raises(ExpressionError):
            compile_fields(named)(value, {})
        return

    assert compile_fields(named)(value, {}) == expected


DOUBLED = "[@,@]"
HOSTILE = {
    "flattened doublings": "a" + f"|{DOUBLED}[]" * 20,
    "nested doublings": "@" + f"|{DOUBLED}" * 40,
    "doublings compared": f"(@{f'|{DOUBLED}' * 25}) == (@{f'|{DOUBLED}' * 25})",
    "doublings as text": f"to_string(@{f'|{DOUBLED}' * 25})",
    "doublings searched": f"contains(@{f'|{DOUBLED}' * 25}, @{f'|{DOUBLED}' * 25})",
    "text doubled": "to_string(@)" + "|join('', [@,@])" * 40,
    "products": "a[*].[@,@][*].[@,@][*].[@,@][*].[@,@][*].[@,@][*].[@,@][*].[@,@][*].[@,@]",
    "maps in maps": "map(&map(&map(&map(&@, to_array(@)), to_array(@)), to_array(@)), a)"
    + "|[@,@][]" * 15,
    "filters in filters": "a[?length(to_string(@)) > `0`]" + "|[@,@,@,@][]" * 8,
    "objects doubled": "@" + "|{x: @, y: @}" * 40,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_expression_is_stopped(text):
    """An expression that grows without end is refused within a second, and says why."""

    def find():
        with pytest.raises(ExpressionError) as caught:
            search(text, {"a": list(range(1000))})
        assert str(caught.value) == "the expression needs more than 500000 steps"

    assert cpu_s(find) < 2


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("a.", "E201", "key: the expression ends too early"),
        ("a b", "E201", "key: the expression is wrong at its character 3, 'b'"),
        ("", "E201", "key: the expression is empty"),
        ("a[::0]", "E201", "key: a slice has a step of 0"),
        ("!a.b", "E201", "key: '!a.b' reads b of what is not a; write !(a.b)"),
        ("lenght(a)", "E205", "key: unknown function lenght(); did you mean 'length'?"),
        ("length(a, b)", "E201", "key: function length() has 2 arguments, expected 1"),
        ("not_null()", "E201", "key: function not_null() has 0 arguments, expected at least 1"),
        ("var(a)", "E207", "key: var() takes one name in quotes, such as var('config.region')"),
        ("a" + " || a" * 70, "E201", "key: the expression is nested deeper than 60 levels"),
        ("a" * 5000, "E201", "key: the expression has more than 4096 characters"),
        ("a[" + "9" * 5000 + "]", "E201", "key: the expression has more than 4096 characters"),
    ],
)
def test_wrong_expression_is_told_where_it_stands(text, code, message):
    """Each fault is one problem at the expression's place."""
    problems = Problems()

    assert Expression.decode_node(Scalar(text, HERE), Site(problems, "key")) is INVALID
    assert [(p.position, p.code, p.message) for p in problems.found] == [(HERE, code, message)]


def test_names_outside_the_roots_are_told_with_the_nearest():
    """Over a response only its own names may be read from the top."""
    problems = Problems()
    site = Site(problems, "records").noted(Roots(("status", "headers", "body")))

    assert Expression.decode_node(Scalar("bdy.items[?name]", HERE), site) is INVALID
    (problem,) = problems.found
    assert str(problem) == (
        "x.yaml:3:7: E204: expression uses 'bdy', variables here are: body, headers, status; "
        "did you mean 'body'?"
    )


@pytest.mark.parametrize(
    ("text", "roots"),
    [
        ("a.b", {"a"}),
        ("a[?b == c].d", {"a"}),
        ("a | b", {"a"}),
        ("length(a) > b", {"a", "b"}),
        ("[a, {x: b}]", {"a", "b"}),
        ("sort_by(a, &b)[0]", {"a"}),
        ("a || !b && @", {"a", "b"}),
        ("a.*.b[].c", {"a"}),
        ("'a'", set()),
    ],
)
def test_roots_are_what_is_read_from_the_value_itself(text, roots):
    """Names inside projections, pipes and references belong to elements, not to the value."""
    assert Expression.parse(text, HERE).roots == roots


def test_variables_are_read_and_known():
    """``var`` reads a path, gives null where it is not, and is known before it runs."""
    expression = Expression.parse("[var('config.region'), var('each.x.y'), a]", HERE)

    assert expression.references == (
        Reference(("each", "x", "y"), HERE),
        Reference(("config", "region"), HERE),
    ) or expression.references == (
        Reference(("config", "region"), HERE),
        Reference(("each", "x", "y"), HERE),
    )
    assert expression.search({"a": 1}, {"config": {"region": "eu"}}) == ["eu", None, 1]


def test_variables_outside_the_scope_are_told():
    """``var`` may only name what its place has."""
    problems = Problems()
    site = Site(problems, "where").noted(Scope(("config", "each")))

    assert Expression.decode_node(Scalar("var('confg.x')", HERE), site) is INVALID
    assert [p.message for p in problems.found] == [
        "expression uses 'confg', variables here are: config, each; did you mean 'config'?"
    ]


@pytest.mark.parametrize(
    ("text", "value", "message"),
    [
        ("abs(a)", {"a": "secret"}, "function abs() got string, expected number"),
        (
            "a < b",
            {"a": 1, "b": "secret"},
            "the expression compares or joins values of different types",
        ),
        ("to_number(a)", {"a": "inf"}, "function to_number() gives a number that is not finite"),
    ],
)
def test_failure_tells_types_and_no_data(text, value, message):
    """What fails says which function and which types, never what the value was."""
    with pytest.raises(ExpressionError) as caught:
        search(text, value)

    assert str(caught.value) == message


def test_text_of_an_author_is_no_code():
    """Field names and literals that look like Python are only data."""
    text = "\"__import__('os').system('x')\".a || '{0}; raise' "
    assert search(text, {}) == "{0}; raise"


def test_large_whole_numbers_keep_every_digit():
    """A 30-digit id goes through unchanged."""
    assert search("a[0].id", {"a": [{"id": 10**30 + 7}]}) == 10**30 + 7
