"""Functions of expressions: their examples, what they refuse, and that templates have the same."""

import contextlib
import json
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationd.config.nodes import Position
from integrationd.errors import ExpressionError
from integrationd.transform.expression import Expression
from integrationd.transform.functions import FUNCTIONS
from integrationd.transform.functions.examples import examples_of
from integrationd.transform.jinja.filters import FILTERS
from integrationd.transform.template import Template
from tests.support.spending import cpu_s

HERE = Position("x.yaml", 3, 7)
EXAMPLES = [
    pytest.param(written, given_, id=written[:60])
    for function in FUNCTIONS.values()
    for written, given_ in examples_of(function)
]


def search(text, value=None):
    """Evaluate once."""
    return Expression.parse(text, HERE).search(value)


@pytest.mark.parametrize(("written", "given_"), EXAMPLES)
def test_an_example_gives_what_it_says(written, given_):
    """What the reference shows is what happens, to the digit and the kind of number."""
    found = search(written, {})

    assert json.dumps(found, sort_keys=True) == json.dumps(json.loads(given_), sort_keys=True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_an_example_and_is_a_filter(name):
    """There is one set of names for expressions and templates."""
    assert list(examples_of(FUNCTIONS[name])) != []
    assert name in FILTERS


@pytest.mark.parametrize("name", [n for n, each in FUNCTIONS.items() if each.parameters[0].kinds])
def test_of_null_comes_null(name):
    """A value that is not there is no reason to set a record aside."""
    function = FUNCTIONS[name]
    least = max(1, sum(each.required for each in function.parameters))

    assert function.apply([None] * least) is None


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=30)
@given(data=st.data())
def test_any_values_give_json_or_a_told_error(name, data):
    """Whatever a provider sends, nothing comes out but JSON or the error that is foreseen."""
    function = FUNCTIONS[name]
    values = [data.draw(_drawn(each)) for each in function.parameters]

    found = None
    with contextlib.suppress(ExpressionError):
        found = function.call(values)

    json.dumps(found, allow_nan=False)


def _drawn(parameter):
    """Draw values for a parameter, mostly of kinds that it takes."""
    if parameter.fixed is not None:
        return st.sampled_from(FIXED[parameter.name])
    kinds = {
        str: st.text(max_size=12),
        int: st.integers(-5, 50),
        float: st.floats(allow_nan=False, allow_infinity=False),
    }
    own = [kinds[kind] for kind in parameter.kinds if kind in kinds]
    return st.one_of(*own, JSON) if own else JSON


