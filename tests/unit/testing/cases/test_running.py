"""What a case begins with, and what of the world it meets: time, tokens, files, hosts."""

import time

import pytest

from tests.support.casebook import BOOK, LIBRARY, one, run

EMPTY = "{body: {total: 0, data: []}}"


def streams(*cases):
    """Write a file of readings."""
    return "cases: library\nstreams:\n" + "".join(f"  - {case}\n" for case in cases)


def test_nobody_waits():
    """A Retry-After of an hour passes by the clock of the case alone."""
    began_s = time.perf_counter()

    faults = one(
        "records: 0, waited: 10m, counts: {requests: 2, retries: 1, waited_ms: 600000}",
        "{request: GET /api/books, response: {status: 429, headers: {retry-after: 600}}}, "
        f"{{request: GET /api/books, response: {EMPTY}}}",
    )

    assert faults == []
    assert time.perf_counter() - began_s < 300


def test_config_and_secrets_are_made_up_where_a_case_gives_none():
    """An address by the provider's name, a secret by its own."""
    exchange = (
        "{request: {url: https://library.test/api/books, headers: {authorization: Bearer "
        f"made-up-api-key}}}}, response: {EMPTY}}}"
    )

    assert one("records: 0", exchange) == []


def test_a_case_lays_its_own_over_those_of_the_file():
    """Configuration and secrets, value by value."""
    ran = run(
        "cases: library\n"
        "config: {base_url: https://one.test}\n"
        "secrets: {api_key: first}\n"
        "streams:\n"
        "  - {name: a, stream: books, exchanges: [{request: {url: https://one.test/api/books, "
        f"headers: {{authorization: Bearer first}}}}, response: {EMPTY}}}]}}\n"
        "  - {name: b, stream: books, secrets: {api_key: second}, config: {base_url: "
        "https://two.test}, exchanges: [{request: {url: https://two.test/api/books, "
        f"headers: {{authorization: Bearer second}}}}, response: {EMPTY}}}]}}\n"
    )

    assert ran.faults == []


def test_the_present_time_is_that_of_the_case():
    """Of the file, of the case, and later by what has passed."""
    limited = (
        "{{response: {{status: 429, headers: {{retry-after: 'Sun, 13 Sep 2020 12:{} GMT'}}}}}}, "
        f"{{{{response: {EMPTY.replace('{', '{{').replace('}', '}}')}}}}}"
    )
    case = "  - {{name: {}, stream: books, exchanges: [{}], expect: {{waited: 60s}}{}}}\n"
    ran = run(
        "cases: library\nnow: 1600000000\nstreams:\n"
        + case.format("of the file", limited.format("27:40"), "")
        + case.format("its own", limited.format("31:00"), ", now: '2020-09-13T12:30:00Z'")
        + "  - name: later\n    stream: books\n    runs:\n"
        f"      - {{exchanges: [{{response: {EMPTY}}}]}}\n"
        f"      - {{after: 2m, exchanges: [{limited.format('29:40')}], expect: {{waited: 60s}}}}\n"
    )

    assert ran.faults == []


def test_cases_know_nothing_of_each_other():
    """What one has stored is not there for the next, whatever their order."""
    first = (
        "exchanges: [{request: {query: {since: null}}, response: {body: {total: 1, data: [{id: 1, "
        "title: A, changed: '2026-01-05'}]}}}], expect: {records: 1, cursor: '2026-01-05'}"
    )

    ran = run(streams(*(f"{{name: {name}, stream: books, {first}}}" for name in "abc")))

    assert ran.faults == []


def test_what_was_there_before_is_read_on():
    """The cursor is sent, the records are there, and what the reading does not see stays."""
    faults = one(
        "mode: incremental, records: {'1': {title: Old}, '2': {title: New}}, cursor: '2026-01-06', "
        "counts: {added: 1, unchanged: 0}",
        "{request: 'GET /api/books?since=2026-01-05&...', response: {body: {total: 1, data: [{id: "
        "2, title: New, changed: '2026-01-06'}]}}}",
        before="{cursor: '2026-01-05', records: {'1': {title: Old}}}",
    )

    assert faults == []


@pytest.mark.parametrize(
    ("stream", "told"),
    [
        ("books", "before.cursor is 'x': expected a time such as 2026-01-31T12:00:00Z"),
        ("copies", "before.cursor: stream 'copies' has no 'incremental' that keeps one"),
    ],
)
def test_a_cursor_that_no_reading_leaves_is_refused(stream, told):
    """It is a mistake of the case, and is told as one."""
    ran = run(streams(f"{{name: a, stream: {stream}, before: {{cursor: x}}}}"))

    assert ran.faults == [told]


