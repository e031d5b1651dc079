"""What an expression may cost and give: work is paid for first, and only JSON comes out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.decode import INVALID, Site
from integrationd.config.nodes import Position, Scalar
from integrationd.config.problems import Problems
from integrationd.errors import ExpressionError
from integrationd.model.secret import Secret
from integrationd.transform.expression import Expression, compile_fields
from integrationd.transform.jmes import runtime
from tests.support.spending import cpu_s

HERE = Position("x.yaml", 3, 7)
TOO_MUCH = "the expression needs more than 500000 steps"
MANY = list(range(100_000))
LONG = "x" * 2_000_000
TERM = "(@ != `-1` && @ != `-2`)"


def search(text, value, variables=None):
    """Evaluate once."""
    return Expression.parse(text, HERE).search(value, variables or {})


@pytest.mark.parametrize(
    ("text", "value", "variables"),
    [
        pytest.param(f"[*].[{','.join('@' * 1700)}]", MANY, {}, id="wide-list"),
        pytest.param(
            f"[*].{{{','.join(f'x{at}: @' for at in range(400))}}}", MANY, {}, id="wide-object"
        ),
        pytest.param(f"[?{' && '.join([TERM] * 55)}]", MANY, {}, id="wide-condition"),
        pytest.param(f"map(&[{','.join('@' * 1700)}], @)", MANY, {}, id="wide-map"),
        pytest.param(f"sort_by(@, &[{','.join('@' * 1700)}][0])", MANY, {}, id="wide-key"),
        pytest.param("join(s, l)", {"s": LONG, "l": [""] * 1500}, {}, id="long-separator"),
        pytest.param("join('', l)", {"l": [LONG] * 20}, {}, id="long-items"),
        pytest.param(
            "s | join('', [@,@]) | join('', [@,@]) | join('', [@,@]) | join('', [@,@])",
            {"s": LONG},
            {},
            id="text-doubled",
        ),
        pytest.param(
            "[?var('a') == var('b')]", MANY, {"a": MANY, "b": list(MANY)}, id="lists-compared"
        ),
        pytest.param("[?contains(var('a'), @)]", MANY, {"a": MANY}, id="list-searched"),
        pytest.param(
            "[?contains(var('a'), var('b'))]", MANY, {"a": [[MANY]], "b": [list(MANY)]}, id="lists"
        ),
        pytest.param("to_string(@)", [MANY] * 6, {}, id="written"),
        pytest.param("[*].sort(var('a'))", MANY, {"a": MANY}, id="sorted"),
    ],
)
def test_work_is_paid_for_before_it_is_done(text, value, variables):
    """What would take seconds or gigabytes is refused in half a second."""

    def find():
        with pytest.raises(ExpressionError) as caught:
            search(text, value, variables)
        assert str(caught.value) == TOO_MUCH

    assert cpu_s(find) < 0.5


def test_copies_are_paid_for_where_they_stand_often():
    """Six doublings of a large list are given as they are, seven are measured and refused."""
    assert len(search("@" + "|[@,@]" * 6, MANY)) == 2

    with pytest.raises(ExpressionError) as caught:
        search("@" + "|[@,@]" * 7, MANY)

    assert str(caught.value) == TOO_MUCH


def test_page_of_records_is_within_bounds():
    """A page of 30,000 records with 16 fields each is no attack."""
    fields = ", ".join(f"f{at}: a{at}" for at in range(16))
    page = {"data": [{f"a{at}": at for at in range(16)}] * 30_000}

    found = search(f"data[].{{{fields}}}", page)

    assert len(found) == 30_000
    assert found[0] == {f"f{at}": at for at in range(16)}


@pytest.mark.parametrize("literal", ["`NaN`", "`[1, -Infinity]`", '`{"a": [1e999]}`'])
def test_literal_without_bounds_is_refused(literal):
    """JSON has no NaN and no infinity, so that none can be written into an expression."""
    with pytest.raises(ExpressionError) as caught:
        search(f"a == {literal}", {})

    assert str(caught.value) == "a literal holds a number without bounds (NaN or infinity)"


@pytest.mark.parametrize("depth", [900, 1900])
def test_deep_literal_is_told(depth):
    """A literal nested deeper than Python can walk is a said error."""
    with pytest.raises(ExpressionError) as caught:
        Expression.parse(f"`{'[' * depth}{']' * depth}`", HERE)

    assert str(caught.value) == (
        "the expression cannot be read: a number is too large or it is too deep"
    )


@pytest.mark.parametrize(
    "text",
    ["&a", "[&a]", "a || &b", "to_array(&a)", "type(&a)", "to_string(&a)", "map(a, &b)", "var(&a)"],
)
def test_reference_never_leaves_as_a_value(text):
    """``&`` alone is no JSON; it stands only where a function asks for it."""
    with pytest.raises(ExpressionError):
        Expression.parse(text, HERE)


def test_stray_reference_is_told():
    """The message says where ``&`` may stand."""
    with pytest.raises(ExpressionError) as caught:
        Expression.parse("a || &b", HERE)

    assert str(caught.value) == (
        "'&' stands before an argument of map, sort_by, min_by or max_by only"
    )


def test_secret_cannot_be_read_by_an_expression():
    """A record is stored, so that a secret must not get into one."""
    with pytest.raises(ExpressionError) as caught:
        search("[var('secrets.k')]", {}, {"secrets": {"k": Secret("hunter2")}})

    assert str(caught.value) == "var() names a secret; only a template may use one"


@pytest.mark.parametrize(
    ("text", "roots"),
    [
        ("@.a.b", {"a"}),
        ("@ | a", {"a"}),
        ("@.[a, b]", {"a", "b"}),
        ("@[0].a", set()),
        ("@ | @", set()),
        ("@[*].a", set()),
    ],
)
def test_roots_behind_the_current_value_are_seen(text, roots):
    """``@.a`` reads what ``a`` reads, so that a wrong name is told there too."""
    assert Expression.parse(text, HERE).roots == roots


def test_fields_together_have_the_steps_of_all():
    """Several fields that are each within bounds are so together."""
    named = {f"f{at}": Expression.parse("[?@ == `7`] | [0]", HERE) for at in range(8)}

    assert set(compile_fields(named)(MANY, {}).values()) == {7}


@given(text=st.text("ab.[]*?|&!=<>(),:{}@`'\"\\01-_ \n\x00é\ud800", max_size=20))
def test_any_text_is_an_expression_or_a_said_error(text):
    """Whatever an author types, parsing ends with an expression or a problem of one line."""
    problems = Problems()

    expression = Expression.decode_node(Scalar(text, HERE), Site(problems, "key"))

    assert (expression is INVALID) == bool(problems.found)
    assert all(len(problem.message.splitlines()) == 1 for problem in problems.found)


def test_steps_are_counted_to_the_last():
    """The budget is a limit and not an estimate: one element more is refused."""
    expression = Expression.parse("[*].a", HERE)

    assert expression.search([None] * runtime.STEPS_MAX) == []
    with pytest.raises(ExpressionError):
        expression.search([None] * (runtime.STEPS_MAX + 1))