FIXED = {
    "pattern": ["^a+$", "[0-9]{2}"],
    "region": ["EC", "DE"],
    "notation": ["iso", "date", "unix", "dotnet", "rfc2822", "%d.%m.%Y %H:%M", "%Y-%m-%d %z"],
    "timezone": ["Europe/Madrid", "America/Guayaquil"],
    "duration": ["30d", "-1h30m"],
}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lower(`1`)", "function lower() got number, expected string"),
        ("lower()", "function lower() has 0 arguments; it is written lower(text)"),
        (
            "pad_left('a', `3`, '0', '1')",
            "function pad_left() has 4 arguments; it is written pad_left(text, width, fill?)",
        ),
        ("regex_match(a, b)", "function regex_match() takes its 'pattern' in quotes, not computed"),
        pytest.param(
            "regex_match(a, '(?=x)')",
            r"function regex_match() got '(?=x)', which looks around or refers back, as (?=…) and "
            r"\1 do; the time that it takes has no bound",
        ),
        (
            r"regex_find(a, '\pL+')",
            r"function regex_find() has '\p', which is not known here",
        ),
        (
            "parse_time(a, '%q')",
            (
                "function parse_time() got '%q', expected 'iso', 'date', 'unix', 'unix_ms', "
                "'unix_us', 'rfc2822', 'http_date', 'dotnet' or a pattern such as '%d.%m.%Y'"
            ),
        ),
        (
            "format_time(a, 'iso', 'Europe/Madird')",
            (
                "function format_time() got 'Europe/Madird', expected a time zone such as "
                "'Europe/Berlin'"
            ),
        ),
        (
            "shift_time(a, '1 day')",
            "function shift_time() got '1 day', expected a duration such as '30d' or '-1h30m'",
        ),
        (
            "phone(a, 'XX')",
            "function phone() got 'XX', expected a country's two letters, such as 'DE'",
        ),
    ],
)
def test_a_wrong_use_is_told_when_the_file_is_read(text, message):
    """As far as it is seen without a record."""
    with pytest.raises(ExpressionError) as caught:
        Expression.parse(text, HERE)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("argument", "fault"),
    [
        ("config.a", "takes its 'pattern' in quotes, not computed"),
        (
            "pattern='a['",
            "got 'a[', which is no regular expression, or too large a one",
        ),
    ],
)
def test_a_wrong_use_in_a_template_is_told_when_the_file_is_read(argument, fault):
    """As in an expression."""
    with pytest.raises(ExpressionError) as caught:
        Template.parse(f"{{{{ config.a | regex_match({argument}) }}}}", HERE)

    assert str(caught.value) == f"template: filter 'regex_match' {fault}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("29.03.2026 02:30", "2026-03-29T01:30:00Z"),  # skipped: an hour after 01:30 in winter
        ("25.10.2026 02:30", "2026-10-25T00:30:00Z"),  # shown twice: still in summer
    ],
)
def test_nights_on_which_the_clock_is_set(text, expected):
    """A time that is skipped counts from the hour before; of one shown twice it is the first."""
    assert search("parse_time(@, '%d.%m.%Y %H:%M', 'Europe/Madrid')", text) == expected


@given(st.integers(-(2**31), 2**32))
def test_what_clocks_show_is_read_back(seconds):
    """Except in the hour that they show twice, where the first is meant."""
    text = search("parse_time(@, 'unix')", seconds)
    pattern, zone = "'%Y-%m-%d %H:%M:%S'", "'America/New_York'"

    back = search(f"parse_time(format_time(@, {pattern}, {zone}), {pattern}, {zone})", text)

    assert datetime.fromisoformat(text) - datetime.fromisoformat(back) in (
        timedelta(0),
        timedelta(hours=1),
    )


def test_rows_of_odd_bodies():
    """An object keyed by id, a table with a header, and lists inside records become rows."""
    body = {
        "prices": {"7": {"price": 5}},
        "rows": [["id", "name"], [1, "Ana"]],
        "orders": [{"id": 7, "lines": [{"sku": "A"}]}, {"id": 8, "lines": []}, {"id": 9}],
    }

    assert search("items(prices)[*].{id: [0], price: [1].price}", body) == [{"id": "7", "price": 5}]
    assert search("rows_to_objects(rows)", body) == [{"id": 1, "name": "Ana"}]
    lines = search("orders[].add_to_each(lines, {order_id: id})[]", body)
    assert lines == [{"order_id": 7, "sku": "A"}]


@pytest.mark.parametrize(
    ("text", "value", "wrong"),
    [
        ("lower(@)", 7, "got number, expected string"),
        ("from_items(@)", [["a"]], "expected a list of pairs, each of a text and a value"),
        ("rows_to_objects(@)", [["a"], 1], "expected rows that are lists"),
        ("rows_to_objects(@)", [[1]], "expected a header of texts"),
        ("add_to_each(@, {a: `1`})", [1], "expected a list of objects"),
        ("fromjson(@)", "{", "expected text that is JSON"),
        ("b64decode(@)", "!", "expected Base64 of text in UTF-8"),
        ("hexdecode(@)", "xy", "expected hexadecimal digits of text in UTF-8"),
        ("uuid5(@, 'x')", "a", "expected the namespace 'dns', 'url', 'oid' or a UUID"),
        ("add(@, `1`)", "1_0", "expected text that is a number"),
        ("parse_decimal(@)", "1,2,3", "expected text that is a number"),
        ("parse_time(@, '%d.%m.%Y')", "31.02.2026", "expected a time such as 31.01.2026"),
        ("format_time(@, 'date')", "soon", "expected a time such as 2026-01-31T12:00:00Z"),
        (
            "shift_time(@, '1d')",
            "9999-12-31",
            "expected a time between the years 1 and 9999",
        ),
        ("replace(@, '', 'x')", "a", "is to replace an empty text"),
        ("split(@, '')", "a", "is to split at an empty text"),
        ("pad_left(@, `100000`)", "a", "expected a width from 0 to 10,000 and one character"),
    ],
)
def test_what_a_function_does_not_take_is_told_without_the_value(text, value, wrong):
    """The record is set aside for this reason; no data is in it."""
    with pytest.raises(ExpressionError) as caught:
        search(text, value)

    assert str(caught.value) == f"function {text.partition('(')[0]}() {wrong}"


