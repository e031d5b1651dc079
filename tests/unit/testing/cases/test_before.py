"""What a case begins with: cursors of partitions, parents, lists that discover, and consent."""

from __future__ import annotations

import pytest

from integrationd.spec.build import build_bundle
from integrationd.spec.read import read_file
from integrationd.spec.settings import Settings
from integrationd.spec.source import SourceFile
from tests.support.casebook import LIBRARY, one, run

SCHOOL = """\
provider: school
http: {base_url: "https://school.test", paginate: none}
streams:
  courses: {get: /courses, key: id}
  people:
    get: "/courses/{{ each.course }}/people"
    key: [each.course, id]
    for_each: {stream: courses, value: id, as: course, carry: {title: title}}
    incremental: {field: at, into: query.since}
"""
TABLES = """\
provider: base
http: {base_url: "https://base.test", paginate: {type: page, into: query.page, total: body.total}}
streams:
  tables:
    get: /tables
    records: body.tables
    paginate: none
    key: id
    schedule: 1d
    discover:
      name: "{{ object.name }}"
      stream:
        get: "/tables/{{ object.id }}/rows"
        records: body.rows
        key: id
        incremental: {field: at, into: query.since}
      streams: {logs: {enabled: false}}
"""
CONSENT = """\
provider: library
secrets: {client_secret: {}}
http:
  base_url: https://library.test
  paginate: none
  auth:
    type: oauth2
    grant: authorization_code
    authorize: {url: https://library.test/authorize}
    token_url: https://library.test/token
    client_id: cid
    client_secret: "{{ secrets.client_secret }}"
    scopes: [read]
probe: {get: /me}
streams: {books: {get: /books, key: id}}
"""


def school(case):
    """Run one case about people."""
    text = f"cases: school\nstreams: [{{name: one, stream: people, {case}}}]\n"
    return run(text, school=SCHOOL.replace("[each.course, id]", "id"))


def base(*cases):
    """Run cases about what a list discovers."""
    text = "cases: base\nstreams:\n" + "".join(f"  - {case}\n" for case in cases)
    return run(text, base=TABLES)


def test_partitions_begin_at_their_cursors():
    """Each asks from its own, and one without is read from its beginning."""
    ran = school(
        "order: any, before: {streams: {courses: {records: {a: {id: a, title: A}, b: {id: b, "
        "title: B}}}}, cursors: {a: '2026-01-02', b: '2026-01-05'}}, exchanges: ["
        "{request: 'GET /courses/a/people?since=2026-01-02', response: [{id: 1, at: "
        "'2026-01-03'}]}, {request: 'GET /courses/b/people?since=2026-01-05', response: []}], "
        "expect: {mode: incremental, records: {'1': {title: A}}, cursors: {a: '2026-01-03', b: "
        "'2026-01-05'}}"
    )

    assert ran.faults == []


def test_cursor_of_another_partition_is_told():
    """What is not asked from where the case says is a fault."""
    ran = school(
        "order: any, before: {streams: {courses: {records: {a: {id: a}}}}, cursors: {a: "
        "'2026-01-02'}}, exchanges: [{request: 'GET /courses/a/people?since=2026-01-09', "
        "response: []}]"
    )

    assert ran.faults == [
        (
            "request 1 was not expected: GET /courses/a/people?since=2026-01-02; nearest is "
            "exchange "
            "1, GET /courses/a/people?since=2026-01-09: query since is '2026-01-02', expected "
            "'2026-01-09'"
        )
    ]


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (
            "{cursor: '2026-01-02'}",
            (
                "before.cursor: stream 'people' is read for each of its partitions, which have "
                "cursors "
                "of their own; say before.cursors, by the partition's name"
            ),
        ),
        (
            "{streams: {courses: {cursors: {a: '1'}}}}",
            (
                "before.streams.courses.cursors: stream 'courses' has no 'for_each' and so one "
                "cursor; "
                "say before.streams.courses.cursor"
            ),
        ),
        (
            "{streams: {courses: {cursor: '1'}}}",
            "before.streams.courses.cursor: stream 'courses' has no 'incremental' that keeps one",
        ),
        (
            "{cursors: {a: noon}}",
            "before.cursors['a'] is 'noon': is not a time as ISO 8601 has it",
        ),
    ],
)
def test_what_no_reading_leaves_is_refused(before, told):
    """Where it stands, and what would be right."""
    (fault,) = school(f"before: {before}, exchanges: []").faults

    assert fault.startswith(told.split(": is not")[0])


def test_parent_with_a_mapping_has_to_be_read():
    """Its children are read by what its provider gives, which the mapping does not show."""
    ran = run(
        "cases: library\nstreams: [{name: one, stream: copies, before: {streams: {books: "
        "{records: {'1': {title: A}}}}}, exchanges: []}]\n"
    )

    assert ran.faults == [
        (
            "before.streams.books.records: copies is read for each record of 'books' as its "
            "provider "
            "gives it, which its mapping does not show; let an earlier run read 'books'"
        )
    ]


def test_unknown_stream_is_an_error_of_the_file():
    """As for the stream of a case."""
    cases = "cases: library\nstreams: [{name: a, stream: books, before: {streams: {book: {}}}}]\n"
    sources = [SourceFile("l.yaml", LIBRARY.encode()), SourceFile("c.yaml", cases.encode())]

    bundle = build_bundle([read_file(source) for source in sources], Settings())

    assert "before.streams: there is no stream 'book' in library; did you mean 'books'?" in {
        problem.message for problem in bundle.errors
    }


