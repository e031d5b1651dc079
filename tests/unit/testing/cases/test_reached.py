"""How far a reading has come, held against the cursor that a case expects."""

import pytest

from tests.support.casebook import one, run


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        ("'2026-01-05'", []),
        ("'2026-01-09'", []),
        (
            "'2026-01-07'",
            [
                (
                    "cursor expected '2026-01-07', got '2026-01-05' "
                    "and, as the greatest that was seen, '2026-01-09'"
                )
            ],
        ),
    ],
)
def test_the_cursor_of_an_unsorted_walk_is_the_kept_one_or_the_greatest(expected, told):
    """The next reading begins at the one, and the one after it at the other."""
    pages = ", ".join(
        f"{{request: {{query: {{page: {page}}}}}, response: {{body: {{total: 2, "
        f"data: [{{id: {page}, title: A, changed: '{changed}'}}]}}}}}}"
        for page, changed in ((1, "2026-01-05"), (2, "2026-01-09"))
    )

    faults = one(f"records: 2, cursor: {expected}", pages)

    assert [fault.split(": ", 1)[-1] for fault in faults] == told


TOKENS = """\
provider: drive
http: {base_url: "https://drive.test", paginate: none}
streams:
  files:
    get: /files
    records: body.files
    key: id
    incremental: {cursor: body.token, into: query.since}
    feed:
      get: /changes
      records: body.files
      from: {get: /start, cursor: body.token}
"""


@pytest.mark.parametrize(
    ("expected", "told"), [("t1", []), ("t9", ["cursor expected 't9', got 't1'"])]
)
def test_a_cursor_that_is_no_value_of_records_is_compared_as_it_is_kept(expected, told):
    """A list that is read while the feed's cursor holds sees where another one would begin."""
    ran = run(
        "cases: drive\nstreams:\n  - name: a\n    stream: files\n"
        "    before: {cursor: t1, records: {'1': {id: 1}}}\n    runs:\n      - full: true\n"
        "        exchanges:\n          - {request: GET /start, response: {body: {token: t9}}}\n"
        "          - {request: GET /files, response: {body: {files: [{id: 1}]}}}\n"
        f"        expect: {{mode: full, records: 1, cursor: {expected}}}\n",
        drive=TOKENS,
    )

    assert [fault.split(": ", 1)[-1] for fault in ran.faults] == told