def test_a_body_may_lie_beside_the_cases():
    """As bytes, whatever is in it; a file that is not there is a fault of that case alone."""
    case = "{{name: {0}, stream: books, exchanges: [{{response: {{file: {0}}}}}]}}"

    ran = run(
        streams(case.format("page.txt")),
        files={"page.txt": b'{"total": 1, "data": [{"id": 1, "title": "\xc5\x81"}]}'},
    )

    assert ran.faults == []


def test_bytes_may_stand_in_base64():
    """For what is no text."""
    assert one("records: 0", "{response: {base64: eyJ0b3RhbCI6MCwiZGF0YSI6W119}}") == []


def test_an_answer_in_text_is_sent_as_it_stands():
    """A page of HTML is no list, and the reading fails as it would."""
    faults = one(
        "outcome: failed, kind: permanent",
        "{response: {body: '<html><title>Sorry</title>', headers: {content-type: text/html}}}",
    )

    assert faults == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("unreached", "GET https://library.test/api/books: no connection after 4 tries"),
        ("broken", "GET https://library.test/api/books: the connection broke after 4 tries"),
    ],
)
def test_a_fault_of_the_network_is_tried_again(fault, error):
    """As often as the settings say, and then the reading fails."""
    faults = one(
        f"outcome: failed, kind: temporary, error: '{error}'",
        f"{{response: {{fault: {fault}}}, times: 4}}",
    )

    assert faults == []


def test_a_fault_of_one_case_leaves_the_others_alone():
    """Each is told by itself."""
    answered = f"exchanges: [{{response: {EMPTY}}}]"

    ran = run(
        streams(
            "{name: a, stream: books, exchanges: [{response: {file: missing}}]}",
            f"{{name: b, stream: books, {answered}, expect: {{first: {{}}}}}}",
            f"{{name: c, stream: books, {answered}}}",
        )
    )

    assert [len(case.faults) for case in ran.cases] == [1, 1, 0]
    assert ran.cases[1].faults == ("first record: expected one, got none",)


def test_a_configuration_that_does_not_fit_is_told_by_its_cases():
    """Without a line of a file that nobody wrote."""
    ran = run(
        "cases: library\n"
        "config: {base_url: 5}\n"
        "streams:\n"
        f"  - {{name: a, stream: books, exchanges: [{{response: {EMPTY}}}]}}\n"
    )

    assert ran.faults == ["library cannot be used: config.base_url is 5, expected text"]


def test_a_host_that_is_not_declared_is_not_asked():
    """As the transport refuses it: a next-URL leads nowhere else."""
    feed = (
        "integration: feed\n"
        "http: {base_url: https://feed.test, paginate: {type: next_url, next: body.next}}\n"
        "streams: {all: {get: /all, records: body.data, key: id}}\n"
    )
    ran = run(
        "cases: feed\n"
        "streams:\n"
        "  - name: a\n"
        "    stream: all\n"
        "    exchanges: [{response: {body: {data: [{id: 1}], next: https://other.test/all}}}]\n"
        "    expect:\n"
        "      outcome: failed\n"
        "      error: \"GET https://other.test/all: host 'other.test' is not declared, only "
        'feed.test; add it to http.hosts"\n',
        feed=feed,
    )

    assert ran.faults == []


def test_an_integration_is_run_with_its_own_configuration():
    """What its cases say is laid over it."""
    branch = (
        "integration: branch\nuses: library\nconfig: {base_url: https://branch.test}\n"
        "secrets: {api_key: {env: INTEGRATIOND_SECRET_X}}\n"
        "streams: {books: {get: /catalogue}}\n"
    )
    case = (
        "  - {{name: {}, stream: books, {}exchanges: [{{request: GET {}/api/catalogue, "
        "response: {}}}]}}\n"
    )
    ran = run(
        "cases: branch\nstreams:\n"
        + case.format("a", "", "https://branch.test", EMPTY)
        + case.format("b", "config: {base_url: https://new.test}, ", "https://new.test", EMPTY),
        library=LIBRARY,
        book=BOOK,
        branch=branch,
    )

    assert ran.faults == []


