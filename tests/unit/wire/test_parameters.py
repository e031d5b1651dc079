"""How lists and objects become the pairs of a form or a query."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.config.decode import Site, decode
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.errors import RefusedError
from integrationd.model.secret import Secret
from integrationd.wire.call import BaseCall, CallShape, build_request
from integrationd.wire.messages import FormBody

BASE = BaseCall(base_url="https://api.test/v1")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def body_of(text, **roots):
    """Build the body of a request that is known to be right."""
    problems = Problems()
    node = parse_yaml(text.encode(), file="specs/acme.yaml", problems=problems)
    shape = decode(node, CallShape, Site(problems, "streams.orders"))
    assert problems.found == []
    return build_request(shape, base=BASE, variables={"config": {}, "secrets": {}, **roots}).body


NESTED = """
    post: /x
    form:
      metadata: {k: v, n: null}
      items: [{price: p1, quantity: 2}, {price: p2}]
      expand: [a, b]
    encode: {lists: %s, objects: %s}
"""


@pytest.mark.parametrize(
    ("lists", "objects", "pairs"),
    [
        (
            "indexed",
            "brackets",
            [
                ("metadata[k]", "v"),
                ("items[0][price]", "p1"),
                ("items[0][quantity]", "2"),
                ("items[1][price]", "p2"),
                ("expand[0]", "a"),
                ("expand[1]", "b"),
            ],
        ),
        (
            "brackets",
            "brackets",
            [
                ("metadata[k]", "v"),
                ("items[][price]", "p1"),
                ("items[][quantity]", "2"),
                ("items[][price]", "p2"),
                ("expand[]", "a"),
                ("expand[]", "b"),
            ],
        ),
        (
            "indexed",
            "dots",
            [
                ("metadata.k", "v"),
                ("items[0].price", "p1"),
                ("items[0].quantity", "2"),
                ("items[1].price", "p2"),
                ("expand[0]", "a"),
                ("expand[1]", "b"),
            ],
        ),
        (
            "commas",
            "json",
            [
                ("metadata", '{"k":"v","n":null}'),
                ("items", '{"price":"p1","quantity":2},{"price":"p2"}'),
                ("expand", "a,b"),
            ],
        ),
        (
            "repeat",
            "json",
            [
                ("metadata", '{"k":"v","n":null}'),
                ("items", '{"price":"p1","quantity":2}'),
                ("items", '{"price":"p2"}'),
                ("expand", "a"),
                ("expand", "b"),
            ],
        ),
    ],
)
def test_form_is_written_as_encode_says(lists, objects, pairs):
    """Stripe's and PHP's brackets, .NET's dots, commas, and what is so by default."""
    assert body_of(NESTED % (lists, objects)) == FormBody(tuple(pairs))


@given(
    st.recursive(
        TEXTS,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3)
            | st.dictionaries(st.from_regex("[a-z]+", fullmatch=True), inner, min_size=1)
        ),
        max_leaves=8,
    )
)
def test_indexed_brackets_lose_nothing(value):
    """What PHP makes of the pairs is the value again."""
    shape = '{post: /x, form: {a: "{{ config.v }}"}, encode: {lists: indexed, objects: brackets}}'
    found: dict = {}
    for name, text in body_of(shape, config={"v": value}).pairs:
        path = name.replace("]", "").split("[")
        place = found
        for key in path[:-1]:
            place = place.setdefault(key, {})
        place[path[-1]] = text

    assert _lists(found["a"], value) == value


def _lists(found, like):
    """Make lists of objects with indices where there was a list."""
    if isinstance(like, list):
        return [_lists(found[str(index)], item) for index, item in enumerate(like)]
    if isinstance(like, dict):
        return {key: _lists(found[key], item) for key, item in like.items()}
    return found


def test_null_in_a_list_takes_no_place():
    """What is sent is counted from zero on, without a hole."""
    body = body_of("{post: /x, form: {a: [null, x, null, {b: null}, z]}, encode: {lists: indexed}}")

    assert body == FormBody((("a[0]", "x"), ("a[1]", '{"b":null}'), ("a[2]", "z")))


def test_list_with_a_secret_is_a_secret():
    """Joined by commas, the whole text is masked."""
    body = body_of(
        '{post: /x, form: {a: [x, "{{ secrets.k }}"]}, encode: {lists: commas}}',
        secrets={"k": Secret("s3")},
    )

    assert body == FormBody((("a", Secret("x,s3")),))


def test_value_that_never_ends_is_refused():
    """A value too deep to be written is refused, not a crash."""
    deep: list = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(RefusedError) as caught:
        body_of(
            '{post: /x, form: {a: "{{ config.v }}"}, encode: {lists: indexed}}', config={"v": deep}
        )

    assert str(caught.value) == "a value in the query or form is nested too deep"
