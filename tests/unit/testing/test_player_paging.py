"""A player walked by the real paginators gives each of its records once: two sides of one spec."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrationd.errors import UsageError
from integrationd.testing.options import PlayOptions
from tests.support.players import ask, player_of, request_of, walk

RECORDS = st.sampled_from(
    [
        "body",
        "body.data",
        "body.data || `[]`",
        "body.result.items[]",
        "body.items[*]",
        "body | data",
    ]
)
PLACES = st.sampled_from(["query.p", "header.x-page", "cookie.page", "path.p"])
SIZES = st.sampled_from(["", ", size: {into: query.limit, value: 7}"])
ENDS = {
    "total": ", total: body.meta.total",
    "header": ', total: headers."x-total-count"',
    "number": ", total: 'to_number(headers.\"x-total-count\")'",
    "more": ", stop_when: '!(body.meta.more)'",
    "flag": ", has_more: body.meta.more",
    "done": ", stop_when: 'body.meta.done == `true`'",
}
BODY_ENDS = st.sampled_from(sorted(ENDS))


@st.composite
def numbered(draw: st.DrawFn, kind: str) -> tuple[str, str]:
    """Draw paging by page or offset: what ``paginate`` and ``records`` say."""
    records = draw(RECORDS)
    # A body that is the list itself has no room for anything else.
    end = draw(st.sampled_from(["header", "number"]) if records == "body" else BODY_ENDS)
    size = draw(SIZES) if kind == "page" else ", size: {into: query.limit, value: 7}"
    start = draw(st.sampled_from(["", ", start: 1", ", start: 0", ", send_start: false"]))
    place = draw(PLACES.filter(lambda text: text != "path.p") if "send" in start else PLACES)
    return f"{{type: {kind}, into: {place}{start}{size}{ENDS[end]}}}", records


@st.composite
def tokened(draw: st.DrawFn) -> tuple[str, str]:
    """Draw paging by token, opaque or the last record's own."""
    records = draw(RECORDS.filter(lambda text: text != "body" and "[" not in text))
    source = "body.data"
    own = f"{source}[-1].id"
    tokens = ["body.meta.next", "body.next || body.meta.after", "headers.x-next", "body.next.token"]
    nexts = [*tokens, own, f"body.meta.more && {own}"]
    next_ = draw(st.sampled_from(nexts)).replace("headers.x-next", 'headers."x-next"')
    more = ""
    if next_ == own:
        more = draw(st.sampled_from(["", ", stop_when: '!(body.has_more)'", ", has_more: body.m"]))
    also = [
        f", also: [{{next: {text}, into: query.q}}]" for text in ("body.q", f"'{source}[-1].w'")
    ]
    more += draw(st.sampled_from(["", *also]))
    start = draw(st.sampled_from(["", ", start: '*'"]))
    # The first page may have no token, and a path cannot do without.
    place = draw(PLACES if start else PLACES.filter(lambda text: text != "path.p"))
    return f"{{type: cursor, next: '{next_}', into: {place}{start}{draw(SIZES)}{more}}}", records


@st.composite
def linked(draw: st.DrawFn) -> tuple[str, str]:
    """Draw paging by URL."""
    records = draw(RECORDS.filter(lambda text: text != "body"))
    kinds = [
        "{type: next_url, next: body.links.next}",
        "{type: next_url, next: body.next, has_more: body.more}",
        "{type: link}",
        "{type: link, rel: more, stop_when: body.done}",
    ]
    return draw(st.sampled_from(kinds)), records


@st.composite
def keyed(draw: st.DrawFn) -> tuple[str, str]:
    """Draw paging by key."""
    field = draw(st.sampled_from(["id", "meta.number", "at"]))
    compare = ", compare: time" if field == "at" else ""
    order = draw(st.sampled_from(["ascending", "descending"]))
    start = "" if field == "at" else draw(st.sampled_from([", start: 0", ", start: 99"]))
    start = {"ascending": ", start: 0", "descending": ", start: 99"}[order] if start else ""
    place = draw(PLACES if start else PLACES.filter(lambda text: text != "path.p"))
    tie = ", inclusive: true, size: {into: query.limit, value: 7}"
    more = draw(st.sampled_from(["", tie]))
    kind = f"type: keyset, field: {field}, into: {place}, order: {order}{compare}{start}{more}"
    return f"{{{kind}}}", draw(RECORDS)


