"""What ``--input`` may say of a stream, and the messages where it may not."""

import pytest

from integrationd.errors import InputError
from integrationd.spec.narrowing import read_narrowing
from tests.support.worlds import plan_of

SPEC = """\
integration: shop
http: {base_url: https://api.test, paginate: none}
streams:
  orders:
    input:
      id: {type: integer}
      kind: {enum: [sale, refund], default: sale}
      since: {type: integer}
    get: /orders
    query: {ids: "{{ input.id }}", kind: "{{ input.kind }}", from: "{{ input.since }}"}
    key: id
    incremental: {field: at, into: query.since}
  windows:
    for_each: {list: [a], as: site}
    get: /windows
    key: id
    incremental: {field: at, into: query.since, start: 30d, window: {step: 1d, into: query.until}}
  times: {get: /times, key: id, incremental: {field: at, into: query.since, read: [unix]}}
  numbers: {get: /numbers, key: id, incremental: {field: at, into: query.since, type: number}}
  tokens: {get: /tokens, key: id, incremental: {cursor: body.token, into: query.since}}
"""


def read(stream, **texts):
    """Read what was typed."""
    return read_narrowing(plan_of(SPEC, stream).stream, {}, texts)


def test_declared_inputs_have_their_types():
    """The ones that nobody gave have their default, or are null; the history has what was given."""
    found = read("orders", id="42")

    assert found.values == {"id": 42, "kind": "sale", "since": None}
    assert (found.given, found.since) == ({"id": 42}, None)


def test_declared_input_comes_before_the_built_in_one():
    """Where a stream declares ``since`` itself, its cursor's rule knows nothing of it."""
    found = read("orders", since="3")

    assert (found.values["since"], found.since) == (3, None)


def test_built_in_inputs_are_those_of_the_rule():
    """Bounds of the cursor, the end only of windows, and the values of ``for_each``."""
    found = read("windows", since="2026-01-01", until="2026-02-01", site="a")

    assert (found.since, found.until, found.each) == ("2026-01-01", "2026-02-01", {"site": "a"})
    assert found.values == {}


@pytest.mark.parametrize(
    ("stream", "texts", "message"),
    [
        ("orders", {"ids": "1"}, "unknown input 'ids'; did you mean 'id'?"),
        ("orders", {"x": "1"}, "unknown input 'x'; known here: id, kind, since"),
        (
            "orders",
            {"id": "many", "kind": "gift"},
            (
                "input.kind is 'gift', expected one of sale, refund\n"
                "input.id is 'many', expected a whole number"
            ),
        ),
        (
            "tokens",
            {"since": "1"},
            "unknown input 'since'; the stream takes none, declare it under 'input'",
        ),
        (
            "times",
            {"until": "2026-01-01"},
            (
                "unknown input 'until'; the provider is not told where to end, as "
                "'incremental' has no 'window'"
            ),
        ),
        (
            "times",
            {"since": "yesterday"},
            "input.since is 'yesterday', expected a time such as 2026-01-31T12:00:00Z",
        ),
        ("numbers", {"since": "soon"}, "input.since is 'soon', expected a number"),
        (
            "windows",
            {"since": "2026-02-01", "until": "2026-01-01"},
            "input.until is before input.since, which is '2026-02-01'",
        ),
    ],
)
def test_what_does_not_fit_is_told(stream, texts, message):
    """All of it at once, with the value and what was expected."""
    with pytest.raises(InputError) as told:
        read(stream, **texts)

    assert str(told.value) == message