def test_a_text_does_not_grow_without_bounds():
    """A short text in the place of each character is refused before it is made."""
    with pytest.raises(ExpressionError) as caught:
        search("replace(@, 'a', '0123456789')", "a" * 200_000)

    assert str(caught.value) == (
        "function replace() makes a text of more than 1,000,000 characters"
    )


def test_fields_do_not_multiply_without_bounds():
    """Many fields beside many objects are refused before they are made."""
    value = {"list": [{}] * 1000, "fields": {str(number): 1 for number in range(1000)}}

    with pytest.raises(ExpressionError) as caught:
        search("add_to_each(list, fields)", value)

    assert str(caught.value) == "function add_to_each() makes more than 200,000 fields"


def test_a_pattern_takes_time_that_grows_with_the_text_alone():
    """What makes other engines try for years is answered at once."""

    def find():
        return search("regex_match(@, '^(a+)+$')", "a" * 5000 + "b")

    assert find() is False
    assert cpu_s(find) < 1


def test_null_is_a_value_where_any_value_goes():
    """JSON can say it, and what stands in its place may be left out."""
    assert search("tojson(@)", None) == "null"
    assert search("get(@, 'b', a)", {"a": None}) is None
    assert search("trim(@, `null`)", " a ") == "a"


@pytest.mark.parametrize(
    ("notation", "expected"),
    [
        ("iso", "2026-01-31T12:00:00Z"),
        ("unix", 1769860800),
        ("%Y-%m-%d %H:%M %z", "2026-01-31 12:00 +0000"),
        ("%Y-%m-%d %H:%M", "2026-01-31 07:00"),
        ("date", "2026-01-31"),
    ],
)
def test_what_names_its_zone_is_in_utc(notation, expected):
    """Only a text that leaves the zone open is as clocks of the zone show it."""
    zone = "'America/Guayaquil'"

    assert search(f"format_time(@, '{notation}', {zone})", "2026-01-31T12:00:00Z") == expected


def test_what_a_pattern_finds():
    """A group that is not in the match is null; what is replaced may be empty."""
    assert search("regex_find(@, '(a)?b')", "b") is None
    assert search("regex_find(@, '')", "b") == ""
    assert search("regex_find(@, 'x')", "b") is None
    assert search("regex_replace(@, '^|b', '-')", "abb") == "-a--"


@given(st.lists(st.integers(-(10**20), 10**20), min_size=1, max_size=5))
def test_sums_of_money_are_exact(cents):
    """Text money adds up to the cent, however large."""
    texts = [f"{'-' if cent < 0 else ''}{abs(cent) // 100}.{abs(cent) % 100:02}" for cent in cents]

    total = FUNCTIONS["add"].apply(texts)

    assert FUNCTIONS["to_minor"].apply([total]) == sum(cents)
    assert FUNCTIONS["from_minor"].apply([sum(cents)]) == total.replace("-0.00", "0.00")


@given(st.lists(st.tuples(st.text(), st.integers())))
def test_items_and_from_items_undo_each_other(pairs):
    """An object comes back from its pairs."""
    value = dict(pairs)

    assert search("from_items(items(@))", value) == value
