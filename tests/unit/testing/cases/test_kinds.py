"""Cases of streams that are more than one list: prepared files, feeds, steps and other forms."""

from __future__ import annotations

from tests.support.casebook import run

EXPORTS = """\
provider: shop
http: {base_url: "https://shop.test"}
streams:
  orders:
    key: id
    records: body
    deferred:
      create: {post: /exports, json: {what: orders}, id: body.id}
      poll:
        get: "/exports/{{ job.id }}"
        every: 10s
        done: body.state == 'ready'
        failed: body.state == 'failed'
      download: {get: "/exports/{{ job.id }}/file"}
"""
DRIVE = """\
provider: drive
http: {base_url: "https://drive.test", paginate: {type: cursor, next: body.next, into: query.page}}
streams:
  files:
    get: /files
    records: body.files
    key: id
    incremental: {cursor: body.token, into: query.since}
    feed:
      get: /changes
      records: body.changes
      key: file
      deleted: removed
      record: now
      from: {get: /start, cursor: body.token}
"""
STEPS = """\
provider: shelf
http: {base_url: "https://shelf.test", paginate: none}
streams:
  books:
    steps: [{name: site, get: /site, output: {id: body.id}}]
    first_of:
      - {get: "/sites/{{ steps.site.id }}/books", found: "length(body) > `0`"}
      - {get: /books}
    key: id
"""
CREATE = (
    "{request: {method: POST, path: /exports, json: {what: orders}}, response: {body: {id: 7}}}"
)
LIST = "{request: GET /files, response: {body: {files: [{id: a}, {id: b}]}}}"
START = "{request: GET /start, response: {body: {token: t0}}}"


def poll(state):
    """Answer a question how the work stands."""
    return f"{{request: GET /exports/7, response: {{body: {{state: {state}}}}}}}"


def cases(spec, stream, *keys):
    """Write a file of readings of one stream."""
    lines = [
        f"  - {{name: '{number}', stream: {stream}, {one}}}\n" for number, one in enumerate(keys)
    ]
    return f"cases: {spec}\nstreams:\n" + "".join(lines)


def test_work_is_begun_asked_after_and_had():
    """Waits between the questions take no time; all that can happen is touched."""
    file = "{request: GET /exports/7/file, response: [{id: 1}, {id: 2}]}"
    ran = run(
        cases(
            "shop",
            "orders",
            f"exchanges: [{CREATE}, {poll('busy')}, {poll('ready')}, {file}], "
            "expect: {records: 2, waited: 10s}",
        ),
        shop=EXPORTS,
    )
    failing = run(
        cases(
            "shop",
            "orders",
            f"exchanges: [{CREATE}, {poll('failed')}], expect: {{outcome: failed}}",
        ),
        shop=EXPORTS,
    )

    assert (ran.faults, failing.faults) == ([], [])
    left, other = ran.untouched()["streams.orders"], failing.untouched()["streams.orders"]
    assert "work that is asked after twice" not in left
    assert "work that fails" in left
    assert "work that fails" not in other
    assert "work that is asked after twice" in other
    assert "a resumed reading" in left


def test_work_is_gone_on_with():
    """A reading that broke off asks after the same work."""
    file = "{request: GET /exports/7/file, response: [{id: 1}]}"
    broken = "{request: GET /exports/7, response: {fault: unreached}, times: 4}"
    ran = run(
        cases(
            "shop",
            "orders",
            f"runs: [{{exchanges: [{CREATE}, {broken}], expect: {{outcome: failed}}}}, "
            f"{{exchanges: [{poll('ready')}, {file}], expect: {{records: 1, resumed: true}}}}]",
        ),
        shop=EXPORTS,
    )

    assert ran.faults == []
    assert "a resumed reading" not in ran.untouched()["streams.orders"]


def test_feed_is_followed():
    """List, changes over two pages, a removal, and a cursor that is too old."""
    first = (
        "{request: 'GET /changes?since=t0', response: {body: {next: p2, changes: [{file: a, "
        "removed: true}]}}}"
    )
    second = (
        "{request: 'GET /changes?since=t0&page=p2', response: {body: {token: t1, changes: [{file: "
        "c, now: {id: c}}]}}}"
    )
    gone = "{request: 'GET /changes?since=t1', response: 410}"
    ran = run(
        cases(
            "drive",
            "files",
            f"runs: [{{exchanges: [{START}, {LIST}], expect: {{records: 2, cursor: t0}}}}, "
            f"{{exchanges: [{first}, {second}], expect: {{mode: incremental, cursor: t1, deleted: "
            f"[a], records: {{b: {{}}, c: {{}}}}}}}}, {{exchanges: [{gone}, {START}, {LIST}], "
            "expect: {records: 2}}]",
        ),
        drive=DRIVE,
    )
    bare = run(
        cases("drive", "files", f"exchanges: [{START}, {LIST}], expect: {{records: 2}}"),
        drive=DRIVE,
    )

    assert (ran.faults, bare.faults) == ([], [])
    told = {
        "a change told by the feed",
        "a removal told by the feed",
        "a second page of the feed",
        "a cursor that is too old",
    }
    assert told <= {*bare.untouched()["streams.files"]}
    assert not told & {*ran.untouched()["streams.files"]}
    assert "a second page" in ran.untouched()["streams.files"]


def test_feed_begins_where_the_case_says():
    """A cursor of before is that of the feed: the list is not read."""
    feed = "{request: 'GET /changes?since=t5', response: {body: {token: t6, changes: []}}}"
    ran = run(
        cases(
            "drive",
            "files",
            f"before: {{cursor: t5, records: {{a: {{id: a}}}}}}, exchanges: [{feed}], expect: "
            "{mode: incremental, records: 1, cursor: t6}",
        ),
        drive=DRIVE,
    )

    assert ran.faults == []


def test_steps_and_forms_are_exchanges():
    """What is asked before the list stands first; the form that finds nothing is followed."""
    site = "{request: GET /site, response: {body: {id: 3}}}"
    ran = run(
        cases(
            "shelf",
            "books",
            f"exchanges: [{site}, {{request: GET /sites/3/books, response: [{{id: 1}}]}}]",
            f"exchanges: [{site}, {{request: GET /sites/3/books, response: []}}, {{request: GET "
            "/books, response: [{id: 2}]}], expect: {records: {'2': {}}}",
        ),
        shelf=STEPS,
    )
    first = run(
        cases(
            "shelf",
            "books",
            f"exchanges: [{site}, {{request: GET /sites/3/books, response: [{{id: 1}}]}}]",
        ),
        shelf=STEPS,
    )

    assert (ran.faults, first.faults) == ([], [])
    assert "another form of the request" in first.untouched()["streams.books"]
    assert "another form of the request" not in ran.untouched()["streams.books"]
