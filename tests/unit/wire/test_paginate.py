"""What each kind of paging asks for, where it ends, and what it refuses."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrationd.config.decode import INVALID, Kinds, Site, decode
from integrationd.config.problems import Problems
from integrationd.config.yaml import parse_yaml
from integrationd.errors import PageShapeError, PaginationLoopError
from integrationd.wire import paginate
from integrationd.wire.messages import JsonBody, Page, Request

FIRST = Request(method="GET", url="https://api.test/orders", query=(("limit", "2"),))


def decode_paging(text):
    """Decode the YAML of one kind of paging; return it with what was told."""
    problems = Problems()
    node = parse_yaml(text.encode(), file="specs/acme.yaml", problems=problems)
    paging = decode(node, object, Site(problems, "paginate").noted(Kinds(paginate.KINDS)))
    return paging, [str(problem) for problem in problems.found]


def read(text):
    """Decode what is known to be right."""
    paging, told = decode_paging(text)
    assert told == []
    return paging


def page(body=None, *, count=1, **headers):
    """Build a page."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Page(reply={"status": 200, "headers": names, "body": body}, count=count)


CURSOR = read("{type: cursor, next: body.next, into: query.after}")
STRIPE = read(
    '{type: cursor, next: "body.data[-1].id", into: query.starting_after,'
    ' stop_when: "!(body.has_more)", size: {into: query.limit, value: 100}}'
)
NUMBERED = read("{type: page, into: query.page, size: {into: query.limit, value: 100}}")
TOTALED = read('{type: page, into: query._page, total: headers."x-total-count"}')


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"next": None}, id="null"),
        pytest.param({"next": ""}, id="empty"),
        pytest.param({"next": False}, id="false"),
        pytest.param({"next": []}, id="empty-list"),
        pytest.param({}, id="missing"),
        pytest.param([], id="not-an-object"),
    ],
)
def test_absent_token_ends_the_walk(body):
    """A page without a usable token is the last page."""
    assert CURSOR.advance("before", page(body)) is None


@given(token=st.text(min_size=1) | st.integers())
@example(token=0)
def test_only_the_token_parameter_changes(token):
    """Whatever the token is, zero included, the rest of the request stays as it was."""
    following = CURSOR.advance(None, page({"next": token}))

    assert following == token
    assert CURSOR.apply(FIRST, following) == FIRST.with_query("after", str(token))


def test_first_page_is_asked_without_a_token():
    """There is no token to send yet."""
    assert CURSOR.apply(FIRST, None) is FIRST


def test_token_in_a_body_keeps_its_type():
    """A number stays a number in JSON."""
    paging = read("{type: cursor, next: body.cursor, into: json.page.cursor}")

    assert paging.apply(FIRST, 7).body == JsonBody({"page": {"cursor": 7}})


@pytest.mark.parametrize(
    ("token", "name"),
    [
        (True, "true or false"),
        (1.5, "a fraction"),
        (1e20, "a fraction"),
        (["a"], "a list"),
        ({"a": 1}, "an object"),
    ],
)
def test_odd_token_is_refused(token, name):
    """Guessing would send ``True`` or ``1e+20``."""
    with pytest.raises(PageShapeError) as caught:
        CURSOR.advance(None, page({"next": token}))

    assert str(caught.value) == f"page token is {name}, expected text or a whole number"


@pytest.mark.parametrize(("asked", "found"), [("abc", "abc"), (5, 5), ("5", 5)])
def test_repeated_token_is_an_error_not_a_loop(asked, found):
    """A provider that repeats its last token stops the run with a named error."""
    with pytest.raises(PaginationLoopError) as caught:
        CURSOR.advance(asked, page({"next": found}))

    assert str(caught.value) == (
        f"page token after={str(asked)!r} was returned twice in a row; "
        "set 'stop_when' if this API repeats its last token"
    )


def test_repeated_token_is_fine_where_the_walk_stops():
    """``stop_when`` is asked first."""
    body = {"data": [{"id": "a"}], "has_more": False}

    assert STRIPE.advance("a", page(body)) is None


