"""Operations and probes as they are written: merged, checked, and what their output finds."""

import pytest

from integrationd.errors import ExpressionError
from integrationd.wire.call import BaseCall, build_request
from integrationd.wire.messages import FormBody, JsonBody
from tests.support.worlds import bundle_of

PROVIDER = """\
provider: library
config: {branch: {type: string, default: main}}
http: {base_url: https://library.test/api}
probe: {get: /libraries, query: {_per_page: 1}}
operations:
  find_item:
    input: {barcode: {type: string}}
    get: "/items/{{ input.barcode }}"
    output: {item: "body[0]", branch: "var('config.branch')", asked: "var('input.barcode')"}
  place_hold:
    input: {patron_id: {type: integer}, note: {type: [string, "null"], default: null}}
    post: /holds
    json: "{{ input }}"
    output: body.hold_id
"""
ACCOUNT = "integration: a\nuses: library\n"


def operation_of(text, name="it"):
    """Return one operation of an integration that says it inline."""
    lines = "".join(f"    {line}\n" for line in text.strip().splitlines())
    head = "integration: a\nhttp: {base_url: https://a.test}\noperations:\n  it:\n"
    return bundle_of(a=head + lines).integrations["a"].operations[name]


def request_of(operation, **values):
    """Build its request."""
    variables = {"config": {}, "secrets": {}, "input": values}
    return build_request(operation, base=BaseCall(base_url="https://a.test"), variables=variables)


def test_integration_is_laid_over_its_providers_operations():
    """One can be changed in part or taken away, the others stay."""
    changed = "operations: {place_hold: null, find_item: {cache: 5m}}\n"
    made = bundle_of(library=PROVIDER, a=ACCOUNT + changed).integrations["a"]

    assert list(made.operations) == ["find_item"]
    assert made.operations["find_item"].cache.total_seconds() == 300
    assert made.operations["find_item"].method == "GET"
    assert made.probe is not None
    assert made.probe.method == "GET"


def test_whole_input_keeps_its_types():
    """``json: "{{ input }}"`` sends the values as they are, null included."""
    made = bundle_of(library=PROVIDER, a=ACCOUNT).integrations["a"].operations["place_hold"]

    assert request_of(made, patron_id=7, note=None).body == JsonBody({"patron_id": 7, "note": None})


def test_null_input_leaves_a_parameter_out():
    """An optional value is simply not sent."""
    made = operation_of("""
input: {a: {default: null}, b: {default: null}}
post: /x
query: {a: "{{ input.a }}"}
form: {a: "{{ input.a }}", b: "{{ input.b }}"}
""")

    request = request_of(made, a=None, b=["1", "2"])

    assert (request.query, request.body) == ((), FormBody((("b", "1"), ("b", "2"))))


def test_input_in_a_path_is_encoded():
    """A value cannot climb out of its place in the path."""
    made = bundle_of(library=PROVIDER, a=ACCOUNT).integrations["a"].operations["find_item"]

    assert request_of(made, barcode="a/b?c").url == "https://a.test/items/a%2Fb%3Fc"


def test_output_is_an_object_of_expressions():
    """Each reads the reply; ``var`` reads configuration and input."""
    made = bundle_of(library=PROVIDER, a=ACCOUNT).integrations["a"].operations["find_item"]
    reply = {"status": 200, "headers": {}, "body": [{"id": 1}]}

    found = made.output.read(reply, {"config": {"branch": "east"}, "input": {"barcode": "b"}})

    assert found == {"item": {"id": 1}, "branch": "east", "asked": "b"}


def test_output_may_be_one_expression():
    """Then what it finds is all that the call gives."""
    made = bundle_of(library=PROVIDER, a=ACCOUNT).integrations["a"].operations["place_hold"]

    assert made.output.read({"status": 201, "headers": {}, "body": {"hold_id": 3}}, {}) == 3


def test_output_that_does_not_fit_names_its_place():
    """Which of the expressions failed is told, and nothing of the reply."""
    made = operation_of("get: /x\noutput: {count: length(body)}")

    with pytest.raises(ExpressionError) as caught:
        made.output.read({"status": 200, "headers": {}, "body": 5}, {})

    assert str(caught.value) == (
        "output.count: function length() got number, expected string or array or object"
    )


@pytest.mark.parametrize(
    ("text", "repeats"),
    [
        ("get: /x", True),
        ("put: /x", True),
        ("delete: /x", True),
        ("post: /x", False),
        ("patch: /x", False),
        ("post: /x\nidempotent: true", True),
        ("put: /x\nidempotent: false", False),
    ],
)
def test_method_says_whether_a_call_may_be_repeated(text, repeats):
    """As HTTP has it, unless the file knows better."""
    assert operation_of(text).may_repeat is repeats