PAGINGS = st.one_of(
    numbered("page"), numbered("offset"), tokened(), keyed(), linked(), st.just(("none", "body"))
)


@settings(max_examples=150)
@given(
    paging=PAGINGS,
    count=st.integers(1, 40),
    page_size=st.integers(1, 12),
    relative=st.booleans(),
    method=st.sampled_from(["get", "post"]),
)
def test_walk_gives_every_record_once(paging, count, page_size, relative, method):
    """Whatever the kind of paging, a walk gives all records, in order, and ends."""
    paginate, records = paging
    path = "/things/{p}" if "path.p" in paginate else "/things"
    player = player_of(
        "integration: acme\n"
        "secrets: {key: {env: INTEGRATIOND_SECRET_KEY}}\n"
        "http:\n"
        "  base_url: http://player.test/v1\n"
        "  query: {format: json}\n"
        '  auth: {type: api_key, into: query.key, value: "{{ secrets.key }}"}\n'
        f"  paginate: {paginate}\n"
        f"streams: {{things: {{{method}: '{path}', records: '{records}', key: id}}}}\n",
        PlayOptions(records=count, bad=0, page_size=page_size, relative_urls=relative),
    )

    found = {record["id"]: record for page in walk(player, "things") for record in page}
    listed = [entry.data for entry in player.sources["things"].listed()]
    if "descending" in paginate:
        listed.reverse()

    assert list(found.values()) == listed


def test_page_size_asked_for_is_the_page_size():
    """A page holds what the caller asks, up to the player's own cap."""
    text = (
        "integration: acme\n"
        "http: {base_url: 'http://player.test'}\n"
        "streams: {things: {get: /things, records: body.data, key: id, paginate: "
        "{type: page, into: query.page, size: {into: query.n, value: 9}, total: body.total}}}\n"
    )

    free = player_of(text, PlayOptions(records=25, bad=0))
    capped = player_of(text, PlayOptions(records=25, bad=0, page_size_max=4))

    assert [len(page) for page in walk(free, "things")] == [9, 9, 7]
    assert [len(page) for page in walk(capped, "things")] == [4, 4, 4, 4, 4, 4, 1]


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("0", "the page is '0', expected a whole number from 1 on"),
        ("two", "the page is 'two', expected a whole number from 1 on"),
        ("-1", "the page is '-1', expected a whole number from 1 on"),
    ],
)
def test_page_that_is_no_number_is_refused(page, message):
    """What real providers answer with 400 is not taken for the first page."""
    player = player_of(
        "integration: acme\n"
        "http: {base_url: 'http://player.test', paginate: {type: page, into: query.page}}\n"
        "streams: {things: {get: /things, key: id}}\n"
    )
    plan, first = request_of(player, "things")

    answer = ask(player, plan.paginator.apply(first, None).with_query("page", page))

    assert answer.status == 400
    assert json.loads(answer.body) == {"error": "bad_request", "message": message}