def test_last_record_is_the_token():
    """Stripe's way of paging is said with an expression."""
    body = {"data": [{"id": "a"}, {"id": "b"}], "has_more": True}

    assert STRIPE.advance(None, page(body)) == "b"
    assert STRIPE.apply(FIRST, "b").query == (("limit", "100"), ("starting_after", "b"))


def test_empty_page_with_a_token_is_not_the_end():
    """Some providers filter after they cut their pages."""
    assert CURSOR.advance("a", page({"next": "b"}, count=0)) == "b"


def test_first_page_has_its_number_and_size():
    """The number is sent with the first request too."""
    assert NUMBERED.apply(FIRST, None).query == (("limit", "100"), ("page", "1"))


def test_numbers_begin_where_the_spec_says():
    """Some providers count from zero."""
    paging = read("{type: page, into: query.page, start: 0, total_pages: body.pages}")

    token = paging.advance(None, page({"pages": 2}))

    assert paging.apply(FIRST, None).query[-1] == ("page", "0")
    assert paging.apply(FIRST, token).query[-1] == ("page", "1")
    assert paging.advance(token, page({"pages": 2})) is None


def test_size_that_the_provider_does_not_give_is_no_short_page():
    """Where 50 come instead of 100, the walk goes on until a page is shorter than those 50."""
    token = NUMBERED.advance(None, page(count=50))
    assert token == {"page": 2, "read": 50, "last": 50}

    token = NUMBERED.advance(token, page(count=50))
    assert token == {"page": 3, "read": 100, "last": 50}

    assert NUMBERED.advance(token, page(count=49)) is None


@pytest.mark.parametrize("kind", ["page", "offset"])
def test_page_with_less_than_an_exact_size_is_the_last(kind):
    """The first page too; and a size that is sent nowhere is not sent."""
    paging = read(f"{{type: {kind}, into: query.at, size: {{value: 100, exact: true}}}}")

    assert paging.advance(None, page(count=99)) is None
    assert paging.advance(None, page(count=100)) is not None
    assert [name for name, _ in paging.apply(FIRST, None).query] == ["limit", "at"]


def test_offset_without_a_size_ends_at_an_empty_page():
    """The provider decides how many a page holds."""
    paging = read("{type: offset, into: query.skip}")

    token = paging.advance(None, page(count=7))

    assert token == {"offset": 7, "last": 7}
    assert paging.advance(token, page(count=3)) == {"offset": 10, "last": 3}
    assert paging.advance(token, page(count=0)) is None


def test_short_page_is_not_the_end_where_the_end_is_said():
    """A condition that does not hold yet counts more than a short page."""
    size = "size: {into: query.limit, value: 100}"
    for text in (
        f'{{type: page, into: query.page, {size}, stop_when: "!(body.more)"}}',
        f'{{type: offset, into: query.offset, {size}, stop_when: "!(body.more)"}}',
        f"{{type: page, into: query.page, {size}, total: body.n}}",
        f"{{type: offset, into: query.offset, {size}, total: body.n}}",
    ):
        paging = read(text)
        token = paging.advance(None, page({"more": True, "n": 500}, count=100))

        assert paging.advance(token, page({"more": True, "n": 500}, count=1)) is not None


def test_total_in_a_header_is_text():
    """Koha counts in ``x-total-count``; the walk ends with the last record."""
    token = TOTALED.advance(None, page(count=100, x_total_count="150"))

    assert token == {"page": 2, "read": 100, "last": 100}
    assert TOTALED.total(page(x_total_count="150")) == 150
    assert TOTALED.advance(token, page(count=50, x_total_count="150")) is None


