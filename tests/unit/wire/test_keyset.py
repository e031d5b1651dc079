"""Paging by key: rows that come and go, rows that share a value, and providers that do not sort."""

import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrationd.config.decode import Kinds, Site, decode
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.errors import PageShapeError, PaginationLoopError
from integrationd.wire import paginate
from integrationd.wire.messages import Page, Request

FIRST = Request(method="GET", url="https://api.test/journals")


def read(text):
    """Read what ``paginate`` says."""
    problems = Problems()
    node = parse_yaml(f"{{type: keyset, {text}}}".encode(), file="acme.yaml", problems=problems)
    paging = decode(node, object, Site(problems, "paginate").noted(Kinds(paginate.KINDS)))
    assert problems.found == []
    return paging


def page(*records, more=True):
    """Build a page of these records."""
    reply = {"status": 200, "headers": {}, "body": {"more": more, "data": list(records)}}
    return Page(reply=reply, count=len(records), records=records)


def rows(*values):
    """Build records with these values."""
    return [{"at": value} for value in values]


def token(after, last=2, full=0, tie=1):
    """Build what is kept between two pages."""
    return {"after": after, "last": last, "full": full, "tie": tie}


NUMBERED = read("field: at, into: query.above")
TIED = read("field: at, into: query.from, inclusive: true, size: {into: query.n, value: 3}")


def walk(paging, source, *, changes=lambda number: None):
    """Walk over ``source``, a function of the query; return the records in the order they came."""
    found, now = [], None
    for number in range(200):
        changes(number)
        records = source(dict(paging.apply(FIRST, now).query))
        found += records
        now = paging.advance(now, page(*records))
        if now is None:
            return found
        now = json.loads(json.dumps(now))
    raise AssertionError("the walk has no end")


def serve(values, *, size, inclusive=False, falling=False):
    """Return a provider of rows with these values, in its own order."""

    def source(query):
        bound = query.get("from", query.get("above"))
        listed = sorted(enumerate(values), key=lambda row: (row[1], row[0]), reverse=falling)
        if bound is not None:
            listed = [
                row
                for row in listed
                if (row[1] < int(bound) if falling else row[1] > int(bound))
                or (inclusive and row[1] == int(bound))
            ]
        return [{"id": number, "at": value} for number, value in listed[:size]]

    return source


@given(values=st.lists(st.integers(-5, 30), unique=True), size=st.integers(1, 9), data=st.data())
def test_each_row_comes_once_whichever_way_it_is_sorted(values, size, data):
    """Of values that no two rows share."""
    falling = data.draw(st.booleans())
    order = "descending" if falling else "ascending"
    paging = read(f"field: at, into: query.above, order: {order}")

    found = walk(paging, serve(values, size=size, falling=falling))

    assert [row["at"] for row in found] == sorted(values, reverse=falling)


@given(
    values=st.lists(st.integers(0, 12), max_size=40),
    size=st.integers(1, 6),
    cap=st.integers(1, 6),
    falling=st.booleans(),
)
@example(values=[0, 1, 1, 1], size=3, cap=2, falling=False)
@example(values=[1], size=3, cap=3, falling=False)
@example(values=[1, 1], size=3, cap=3, falling=False)
def test_tie_is_read_whole_or_the_walk_fails(values, size, cap, falling):
    """No row is lost in silence, whatever the provider gives at most where the first page shows it.

    A provider that gives fewer rows than asked for, all of them with one value, cannot be told
    from one that has no more; the reference says so.
    """
    order = "descending" if falling else "ascending"
    paging = read(
        f"field: at, into: query.from, inclusive: true, order: {order},"
        f" size: {{into: query.n, value: {size}}}"
    )
    given_ = min(size, cap)
    source = serve(values, size=given_, inclusive=True, falling=falling)
    first = [row["at"] for row in source({})]
    if given_ < size and len(set(first)) == 1 and len(values) > len(first):
        return

    try:
        found = walk(paging, source)
    except PageShapeError:
        assert max(values.count(value) for value in values) >= given_
    else:
        assert {row["id"] for row in found} == set(range(len(values)))


@given(
    values=st.lists(st.integers(0, 50), unique=True, min_size=1),
    size=st.integers(1, 5),
    gone=st.sets(st.integers(0, 50)),
    come=st.sets(st.integers(51, 60)),
    when=st.integers(0, 8),
)
def test_rows_that_come_and_go_move_no_other(values, size, gone, come, when):
    """What is there from the first page to the last is read once; by page or offset it may not."""
    listed = list(values)

    def changes(number):
        if number == when:
            listed[:] = sorted({*listed, *come} - gone)

    def source(query):
        return serve(listed, size=size)(query)

    # A page may be short because rows went away behind it, so only an empty one ends the walk.
    paging = replace(NUMBERED, full_pages=False)
    found = [row["at"] for row in walk(paging, source, changes=changes)]

    assert set(values) - gone <= set(found)
    assert len(found) == len(set(found))


