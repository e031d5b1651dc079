"""The present time in what a case expects to be asked."""

from tests.support.casebook import BOOK, LIBRARY, run

EMPTY = "{body: {total: 0, data: []}}"


def test_requests_have_the_time_of_the_case():
    """``{{ now }}`` is what the file or the case says, for readings and for calls."""
    spec = LIBRARY.replace("get: /books\n", 'get: /books\n    query: {at: "{{ now }}"}\n').replace(
        "json: {days: ", "json: {on: \"{{ now | format_time('date') }}\", days: "
    )
    ran = run(
        "cases: library\nnow: '2026-02-03T04:05:06Z'\n"
        "streams:\n  - {name: a, stream: books, exchanges: [{request: "
        f"'GET /api/books?at=2026-02-03T04:05:06Z&page=1', response: {EMPTY}}}]}}\n"
        "operations:\n  - {name: b, operation: renew, now: 1600000000, input: {id: 1}, exchanges: "
        "[{request: {path: /api/copies/1/renewal, json: {on: '2020-09-13', days: 7}}, "
        "response: {body: {}}}]}\n",
        library=spec,
        book=BOOK,
    )

    assert ran.faults == []
