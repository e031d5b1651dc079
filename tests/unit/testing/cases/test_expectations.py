"""Each thing that a reading can be expected to come to: it holds, and it fails in these words."""

import pytest

from tests.support.casebook import one, run

TWO = (
    "{request: GET /api/books, response: {body: {total: 2, data: ["
    '{id: 1, title: Tides, pages: "12", state: i, changed: "2026-01-01"}, '
    '{id: 2, title: Salt, state: o, changed: "2026-01-02"}]}}}'
)
BAD = (
    "{request: GET /api/books, response: {body: {total: 2, data: ["
    "{id: 1}, {title: Salt}, {id: 3, title: Bread}]}}}"
)
GONE = (
    "{request: GET /api/books, response: {body: {total: 2, data: ["
    "{id: 1, gone: true}, {id: 2, title: Salt}]}}}"
)
BEFORE = "{records: {'1': {title: Tides}, '2': {title: Salt}}}"
REFUSED = "{request: GET /api/books, response: 403}"
ENDED = (
    "GET /api/books answered 403; look at the rights (role, scopes) of the account behind "
    "secrets.api_key"
)


@pytest.mark.parametrize(
    ("holds", "fails", "told"),
    [
        ("records: 2", "records: 1", ["expected 1 record, got 2"]),
        (
            "records: [{title: Tides}, {title: Salt}]",
            "records: [{title: Tides}, {title: Salz, state: in}]",
            [
                "record 2: title expected 'Salz', got 'Salt'",
                "record 2: state expected 'in', got 'out'",
            ],
        ),
        (
            "records: [{external_id: '1', pages: 12}, {}]",
            "records: [{external_id: '7', pages: '12'}]",
            [
                "expected 1 record, got 2 ('1', '2')",
                "record 1: external_id expected '7', got '1'",
                "record 1: pages expected '12', got 12",
            ],
        ),
        (
            "records: {'2': {title: Salt}, '1': {}}",
            "records: {'2': {author: Ito}, '3': {}}",
            [
                "record '2': author expected 'Ito', got nothing",
                "record '3' is not there",
                "record '1' was not expected",
            ],
        ),
        (
            "exact: true, first: {title: Tides, pages: 12, state: in}",
            "exact: true, first: {title: Tides}",
            [
                "first record: pages expected nothing, got 12",
                "first record: state expected nothing, got 'in'",
            ],
        ),
        (
            "last: {state: out}",
            "last: {state: in}",
            ["last record: state expected 'in', got 'out'"],
        ),
        (
            "cursor: '2026-01-02'",
            "cursor: null",
            ["cursor expected null, got '2026-01-02'"],
        ),
        (
            "counts: {added: 2, requests: 1}",
            "counts: {added: 1, requests: 1}",
            ["count of added expected 1, got 2"],
        ),
        ("mode: full", "mode: incremental", ["mode expected incremental, got full"]),
        ("resumed: false", "resumed: true", ["resumed expected true, got false"]),
        ("waited: 0s", "waited: 1h30m", ["waited expected 90m, got 0s"]),
        ("outcome: done", "outcome: failed", ["outcome expected failed, got done"]),
        ("quarantined: 0", "quarantined: 1", ["expected 1 quarantined record, got 0"]),
        ("deleted: 0", "deleted: ['1']", ["record '1' expected to be deleted, is not"]),
        (
            "cursors: {}",
            "cursors: {a: 1}",
            ["cursor of 'a': there is no such partition; there are none"],
        ),
        (
            "records: 2",
            "refresh_token: r2",
            ["refresh token expected 'r2', got null"],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_expectation_of_two_records(holds, fails, told):
    """What is so is taken without a word, and what is not is told whole."""
    assert one(holds, TWO) == []
    assert one(fails, TWO) == told


@pytest.mark.parametrize(
    ("holds", "fails", "told"),
    [
        (
            "quarantined: 2",
            "records: 1",
            [
                (
                    "expected 0 quarantined records, got 2; '1': field 'title' is required and "
                    "null; one without a key: key: found nothing, expected text, a whole number or "
                    "true or false"
                )
            ],
        ),
        (
            "quarantined: [{external_id: '1', field: title, code: required}, {external_id: null}]",
            "quarantined: [{external_id: '2', reason: nothing}, {reason: '...found nothing...'}]",
            [
                "quarantined record 1: external_id expected '2', got '1'",
                (
                    "quarantined record 1: reason expected 'nothing', got \"field 'title' is "
                    'required and null"'
                ),
            ],
        ),
    ],
    ids=["number", "list"],
)
def test_an_expectation_of_what_is_set_aside(holds, fails, told):
    """A record that is set aside is a fault unless it is expected."""
    assert one(holds, BAD) == []
    assert one(fails, BAD) == told


@pytest.mark.parametrize(
    ("holds", "fails", "told"),
    [
        ("deleted: 1", "deleted: 2", ["expected 2 deleted records, got 1"]),
        (
            "deleted: ['1']",
            "deleted: ['2']",
            [
                "record '2' expected to be deleted, is not",
                "record '1' is deleted (source), not expected to be",
            ],
        ),
        (
            "deleted: {'1': source}",
            "deleted: {'1': swept}",
            ["record '1' expected to be deleted as 'swept', is as 'source'"],
        ),
    ],
    ids=["number", "list", "reasons"],
)
def test_an_expectation_of_what_is_gone(holds, fails, told):
    """A deletion is told by the record and by its reason."""
    assert one(holds, GONE, before=BEFORE) == []
    assert one(fails, GONE, before=BEFORE) == told


@pytest.mark.parametrize(
    ("holds", "fails", "told"),
    [
        (
            "outcome: failed",
            "records: 0",
            [f"outcome expected done, got failed: {ENDED}"],
        ),
        (
            "outcome: failed, kind: auth",
            "outcome: failed, kind: rate",
            ["kind of failure expected rate, got auth"],
        ),
        (
            f'outcome: failed, error: "{ENDED}"',
            "outcome: failed, error: GET /api/books answered 403",
            [f"error expected 'GET /api/books answered 403', got {ENDED!r}"],
        ),
        (
            "outcome: failed, error: '...answered 403...'",
            "outcome: failed, error: 'answered 403...'",
            [f"error expected 'answered 403...', got {ENDED!r}"],
        ),
        (
            "outcome: failed, error: '...behind secrets.api_key'",
            "outcome: failed, error: '...'",
            [],
        ),
    ],
    ids=["outcome", "kind", "whole", "beginning", "end"],
)
def test_an_expectation_of_a_failure(holds, fails, told):
    """A failure is a fault unless it is expected, and its message is compared whole or in part."""
    assert one(holds, REFUSED) == []
    assert one(fails, REFUSED) == told


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ("output: {until: '2026-02-01'}", []),
        ("output: {until: '2026-02-01', by: null}, exact: true", []),
        (
            "output: {until: '2026-02-02'}, exact: true",
            [
                "output: until expected '2026-02-02', got '2026-02-01'",
                "output: by expected nothing, got null",
            ],
        ),
        ("output: null", ['output: expected null, got {"until": "2026-02-01", "by": null}']),
        ("known: false", ["known expected false, got true"]),
        ("waited: 2s", ["waited expected 2s, got 0s"]),
        ("outcome: refused", ["outcome expected refused, got done"]),
    ],
)
def test_an_expectation_of_a_call(expect, told):
    """Of an output the given fields are compared, or all of them."""
    case = (
        "{name: a, operation: renew, input: {id: 5}, exchanges: [{request: {method: POST, path: "
        "/api/copies/5/renewal, json: {days: 7}}, response: {body: {until: '2026-02-01'}}}], "
        f"expect: {{{expect}}}}}"
    )

    assert run(f"cases: library\noperations: [{case}]\n").faults == told


def test_input_that_does_not_fit_asks_nothing():
    """It is refused before any request, and a case that expects something else is told why."""
    ran = run(
        "cases: library\n"
        "operations:\n"
        "  - {name: a, operation: renew, expect: {outcome: refused}}\n"
        "  - {name: b, operation: renew, input: {id: x}}\n"
    )

    assert ran.faults == [
        "outcome expected done, got refused: input.id is 'x', expected a whole number"
    ]


def test_a_probe_is_held_to_its_outcome():
    """A probe succeeds or fails as an operation does."""
    ran = run(
        "cases: library\n"
        "probes:\n"
        "  - {name: a, exchanges: [{request: GET /api/me, response: 200}]}\n"
        "  - {name: b, exchanges: [{request: GET /api/me, response: 404}]}\n"
    )

    assert [case.faults for case in ran.cases] == [
        (),
        (
            (
                "outcome expected done, got failed: GET /api/me answered 404; there is no such "
                "thing, or the path or http.base_url is wrong"
            ),
        ),
    ]


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ("sign: true, expect: {event: lent, dedup: e1}", []),
        (
            "sign: true, expect: {event: back, dedup: e2}",
            ["event expected 'back', got 'lent'", "dedup expected 'e2', got 'e1'"],
        ),
        ("sign: true, expect: {accepted: false}", ["expected to be refused, was accepted"]),
        (
            "expect: {event: lent}",
            [
                (
                    "expected to be accepted, was refused: header.x-sign is missing, expected a "
                    "signature"
                )
            ],
        ),
        ("expect: {accepted: false, error: header.x-sign is missing...}", []),
        (
            "expect: {accepted: false, error: nothing}",
            [("error expected 'nothing', got 'header.x-sign is missing, expected a signature'")],
        ),
    ],
)
def test_an_expectation_of_an_inbound_call(keys, told):
    """It is accepted or refused, and read as the spec says."""
    case = f"{{name: a, endpoint: events, body: {{id: e1, type: lent}}, {keys}}}"

    assert run(f"cases: library\nwebhooks: [{case}]\n").faults == told