def test_bound_is_sent_as_the_provider_wrote_it():
    """A time keeps its own notation; what compares is what it means."""
    paging = read("field: at, into: query.since, compare: time")
    early, late = "2026-01-01T10:00:00+02:00", "2026-01-01T09:00:00Z"

    following = paging.advance(None, page(*rows(early, late)))

    assert following == token(late, 2, 0)
    assert paging.apply(FIRST, following).query == (("since", late),)


def test_first_page_is_asked_with_start():
    """Some providers want a value from the beginning; without one the parameter is left out."""
    paging = read('field: at, into: path.after, compare: text, start: "0"')
    first = replace(FIRST, url="https://api.test/journals/after/{after}")

    assert paging.apply(first, None).url == "https://api.test/journals/after/0"
    assert paging.apply(first, token("b c")).url == "https://api.test/journals/after/b%20c"
    assert NUMBERED.apply(FIRST, None) is FIRST


@pytest.mark.parametrize(
    ("paging", "asked", "records", "more"),
    [
        pytest.param(NUMBERED, None, [], True, id="empty-first-page"),
        pytest.param(NUMBERED, token(5), [], True, id="empty-page"),
        pytest.param(NUMBERED, token(5, 2), rows(6), True, id="short-page"),
        pytest.param(TIED, token(5, 3, tie=2), rows(5, 5), True, id="nothing-but-the-tie"),
        pytest.param(TIED, token(5, 1), rows(5), True, id="one-row-in-all"),
        pytest.param(
            read("field: at, into: query.above, stop_when: '!(body.more)'"),
            token(5, 2),
            rows(6, 6),
            False,
            id="stop_when",
        ),
    ],
)
def test_walk_ends(paging, asked, records, more):
    """At an empty or a short page, one that holds nothing new, or where the provider says so."""
    assert paging.advance(asked, page(*records, more=more)) is None


def test_short_page_is_not_the_last_where_pages_are_not_full():
    """``full_pages: false``, and the same where ``stop_when`` is the provider's word."""
    flag = read("field: at, into: query.above, stop_when: '!(body.more)'")
    loose = read("field: at, into: query.above, full_pages: false")

    assert flag.advance(token(5, 2), page(*rows(6))) == token(6, 1, 2)
    assert loose.advance(token(5, 2), page(*rows(6))) == token(6, 1, 2)


@pytest.mark.parametrize(
    ("paging", "asked", "records", "message"),
    [
        pytest.param(
            NUMBERED,
            None,
            rows(1, "b"),
            "paginate.field found text, expected a number; see 'compare'",
            id="another-type",
        ),
        pytest.param(
            NUMBERED,
            None,
            rows(1, None),
            "paginate.field found null, expected a number; see 'compare'",
            id="no-value",
        ),
        pytest.param(
            NUMBERED,
            None,
            rows(2, 1),
            "a page is not in ascending order of 'at', so records would be left out; ask the "
            "provider to sort by it, in 'query'",
            id="not-sorted",
        ),
        pytest.param(
            NUMBERED,
            None,
            rows(1, 2, 2),
            "the last two records of a page share above=2, so one may be left out; page by a "
            "field that no two records share, or set 'inclusive: true' where the provider includes "
            "the value",
            id="shared-value",
        ),
        pytest.param(
            TIED,
            token(5, 3, 0),
            rows(5, 5, 5),
            "a page is filled with records that share from=5, so what comes after them cannot be "
            "asked for; ask for larger pages, or page by a field that fewer share",
            id="tie-fills-the-size",
        ),
        pytest.param(
            TIED,
            token(5, 2, 2),
            rows(5, 5),
            "a page is filled with records that share from=5, so what comes after them cannot be "
            "asked for; ask for larger pages, or page by a field that fewer share",
            id="tie-fills-what-the-provider-gives",
        ),
        pytest.param(
            TIED,
            token(5, 2, 0, 1),
            rows(5, 5),
            "a page is filled with records that share from=5, so what comes after them cannot be "
            "asked for; ask for larger pages, or page by a field that fewer share",
            id="tie-was-cut-by-the-page-before",
        ),
        pytest.param(
            NUMBERED,
            {"page": 2},
            rows(1),
            "the stored page token is of another kind of paging; read with --full",
            id="token-of-another-kind",
        ),
    ],
)
def test_page_that_would_lose_rows_is_refused(paging, asked, records, message):
    """With what to do about it."""
    with pytest.raises(PageShapeError) as caught:
        paging.advance(asked, page(*records))

    assert str(caught.value) == message


UNKNOWN = "the provider may not know the parameter"
INCLUDED = "set 'inclusive: true' where it includes that value"


@pytest.mark.parametrize(
    ("paging", "records", "name", "hint"),
    [
        (NUMBERED, rows(1, 2), "above", UNKNOWN),
        (NUMBERED, rows(5, 6), "above", INCLUDED),
        (TIED, rows(4, 5), "from", UNKNOWN),
    ],
)
def test_page_that_lies_before_its_bound_is_refused(paging, records, name, hint):
    """A provider that gives the first page again for ever ends the run at its second."""
    with pytest.raises(PaginationLoopError) as caught:
        paging.advance(token(5), page(*records))

    message = f"the page after {name}=5 begins with what was read before; {hint}"
    assert str(caught.value) == message