ROWS = (
    "request: GET /tables/t1/rows?page=1, response: {body: {total: 1, rows: [{id: 1, at: "
    "'2026-01-03'}]}}"
)


def test_stream_of_a_list_is_read():
    """The list's records make it; it may have records and a cursor of its own."""
    ran = base(
        "{name: whole, stream: contacts, before: {streams: {tables: {records: {t1: {id: t1, name: "
        f"Contacts}}}}}}}}}}, exchanges: [{{{ROWS}}}], "
        "expect: {records: 1, cursor: '2026-01-03'}}",
        "{name: since, stream: contacts, before: {cursor: '2026-01-02', records: {'7': {id: 7}}, "
        "streams: {tables: {records: {t1: {id: t1, name: Contacts}}}}}, exchanges: [{request: 'GET "
        "/tables/t1/rows?since=2026-01-02&...', response: {body: {total: 0, rows: []}}}], expect: "
        "{mode: incremental, records: 1}}",
    )

    assert ran.faults == []


def test_list_is_read_first_and_its_streams_after_it():
    """A case of several runs: what is listed is read, what is listed no more is not."""
    listed = "stream: tables, exchanges: [{request: GET /tables, response: {body: {tables: [%s]}}}]"
    ran = base(
        "{{name: both, stream: tables, runs: [{{{}, expect: {{records: 1}}}}, {{stream: contacts, "
        "exchanges: [{{{}}}], expect: {{records: 1}}}}, {{{}}}]}}".format(
            listed % "{id: t1, name: Contacts}", ROWS, listed % "{id: t2, name: Orders}"
        )
    )

    assert ran.faults == []
    left = ran.untouched()
    assert left["streams.tables"] == ["an empty answer"]
    assert left["streams.tables.discover.stream"] == [
        "a second page",
        "the last of several pages",
        "an empty answer",
        "a reading from a cursor",
        "a resumed reading",
    ]
    assert left["streams.tables.discover.streams.logs"][0] == "a reading"


@pytest.mark.parametrize(
    ("before", "there"),
    [("{}", "they hold nothing yet"), ("{t1: {id: t1, name: Orders}}", "they hold orders")],
)
def test_stream_that_no_list_holds_is_told(before, there):
    """With what is there, and how to have it."""
    ran = base(
        f"{{name: one, stream: contacts, before: {{streams: {{tables: {{records: {before}}}}}}}, "
        "exchanges: []}"
    )

    assert ran.faults == [
        (
            f"run 1: no list holds an object whose stream is called 'contacts', {there}; say "
            "before.streams.tables.records, or let an earlier run read it"
        )
    ]


def library(case):
    """Run one case about a provider that wants consent."""
    text = f"cases: library\nstreams: [{{name: one, stream: books, {case}}}]\n"
    return run(text, library=CONSENT).faults


BOOKS = "{request: {path: /books, headers: {authorization: Bearer %s}}, response: [{id: 1}]}"


def test_consent_is_given_by_default():
    """Its refresh token gives the first access token."""
    assert library(f"exchanges: [{BOOKS % 'play-token-1'}]") == []


def test_without_consent_nothing_is_asked():
    """Nobody has logged in yet: the message says how."""
    assert (
        library(
            "consent: none, exchanges: [], expect: {outcome: failed, kind: auth, error: "
            "'integration library has no consent yet; a person gives it with: integrationd auth "
            "login library'}"
        )
        == []
    )


def test_consent_gives_the_tokens_that_it_says():
    """A refresh token of its own goes into the request for a token, which an exchange is about."""
    token = (
        "{request: {method: POST, path: /token, form: {grant_type: refresh_token, refresh_token: "
        "r7}}, response: {body: {access_token: a8, token_type: bearer, refresh_token: r8}}}"
    )

    assert (
        library(
            f"consent: {{refresh_token: r7}}, exchanges: [{token}, {BOOKS % 'a8'}], expect: "
            "{records: 1, refresh_token: r8}"
        )
        == []
    )


def test_access_token_is_used_until_it_ends():
    """Then the refresh token is; without one a person has to come."""
    assert library(f"consent: {{access_token: a1}}, exchanges: [{BOOKS % 'a1'}]") == []
    assert (
        library(
            f"consent: {{access_token: a1, ends: 2h}}, runs: [{{exchanges: [{BOOKS % 'a1'}]}}, "
            f"{{after: 3h, exchanges: [{BOOKS % 'play-token-1'}]}}]"
        )
        == []
    )
    (fault,) = library(
        f"consent: {{access_token: a1, ends: 2h, refresh_token: null}}, runs: [{{exchanges: "
        f"[{BOOKS % 'a1'}]}}, {{after: 3h}}]"
    )
    assert "its provider gave no refresh token with the consent" in fault


def test_probe_without_consent():
    """Calls have it too."""
    faults = run(
        "cases: library\nprobes: [{name: one, consent: none, expect: {outcome: failed, kind: auth, "
        "error: 'integration library has no consent yet...'}}]\n",
        library=CONSENT,
    ).faults

    assert faults == []


def test_books_of_the_library_still_begin_with_one_cursor():
    """`before` of the case's own stream."""
    assert (
        one(
            "mode: incremental, records: 0",
            "{request: 'GET /api/books?since=2026-01-02&...', response: {body: {total: 0, "
            "data: []}}}",
            before="{cursor: '2026-01-02'}",
        )
        == []
    )
