"""What of a spec no case has touched: by what the engine did, not by what a case says."""

import pytest

from tests.support.casebook import run

NONE = """\
cases: library
webhooks: [{name: a, endpoint: events, expect: {accepted: false}}]
"""
PAGE = "{{body: {{total: {total}, data: [{data}]}}}}"


def page(data, total=1):
    """Write a page of books."""
    return PAGE.format(data=data, total=total)


def exchanges(*answers):
    """Write exchanges with any request."""
    return f"[{', '.join(f'{{response: {answer}}}' for answer in answers)}]"


def untouched_by(*cases, key="streams"):
    """Return what some readings leave untouched, beside what every one of them does."""
    listed = "".join(f"  - {{name: c{at}, {case}}}\n" for at, case in enumerate(cases))
    ran = run(f"cases: library\n{key}:\n{listed}")
    assert ran.faults == []
    return ran.untouched()


def test_everything_is_there_to_be_touched():
    """In the order of the file, by its place."""
    assert run(NONE).untouched() == {
        "http": ["401", "429", "a passing failure, tried again"],
        "probe": ["an answer", "a refusal"],
        "streams.books": [
            "a reading",
            "a second page",
            "the last of several pages",
            "an empty answer",
            "a reading from a cursor",
            "a resumed reading",
            "a deleted record",
            "a record set aside",
        ],
        "mapping book": ["title", "pages", "state", "state: in", "state: out"],
        "streams.copies": [
            "a reading",
            "an empty answer",
            "a resumed reading",
            "two partitions",
            "a partition that fails",
            "a record that is gone",
        ],
        "operations.renew": ["an answer", "a refusal", "input that does not fit"],
        "webhooks.events": ["accepted"],
    }


@pytest.mark.parametrize(
    ("case", "touched"),
    [
        (
            f"exchanges: {exchanges(page('', 0))}",
            {"a reading", "an empty answer"},
        ),
        (
            f"exchanges: {exchanges(page('{id: 1, title: A}', 2), page('{id: 2, title: B}', 2))}",
            {"a reading", "a second page", "the last of several pages", "title"},
        ),
        (
            f"exchanges: {exchanges(page('{id: 1, title: A, state: o}'))}",
            {"a reading", "title", "state", "state: out"},
        ),
        (
            f"exchanges: {exchanges(page('{id: 1, gone: true}'))}",
            {"a reading", "a deleted record"},
        ),
        (
            f"exchanges: {exchanges(page('{id: 1}'))}, expect: {{quarantined: 1}}",
            {"a reading", "a record set aside"},
        ),
        (
            f"exchanges: {exchanges(page('', 0))}, before: {{cursor: '2026-01-01'}}",
            {"a reading", "an empty answer", "a reading from a cursor"},
        ),
        (
            f"exchanges: {exchanges('429', page('', 0))}",
            {"429", "a reading", "an empty answer"},
        ),
        (
            f"exchanges: {exchanges('503', page('', 0))}",
            {"a passing failure, tried again", "a reading", "an empty answer"},
        ),
        (
            f"exchanges: {exchanges('401')}, expect: {{outcome: failed}}",
            {"401"},
        ),
        (
            f"exchanges: {exchanges('404')}, expect: {{outcome: failed}}",
            set(),
        ),
    ],
    ids=[
        "empty", "pages", "fields", "deleted", "aside", "cursor", "429", "503", "401", "404",
    ],
)  # fmt: skip
def test_a_reading_touches_what_it_shows(case, touched):
    """And nothing else."""
    before = {what for names in run(NONE).untouched().values() for what in names}
    left = untouched_by(f"stream: books, {case}")
    after = {
        what
        for where, names in left.items()
        if where not in ("streams.copies", "operations.renew", "webhooks.events", "probe")
        for what in names
    }
    own = before - {
        *("an answer", "a refusal", "input that does not fit", "accepted", "two partitions"),
        *("a partition that fails", "a record that is gone"),
    }

    assert own - after == touched


def test_a_reading_that_goes_on_is_told_from_one_that_begins():
    """It takes two runs, of which the first breaks off."""
    broken = exchanges(page("{id: 1, title: A}", 2), *["500"] * 4)
    rest = exchanges(page("{id: 1, title: A}", 2), page("{id: 2, title: B}", 2))
    first = f"{{exchanges: {broken}, expect: {{outcome: failed}}}}"

    half = untouched_by(f"stream: books, runs: [{first}]")
    whole = untouched_by(f"stream: books, runs: [{first}, {{exchanges: {rest}}}]")

    assert "a resumed reading" in half["streams.books"]
    assert "the last of several pages" in half["streams.books"]
    assert "a resumed reading" not in whole["streams.books"]
    assert "the last of several pages" not in whole["streams.books"]


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        ("input: {id: 1}, exchanges: [{response: 200}]", ["a refusal", "input that does not fit"]),
        (
            "input: {id: 1}, exchanges: [{response: 404}], expect: {outcome: failed}",
            ["an answer", "input that does not fit"],
        ),
        ("expect: {outcome: refused}", ["an answer", "a refusal"]),
    ],
    ids=["answer", "refusal", "misfit"],
)
def test_an_operation_has_an_answer_and_refusals(keys, left):
    """By how the call ends."""
    found = untouched_by(f"operation: renew, {keys}", key="operations")

    assert found["operations.renew"] == left


RULES = """\
integration: moody
http:
  base_url: https://moody.test
  paginate: none
  errors: [{when: body.slow, then: retry}, {when: body.bad, then: fail}]
streams:
  all: {get: /all, records: body.data, key: id, errors: [{when: "status == `418`", then: skip}]}
"""


@pytest.mark.parametrize(
    ("answers", "expect", "left"),
    [
        ("{response: {body: {data: []}}}", "{}", ["http 0", "http 1", "streams.all 0"]),
        (
            "{response: {body: {slow: true, bad: true}}}, {response: {body: {data: []}}}",
            "{}",
            ["http 1", "streams.all 0"],
        ),
        (
            "{response: {body: {bad: true}}}",
            "{outcome: failed}",
            ["http 0", "streams.all 0"],
        ),
        ("{response: {status: 418, body: no JSON}}", "{}", ["http 0", "http 1"]),
    ],
    ids=["none", "first", "second", "own"],
)
def test_a_rule_of_errors_is_touched_where_it_decides(answers, expect, left):
    """The first that holds, and none behind it."""
    ran = run(
        "cases: moody\nstreams:\n"
        f"  - {{name: a, stream: all, exchanges: [{answers}], expect: {expect}}}\n",
        moody=RULES,
    )

    assert ran.faults == []
    assert [
        f"{where} {what[-2]}"
        for where, names in ran.untouched().items()
        for what in names
        if what.startswith("errors")
    ] == left
