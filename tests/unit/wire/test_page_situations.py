"""What providers do to a walk: each kind of paging over each of them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrationd.errors import PageShapeError, PaginationLoopError
from integrationd.wire.messages import Page
from tests.support.paging import EVERY, FIRST, Provider, read, walk

SITUATIONS = pytest.mark.parametrize("text", EVERY)


class Changing(Provider):
    """A provider whose list has another length from some page on."""

    later, since = 0, 3

    def answer(self, request):
        """Answer, with the new length when it is time."""
        if len(self.asked) == self.since:
            self.count = self.later
        return super().answer(request)


class Repeating(Provider):
    """A provider that knows none of the parameters: it gives its first page every time."""

    def start_of(self, *_):
        """Begin anew."""
        return 0


class Clamping(Provider):
    """A provider that gives its last page for whatever lies behind it, as some shops do."""

    def start_of(self, *asked):
        """Begin no later than the last page."""
        last = (self.count - 1) // self.cap * self.cap
        return min(super().start_of(*asked), last)


@SITUATIONS
@pytest.mark.parametrize(
    ("count", "cap"),
    [
        pytest.param(0, 4, id="empty-first-page"),
        pytest.param(1, 4, id="one-record"),
        pytest.param(4, 4, id="one-full-page"),
        pytest.param(12, 4, id="exact-multiple"),
        pytest.param(11, 4, id="short-last-page"),
        pytest.param(5, 1, id="pages-of-one"),
    ],
)
def test_list_is_read_whole(text, count, cap):
    """At the edges at which walks end too early or not at all."""
    assert walk(read(text), Provider(count, cap, []))[0] == list(range(count))


@SITUATIONS
@given(count=st.integers(0, 30), added=st.integers(0, 12), cap=st.integers(1, 5))
def test_list_that_grows_meanwhile_loses_nothing(text, count, added, cap):
    """What is there from the beginning is read once; what comes behind it may be."""
    provider = Changing(count, cap, [])
    provider.later = count + added

    ids, _ = walk(read(text), provider)

    assert ids[:count] == list(range(count))
    assert len(ids) == len(set(ids))


@SITUATIONS
@given(count=st.integers(0, 30), left=st.integers(0, 30), cap=st.integers(1, 5))
def test_list_that_shrinks_meanwhile_still_ends(text, count, left, cap):
    """Its end goes away before the walk is there; a total that falls is no failure."""
    provider = Changing(count, cap, [])
    provider.later = min(count, left)

    ids, _ = walk(read(text), provider)

    assert ids == list(range(len(ids)))
    assert len(ids) >= provider.later


@SITUATIONS
def test_provider_that_repeats_its_first_page_fails_the_walk(text):
    """A parameter that the provider does not know would give a hundred times the same."""
    # A walk by page goes by what the provider says of its number, so all of them are asked.
    provider = Repeating(18, 4, [])

    with pytest.raises(PaginationLoopError):
        walk(read(text), provider)

    assert len(provider.asked) <= 3


@SITUATIONS
@pytest.mark.parametrize("count", [11, 12])
def test_provider_that_repeats_its_last_page_ends_or_fails(text, count):
    """Where its end is told the walk ends there, otherwise it fails; it never goes on."""
    provider = Clamping(count, 4, [])
    knows = any(word in text for word in ("total", "has_more", "stop_when", "body.n", "cursor"))

    try:
        ids, _ = walk(read(text), provider)
    except PaginationLoopError:
        assert not knows
    else:
        assert ids == list(range(count))
    assert len(provider.asked) <= 4


NO_TOKEN = "page token is {}, expected text or a whole number"
NO_NEXT = (
    "paginate.has_more is true but paginate.next found nothing, so the rest cannot be asked for; "
    "is its path right?"
)
NO_FLAG = (
    "paginate.has_more found {}, expected true or false; without it the walk might end too early"
)


@pytest.mark.parametrize(
    ("text", "body", "message"),
    [
        ("cursor, into: query.a, next: body.t", {"t": True}, NO_TOKEN.format("true or false")),
        ("cursor, into: query.a, next: body.t", {"t": {"a": 1}}, NO_TOKEN.format("an object")),
        ("next_url, next: body.t", {"t": ["/b"]}, NO_TOKEN.format("a list")),
        ("next_url, next: body.t", {"t": 7}, "the next URL is a number, expected text"),
        (
            "cursor, into: query.a, next: body.t, also: [{next: body.u, into: query.b}]",
            {"t": "x", "u": 1.5},
            NO_TOKEN.format("a fraction"),
        ),
        (
            "page, into: query.p, total: body.t",
            {"t": "many"},
            "paginate.total found text, expected a whole number",
        ),
        ("page, into: query.p, has_more: body.m", {}, NO_FLAG.format("null")),
        ("page, into: query.p, has_more: body.m", {"m": "next"}, NO_FLAG.format("the text 'next'")),
        ("next_url, next: body.t, has_more: body.m", {"t": "/b"}, NO_FLAG.format("null")),
        (
            "cursor, into: query.a, next: body.t, has_more: body.m",
            {"m": True},
            NO_NEXT,
        ),
        (
            "next_url, next: body.t, has_more: body.m",
            {"m": True},
            NO_NEXT,
        ),
    ],
)
def test_word_of_another_type_is_refused(text, body, message):
    """What would end the walk in silence, or send nonsense, fails the run."""
    page = Page(reply={"status": 200, "headers": {}, "body": body}, count=1, records=[{"id": 1}])

    with pytest.raises(PageShapeError) as caught:
        read(f"{{type: {text}}}").advance(None, page)

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("flag", "more"),
    [(True, True), (False, False), (1, True), (0, False), ("true", True), ("False", False)],
)
def test_flag_may_be_a_number_or_text(flag, more):
    """XML and CSV know nothing but text, and older providers count."""
    paging = read("{type: page, into: query.p, has_more: body.m}")
    reply = {"status": 200, "headers": {}, "body": {"m": flag}}

    assert (paging.advance(None, Page(reply=reply, count=1)) is not None) == more


@pytest.mark.parametrize(
    "text",
    [
        "{type: page, into: query.p, send_start: false}",
        "{type: offset, into: query.p, size: {into: query.n, value: 2}, send_start: false}",
    ],
)
def test_first_page_goes_without_its_number(text):
    """Where ``send_start`` says so; the second one is counted from there."""
    paging = read(text)
    reply = {"status": 200, "headers": {}, "body": {}}
    following = paging.advance(None, Page(reply=reply, count=2))

    assert "p" not in dict(paging.apply(FIRST, None).query)
    assert dict(paging.apply(FIRST, following).query)["p"] == "2"


TWO = read(
    "{type: cursor, next: body.at, into: query.at, also: [{next: body.id, into: query.at_id}]}"
)


def test_token_of_two_values_is_kept_and_sent_as_two():
    """The first decides whether there is a next page; the second may stay as it was, or be null."""
    reply = {"status": 200, "headers": {}, "body": {"at": "2026", "id": 7}}
    following = TWO.advance(None, Page(reply=reply, count=1))
    sent = dict(TWO.apply(FIRST, json.loads(json.dumps(following))).query)
    alone = dict(TWO.apply(FIRST, ["2026", None]).query)

    assert following == ["2026", 7]
    assert (sent["at"], sent["at_id"]) == ("2026", "7")
    assert "at_id" not in alone
    assert TWO.advance(["2026", 6], Page(reply=reply, count=1)) == ["2026", 7]


def test_token_of_two_values_that_both_stay_is_an_error():
    """One of them may stay, as the time of two records does."""
    reply = {"status": 200, "headers": {}, "body": {"at": "2026", "id": 7}}

    with pytest.raises(PaginationLoopError) as caught:
        TWO.advance(["2026", 7], Page(reply=reply, count=1))

    assert str(caught.value) == (
        "page token at='2026' was returned twice in a row; "
        "set 'stop_when' if this API repeats its last token"
    )


def test_token_of_one_value_does_not_fit_two_places():
    """Kept before the second place was added to the spec."""
    with pytest.raises(PageShapeError) as caught:
        TWO.apply(FIRST, "2026")

    assert str(caught.value) == (
        "the stored page token is of another kind of paging; read with --full"
    )