COPIES = """\
  - name: each book's copies
    stream: copies
    runs:
      - exchanges:
          - request: GET /api/books
            response: {body: {total: 2, data: [{id: 1, title: A}, {id: 2, title: B}]}}
          - {request: GET /api/books/2/copies, response: [{id: 21}, {id: 22}]}
          - {request: GET /api/books/1/copies, response: [{id: 11}]}
        expect: {records: {"11": {}, "21": {}, "22": {}}}
      - exchanges:
          - {request: GET /api/books/1/copies, response: 404}
          - {request: GET /api/books/2/copies, response: []}
        expect: {outcome: failed, error: "...1: GET /api/books/1/copies answered 404..."}
"""


def test_partitions_are_read_in_any_order_after_their_parents():
    """The parents' requests are among the exchanges where nothing is known of them."""
    ran = run(f"cases: library\nstreams:\n{COPIES}")

    assert ran.faults == []
    assert "two partitions" not in ran.untouched()["streams.copies"]
    assert "a partition that fails" not in ran.untouched()["streams.copies"]


GRANTED = """\
integration: crm
secrets: {id: {}, secret: {}, refresh: {}}
http:
  base_url: https://crm.test
  auth:
    type: oauth2
    grant: refresh_token
    token_url: https://login.test/token
    client_id: "{{ secrets.id }}"
    client_secret: "{{ secrets.secret }}"
    refresh_token: "{{ secrets.refresh }}"
  paginate: none
streams: {people: {get: /people, key: id}}
"""


def test_tokens_are_granted_where_no_exchange_is_about_them():
    """A new one after each that is refused."""
    case = """\
cases: crm
streams:
  - name: a token, another one, and none that is good
    stream: people
    exchanges:
      - {request: {path: /people, headers: {authorization: Bearer play-token-1}}, response: 401}
      - request: {path: /people, headers: {authorization: Bearer play-token-2}}
        response: [{id: 1}]
    expect: {records: 1}
"""

    ran = run(case, crm=GRANTED)

    assert ran.faults == []
    assert ran.untouched() == {
        "http": ["429", "a passing failure, tried again"],
        "streams.people": ["an empty answer", "a record that is gone"],
    }


@pytest.mark.parametrize(
    ("more", "path"),
    [("", "token"), (", refresh: {url: https://login.test/again}", "again")],
    ids=["usual", "elsewhere"],
)
def test_a_case_begins_where_consent_was_given(more, path):
    """A person gave it; the case's own answer is asked for as a renewal."""
    auth = (
        "  auth: {type: oauth2, grant: authorization_code, client_id: me, token_url: "
        f"https://login.test/token, authorize: {{url: https://login.test/authorize}}{more}}}\n"
    )
    head, tail = GRANTED.partition("  auth:\n")[0], "  paginate: none\nstreams:"
    spec = head + auth + tail + GRANTED.partition("streams:")[2]
    granted = """\
cases: crm
streams:
  - name: a token
    stream: people
    exchanges:
      - request: {path: /people, headers: {authorization: Bearer play-token-1}}
        response: [{id: 1}]
    expect: {records: 1}
"""
    own = f"""\
cases: crm
streams:
  - name: a token of its own
    stream: people
    exchanges:
      - request:
          url: https://login.test/{path}
          form: {{grant_type: refresh_token, refresh_token: made-up-refresh-token, client_id: me}}
        response: {{body: {{access_token: a1}}}}
      - request: {{path: /people, headers: {{authorization: Bearer a1}}}}
        response: [{{id: 1}}]
    expect: {{records: 1}}
"""

    assert run(granted, crm=spec).faults == []
    assert run(own, crm=spec).faults == []


def test_a_case_may_answer_requests_for_tokens_itself():
    """Then none is granted besides, and the new refresh token is kept and used."""
    case = """\
cases: crm
secrets: {refresh: r1}
streams:
  - name: tokens that take turns
    stream: people
    runs:
      - exchanges:
          - request:
              url: https://login.test/token
              form: {grant_type: refresh_token, refresh_token: r1}
              headers: {authorization: Basic bWFkZS11cC1pZDptYWRlLXVwLXNlY3JldA==}
            response: {body: {access_token: a1, refresh_token: r2, expires_in: 3600}}
          - {request: {path: /people, headers: {authorization: Bearer a1}}, response: []}
        expect: {refresh_token: r2}
      - after: 2h
        exchanges:
          - request:
              url: https://login.test/token
              form: {grant_type: refresh_token, refresh_token: r2}
              headers: {authorization: Basic bWFkZS11cC1pZDptYWRlLXVwLXNlY3JldA==}
            response: {body: {access_token: a2, expires_in: 3600}}
          - {request: {path: /people, headers: {authorization: Bearer a2}}, response: []}
        expect: {refresh_token: r2}
"""

    assert run(case, crm=GRANTED).faults == []