def test_cursor_of_no_record_is_refused():
    """A token that the player never gave is a 400, as at Stripe, not the first page again."""
    player = player_of(
        "integration: acme\n"
        "http: {base_url: 'http://player.test'}\n"
        "streams: {things: {get: /things, records: body.data, key: id, paginate: "
        "{type: cursor, into: query.after, next: 'body.data[-1].id'}}}\n"
    )
    plan, first = request_of(player, "things")

    answer = ask(player, plan.paginator.apply(first, "thing-404"))

    assert answer.status == 400
    assert json.loads(answer.body)["message"] == "the cursor 'thing-404' is of no record"


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (
            "records: sort(body.data), paginate: none",
            "'sort(body.data)': the function sort cannot be turned round",
        ),
        (
            "paginate: {type: page, into: query.p, total: body.total}",
            "'body.total': two values are wanted at the same place",
        ),
        (
            "records: body.data, paginate: {type: cursor, into: query.p, next: length(body.next)}",
            "'length(body.next)' finds no token",
        ),
        (
            "records: body.data, paginate: {type: page, into: query.p, total: length(body.data)}",
            "'body.data': the answer would not say so",
        ),
        (
            "records: body.*, paginate: none",
            "'body.*': value projection cannot be turned round",
        ),
    ],
)
def test_what_cannot_be_played_is_said(stream, message):
    """An expression without an inverse names its stream, instead of being played wrongly."""
    with pytest.raises(UsageError) as caught:
        player_of(
            "integration: acme\n"
            "http: {base_url: 'http://player.test'}\n"
            f"streams: {{things: {{get: /things, key: id, {stream}}}}}\n"
        )

    assert str(caught.value) == f"stream 'things' cannot be played: {message}"


LAST = "stop_when: '!(body.has_more)'"


@pytest.mark.parametrize(
    "paginate",
    [
        f"{{type: cursor, into: query.after, next: 'body.data[-1].id', {LAST}}}",
        f"{{type: page, into: query.page, {LAST}}}",
        "{type: page, into: query.page, has_more: body.more}",
        "{type: keyset, into: query.above, field: id, has_more: body.more}",
        "{type: keyset, into: query.above, field: id}",
        f"{{type: offset, into: query.at, size: {{into: query.n, value: 10}}, {LAST}}}",
        "{type: page, into: query.page, total_pages: body.pages}",
        "{type: page, into: query.page, total: body.total}",
        "{type: next_url, next: body.next}",
        "{type: cursor, into: query.after, next: body.next}",
    ],
)
def test_last_page_says_that_it_is_the_last(paginate):
    """25 records in pages of 10 are 3 pages; nobody has to ask for an empty fourth."""
    player = player_of(
        "integration: acme\n"
        "http: {base_url: 'http://player.test'}\n"
        "streams:\n"
        f"  things: {{get: /things, records: body.data, key: id, paginate: {paginate}}}\n"
    )

    assert [len(page) for page in walk(player, "things")] == [10, 10, 5]


def test_next_url_holds_no_credentials():
    """A key that goes in the query is not written into answers."""
    player = player_of(
        "integration: acme\n"
        "secrets: {key: {env: INTEGRATIOND_SECRET_KEY}}\n"
        "http:\n"
        "  base_url: http://player.test\n"
        '  auth: {type: api_key, into: query.key, value: "{{ secrets.key }}"}\n'
        "  paginate: {type: next_url, next: body.next}\n"
        "streams: {things: {get: /things, query: {sort: id}, records: body.data, key: id}}\n"
    )
    _, first = request_of(player, "things")

    answer = ask(player, first)

    assert json.loads(answer.body)["next"] == "http://player.test/things?sort=id&starting-at=10"


def test_played_provider_gives_no_more_for_one_question_than_the_spec_says():
    """So that the walk has to begin anew, as at the real one; from there it gives what follows."""
    player = player_of(
        "integration: acme\n"
        "http: {base_url: 'http://player.test'}\n"
        "streams:\n"
        "  things:\n"
        "    get: /things\n"
        "    records: body.data\n"
        "    key: id\n"
        "    paginate: {type: offset, into: query.at, size: {into: query.n, value: 5},"
        " total: body.total}\n"
        "    incremental: {field: number, into: query.since, type: number, sorted: true,"
        " reset_after: 10}\n"
    )

    first = [record for page in walk(player, "things") for record in page]
    rest = [record for page in walk(player, "things", first[-1]["number"]) for record in page]

    assert (len(first), len(rest)) == (10, 10)
    assert first[-1] == rest[0]
