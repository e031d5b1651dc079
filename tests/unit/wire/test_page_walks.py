"""Every kind of paging over every provider: each page once, each record seen, from any token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.wire.messages import Page
from tests.support.paging import EVERY, SIZE, TOTAL, Provider, read, walk


@pytest.mark.parametrize("text", EVERY)
@given(count=st.integers(0, 40), cap=st.integers(1, 9))
def test_walk_sees_each_record_once_and_asks_each_page_once(text, count, cap):
    """Whatever the number of records, and whatever cap a provider has on its pages."""
    provider = Provider(count, cap, [])

    ids, _ = walk(read(text), provider)

    assert ids == list(range(count))
    assert len(set(provider.asked)) == len(provider.asked)


@pytest.mark.parametrize("text", EVERY)
@pytest.mark.parametrize("count", [0, 8])
def test_answer_without_a_body_ends_the_walk(text, count):
    """As the first page or as the one behind the last full one: 204 has neither list nor total."""
    paging = read(text)
    token = walk(paging, Provider(count, 4, []))[1][-1]
    reply = {"status": 204, "headers": {}, "body": None}

    assert paging.advance(token, Page(reply=reply, count=0)) is None


@pytest.mark.parametrize("text", EVERY)
@given(count=st.integers(0, 30), cap=st.integers(1, 6), data=st.data())
def test_walk_resumes_from_any_stored_token(text, count, cap, data):
    """A run that stopped after any page reads the rest, all of it and nothing twice."""
    paging = read(text)
    ids, tokens = walk(paging, Provider(count, cap, []))
    stop = data.draw(st.integers(0, len(tokens) - 1))

    rest, remaining = walk(paging, Provider(count, cap, []), tokens[stop])

    assert rest == ids[len(ids) - len(rest) :]
    assert remaining == tokens[stop:]


@pytest.mark.parametrize("text", EVERY)
@given(count=st.integers(0, 40), cap=st.integers(1, 9))
def test_no_more_pages_than_needed_are_asked(text, count, cap):
    """A walk costs the pages there are, and at most one that is empty."""
    provider = Provider(count, cap, [])

    walk(read(text), provider)

    size = min(cap, 4) if "limit" in text else cap
    assert len(provider.asked) <= -(-count // size) + 1


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        (f"{{type: page, into: query.page, {TOTAL}}}", 5),
        ("{type: page, into: query.page, total_pages: body.pages}", 5),
        (f"{{type: page, into: query.page, {SIZE}}}", 5),
        ("{type: page, into: query.page}", 6),
        (f"{{type: page, into: query.page, {SIZE}, full_pages: false}}", 6),
        (f"{{type: offset, into: query.offset, {SIZE}}}", 5),
        (f"{{type: offset, into: query.offset, {SIZE}, full_pages: false}}", 6),
        ("{type: cursor, next: body.next, into: query.next}", 5),
        ("{type: keyset, field: id, into: query.above}", 5),
        (f"{{type: keyset, field: id, into: query.above, {SIZE}, full_pages: false}}", 6),
        ("{type: next_url, next: body.relative}", 5),
        ("none", 1),
    ],
)
def test_walk_costs_so_many_requests(text, pages):
    """18 records in pages of 4 are five pages; without a known end there is one more, empty."""
    provider = Provider(18, 4, [])

    walk(read(text), provider)

    assert len(provider.asked) == pages