def test_empty_page_ends_before_its_total():
    """A total that is larger than what can be read does not keep the walk going."""
    assert TOTALED.advance(None, page(count=0)) is None


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        ("many", "text"),
        (1.5, "a number"),
        (-1, "a number"),
        (True, "true or false"),
    ],
)
def test_total_that_is_not_there_is_told(value, name):
    """A walk whose end is unknown must not pass for a short one."""
    with pytest.raises(PageShapeError) as caught:
        TOTALED.advance(None, page(x_total_count=value))

    assert str(caught.value) == f"paginate.total found {name}, expected a whole number"
    assert TOTALED.total(page(x_total_count=value)) is None


def test_total_pages_that_is_not_there_is_told():
    """The same holds for the number of pages."""
    paging = read("{type: page, into: query.page, total_pages: body.pages}")

    with pytest.raises(PageShapeError) as caught:
        paging.advance(None, page({}))

    assert str(caught.value) == "paginate.total_pages found null, expected a whole number"


def test_offset_grows_by_what_was_read():
    """A page that holds less than asked for leaves nothing out."""
    paging = read("{type: offset, into: query.skip, size: {into: query.n, value: 10}, start: 1}")

    token = paging.advance(None, page(count=7))

    assert paging.apply(FIRST, None).query[1:] == (("skip", "1"), ("n", "10"))
    assert paging.apply(FIRST, token).query[1:] == (("skip", "8"), ("n", "10"))
    assert paging.total(page()) is None


def test_offset_with_total_counts_from_its_start():
    """Where the first record is number 1, eleven records do not end at offset 11."""
    text = (
        "{type: offset, into: query.skip, size: {into: query.n, value: 5}, start: 1, total: body.n}"
    )
    paging = read(text)

    token = paging.advance(None, page({"n": 11}, count=5))

    assert token == {"offset": 6, "last": 5}

    token = paging.advance(token, page({"n": 11}, count=5))

    assert token == {"offset": 11, "last": 5}
    assert paging.advance(token, page({"n": 11}, count=1)) is None


@pytest.mark.parametrize("token", ["abc", {"offset": 3}, {"page": "2"}, {"page": True}, [1]])
def test_token_of_another_kind_is_told(token):
    """A stored token that does not fit the spec is an error for people."""
    with pytest.raises(PageShapeError) as caught:
        NUMBERED.apply(FIRST, token)

    assert str(caught.value) == (
        "the stored page token is of another kind of paging; read with --full"
    )


def test_next_url_is_text():
    """A number is no URL."""
    with pytest.raises(PageShapeError) as caught:
        read("{type: next_url, next: body.next}").advance(None, page({"next": 5}))

    assert str(caught.value) == "the next URL is a number, expected text"


def test_link_of_another_relation_is_followed():
    """The relation to follow can be named."""
    header = '<https://a.test/2>; rel="next", <https://a.test/0>; rel="prev"'
    paging = read("{type: link, rel: Prev}")

    assert paging.advance(None, page(link=header)) == "https://a.test/0"


def test_kinds_without_a_total_know_none():
    """Tokens, URLs and links say nothing of how much there is; a single page says it all."""
    for text in ("{type: next_url, next: body.next}", "link"):
        assert read(text).total(page(count=5)) is None
    assert CURSOR.total(page(count=5)) is None
    assert read("none").total(page(count=5)) == 5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "{type: cursor, into: query.after}",
            "1:1: E102: paginate has no 'next', which is required",
        ),
        (
            "{type: offset, into: query.skip, size: {into: query.limit}}",
            "1:40: E102: paginate.size has no 'value', which is required",
        ),
        (
            "{type: page, into: url}",
            (
                "1:20: E206: paginate.into is 'url', expected a place in one of "
                "query, header, json, form, path, hole, cookie"
            ),
        ),
        (
            "{type: page, into: query.page, size: {into: query.limit, value: 0}}",
            "1:65: E111: paginate.size.value is 0, expected at least 1 and at most 1e+06",
        ),
    ],
)
def test_wrong_paging_is_told(text, told):
    """What is missing or out of bounds is told with its place."""
    assert decode_paging(text) == (INVALID, [f"specs/acme.yaml:{told}"])
